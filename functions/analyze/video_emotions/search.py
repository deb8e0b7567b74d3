"""Where in a picture the faces are: OpenCV's frontal-face cascade, over all of it or coarse to fine.

Both ways find what the cascade finds inside DeepFace's black border. The border decides on which pixels windows begin:
without it boxes move by a pixel or two, enough to change the emotion of every fifth frame of a real clip.

OpenCV's ``detectMultiScale`` shrinks a picture step by step, moves a window of 24 x 24 pixels over each level, and
takes the mean of the windows that pass and are alike. Here it is handed one part of one level at a time: the border is
three quarters of the area, and most of the rest is worth a coarse look only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common.errors import ConfigurationError
from video_emotions.boxes import Rectangle

SCALE_STEP: Final = 1.1
MIN_NEIGHBOURS: Final = 10
"""DeepFace's parameters of ``detectMultiScale``, for faces and for eyes; the seed's second pass used the same."""

ALIKE: Final = 0.2
"""OpenCV's ``GROUP_EPS``: how far windows of one face may differ, as a part of their side."""

DENSE_FROM: Final = 2.0
"""Shrunk by this factor or more OpenCV moves the window by one pixel, else by two."""

WINDOW: Final = 24
"""Side of the cascade's own window in pixels: no smaller face can be found."""

SMALLEST_FACE: Final = 1 / 8
"""Side of the smallest face worth looking for, as a part of the picture's shorter side, where nobody chose a scale.

In a 16:9 video at the default size that is 45 pixels, fewer than either network's input has (48, 64).
"""

LEEWAY: Final = 0.4
"""How far around a coarse box the fine search looks, as a part of the box's side."""

FINE_SIZES: Final = (0.5, 1.8)
"""Smallest and largest window of the fine search, as parts of the coarse box's side."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How the window goes over a picture.

    Attributes
    ----------
    border : float
        Of black on each side, as a part of the picture's width and height.
    step : float
        From one level to the next.
    dense : bool
        As OpenCV from `DENSE_FROM` on by single pixels; otherwise by two on all levels.
    neighbours : int
        More windows than these must be alike.
    """

    border: float
    step: float
    dense: bool
    neighbours: int


FINE: Final = Sweep(border=0.5, step=SCALE_STEP, dense=True, neighbours=MIN_NEIGHBOURS)
"""DeepFace's: it detects in the picture with a black border of half its height and width on each side."""

COARSE: Final = Sweep(border=0.25, step=1.2, dense=False, neighbours=0)
"""It may find too much, not too little; a face that leaves the picture needs some border.

`benchmarks/search.py` shows what other values find, and how fast.
"""


@dataclass(frozen=True, slots=True)
class Area:
    """Where windows may lie, in pixels of the picture, and their smallest and largest side."""

    left: int
    top: int
    right: int
    bottom: int
    smallest: int
    largest: int


def load_cascade(name: str) -> cv2.CascadeClassifier:
    """Return one of the cascades in OpenCV's wheel.

    Raises
    ------
    ConfigurationError
        The wheel has none, as those of OpenCV 5.
    """
    path = Path(cv2.__file__).parent / "data" / name
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise ConfigurationError(f"OpenCV's {name} is missing: opencv-python-headless below 5 is needed.")
    return cascade


def everywhere(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8]) -> list[Rectangle]:
    """Find the faces that DeepFace's opencv detector finds.

    Parameters
    ----------
    cascade : cv2.CascadeClassifier
    grey : NDArray of uint8, shape (height, width)

    Returns
    -------
    list of Rectangle
        In the cascade's order.
    """
    return _sweep(cascade, grey, FINE, [_whole(grey)])


def coarse_to_fine(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8]) -> list[Rectangle]:
    """Find nearly the same faces in a quarter of the time, but none below `SMALLEST_FACE`.

    The picture is shrunk until its smallest face fills the window, and swept coarsely. Only around what is found there,
    and at about its size, the search is that of `everywhere`, on the same levels. A box moves by a pixel where a window
    is missing that OpenCV would try: it leaves out the one after a hopeless one, from the row's beginning on.

    Parameters
    ----------
    cascade : cv2.CascadeClassifier
    grey : NDArray of uint8, shape (height, width)

    Returns
    -------
    list of Rectangle
        In the cascade's order.
    """
    smallest = max(WINDOW, int(SMALLEST_FACE * min(grey.shape)))
    scale = WINDOW / smallest
    small = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    areas = []
    for x, y, side, _ in _sweep(cascade, small, COARSE, [_whole(small)]):
        leeway, sizes = LEEWAY * side, (FINE_SIZES[0] * side, FINE_SIZES[1] * side)
        corners = x - leeway, y - leeway, x + side + leeway, y + side + leeway
        left, top, right, bottom, least, most = (int(value / scale) for value in (*corners, *sizes))
        areas.append(Area(left, top, right, bottom, max(smallest, least), most))
    return _sweep(cascade, grey, FINE, areas)


def _whole(grey: NDArray[np.uint8]) -> Area:
    height, width = grey.shape
    return Area(-width, -height, 2 * width, 2 * height, WINDOW, 2 * max(height, width))


def _sweep(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8], sweep: Sweep, areas: list[Area]) -> list[Rectangle]:
    """Return the means of the windows within the areas that pass and are alike."""
    height, width = grey.shape
    across, down = int(sweep.border * width), int(sweep.border * height)
    scene = np.asarray(cv2.copyMakeBorder(grey, down, down, across, across, cv2.BORDER_CONSTANT, value=0), np.uint8)
    passed: dict[Rectangle, None] = {}  # a set that keeps the order: areas overlap
    for factor, side in _levels(scene, sweep.step):
        here = [area for area in areas if area.smallest <= side <= area.largest]
        if not here:
            continue
        level = _shrunk(scene, factor)
        # What sees nothing but the border never passes. A little of that is kept on each side: OpenCV leaves out the
        # window after a hopeless one, so which ones it tries depends on where a row began to differ from black.
        edge = side + 3 * factor
        for area in here:
            left, top = max(area.left, -edge) + across, max(area.top, -edge) + down
            right, bottom = min(area.right, width + edge) + across, min(area.bottom, height + edge) + down
            x, y = (int(max(0, start) / factor) // 2 * 2 for start in (left, top))
            part = level[y : int(bottom / factor) + 2, x : int(right / factor) + 2]
            windows = _passing(cascade, part, dense=sweep.dense and factor >= DENSE_FROM)
            corners = np.rint((windows + np.array([x, y])).astype(np.float32) * np.float32(factor)).astype(int)
            passed |= {(corner[0], corner[1], side, side): None for corner in corners.tolist()}
    # OpenCV takes no means where a single window is enough: so each of them twice, and more than one.
    means, _ = cv2.groupRectangles(list(passed) * (1 if sweep.neighbours else 2), sweep.neighbours or 1, ALIKE)
    return [(int(x) - across, int(y) - down, int(w), int(h)) for x, y, w, h in means]


def _levels(scene: NDArray[np.uint8], step: float) -> Iterator[tuple[float, int]]:
    """Yield each level's factor, and the side of its windows in the scene.

    As in OpenCV they are multiplied in double precision and used in single precision.
    """
    factor = 1.0
    while (side := round(WINDOW * factor)) <= min(scene.shape):
        yield float(np.float32(factor)), side
        factor *= step


def _shrunk(scene: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return a level of the scene, to the bit as ``detectMultiScale`` makes it."""
    width, height = np.rint(np.array(scene.shape[::-1], np.float32) / np.float32(factor)).astype(int).tolist()
    return np.asarray(cv2.resize(scene, (width, height), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def _passing(cascade: cv2.CascadeClassifier, level: NDArray[np.uint8], *, dense: bool) -> NDArray[np.int32]:
    """Return x and y of each window of a level that passes: int32, (windows, 2)."""
    if min(level.shape) < WINDOW:  # OpenCV would fall back on windows of half the size
        return np.empty((0, 2), np.int32)
    zoom = 1
    if dense:  # doubled, for OpenCV to shrink it by two: to the same pixels, of which it then leaves none out
        zoom = 2
        level = np.asarray(cv2.resize(level, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST), np.uint8)
    side = (zoom * WINDOW, zoom * WINDOW)
    found = cascade.detectMultiScale(level, scaleFactor=2, minNeighbors=0, minSize=side, maxSize=side)
    return np.asarray(found, np.int32).reshape(-1, 4)[:, :2] // zoom
