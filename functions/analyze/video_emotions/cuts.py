"""Scene cuts: whether two sampled pictures show the same place. A track of a face ends at a cut.

People who move change some cells of a picture. A cut changes most of them, so the median cell decides. A cell changes
by its mean color or by its structure. Two lawns have the same color, and another structure. SSIM's structure term (Wang
et al., 2004) compares it, at the best place nearby, because cameras move.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE: Final = 64
"""Pixels across and down a thumbnail."""

CHANGED: Final = 20.0
"""Levels of 255 by which the mean color of a cell changes at a cut. Grain and small shifts of light stay below it."""

ALIKE: Final = 0.6
"""Structure below which a cell shows something else: 1 is the same. Measured, cuts that no color shows stay below 0.5,
and a person before a still camera above 0.75 after a second."""

_CELL: Final = 8
"""Pixels across and down a cell."""

_MOVED: Final = 4
"""Pixels of a thumbnail, 6 % of the picture, by which a cell is searched for in each direction."""

_GRAIN: Final = 10
"""Variance below which a cell has no structure, in squared levels. Such cells are alike."""

_PIXELS: Final = _CELL**2


def thumbnail(image: NDArray[np.uint8]) -> bytes:
    """Return a picture at `SIDE` x `SIDE` pixels, 12 KiB.

    Parameters
    ----------
    image : NDArray of uint8, shape (height, width, 3)
        BGR.
    """
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8).tobytes()


def is_cut(before: bytes, after: bytes) -> bool:
    """Report whether the picture of one thumbnail shows another place than that of the other."""
    pictures = [np.frombuffer(levels, np.uint8).reshape(SIDE, SIDE, 3) for levels in (before, after)]
    old, new = (cv2.resize(picture, (SIDE // _CELL,) * 2, interpolation=cv2.INTER_AREA) for picture in pictures)
    if np.median(cv2.absdiff(old, new).max(axis=2)) > CHANGED:
        return True
    gray, later = (np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.int32) for picture in pictures)
    # Most cameras stand still: then the first search, at the same place only, saves the second one.
    return all(np.median(_structure(gray, later, moved)) < ALIKE for moved in (0, _MOVED))


def _structure(before: NDArray[np.int32], after: NDArray[np.int32], moved: int) -> NDArray[np.float64]:
    """Return how alike each cell of a gray picture is to the place in the other one that is most like it.

    The place is up to ``moved`` pixels away. Integers up to the last step give the same result on each machine.
    """
    padded, places = np.pad(before, moved, mode="edge"), range(2 * moved + 1)
    old = np.stack([_cells(padded[y : y + SIDE, x : x + SIDE]) for y in places for x in places])
    new = _cells(after)
    grain = _GRAIN * _PIXELS**2
    spread = np.sqrt(_covariance(old, old)) * np.sqrt(_covariance(new, new))
    return np.asarray(((_covariance(old, new) + grain) / (spread + grain)).max(axis=0), np.float64)


def _cells(levels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the pixels of each cell, of shape (cells, `_PIXELS`)."""
    count = SIDE // _CELL
    return levels.reshape(count, _CELL, count, _CELL).swapaxes(1, 2).reshape(-1, _PIXELS)


def _covariance(left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the covariance over the last axis, times the square of its length."""
    products = np.einsum("...k,...k->...", left, right)
    return np.asarray(_PIXELS * products - left.sum(axis=-1, dtype=np.int32) * right.sum(axis=-1, dtype=np.int32))
