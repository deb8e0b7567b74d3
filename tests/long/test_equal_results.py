"""A merged Result equals the whole one in every field: people, tracks and intervals too."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from testbed.make_video import write_video
from testbed.pictures import ABSENT, CENTRED, Picture, Place, portrait
from testbed.remux import joined, with_edit_list
from tests.contract.test_segmented import comparable, through_texts
from video_common.schema import FacelessFrames, Options, Voting
from video_emotions.faces.detector import Detection, Detector
from video_emotions.faces.finder import FaceFinder
from video_emotions.facts import PlanFacts, SegmentFacts, VideoInfo
from video_emotions.frames import read, sample_slice
from video_emotions.plan import plan
from video_emotions.probe import survey
from video_emotions.reader import Reader, Segmenting
from video_emotions.segmented import Segmented
from video_emotions.segments import costs, spans
from video_emotions.slices import Slice
from video_emotions.video_request import VideoRequest

FRAMES, SIZE, CUT = 272, (140, 126), 200
UNEVEN_MS = [number * 33 + (number * number) % 29 for number in range(FRAMES)]
OPTIONS = Options(
    frame_interval=4, include="timeline,people", voting=Voting.ALL, faceless_frames=FacelessFrames.ANALYZE
)


def people() -> Iterator[Picture]:
    """Draw two people side by side. One is hidden for a while, both are, and then a cut leads to a darker scene."""
    for number in range(FRAMES):
        left: Place = (0.6 + 0.15 * np.sin(number / 20), 0.5)
        if 120 <= number < 144:
            left = ABSENT
        is_away = 60 <= number < 84 or 132 <= number < 144 or number >= CUT
        places = (left, ABSENT if is_away else CENTRED)
        picture = np.hstack([portrait(*SIZE, place) for place in places])
        yield picture // 2 if number >= CUT else picture


def in_three_parts(path: Path) -> Path:
    """Write an MP4 of three sample descriptions."""
    drawn, parts = people(), []
    for number, quality in enumerate(("qp=16", "qp=20:cabac=0", "qp=18")):
        part = path.with_stem(f"{path.stem}-{number}")
        pictures = islice(drawn, FRAMES // 3 if number < 2 else None)
        options = {"x264-params": f"scenecut=0:{quality}"}
        parts.append(write_video(part, pictures, keyint=4, b_frames=0, options=options))
    return joined(parts, path)


def written(**how: object) -> Callable[[Path], Path]:
    return lambda path: write_video(path, people(), keyint=4, **how)  # type: ignore[arg-type]


OPEN = {"b_frames": 2, "open_gop": True, "options": {"x264-params": "scenecut=0"}}
CLIPS: dict[str, Callable[[Path], Path]] = {
    "open-group.mp4": written(**OPEN),
    "hevc.mp4": written(codec="hevc"),
    "vp9.webm": written(codec="vp9"),
    "uneven.mp4": written(times_ms=UNEVEN_MS),
    "edited.mp4": lambda path: with_edit_list(written(**OPEN)(path)),
    "three-descriptions.mp4": in_three_parts,
}


class InProcess(Reader):
    """Reads without a child: 92 of them take a minute, and `test_segmented` has them."""

    def read(
        self, path: Path, options: Options, threads: int, seconds: float = 0.0
    ) -> tuple[VideoInfo, PlanFacts, Any]:
        info, chosen, frames = read(path, options, threads)
        return info, chosen.facts, frames

    def segments(self, source: Any, options: Options, threads: int, wanted: Segmenting, seconds: float = 0.0) -> Any:
        info, index = survey(source, threads)
        chosen = plan(info, index, options)
        each, _ = costs(index, chosen, info.size)
        parts = (
            (SegmentFacts(end - first, 0, 0, 0.0, 0.0), bytes(Slice.of(index, chosen, first, end)))
            for first, end in spans(index, chosen, each, wanted.seconds, wanted.at_least)
        )
        return info, chosen.facts, parts

    def read_slice(
        self, source: Any, part: bytes, sizes: tuple[int, int], options: Options, threads: int, seconds: float = 0.0
    ) -> Any:
        return sample_slice(source, Slice.of_bytes(part), options, threads)


class Remembered:
    """A detector that searches each picture once. Equal pictures come in the whole and in five kinds of segments."""

    def __init__(self, detector: Detector) -> None:
        self._detector, self._found = detector, dict[bytes, list[Detection]]()
        self.facts, self.smallest_face = detector.facts, detector.smallest_face
        self.sure_face = detector.sure_face

    def detect(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        key = image.tobytes()
        if key not in self._found:
            self._found[key] = list(self._detector.detect(image))
        return iter(self._found[key])


class Finder(FaceFinder):
    """Gives a detector that remembers."""

    def __init__(self, models_dir: Path) -> None:
        super().__init__(models_dir)
        self._remembering = Remembered(super().detector())

    def detector(self, name: str | None = None) -> Detector:
        return self._remembering


@pytest.mark.parametrize("name", CLIPS)
def test_in_any_number_of_segments(pipeline, tmp_path, name):
    finder = Finder(pipeline.settings.models_dir)
    path, pipeline = CLIPS[name](tmp_path / name), replace(pipeline, reader=InProcess(), finder=finder)
    tasks = Segmented(pipeline)
    whole = comparable(pipeline.analyze(VideoRequest(path, OPTIONS)))
    # Given several people, each of whom is in many of 64 segments
    assert whole.people is not None
    assert len(whole.people) > 3
    assert max(person.frames for person in whole.people) > 5
    assert whole.average_emotion_scores_interval is not None
    assert whole.eye_contact_score_interval is not None
    for count in (2, 3, 7, 16, 64):
        merged, segments = through_texts(tasks, path, OPTIONS, count)
        assert segments == count
        assert comparable(merged) == whole
