"""What a packet's first bytes say: does a new picture begin here? Pure.

Most packets are one picture. A packet of VP8 or VP9 can hold a picture that is only referred to and never shown. A
picture of H.264 can be coded as two fields, each in a packet of its own.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Final, Self

from video_emotions.units import (
    HEAD,
    MOST_UNITS,
    SLICES,
    OfPacket,
    annex_b,
    avcc_parameters,
    length_size_of,
    units,
)

StartsPicture = OfPacket
"""False: the packet shows no picture of its own."""


def picture_starts(codec: str, extradata: bytes) -> StartsPicture:
    """Return the function that reports for each packet of a stream whether a new picture begins there.

    Parameters
    ----------
    codec : str
        The codec's common name.
    extradata : bytes
        The codec's parameters as the container stores them.
    """
    if codec == "h264":
        return _H264(extradata)
    return {"vp8": _vp8_is_shown, "vp9": _vp9_is_shown}.get(codec, _always)


def always_starts(codec: str, extradata: bytes) -> bool:
    """Report whether a picture begins with each packet, as far as the parameters in the container say."""
    starts = picture_starts(codec, extradata)
    return starts.has_no_fields if isinstance(starts, _H264) else starts is _always


def _always(_packet: memoryview, _is_keyframe: bool) -> bool:
    return True


def _vp8_is_shown(packet: memoryview, _is_keyframe: bool) -> bool:
    """Read ``show_frame`` of the frame tag (RFC 6386, 9.1)."""
    return bool(packet[0] & 0x10)


def _vp9_is_shown(packet: memoryview, _is_keyframe: bool) -> bool:
    """Read ``show_frame`` (VP9 bitstream specification, 6.2).

    In a superframe, which ends with a marker (Annex B), hidden frames come with a picture that is shown.
    """
    bits = _Bits(bytes(packet[:2]))
    marker, low, high = bits.read(2), bits.read(1), bits.read(1)
    if marker != _VP9_FRAME or packet[-1] >> 5 == _VP9_SUPERFRAME:
        return True
    bits.read(low & high)
    shows_existing, _, shows = bits.read(1), bits.read(1), bits.read(1)
    return bool(shows_existing or shows)


_VP9_FRAME, _VP9_SUPERFRAME = 0b10, 0b110


@dataclass(frozen=True, slots=True)
class _Sps:
    """What a sequence parameter set says about slice headers."""

    has_planes: bool
    frame_num_bits: int
    has_fields: bool

    @classmethod
    def of(cls, bits: "_Bits") -> tuple[int, Self]:
        """Read it, and its id (ITU-T H.264, 7.3.2.1.1)."""
        profile = bits.read(8)
        bits.read(16)
        number, has_planes = bits.ue(), False
        if profile in _HIGH_PROFILES:
            chroma = bits.ue()
            has_planes = chroma == _YUV444 and bool(bits.read(1))
            bits.ue()  # bit depth of luma, then of chroma
            bits.ue()
            bits.read(1)
            if bits.read(1):
                for place in range(12 if chroma == _YUV444 else 8):
                    if bits.read(1):
                        bits.skip_scaling_list(16 if place < 6 else 64)
        frame_num_bits = min(bits.ue(), 12) + 4
        order_type = bits.ue()
        if order_type == 0:
            bits.ue()
        elif order_type == 1:
            bits.read(1)
            bits.ue()
            bits.ue()
            for _ in range(min(bits.ue(), 255)):
                bits.ue()
        bits.ue()  # reference frames
        bits.read(1)
        bits.ue()  # width and height in macroblocks
        bits.ue()
        return number, cls(has_planes, frame_num_bits, not bits.read(1))


_HIGH_PROFILES: Final = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_YUV444: Final = 3
_PPS, _SPS = 8, 7


class _H264:
    """Pairs the fields of a stream: the second one of a picture has the other parity and the same number."""

    def __init__(self, extradata: bytes) -> None:
        self._sps: dict[int, _Sps] = {}
        self._sps_of_pps: dict[int, int] = {}
        self._length_size = length_size_of(extradata)
        self._waiting: tuple[int, int] | None = None
        """Number and parity of a first field whose second one may follow."""
        parameters = avcc_parameters(extradata) if self._length_size else annex_b(extradata)
        for unit in islice(parameters, MOST_UNITS):
            self._learn(unit)

    def __call__(self, packet: memoryview, is_keyframe: bool) -> bool:
        """Report whether a picture begins; see `StartsPicture`."""
        if not is_keyframe and self.has_no_fields:
            return True  # new parameters come with keyframes
        head = bytes(packet[:HEAD])
        for unit in islice(units(head, self._length_size), MOST_UNITS):
            if unit[0] & 31 in SLICES:
                return self._starts(unit)
            self._learn(unit)
        self._waiting = None
        return True

    @property
    def has_no_fields(self) -> bool:
        """True if the parameters are known and say so."""
        return bool(self._sps) and not any(sps.has_fields for sps in self._sps.values())

    def _learn(self, unit: bytes) -> None:
        kind, bits = unit[0] & 31, _Bits(unit[1:])
        if kind == _SPS:
            number, sps = _Sps.of(bits)
            self._sps[min(number, 31)] = sps
        elif kind == _PPS:
            number = min(bits.ue(), 255)
            self._sps_of_pps[number] = bits.ue()

    def _starts(self, unit: bytes) -> bool:
        """Read the slice header (ITU-T H.264, 7.3.3) as far as its field."""
        bits, waiting = _Bits(unit[1:33]), self._waiting
        self._waiting = None
        bits.ue()  # first macroblock, then kind of slice
        bits.ue()
        sps = self._sps.get(self._sps_of_pps.get(bits.ue(), -1))
        if sps is None or not sps.has_fields:
            return True
        bits.read(2 * sps.has_planes)
        number = bits.read(sps.frame_num_bits)
        if not bits.read(1):
            return True
        parity = bits.read(1)
        if waiting == (number, 1 - parity):
            return False
        self._waiting = number, parity
        return True


class _Bits:
    """Reads bits, and zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        data = data.replace(b"\0\0\3", b"\0\0")  # bytes that keep start codes out of the data
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def read(self, count: int) -> int:
        """Return the next ``count`` bits as a number."""
        self._left -= count
        shifted = self._value >> self._left if self._left >= 0 else 0
        return shifted & ((1 << count) - 1)

    def ue(self) -> int:
        """Return the next number in Exp-Golomb code, 32 bits at most."""
        zeros = 0
        while zeros < 32 and self._left > 0 and not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)

    def skip_scaling_list(self, count: int) -> None:
        """Pass a scaling list: differences, until one makes the scale 0."""
        scale = 8
        for _ in range(count):
            code = self.ue()
            scale = (scale + (code + 1) // 2 * (1 if code % 2 else -1)) % 256
            if scale == 0:
                return
