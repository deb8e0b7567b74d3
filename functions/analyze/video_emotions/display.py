"""How a stored picture is shown: upright, and in square pixels. Pure."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Size

Depth = TypeVar("Depth", np.uint8, np.uint16)
"""Of an image: 16 bits for HDR."""

SQUARE: Final = Fraction(1)
"""The aspect of square pixels: width divided by height."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How to turn a stored picture upright: first swap its axes or not, then flip the resulting x and y."""

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of_matrix(cls, matrix: bytes | None) -> Self:
        """Read a display matrix as FFmpeg stores it (libavutil/display.h): x' = a x + c y, y' = b x + d y."""
        if matrix is None:
            return cls()
        a, b, _, c, d = struct.unpack("<5i", matrix[:20])
        return cls(True, c < 0, b < 0) if abs(b) > abs(a) else cls(False, a < 0, d < 0)

    @property
    def rotation(self) -> int:
        """Degrees clockwise: 0, 90, 180 or 270. A mirrored picture (front cameras) counts as its mirror image."""
        if self.transposed:
            return 270 if self.flip_y else 90
        return 180 if self.flip_y else 0

    def upright(self, image: NDArray[Depth]) -> NDArray[Depth]:
        """Return the upright picture of a stored one: (height, width, 3)."""
        if self.transposed:
            image = image.transpose(1, 0, 2)
        image = image[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]
        return cast("NDArray[Depth]", np.ascontiguousarray(image))


def shown_size(stored: Size, aspect: Fraction, orientation: Orientation) -> Size:
    """Return the size of the upright picture in square pixels.

    The side along which pixels are narrow grows and neither side shrinks, as in browsers: no stored detail is lost.

    Parameters
    ----------
    stored : Size
    aspect : Fraction
        Of a stored pixel, above 0.
    orientation : Orientation
    """
    width, height = stored
    size = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    return size[::-1] if orientation.transposed else size


class PixelAspects:
    """Give each picture its pixel aspect. The decoder reports one for the stream, as of the picture that it gives.

    The container's aspect counts for pictures whose own aspect is that of the file's first picture, because the
    container describes that picture. If a stream changes its aspect midway, the stream's own aspect counts. If it then
    gives none, its pixels are square. An aspect changes with a keyframe only.

    Parameters
    ----------
    declared : Fraction or None
        The container's, or the stream's own where the container has none.
    first : Fraction or None
        The own aspect of the file's first picture, 0 where it gives none. None: the next picture is the first one.
    """

    def __init__(self, declared: Fraction | None, first: Fraction | None = None) -> None:
        self._declared = declared
        self.first = first
        self._own: Fraction | None = None

    def of_next(self, own: Fraction | None, *, is_keyframe: bool) -> Fraction:
        """Return the aspect of the next picture, for which the decoder reports ``own``."""
        if self._own is None or is_keyframe:
            self._own = own or Fraction(0)
        if self.first is None:
            self.first = self._own
        aspect = self._declared if self._own == self.first else self._own
        return aspect if aspect is not None and aspect > 0 else SQUARE
