"""What test videos show: a face at a known place, nothing, or moving detail, and frame numbers that survive a codec.

Pictures are BGR arrays of ``uint8``, as OpenCV has them. The face is scikit-image's astronaut: Eileen Collins, by NASA,
public domain, inside scikit-image's wheel.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Picture = NDArray[Any]  # of uint8; OpenCV's stubs know no more of what they return
Place = tuple[float, float] | None
"""Where the face's center is, as parts of the picture's width and height; None: no face."""

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
    """Return the astronaut's picture, 512 x 512, face centered on ``_FACE``; the file is in the wheel, not fetched."""
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4)
def _background(width: int, height: int) -> Picture:
    """Return the astronaut's colors without any detail, so that a portrait's edges are no hard lines."""
    blurred: Picture = cv2.GaussianBlur(cv2.resize(_astronaut(), (width, height)), (0, 0), height / 9)
    return blurred


def portrait(width: int, height: int, place: Place, drift: tuple[float, float] = (0.0, 0.0)) -> Picture:
    """Draw the astronaut with the face's center at `place`, or the suit without the head.

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
    picture: Picture = _astronaut() if place else _astronaut()[_SUIT]
    anchor = _FACE if place else (picture.shape[1] / 2, picture.shape[0] / 2)
    scale = _SCALE_AT_REFERENCE * height / _REFERENCE_HEIGHT
    x, y = place or (0.5, 0.5)
    moved = np.array(
        [
            [scale, 0, x * width - scale * anchor[0] + drift[0]],
            [0, scale, y * height - scale * anchor[1] + drift[1]],
        ]
    )
    mask: NDArray[Any] = np.zeros(picture.shape[:2], np.float32)
    mask[_FEATHER:-_FEATHER, _FEATHER:-_FEATHER] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), _FEATHER / 2.5)
    mask = cv2.warpAffine(mask, moved, (width, height))[:, :, np.newaxis]
    picture = cv2.warpAffine(picture, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return (picture * mask + _background(width, height) * (1 - mask)).round().astype(np.uint8)


def portraits(width: int, height: int, places: Iterable[Place]) -> Iterator[Picture]:
    """Draw a portrait for each of `places`, gently swaying so that no two neighbors are equal.

    Examples
    --------
    >>> len(list(portraits(320, 180, [CENTRED] * 3 + [ABSENT] * 2)))
    5
    """
    for index, place in enumerate(places):
        yield portrait(width, height, place, (3 * np.sin(index / 15), 1.5 * np.cos(index / 20)))


def flat(width: int, height: int, count: int, grey: int = 128) -> Iterator[Picture]:
    """Draw nothing, `count` times: no face, no detail."""
    picture = np.full((height, width, 3), grey, np.uint8)
    return (picture for _ in range(count))


def moving(
    width: int, height: int, count: int, *, detail: float = 1.0, place: Place = CENTRED, seed: int = 0
) -> Iterator[Picture]:
    """Draw a portrait that pans before the camera, with grain that is new in every picture: for benchmarks.

    Parameters
    ----------
    width, height, count : int
        However many are drawn, memory is that of a few.
    detail : float
        Strength of the grain. 0: an encoder has next to nothing to do; 1: a phone camera in the evening.
    place : Place
    seed : int
        Of the grain: equal seeds give equal pictures.
    """
    rng = np.random.default_rng(seed)
    reach = 32
    canvas = cv2.copyMakeBorder(portrait(width, height, place), reach, reach, reach, reach, cv2.BORDER_REFLECT_101)
    noise = rng.normal(0, 12 * detail, (height + 2 * reach, width + 2 * reach, 1)).astype(np.int16)
    grain = np.repeat(noise, 3, axis=2)
    for index in range(count):
        x, y = round(reach + (reach - 1) * np.sin(index / 40)), round(reach + (reach - 1) * np.cos(index / 55))
        dx, dy = rng.integers(0, 2 * reach, 2)
        seen = canvas[y : y + height, x : x + width]
        yield cv2.add(seen, grain[dy : dy + height, dx : dx + width], dtype=cv2.CV_8U) if detail else seen.copy()


def numbered(pictures: Iterable[Picture], first: int = 0) -> Iterator[Picture]:
    """Stamp its number on each of `pictures`, so that a test can tell which one was decoded.

    Examples
    --------
    >>> [read_number(picture) for picture in numbered(flat(320, 180, 3))]
    [0, 1, 2]
    """
    for number, picture in enumerate(pictures, first):
        yield stamp(picture, number)


def stamp(picture: Picture, number: int) -> Picture:
    """Return a copy with `number` along the lower edge: sixteen blocks, and below them their opposites."""
    if not 0 <= number < 2**NUMBER_BITS:
        message = f"{number} does not fit into {NUMBER_BITS} bits"
        raise ValueError(message)
    stamped = picture.copy()
    for bit, (upper, lower) in enumerate(_blocks(picture.shape[0], picture.shape[1])):
        is_set = bool(number >> bit & 1)
        stamped[upper] = 255 * is_set
        stamped[lower] = 255 * (not is_set)
    return stamped


def read_number(picture: Picture) -> int:
    """Return the number that `stamp` wrote, from a lossily coded or scaled picture.

    Raises
    ------
    ValueError
        The picture bears no number, at least not upright and along its lower edge.
    """
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    number = 0
    for bit, (upper, lower) in enumerate(_blocks(picture.shape[0], picture.shape[1])):
        difference = grey[_middle(upper)].mean() - grey[_middle(lower)].mean()
        if abs(difference) < 96:
            message = "The picture bears no readable number"
            raise ValueError(message)
        number |= int(difference > 0) << bit
    return number


Area = tuple[slice, slice]


def _blocks(height: int, width: int) -> list[tuple[Area, Area]]:
    """Return the upper and the lower block of each bit, lowest bit first."""
    block = max(4, round(height / 20))
    edges = [round(width * bit / NUMBER_BITS) for bit in range(NUMBER_BITS + 1)]
    upper, lower = slice(height - 2 * block, height - block), slice(height - block, height)
    return [((upper, slice(*sides)), (lower, slice(*sides))) for sides in pairwise(edges)]


def _middle(area: Area) -> Area:
    """Return the inner half of a block, where neither a codec's ringing nor a resize's blur reaches."""
    rows, columns = (slice((3 * s.start + s.stop) // 4, -(-(s.start + 3 * s.stop) // 4)) for s in area)
    return rows, columns
