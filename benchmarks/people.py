"""How well tracks follow people whose truth is known, in pictures and through a detector.

::

    make accuracy      writes docs/accuracy.md

Photographed people walk through a picture (`testbed.walks`). A detector finds their faces, and `tracks` numbers them.
Frames in which two faces overlap are not compared, because there nobody can say whose face a box is.
"""

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.page import ACCURACY, write_section
from benchmarks.photos import FacePhoto, Image, face_photos, faceless_pictures
from benchmarks.subject import MODELS
from testbed.following import Followed, judge
from testbed.walks import KINDS, SIZE, STEP_MS, Walk
from video_common.errors import InvalidOption
from video_emotions.boxes import Box
from video_emotions.cuts import is_cut, thumbnail
from video_emotions.faces.detector import Detector
from video_emotions.faces.finder import FaceFinder
from video_emotions.tracks import Tracks

CLIPS: Final = 100
STEPS: Final = (1, 10)
"""Samples each 100 ms and each second."""

DETECTORS: Final = {"yunet": list(KINDS), "haar": list(KINDS)[:3]}
"""The clips that each detector searches. haar needs 0.2 s a picture, so it gets three kinds only."""

Sight = tuple[bytes, list[Box]]
"""A frame's thumbnail, and the faces that were found in it."""

_AROUND: Final = 1.7
"""A head takes so many times its face's box."""


def pictures(walk: Walk, frames: Sequence[int]) -> Iterator[Image]:
    """Draw frames of a walk."""
    people, places = _people(), _places()
    for frame in frames:
        picture = places[(walk.seed + int(walk.scenes[frame])) % len(places)].copy()
        for place, box in enumerate(walk.boxes(frame)):
            if box:
                _put(picture, people[(7 * walk.seed + place) % len(people)], box)
        yield picture


def sights(walk: Walk, detector: Detector) -> list[Sight]:
    """Return what a detector finds in each frame of a walk."""
    return [
        (thumbnail(picture), [face.box.clipped(SIZE) for face in detector.detect(picture)])
        for picture in pictures(walk, range(walk.frames))
    ]


def follow(walk: Walk, seen: Sequence[Sight], step: int) -> Followed:
    """Give the faces of every so many frames their numbers, and compare with the truth."""
    frames, tracks, found = range(0, walk.frames, step), Tracks(), []
    for frame in frames:
        scene, boxes = seen[frame]
        before = seen[max(0, frame - step)][0]
        tracks, numbers = tracks.follow(frame * STEP_MS, boxes, is_cut=is_cut(before, scene))
        found.append(list(zip(boxes, numbers, strict=True)))
    return judge(walk, frames, found)


def _put(picture: Image, photo: FacePhoto, box: Box) -> None:
    """Draw a head with its face's box at a place, with a soft edge."""
    zoom = box.height / photo.box.height
    center = photo.box.x + photo.box.width / 2, photo.box.y + photo.box.height / 2
    side = round(box.height * _AROUND)
    moved = np.array([[zoom, 0, side / 2 - zoom * center[0]], [0, zoom, side / 2 - zoom * center[1]]])
    head = cv2.warpAffine(photo.image, moved, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    left, top = box.x + (box.width - side) // 2, box.y + (box.height - side) // 2
    inside = Box(left, top, side, side).clipped(SIZE)
    if inside.width <= 0 or inside.height <= 0:
        return
    part = slice(inside.y - top, inside.y - top + inside.height), slice(inside.x - left, inside.x - left + inside.width)
    target = picture[inside.y : inside.y + inside.height, inside.x : inside.x + inside.width]
    weight = _oval(side)[part]
    target[:] = (head[part] * weight + target * (1 - weight)).round().astype(np.uint8)


@cache
def _oval(side: int) -> NDArray[np.float32]:
    mask: NDArray[np.float32] = np.zeros((side, side), np.float32)
    cv2.ellipse(mask, (side // 2, side // 2), (round(side * 0.36), round(side * 0.45)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), side / 40), np.float32)[..., None]


@cache
def _people() -> list[FacePhoto]:
    """Return the frontal faces, each at a size at which little has to be computed."""
    people = []
    for photo in face_photos():
        if photo.frontal and photo.box.height >= 60:
            zoom = min(1.0, 120 / photo.box.height)
            image = np.asarray(cv2.resize(photo.image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
            box = Box(*(round(side * zoom) for side in photo.box))
            people.append(FacePhoto(photo.person, image, box, frontal=True))
    return people


@cache
def _places() -> list[Image]:
    """Return the backgrounds. No two show the same place, so each change of them is a cut."""
    pictures = {what: picture for what, picture in faceless_pictures().items() if "same scene" not in what}
    wide = [picture for picture in pictures.values() if picture.shape[1] >= SIZE[0]]
    return [np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA), np.uint8) for picture in wide]


def section(rows: dict[tuple[str, int, str], list[Followed]]) -> str:
    """Return the page's section."""
    lines = [
        f"{CLIPS} clips of each kind, in {SIZE[0]} x {SIZE[1]} pixels, with faces of 54 to 72 pixels.",
        "A clip is kept if each person has one number from the first frame to the last one.",
        "A switch is a number that was another person's, a fragment a new number for a known person.",
        "Somebody who leaves for more than two seconds is a new person by intention.",
        "",
        "| clip | sampled each | detector | clips kept | switches | fragments | faces missed | numbers across a cut |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, step, detector in product(KINDS, STEPS, DETECTORS):
        outcomes = rows.get((kind, step, detector))
        if outcomes is None:
            continue
        sums = [sum(getattr(each, name) for each in outcomes) for name in ("switches", "fragments", "missed", "across")]
        cells = [kind, f"{step * STEP_MS} ms", detector, f"{sum(each.kept for each in outcomes)} of {len(outcomes)}"]
        lines.append(f"| {' | '.join([*cells, *map(str, sums)])} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the page."""
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else CLIPS
    finder = FaceFinder(MODELS)
    rows: dict[tuple[str, int, str], list[Followed]] = {}
    for name, kinds in DETECTORS.items():
        try:
            detector = finder.detector(name)
        except InvalidOption:
            print(f"{name} cannot be had here", flush=True)
            continue
        for kind in kinds:
            walks = [KINDS[kind](seed) for seed in range(clips)]
            seen = [sights(walk, detector) for walk in walks]
            for step in STEPS:
                rows[kind, step, name] = [follow(walk, each, step) for walk, each in zip(walks, seen, strict=True)]
                print(kind, step, name, sum(each.kept for each in rows[kind, step, name]), flush=True)
            if clips == CLIPS:
                write_section("people", section(rows), ACCURACY)  # a stopped run leaves what it measured
    print(section(rows))


if __name__ == "__main__":
    main()
