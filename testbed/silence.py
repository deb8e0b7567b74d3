"""A sound track of silence for a generated video."""

from fractions import Fraction
from typing import Any, Final

import av
import numpy as np

_ENCODERS: Final = {"mp4": "aac", "mov": "aac", "mkv": "aac", "webm": "libopus", "avi": "pcm_s16le", "ts": "aac"}
_RATE: Final = 48_000
_CHUNK: Final = 960


class Silence:
    """A track of silence, written alongside the pictures so that the muxer need not hold either back.

    Parameters
    ----------
    container : av.container.OutputContainer
    container_name : str
        One of mp4, mov, mkv, webm, avi and ts.
    start_ms, end_ms : int
    """

    def __init__(self, container: Any, container_name: str, start_ms: int, end_ms: int) -> None:
        self._container = container
        self._stream = container.add_stream(_ENCODERS[container_name], rate=_RATE)
        self._stream.layout = "mono"
        self._position = start_ms * _RATE // 1000
        self._end = end_ms * _RATE // 1000

    def write_until(self, seconds: Fraction) -> None:
        """Write the silence before that moment."""
        while self._position < min(self._end, int(seconds * _RATE)):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, _CHUNK), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = _RATE, Fraction(1, _RATE), self._position
            self._position += _CHUNK
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write the rest of the silence."""
        self.write_until(Fraction(self._end, _RATE))
        self._container.mux(self._stream.encode(None))
