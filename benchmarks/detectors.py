"""What each detector finds, what it mistakes for a face, and how long it searches.

::

    make bench-detectors      ten minutes; the first time it also downloads 57 MB of photos

A face is found if a box overlaps the hand-drawn one by at least half (intersection over union). A box that overlaps no
face by more than a tenth is a false find. The time of a search is processor time, so other programs hardly change it.
It includes what the detector does for each face, such as finding its eyes.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.page import machine, write_section
from benchmarks.photos import Image
from benchmarks.scenes import PEOPLE, Case, Scene, cases
from benchmarks.subject import MODELS
from testbed.flask_app import load_deepface
from video_common.schema import Options
from video_emotions.boxes import Box, size_of
from video_emotions.faces.detector import Detection
from video_emotions.faces.finder import FaceFinder
from video_emotions.faces.yunet import MIN_SCORE, YuNet
from video_emotions.frames import shrink
from video_emotions.plan import scales_for
from video_models.manifest import detector_path, load_manifest

FOUND: Final = 0.5
FALSE: Final = 0.1
SCORES: Final = {least: f"yunet from {least}" for least in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)} | {MIN_SCORE: "yunet"}
"""Columns by YuNet's minimum score."""

SIZES_OF_SCORES: Final = ("40 px", "54 px", "76 px", "97 px")
TIMED: Final = ("20 px", "300 px")
"""The first is too small at 640 pixels, so that the default searches twice."""

COLUMNS: Final = ("haar", "yunet", "haar at 0.5", "yunet at 0.5", "yunet at 1")
DEEPFACE: Final = ("DeepFace", "DeepFace at 0.5")

Detect = Callable[[Image], Iterable[Detection]]


@dataclass(frozen=True, slots=True)
class Way:
    """A detector at a scale.

    Attributes
    ----------
    name : str
    detect : callable
        Finds faces in a picture.
    scale_factor : float or None
    sure_face : int
        Pixels, see `Detector`.
    searches : callable
        Says of a case whether it is worth the time.
    """

    name: str
    detect: Detect
    scale_factor: float | None = None
    sure_face: int = 0
    searches: Callable[[Case], bool] = lambda _: True

    def search(self, scene: Scene) -> tuple[list[Box], float]:
        """Return boxes in pixels of the scene, and the seconds of the search, as the service searches a frame."""
        seconds, boxes = 0.0, list[Box]()
        for scale in scales_for(scene.size, Options(scale_factor=self.scale_factor)):
            image = shrink(scene.image, scale, scene.size)
            begun = time.thread_time()
            found = list(self.detect(image))
            seconds += time.thread_time() - begun
            if found:
                boxes = [face.box.scaled(size_of(image), scene.size) for face in found]
                if found[0].box.width >= self.sure_face:
                    break
        return boxes, seconds


@dataclass(slots=True)
class Tally:
    """Counts over scenes, and the seconds of the searches."""

    pictures: int = 0
    faces: int = 0
    found: int = 0
    false: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, scene: Scene, boxes: list[Box], seconds: float) -> None:
        """Count a scene in which those boxes were found."""
        self.pictures += 1
        self.faces += len(scene.faces)
        self.found += sum(any(box.overlap(face) >= FOUND for box in boxes) for face in scene.faces)
        self.false += sum(all(box.overlap(face) <= FALSE for face in scene.faces) for box in boxes)
        self.seconds.append(seconds)


Row = dict[str, Tally]
"""The tallies of a case by column."""


def measure(ways: list[Way], all_cases: Iterable[Case]) -> dict[str, Row]:
    """Search all scenes in all ways, and return a row for each case."""
    rows: dict[str, Row] = {}
    for case in all_cases:
        row = rows[case.name] = defaultdict(Tally)
        chosen = [way for way in ways if way.searches(case)]
        for scene in case.scenes:
            for way in chosen:
                row[way.name].add(scene, *way.search(scene))
        print(case.name, {name: (tally.found, tally.false) for name, tally in row.items()}, flush=True)
    return rows


def section(rows: dict[str, Row]) -> str:
    """Return the page's section."""
    with_faces = {name: row for name, row in rows.items() if row[COLUMNS[0]].faces}
    nobody = {name: row for name, row in rows.items() if name not in with_faces}
    scenes = sum(row[COLUMNS[0]].pictures for row in with_faces.values())
    of_deepface = " and ".join(_sum(nobody, name, "false") for name in DEEPFACE)
    lines = [
        f"`make bench-detectors`, one thread. Machine: {machine()}.",
        f"{scenes} scenes. Each row has {PEOPLE} frontal faces, one a scene; the video call shows 25 people at once.",
        "Pixels are the face's height from the eyebrows to the chin, in 1080p if the row gives no other size.",
        '"At 0.5" and "at 1" are scale factors. Only close-ups are measured at 1.',
        "",
        f"| | {' | '.join(COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for name in TIMED:
        cells = (_milliseconds(with_faces[name], way) for way in COLUMNS)
        lines.append(f"| milliseconds of one processor for a scene of {name}, median | {' | '.join(cells)} |")
    for name, row in with_faces.items():
        cells = (f"{row[way].found} of {row[way].faces}" if way in row else "" for way in COLUMNS)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append(f"| false finds in these scenes | {' | '.join(_sum(with_faces, way, 'false') for way in COLUMNS)} |")
    for name, row in nobody.items():
        cells = (str(row[way].false) if way in row else "" for way in COLUMNS)
        lines.append(f"| false finds in {row[COLUMNS[0]].pictures} {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"DeepFace's own search has {of_deepface} false finds in the scenes of nobody, by default and at 0.5.",
        "",
        *_min_scores(with_faces, nobody),
    ]
    return "\n".join(lines)


def _min_scores(with_faces: dict[str, Row], nobody: dict[str, Row]) -> list[str]:
    """Return the table of the score that a find of YuNet needs."""
    heads = ["minimum score of yunet", *SIZES_OF_SCORES, f"of all {_sum(with_faces, 'yunet', 'faces')} faces"]
    heads += ["false finds there", "false finds in scenes of nobody"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for least, way in sorted(SCORES.items()):
        cells = [f"**{least}**" if least == MIN_SCORE else str(least)]
        cells += [str(with_faces[size][way].found) for size in SIZES_OF_SCORES]
        cells += [_sum(with_faces, way, "found"), _sum(with_faces, way, "false"), _sum(nobody, way, "false")]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _sum(rows: dict[str, Row], way: str, figure: str) -> str:
    return str(sum(getattr(row[way], figure) for row in rows.values() if way in row))


def _milliseconds(row: Row, way: str) -> str:
    return f"{1000 * statistics.median(row[way].seconds):.0f}" if way in row else ""


def by_deepface(deepface: Any) -> Detect:
    """Return DeepFace's own search as a detector. Without a face it returns the whole picture, at a confidence of 0."""

    def detect(image: Image) -> Iterator[Detection]:
        for face in deepface.extract_faces(image, detector_backend="opencv", enforce_detection=False):
            if face["confidence"]:
                yield Detection(Box(*(int(face["facial_area"][side]) for side in "xywh")))

    return detect


def main() -> None:
    """Measure, print, and write the page."""
    finder = FaceFinder(MODELS)  # it also confines OpenCV to one thread
    haar, yunet = finder.detector("haar"), finder.detector("yunet")
    path = detector_path("yunet", MODELS)
    weights = load_manifest().emotions["mini-xception"].onnx_path(MODELS)
    deepface = by_deepface(load_deepface("mini-xception", weights, "onnx"))
    ways = [Way("yunet at 1", yunet.detect, 1, searches=lambda case: case.is_close_up)]
    ways += [Way(name, YuNet(path, "", least).detect) for least, name in SCORES.items() if least != MIN_SCORE]
    for suffix, scale_factor in (("", None), (" at 0.5", 0.5)):
        ways += [
            Way(f"haar{suffix}", haar.detect, scale_factor, haar.sure_face),
            Way(f"yunet{suffix}", yunet.detect, scale_factor, yunet.sure_face),
            Way(f"DeepFace{suffix}", deepface, scale_factor, searches=lambda case: not case.shows_faces),
        ]
    text = section(measure(ways, cases()))
    print(text)
    write_section("detectors", text)


if __name__ == "__main__":
    main()
