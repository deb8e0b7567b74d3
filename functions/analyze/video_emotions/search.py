"""Where in a picture the faces are: OpenCV's frontal-face cascade, over all of it or coarse to fine.

Both ways find what the cascade finds inside DeepFace's black border. The border decides on which pixels windows begin:
without it boxes move by a pixel or two, enough to change the emotion of every fifth frame of a real clip.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common.errors import ConfigurationError

Rectangle = tuple[int, int, int, int]
"""x, y, width, height in pixels; it may reach out of the picture."""

SCALE_STEP: Final = 1.1
MIN_NEIGHBOURS: Final = 10
"""DeepFace's parameters of ``detectMultiScale``, for faces and for eyes; the seed's second pass used the same."""

BORDER: Final = 0.5
"""DeepFace detects in the picture with a black border of half its height and width on each side."""

SMALLEST_FACE: Final = 1 / 8
"""Side of the smallest face worth looking for, as a part of the picture's shorter side, where nobody chose a scale.

In a 16:9 video at the default size that is 45 pixels, fewer than either network's input has (48, 64).
"""

WINDOW: Final = 24
"""Side of the cascade's own window in pixels: no smaller face can be found."""

COARSE_STEP: Final = 1.2
COARSE_NEIGHBOURS: Final = 1
COARSE_BORDER: Final = 0.25
"""Of the coarse search. It may find too much, not too little; a face that leaves the picture needs some border."""

LEEWAY: Final = 0.5
"""What the fine search sees around a coarse box, as a part of the box's side."""

FINE_SIZES: Final = (0.55, 1.6)
"""Smallest and largest face of the fine search, as parts of the smallest and largest coarse box.

Tighter ones cut off windows that a box is the mean of; `tests/contract/test_default_detection.py` holds what is wanted.
"""


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


def everywhere(
    cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8], sizes: tuple[int, int] = (0, 0)
) -> list[Rectangle]:
    """Find the faces that DeepFace's opencv detector finds.

    Parameters
    ----------
    cascade : cv2.CascadeClassifier
    grey : NDArray of uint8, shape (height, width)
    sizes : tuple of int
        Sides of the smallest and the largest face in pixels; 0 sets no bound.

    Returns
    -------
    list of Rectangle
        In the cascade's order.
    """
    smallest, largest = sizes
    across, down = _margins(grey, BORDER)
    boxes, _, _ = cascade.detectMultiScale3(
        _bordered(grey, across, down),
        SCALE_STEP,
        MIN_NEIGHBOURS,
        minSize=(smallest, smallest),
        maxSize=(largest, largest),
        outputRejectLevels=True,  # as DeepFace does: with it one window that passes is enough for a face
    )
    return [(int(x) - across, int(y) - down, int(w), int(h)) for x, y, w, h in boxes]


def coarse_to_fine(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8]) -> list[Rectangle]:
    """Find the same faces in about half of the time, less those below `SMALLEST_FACE`.

    The picture is shrunk until its smallest face fills the cascade's window, and searched in large steps. Only around
    what is found there, and at about its size, the search is that of `everywhere`, window for window: the rest of the
    picture is black, and black windows are dismissed at once.

    Parameters
    ----------
    cascade : cv2.CascadeClassifier
    grey : NDArray of uint8, shape (height, width)

    Returns
    -------
    list of Rectangle
        In the cascade's order.
    """
    smallest = int(SMALLEST_FACE * min(grey.shape))
    if smallest <= WINDOW:
        return everywhere(cascade, grey, (smallest, 0))
    coarse = _coarse(cascade, grey, WINDOW / smallest)
    if not coarse:
        return []
    sides = [side for _, _, side, _ in coarse]
    bounds = max(smallest, int(FINE_SIZES[0] * min(sides))), int(FINE_SIZES[1] * max(sides))
    seen = np.zeros_like(grey)
    for x, y, side, _ in coarse:
        leeway = int(LEEWAY * side)
        rows = slice(max(0, y - leeway), max(0, y + side + leeway))
        columns = slice(max(0, x - leeway), max(0, x + side + leeway))
        seen[rows, columns] = grey[rows, columns]
    return everywhere(cascade, seen, bounds)


def _coarse(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8], scale: float) -> list[Rectangle]:
    small = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    across, down = _margins(small, COARSE_BORDER)
    found = cascade.detectMultiScale(_bordered(small, across, down), COARSE_STEP, COARSE_NEIGHBOURS)
    boxes = [(x - across, y - down, w, h) for x, y, w, h in np.asarray(found, dtype=np.int64).reshape(-1, 4)]
    return [(int(x / scale), int(y / scale), int(w / scale), int(h / scale)) for x, y, w, h in boxes]


def _margins(grey: NDArray[np.uint8], part: float) -> tuple[int, int]:
    height, width = grey.shape
    return int(part * width), int(part * height)


def _bordered(grey: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.copyMakeBorder(grey, down, down, across, across, cv2.BORDER_CONSTANT, value=0), np.uint8)
