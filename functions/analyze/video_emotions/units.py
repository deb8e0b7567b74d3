"""The units of H.264: parameters, messages and pieces of pictures. Pure."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

OfPacket = Callable[[memoryview, bool], bool]
"""Gets each packet in the order of the file, and whether it is a keyframe."""

HEAD: Final = 65_536
"""Bytes of a packet that are read for the parameters and messages in front of the picture."""
MOST_UNITS: Final = 64
"""Units that are read in front of a picture. Only hostile files have more."""
_UNIT: Final = 260
"""Bytes read from a unit: parameters are shorter, and the first bytes of a slice are enough."""

_IDR: Final = 5
SLICES: Final = {1, 2, _IDR}
"""Kinds of units that hold a piece of a picture."""


def opens_group(codec: str, extradata: bytes) -> OfPacket:
    """Return the function that reports whether pictures may refer to others across a packet that should prevent it.

    That is a keyframe after which pictures refer to pictures before it (an open group), or a first packet that is no
    keyframe. Only H.264 matters: where such references are left out, its decoder fails as if the video was damaged.

    Parameters
    ----------
    codec, extradata : str, bytes
        As for `picture_starts`.
    """
    return _OpensGroup(length_size_of(extradata)) if codec == "h264" else lambda _packet, _is_keyframe: False


class _OpensGroup:
    def __init__(self, length_size: int) -> None:
        self._length_size = length_size
        self._is_first = True

    def __call__(self, packet: memoryview, is_keyframe: bool) -> bool:
        is_first, self._is_first = self._is_first, False
        if not is_keyframe:
            return is_first
        kinds = (unit[0] & 31 for unit in islice(units(bytes(packet[:HEAD]), self._length_size), MOST_UNITS))
        return next((kind for kind in kinds if kind in SLICES), _IDR) != _IDR


def length_size_of(extradata: bytes) -> int:
    """Return the size of the length before each unit; 0 where start codes separate them."""
    return (extradata[4] & 3) + 1 if len(extradata) > 6 and extradata[0] == 1 else 0


def units(head: bytes, length_size: int) -> Iterator[bytes]:
    """Yield the beginnings of the units in the beginning of a packet."""
    return _lengths(head, length_size) if length_size else annex_b(head)


def annex_b(data: bytes) -> Iterator[bytes]:
    """Yield the beginnings of the units behind start codes."""
    place = data.find(b"\0\0\1")
    while 0 <= place < len(data) - 3:
        yield data[place + 3 : place + 3 + _UNIT]
        place = data.find(b"\0\0\1", place + 3)


def _lengths(data: bytes, length_size: int) -> Iterator[bytes]:
    """Yield the beginnings of the units that follow their length."""
    place = 0
    while place + length_size < len(data):
        begin = place + length_size
        yield data[begin : begin + _UNIT]
        place = begin + int.from_bytes(data[place:begin], "big")


def avcc_parameters(extradata: bytes) -> Iterator[bytes]:
    """Yield the parameter sets of an ``avcC`` box (ISO/IEC 14496-15, 5.3.3.1)."""
    place = 5
    for mask in (31, 255):
        for _ in range(extradata[place] & mask if place < len(extradata) else 0):
            size = int.from_bytes(extradata[place + 1 : place + 3], "big")
            yield extradata[place + 3 : place + 3 + size] or b"\0"
            place += 2 + size
        place += 1
