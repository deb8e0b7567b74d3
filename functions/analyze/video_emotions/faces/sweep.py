"""How the frontal-face cascade moves over a picture: to the pixel what DeepFace's ``opencv`` detector finds.

DeepFace gives the picture a black border of half its size before OpenCV's ``detectMultiScale`` sees it. The border
decides where windows begin. Without it boxes move by a pixel or two, enough to change the emotion of every fifth frame
of a real clip. But the border is three quarters of the area, and no window that sees only border ever passes.

``detectMultiScale`` shrinks a picture step by step, moves a window of 24 x 24 pixels over each level, and averages
similar windows that pass. Here it gets one level at a time, without most of the border.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Box

SCALE_STEP: Final = 1.1
MIN_NEIGHBORS: Final = 10
"""DeepFace's parameters of ``detectMultiScale``, for faces and for eyes. The Flask app's second pass used the same."""

BORDER: Final = 0.5
"""DeepFace's black border on each side, as a part of the picture's width and height."""

ALIKE: Final = 0.2
"""OpenCV's ``GROUP_EPS``: how far windows of one face may differ, as a part of their side."""

DENSE_FROM: Final = 2.0
"""In a level that is shrunk by this factor or more OpenCV moves the window by one pixel, else by two."""

WINDOW: Final = 24
"""Side of the cascade's window in pixels. It finds no smaller face."""


def sweep(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8]) -> list[Box]:
    """Find the faces that DeepFace's opencv detector finds.

    Parameters
    ----------
    cascade : cv2.CascadeClassifier
    grey : NDArray of uint8, shape (height, width)

    Returns
    -------
    list of Box
        In the cascade's order.
    """
    height, width = grey.shape
    across, down = int(BORDER * width), int(BORDER * height)
    scene = np.asarray(cv2.copyMakeBorder(grey, down, down, across, across, cv2.BORDER_CONSTANT, value=0), np.uint8)
    passed: list[list[int]] = []
    for factor, side in _levels(scene):
        # A little border stays on each side: OpenCV skips the window after a clear rejection, so which windows it tries
        # depends on where a row begins to differ from black.
        edge = side + 3 * factor
        left, top = max(-width, -edge) + across, max(-height, -edge) + down
        right, bottom = min(2 * width, width + edge) + across, min(2 * height, height + edge) + down
        x, y = (int(max(0, start) / factor) // 2 * 2 for start in (left, top))
        part = _shrunk(scene, factor)[y : int(bottom / factor) + 2, x : int(right / factor) + 2]
        windows = _passing(cascade, part, dense=factor >= DENSE_FROM)
        corners = np.rint((windows + np.array([x, y])).astype(np.float32) * np.float32(factor)).astype(int)
        passed += [[corner[0], corner[1], side, side] for corner in corners.tolist()]
    means, _ = cv2.groupRectangles(passed, MIN_NEIGHBORS, ALIKE)
    return [Box(int(x) - across, int(y) - down, int(w), int(h)) for x, y, w, h in means]


def _levels(scene: NDArray[np.uint8]) -> Iterator[tuple[float, int]]:
    """Yield each level's factor, and the side of its windows in the scene.

    As in OpenCV they are multiplied in double precision and used in single precision.
    """
    factor = 1.0
    while (side := round(WINDOW * factor)) <= min(scene.shape):
        yield float(np.float32(factor)), side
        factor *= SCALE_STEP


def _shrunk(scene: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return a level of the scene, to the bit as ``detectMultiScale`` makes it."""
    width, height = np.rint(np.array(scene.shape[::-1], np.float32) / np.float32(factor)).astype(int).tolist()
    return np.asarray(cv2.resize(scene, (width, height), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def _passing(cascade: cv2.CascadeClassifier, level: NDArray[np.uint8], *, dense: bool) -> NDArray[np.int32]:
    """Return x and y of each window of a level that passes: int32, (windows, 2)."""
    if min(level.shape) < WINDOW:  # OpenCV would fall back on windows of half the size
        return np.empty((0, 2), np.int32)
    zoom = 1
    if dense:  # doubled, for OpenCV to shrink it by two: to the same pixels, of which it then skips none
        zoom = 2
        level = np.asarray(cv2.resize(level, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST), np.uint8)
    side = (zoom * WINDOW, zoom * WINDOW)
    found = cascade.detectMultiScale(level, scaleFactor=2, minNeighbors=0, minSize=side, maxSize=side)
    return np.asarray(found, np.int32).reshape(-1, 4)[:, :2] // zoom
