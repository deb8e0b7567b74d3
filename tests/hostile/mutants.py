"""Damaged copies of small good clips. A seed and a number make the same mutant each time.

Most edits are blind: bits, ranges of bytes, numbers of 32 bits. Some know the container: they change what it says about
sizes and counts, or lose packets of a transport stream.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import numpy as np

from testbed.make_video import write_video
from testbed.pictures import moving

Random = np.random.Generator

CLIPS: Final[Mapping[str, dict[str, Any]]] = {
    "h264.mp4": {"codec": "h264", "b_frames": 2},
    "hevc.mov": {"codec": "hevc", "rotation": 90},
    "av1.mp4": {"codec": "av1", "fragmented": True, "keyint": 4},
    "vp9.webm": {"codec": "vp9", "audio_ms": (0, 400)},
    "vp8.mkv": {"codec": "vp8", "keyint": 6},
    "mpeg4.avi": {"codec": "mpeg4", "audio_ms": (0, 400)},
    "mjpeg.avi": {"codec": "mjpeg"},
    "prores.mov": {"codec": "prores", "faststart": True},
    "h264.ts": {"codec": "h264", "keyint": 6},
    "h264.flv": {"codec": "h264"},
}
"""The good clips, and how `write_video` makes each one."""
PICTURES: Final = 12
_FEWEST_BYTES: Final = 16
"""Less is not damaged any further."""
_SIZE: Final = (96, 64)

OPTIONS: Final[tuple[Mapping[str, Any], ...]] = (
    {"frame_interval": 1},
    {"frame_interval": 5},
    {"frame_interval": 1, "sampling": "keyframes"},
    {"interval_ms": 70, "start_ms": 40, "end_ms": 350},
)
"""What the callers ask for, in turn."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The bytes from ``start`` to before ``stop`` become ``new``."""

    kind: str
    start: int
    stop: int
    new: bytes

    def __str__(self) -> str:
        shown = self.new.hex() if len(self.new) <= 8 else f"{len(self.new)} bytes"
        return f"{self.kind} [{self.start}:{self.stop}]={shown or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged clip and the options of its caller."""

    name: str
    clip: str
    edits: tuple[Edit, ...]
    options: Mapping[str, Any]
    data: bytes

    @property
    def recipe(self) -> str:
        """Say in a line how it is made."""
        asked = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.name}: {self.clip}, {asked}; {'; '.join(map(str, self.edits))}"


def mutants(seed: int, count: int) -> Iterator[Mutant]:
    """Make mutants of all clips in turn."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        clip = list(CLIPS)[number % len(CLIPS)]
        data, edits = good_clip(clip), []
        for _ in range(int(rng.choice((1, 1, 2, 4)))):
            edit = _KINDS[rng.integers(len(_KINDS))](data, clip, rng)
            data = data[: edit.start] + edit.new + data[edit.stop :]
            edits.append(edit)
            if len(data) < _FEWEST_BYTES:
                break
        options = OPTIONS[number // len(CLIPS) % len(OPTIONS)]
        yield Mutant(f"{seed}-{number}", clip, tuple(edits), options, data)


@cache
def good_clip(clip: str) -> bytes:
    """Return the bytes of one of `CLIPS`."""
    with TemporaryDirectory() as folder:
        path = write_video(Path(folder) / clip, moving(*_SIZE, PICTURES), **CLIPS[clip])
        return path.read_bytes()


def _flip(data: bytes, _clip: str, rng: Random) -> Edit:
    start = _place(data, rng)
    return Edit("flip", start, start + 1, bytes([data[start] ^ 1 << rng.integers(8)]))


def _zero(data: bytes, _clip: str, rng: Random) -> Edit:
    start, stop = _range(data, rng)
    return Edit("zero", start, stop, bytes(stop - start))


def _noise(data: bytes, _clip: str, rng: Random) -> Edit:
    start, stop = _range(data, rng)
    return Edit("noise", start, stop, rng.bytes(stop - start))


def _duplicate(data: bytes, _clip: str, rng: Random) -> Edit:
    start, stop = _range(data, rng)
    return Edit("duplicate", start, stop, 2 * data[start:stop])


def _remove(data: bytes, _clip: str, rng: Random) -> Edit:
    start, stop = _range(data, rng)
    return Edit("remove", start, stop, b"")


def _truncate(data: bytes, _clip: str, rng: Random) -> Edit:
    return Edit("truncate", _place(data, rng), len(data), b"")


def _number(data: bytes, _clip: str, rng: Random) -> Edit:
    start = min(_place(data, rng), max(0, len(data) - 4))
    return Edit("number", start, start + 4, int(rng.choice(_EXTREMES)).to_bytes(4, "big"))


def _structure(data: bytes, clip: str, rng: Random) -> Edit:
    """Change what the container says about a size or a count, or lose packets."""
    fields = list(_FIELDS[clip.rpartition(".")[2]](data))
    if not fields:
        return _flip(data, clip, rng)
    field = fields[rng.integers(len(fields))]
    if field.is_packet:
        return Edit("lose", field.start, min(len(data), field.start + 188 * int(rng.choice((1, 1, 3)))), b"")
    old, most = field.value(data), 256**field.width - 1
    new = int(rng.choice((*_EXTREMES, old + 1, max(0, old - 1), 2 * old, len(data), int(rng.integers(2**32)))))
    return Edit("field", field.start, field.start + field.width, field.written(min(new, most)))


_KINDS: Final[tuple[Callable[[bytes, str, Random], Edit], ...]] = (
    *(_flip, _zero, _noise, _duplicate, _remove, _truncate),
    *(_number, _number, _structure, _structure, _structure, _structure),
)
_EXTREMES: Final = (0, 1, 0x7FFFFFFF, 0xFFFFFFFF)


def _place(data: bytes, rng: Random) -> int:
    """Choose a byte: often one of the first thousand, where the headers of most containers are, or of the last."""
    ends = (len(data), len(data), min(1000, len(data)), -min(1000, len(data)))
    end = int(rng.choice(ends))
    place = int(rng.integers(max(1, abs(end))))
    return place if end > 0 else max(0, len(data) - 1 - place)


def _range(data: bytes, rng: Random) -> tuple[int, int]:
    start = _place(data, rng)
    return start, min(len(data), start + int(2 ** rng.uniform(0, 10)))


@dataclass(frozen=True, slots=True)
class _Field:
    """Where the container says a number."""

    start: int
    width: int = 4
    order: Literal["big", "little"] = "big"
    is_vint: bool = False
    is_packet: bool = False

    def value(self, data: bytes) -> int:
        found = int.from_bytes(data[self.start : self.start + self.width], self.order)
        return found & self._mask if self.is_vint else found

    def written(self, value: int) -> bytes:
        if self.is_vint:
            value = min(value, self._mask) | self._mask + 1
        return value.to_bytes(self.width, self.order)

    @property
    def _mask(self) -> int:
        return (1 << 7 * self.width) - 1


def _of_boxes(data: bytes) -> Iterator[_Field]:
    """Find the sizes of an MP4's boxes, and the numbers at the beginning of the boxes without inner boxes."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        yield _Field(position)
        if kind in _PARENTS:
            position += 8
            continue
        if kind != b"mdat":
            yield from (
                _Field(start) for start in range(position + 8, min(position + size, position + 64, len(data) - 4), 4)
            )
        position += max(8, size)


_PARENTS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf", b"dinf"}


def _of_elements(data: bytes) -> Iterator[_Field]:
    """Find the sizes of Matroska's elements, and the numbers in short ones."""
    position = 0
    while position + 2 <= len(data):
        identity = data[position : position + _vint_length(data[position])]
        start = position + len(identity)
        if start >= len(data):
            return
        field = _Field(start, _vint_length(data[start]), is_vint=True)
        yield field
        position = start + field.width
        if identity not in _MASTERS:
            size = field.value(data)
            if size <= 8 and position + size <= len(data):
                yield _Field(position, size)
            position += size


_MASTERS: Final = {
    *map(bytes.fromhex, ("1A45DFA3", "18538067", "1549A966", "1654AE6B", "1F43B675", "1C53BB6B", "114D9B74")),
    *map(bytes.fromhex, ("4DBB", "AE", "E0", "E1", "A0", "BB", "B7")),
}


def _vint_length(first: int) -> int:
    return min(8, 9 - first.bit_length())


def _of_chunks(data: bytes) -> Iterator[_Field]:
    """Find the sizes of AVI's chunks, and the numbers in its headers and indexes."""
    position = 0
    while position + 12 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        yield _Field(position + 4, order="little")
        if name in {b"RIFF", b"LIST"}:
            position += 12
            continue
        if name in {b"avih", b"strh", b"strf", b"idx1", b"indx"}:
            yield from (
                _Field(start, order="little") for start in range(position + 8, min(position + 72, len(data) - 4), 4)
            )
        position += 8 + size + size % 2


def _of_packets(data: bytes) -> Iterator[_Field]:
    """Find the packets of a transport stream."""
    return (_Field(start, is_packet=True) for start in range(0, len(data), 188))


def _of_tags(data: bytes) -> Iterator[_Field]:
    """Find the sizes and the times of FLV's tags, and the sizes that are repeated behind them."""
    position = 13
    while position + 11 <= len(data):
        size = _Field(position + 1, 3)
        yield from (size, _Field(position + 4, 3), _Field(position - 4))
        position += 15 + size.value(data)


_FIELDS: Final[Mapping[str, Callable[[bytes], Iterator[_Field]]]] = {
    "mp4": _of_boxes,
    "mov": _of_boxes,
    "webm": _of_elements,
    "mkv": _of_elements,
    "avi": _of_chunks,
    "ts": _of_packets,
    "flv": _of_tags,
}
