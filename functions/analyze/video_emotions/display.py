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

    The shorter side grows and neither side shrinks, as browsers do it: no stored detail is lost.

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
    """Tells each picture's pixel aspect. The decoder reports one for the stream, as of the last packet that it read.

    The container's word counts for pictures whose own aspect is that of the first picture: that is the picture the
    container describes. A stream that changes its aspect midway is right about the change, also where the change is
    that it no longer gives an aspect: then its pixels are square.

    Parameters
    ----------
    declared : Fraction or None
        The container's, or the stream's own where the container has none.
    """

    def __init__(self, declared: Fraction | None) -> None:
        self._declared = declared
        self._first: Fraction | None = None
        self._before: Fraction | None = None
        self._now: Fraction | None = None
        self._changed_at: int | None = None
        self._started = False

    def read(self, own: Fraction | None, keyframe_pts: int | None) -> None:
        """Take the decoder's report after a packet; a change holds from the last keyframe on."""
        if not self._started:
            self._first = self._before = self._now = own
            self._started = True
        elif own != self._now:
            self._before, self._now, self._changed_at = self._now, own, keyframe_pts

    def at(self, pts: int) -> Fraction:
        """Return the aspect of the picture that is shown at ``pts``."""
        own = self._before if self._changed_at is not None and pts < self._changed_at else self._now
        aspect = self._declared if own == self._first else own
        return aspect if aspect is not None and aspect > 0 else SQUARE
