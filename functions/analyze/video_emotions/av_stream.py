"""What PyAV reports of a file's video stream, before a packet is read."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_emotions.av_packets import entries_of
from video_emotions.boxes import Size
from video_emotions.supported import DECODER_NAMES


class Stream:
    """An opened file's best video stream."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream
        self._format = str(container.format.name)

    @property
    def codec(self) -> str:
        """The codec's common name in lower case, e.g. ``h264``."""
        name = str(self._stream.codec_context.name)
        return DECODER_NAMES.get(name, name)

    @property
    def is_avi(self) -> bool:
        """True for AVI, which stores when pictures are decoded and not when they are shown."""
        return self._format == "avi"

    @property
    def size(self) -> Size:
        """Width and height in pixels as stored: not turned upright, not in square pixels."""
        return self._stream.codec_context.width, self._stream.codec_context.height

    @property
    def time_base(self) -> Fraction:
        """Seconds in one unit of ``pts``."""
        return Fraction(self._stream.time_base)

    @property
    def start(self) -> Fraction | None:
        """Seconds at which the whole file begins, or None if it does not say."""
        start = self._container.start_time
        return None if start is None else Fraction(start, av.time_base)

    @property
    def nominal_rate(self) -> float:
        """Frames a second as the container claims. 0.0 if it does not say, or if the claim is impossible."""
        rate = float(self._stream.average_rate or 0)
        return rate if 0 < rate <= limits.MAX_FRAME_RATE else 0.0

    @property
    def track_id(self) -> int:
        """The track's number in an MP4."""
        return int(self._stream.id)

    @property
    def extradata(self) -> bytes:
        """The codec's parameters as the container stores them."""
        return bytes(self._stream.codec_context.extradata or b"")

    def index(self) -> NDArray[np.void]:
        """Return what the container's index says of the packets: see `av_packets.ENTRY`."""
        return entries_of(self._stream)
