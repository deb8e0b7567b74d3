"""One decoded picture, which becomes an image on request."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Size
from video_emotions.display import Orientation, shown_size
from video_emotions.tones import HLG, PQ, to_sdr


class Picture:
    """One decoded picture.

    Parameters
    ----------
    frame : object
        The decoder's own.
    pts : int
        Presentation time in time base units.
    orientation : Orientation
    aspect : Fraction
        Width of a stored pixel divided by its height.
    first_field : callable, optional
        Returns a frame with every second row only. Set for a picture that was recorded in two fields.
    """

    def __init__(
        self,
        frame: Any,
        pts: int,
        orientation: Orientation,
        aspect: Fraction,
        first_field: Callable[[Any], Any] | None = None,
    ) -> None:
        self._frame = frame
        self._first_field = first_field
        self.pts = pts
        self.orientation = orientation
        self.aspect = aspect

    @property
    def is_keyframe(self) -> bool:
        """The decoder's judgement."""
        return bool(self._frame.key_frame)

    @property
    def is_corrupt(self) -> bool:
        """True where the decoder had to invent a part of the picture."""
        return bool(self._frame.is_corrupt)

    @property
    def size(self) -> Size:
        """Width and height of the upright picture in square pixels."""
        return shown_size((self._frame.width, self._frame.height), self.aspect, self.orientation)

    def bgr(self) -> NDArray[Any]:
        """Return the upright picture in its stored pixels: (height, width, 3), BGR, as ``cv2.VideoCapture``.

        A picture of two fields is returned as its first field: the other one shows a later moment, and what moves in
        between would be combed. So it has half as many rows as its `size` says; resizing it fills them in.

        The type is uint8. For HDR it is uint16, in HDR's own colors: convert it with `to_sdr` once it is small.
        """
        frame = self._first_field(self._frame) if self._first_field else self._frame
        image: NDArray[Any] = frame.to_ndarray(format="bgr48le" if self._is_hdr else "bgr24")
        return self.orientation.upright(image)

    def to_sdr(self, image: NDArray[Any]) -> NDArray[np.uint8]:
        """Return an image of this picture in SDR colors, uint8."""
        return to_sdr(image, self._frame.color_trc) if self._is_hdr else image

    @property
    def _is_hdr(self) -> bool:
        return self._frame.color_trc in {PQ, HLG}
