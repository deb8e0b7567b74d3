"""Scene cuts: whether two sampled pictures show the same place. A track of a face ends at a cut."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE: Final = 8
"""Cells across and down a picture."""

CHANGED: Final = 20.0
"""Levels of 255 by which the mean color of a cell changes at a cut. Grain and small shifts of light stay below it."""


def thumbnail(image: NDArray[np.uint8]) -> bytes:
    """Return the mean color of each cell of a picture, 192 bytes.

    Parameters
    ----------
    image : NDArray of uint8, shape (height, width, 3)
        BGR.
    """
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8).tobytes()


def is_cut(before: bytes, after: bytes) -> bool:
    """Report whether the picture of one thumbnail is another place than that of the other.

    People who move change some cells. A cut changes most of them, so the median cell decides.
    """
    old, new = (np.frombuffer(cells, np.uint8).reshape(-1, 3).astype(np.int16) for cells in (before, after))
    return bool(np.median(np.abs(new - old).max(axis=1)) > CHANGED)
