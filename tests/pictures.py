"""What test videos show: a face at a known place, nothing, or moving detail, and frame numbers that survive a codec.

Pictures are BGR arrays of ``uint8``, as OpenCV has them. The face is scikit-image's astronaut: Eileen Collins, by NASA,
public domain, inside scikit-image's wheel.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Picture = NDArray[np.uint8]
Place = tuple[float, float] | None
"""Where the face's centre is, as parts of the picture's width and height; None: no face."""

CENTRED: Final[Place] = (0.5, 0.5)
TO_THE_LEFT: Final[Place] = (0.2, 0.5)
"""Off-centre by 0.3 of the width alone: outside a tolerance of 0.2, the face wholly in the picture."""
ABOVE: Final[Place] = (0.5, 0.21)
"""Off-centre by 0.29 of the height alone."""
ABSENT: Final[Place] = None

_FACE: Final = (224, 112)
_SUIT: Final = (slice(190, None), slice(0, 340))
"""The part of the picture below the face and left of the helmet, whose reflections a cascade may take for a face."""
_FEATHER: Final = 24
_REFERENCE_HEIGHT: Final = 360
_SCALE_AT_REFERENCE: Final = 1.15
NUMBER_BITS: Final = 16


@lru_cache(maxsize=1)
def _astronaut() -> Picture:
    """Return the astronaut's picture, 512 x 512, face centred on ``_FACE``; the file is in the wheel, not fetched."""
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@lru_cache(maxsize=4)
def _background(width: int, height: int) -> Picture:
    """Return the astronaut's colours without any detail, so that a portrait's edges are no hard lines."""
    blurred: Picture = cv2.GaussianBlur(cv2.resize(_astronaut(), (width, height)), (0, 0), height / 9)
    return blurred


def portrait(width: int, height: int, place: Place, drift: tuple[float, float] = (0.0, 0.0)) -> Picture:
    """Draw the astronaut with the face's centre at `place`, or the suit without the head.

    Parameters
    ----------
    width, height : int
        Size of the picture. The face takes about a third of the height.
    place : Place
    drift : tuple of float
        Pixels to move right and down, fractions allowed.

    Returns
    -------
    Picture
    """
    picture = _astronaut() if place else _astronaut()[_SUIT]
    anchor = _FACE if place else (picture.shape[1] / 2, picture.shape[0] / 2)
    scale = _SCALE_AT_REFERENCE * height / _REFERENCE_HEIGHT
    x, y = place or (0.5, 0.5)
    moved = np.array(
        [
            [scale, 0, x * width - scale * anchor[0] + drift[0]],
            [0, scale, y * height - scale * anchor[1] + drift[1]],
        ]
    )
    mask = np.zeros(picture.shape[:2], np.float32)
    mask[_FEATHER:-_FEATHER, _FEATHER:-_FEATHER] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), _FEATHER / 2.5)
    mask = cv2.warpAffine(mask, moved, (width, height))[:, :, np.newaxis]
    picture = cv2.warpAffine(picture, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return (picture * mask + _background(width, height) * (1 - mask)).round().astype(np.uint8)


def portraits(width: int, height: int, places: Iterable[Place]) -> Iterator[Picture]:
    """Draw a portrait for each of `places`, gently swaying so that no two neighbours are equal.

    Examples
    --------
    >>> len(list(portraits(320, 180, [CENTRED] * 3 + [ABSENT] * 2)))
    5
    """
    for index, place in enumerate(places):
        yield portrait(width, height, place, (3 * np.sin(index / 15), 1.5 * np.cos(index / 20)))
