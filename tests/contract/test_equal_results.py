"""A merged Result equals the whole one in every field: people, tracks and intervals too."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from testbed.make_video import write_video
from testbed.pictures import ABSENT, CENTRED, Picture, Place, portrait
from testbed.remux import joined, with_edit_list
from tests.contract.test_segmented import comparable, through_texts
from video_common.schema import FacelessFrames, Options, Voting
from video_emotions.segmented import Segmented
from video_emotions.video_request import VideoRequest

FRAMES, SIZE, CUT = 272, (200, 180), 200
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


@pytest.mark.parametrize("name", CLIPS)
def test_in_any_number_of_segments(pipeline, tmp_path, name):
    path, tasks = CLIPS[name](tmp_path / name), Segmented(pipeline)
    whole = comparable(pipeline.analyze(VideoRequest(path, OPTIONS)))
    # Given several people, each of whom is in many of 64 segments
    assert whole.people is not None
    assert len(whole.people) > 3
    assert max(person.frames for person in whole.people) > 10
    assert whole.average_emotion_scores_interval is not None
    assert whole.eye_contact_score_interval is not None
    for count in (2, 3, 7, 16, 64):
        merged, segments = through_texts(tasks, path, OPTIONS, count)
        assert segments == count
        assert comparable(merged) == whole
