"""What the coarse search loses, and what it saves: other values of its constants beside the chosen ones.

::

    make bench-search

Pictures are the photographs of the test footage and every 37th picture of its clips, at the default size, each with six
variants: turned, moved, nearer or farther, lighter or darker, with grain. The truth is the exact search, less the faces
that are too small by definition. Writes its table into docs/performance.md.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from video_emotions.search import load_cascade

from benchmarks.page import machine, write_section
from testbed import footage
from video_emotions import search
from video_emotions.boxes import Rectangle
from video_emotions.frames import default_scale, shrink

VARIANTS = 6
EVERY = 37
Grey = NDArray[Any]
Ways = dict[str, dict[str, object]]

WAYS: Ways = {
    "as chosen": {},
    "every pixel of all levels": {"COARSE": replace(search.COARSE, dense=True)},
    "two windows alike": {"COARSE": replace(search.COARSE, neighbours=1)},
    "steps of 1.1": {"COARSE": replace(search.COARSE, step=1.1)},
    "steps of 1.3": {"COARSE": replace(search.COARSE, step=1.3)},
    "border of 0.1": {"COARSE": replace(search.COARSE, border=0.1)},
    "leeway of 0.2": {"LEEWAY": 0.2},
    "leeway of 0.6": {"LEEWAY": 0.6},
    "fine sizes of 0.7 to 1.4": {"FINE_SIZES": (0.7, 1.4)},
    "fine sizes of 0.4 to 2.2": {"FINE_SIZES": (0.4, 2.2)},
}


@dataclass(frozen=True)
class Outcome:
    """Of one way over all pictures.

    Attributes
    ----------
    milliseconds : float
        Of one thread, a picture.
    same : int
        Pictures whose largest face is the exact search's, to the pixel.
    lost, moved, extra : int
        Faces without a counterpart, with one elsewhere than to the pixel, and found by this way only.
    """

    milliseconds: float
    same: int
    lost: int
    moved: int
    extra: int


def pictures() -> Iterator[Grey]:
    """Yield the grey pictures, always the same."""
    rng = np.random.default_rng(0)
    for original in originals():
        scaled = shrink(original, default_scale((original.shape[1], original.shape[0])))
        picture = cv2.cvtColor(scaled, cv2.COLOR_BGR2GRAY)
        height, width = picture.shape
        yield picture
        for _ in range(VARIANTS):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-15, 15), rng.uniform(0.35, 1.4))
            turn[:, 2] += rng.uniform(-0.3, 0.3, 2) * (width, height)
            moved = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
            grain = rng.normal(0, rng.uniform(0, 10), moved.shape)
            yield np.clip(moved * rng.uniform(0.5, 1.3) + grain, 0, 255).astype(np.uint8)


def originals() -> Iterator[NDArray[Any]]:
    """Yield photographs, and pictures of clips, in colour."""
    for path in sorted(footage.FOLDER.glob("*.jpg")):
        yield np.asarray(cv2.imread(str(path)))
    for clip in footage.CLIPS:
        capture, place = cv2.VideoCapture(str(clip)), 0
        while (read := capture.read())[0]:
            if place % EVERY == 0:
                yield np.asarray(read[1])
            place += 1


def seconds_and_boxes(find: Callable[[Grey], list[Rectangle]], seen: list[Grey]) -> tuple[float, list[list[Rectangle]]]:
    """Return the processor's seconds a picture, and what was found."""
    begun = time.process_time()
    found = [find(picture) for picture in seen]
    return (time.process_time() - begun) / len(seen), found


def compare(seconds: float, found: list[list[Rectangle]], truth: list[list[Rectangle]]) -> Outcome:
    """Count what differs."""
    same = lost = moved = extra = 0
    for mine, exact in zip(found, truth, strict=True):
        same += max(mine, key=_area, default=None) == max(exact, key=_area, default=None)
        matched = [[one for one in mine if overlap(one, face) >= 0.5] for face in exact]
        lost += sum(not ones for ones in matched)
        moved += sum(bool(ones) and face not in ones for ones, face in zip(matched, exact, strict=True))
        extra += sum(all(overlap(one, face) < 0.5 for face in exact) for one in mine)
    return Outcome(seconds * 1000, same, lost, moved, extra)


def _area(box: Rectangle) -> int:
    return box[2] * box[3]


def overlap(one: Rectangle, other: Rectangle) -> float:
    """Return intersection over union."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(0, across) * max(0, down)
    return both / (_area(one) + _area(other) - both)


def main() -> None:
    """Measure, print, and write the page."""
    cv2.setNumThreads(1)
    cascade, seen = load_cascade("haarcascade_frontalface_default.xml"), list(pictures())
    exact_seconds, found = seconds_and_boxes(lambda grey: search.everywhere(cascade, grey), seen)
    truth = [
        [box for box in boxes if box[2] >= search.SMALLEST_FACE * min(grey.shape)]
        for boxes, grey in zip(found, seen, strict=True)
    ]
    lines = [
        f"`make bench-search`: {len(seen)} pictures, {sum(map(len, truth))} faces. Machine: {machine()}, one thread.",
        f"The exact search takes {exact_seconds * 1000:.1f} ms a picture.",
        "",
        "| coarse to fine | ms a picture | largest face the same, of pictures | faces lost | moved | extra |",
        "|---|---|---|---|---|---|",
    ]
    chosen = {name: getattr(search, name) for changes in WAYS.values() for name in changes}
    for name, changes in WAYS.items():
        vars(search).update(chosen | changes)
        one = compare(*seconds_and_boxes(lambda grey: search.coarse_to_fine(cascade, grey), seen), truth)
        lines.append(f"| {name} | {one.milliseconds:.1f} | {one.same} | {one.lost} | {one.moved} | {one.extra} |")
        print(lines[-1], flush=True)
    write_section("search", "\n".join(lines))


if __name__ == "__main__":
    main()
