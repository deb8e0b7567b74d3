"""What a video file says of itself: its kind, how long it claims to be, and whether its end is missing.

A file that was cut off during a transfer often still decodes in part, and players show it without a warning. Three
of the container families declare their size, so a missing end is known before anything is decoded. It is missing if
packets are missing: not if a declared size is a few bytes off, an index at the end is missing, or something follows.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from video_common import limits
from video_emotions.sniffing import Family, family_of

_PARTS: Final = {b"moov", b"moof", b"mdat"}
"""Boxes of MP4 without which pictures are missing."""
_SEGMENT_ID: Final = bytes.fromhex("18538067")
_NO_PICTURES: Final = {
    *map(bytes.fromhex, ("1C53BB6B", "1254C367", "1941A469", "1043A770", "EC")),
    *(b"idx1", b"JUNK", b"LISTINFO"),
}
"""Parts that may be missing. Matroska's Cues, Tags, Attachments, Chapters and Void, and AVI's."""
_MAX_EBML_HEADER: Final = 4096
_MAX_RIFFS: Final = 16
"""Each of a gigabyte or two."""
_FEW_BYTES: Final = 16
"""A declared size may be wrong by this much: no packet with its header is smaller."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a file should reach.

    Attributes
    ----------
    declared : int or None
        Bytes that the container claims to have. None where it does not say (a live recording), or where the file is no
        container of a kind that we know.
    is_cut_off : bool
        Packets must be missing. Only the index of an MP4 shows it if the ``mdat`` is too short.
    boxes : frozenset of bytes
        Names of an MP4's top-level boxes.
    """

    declared: int | None
    is_cut_off: bool = False
    boxes: frozenset[bytes] = frozenset()


def extent(file: BinaryIO) -> Extent:
    """Read how far a file should reach.

    Notes
    -----
    ISO/IEC 14496-12 (MP4, MOV): top-level boxes follow each other, each with its size. RFC 8794 and RFC 9559 (Matroska,
    WebM): the Segment has a size. RIFF (AVI): the first chunk has one; further chunks may follow. MPEG-TS and FLV have
    none.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    read = _READERS.get(family_of(file.read(4096)))
    if read is None:
        return Extent(None)
    file.seek(0)
    return read(file, end)


def _mp4(file: BinaryIO, end: int) -> Extent:
    position, seen, is_cut_off = 0, set[bytes](), False
    for _ in range(limits.MAX_BOXES):
        if position >= end:
            return Extent(position, is_cut_off, frozenset(seen))
        file.seek(position)
        head = file.read(16)
        kind, size = head[4:8], int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        is_box = kind.isalnum() and (size >= 8 or size == 0)
        if not is_box or (position + size > end and kind not in _PARTS):
            return Extent(position, False, frozenset(seen))  # bytes after the video, or padding
        is_cut_off = position + size > end and (kind != b"mdat" or b"moov" not in seen)
        seen.add(kind)
        if size == 0:  # up to the end of the file
            return Extent(None, False, frozenset(seen))
        position += size
    return Extent(None, False, frozenset(seen))


def _matroska(file: BinaryIO, end: int) -> Extent:
    file.seek(4)
    header_size = _ebml_number(file)
    if header_size is None or header_size > _MAX_EBML_HEADER:
        return Extent(None)
    file.seek(header_size, os.SEEK_CUR)
    if file.read(4) != _SEGMENT_ID:
        return Extent(None)
    segment_size = _ebml_number(file)
    if segment_size is None:
        return Extent(None)
    stop = file.tell() + segment_size
    return Extent(stop, _is_cut_off(_elements(file, min(stop, end)), stop, end))


def _elements(file: BinaryIO, stop: int) -> Iterator[tuple[bytes, int]]:
    """Yield the Segment's elements: their id, and where they end."""
    position = file.tell()
    while position < stop:
        file.seek(position)
        first = file.read(1)
        identity = first + file.read(8 - first[0].bit_length())
        size = _ebml_number(file)
        if size is None:
            return
        position = file.tell() + size
        yield identity, position


def _ebml_number(file: BinaryIO) -> int | None:
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    marked = int.from_bytes(first + file.read(length - 1), "big")
    value = marked & ((1 << (7 * length)) - 1)
    unknown = (1 << (7 * length)) - 1
    return None if value == unknown else value


def _avi(file: BinaryIO, end: int) -> Extent:
    declared, is_cut_off = None, False
    for name, stop in islice(_chunks(file, 0, end), _MAX_RIFFS):  # a large AVI is several RIFFs
        if not name.startswith(b"RIFF") or stop <= 8:
            break
        declared = declared or stop
        is_cut_off |= _is_cut_off(_chunks(file, file.tell(), min(stop, end)), stop, end)
    return Extent(declared, is_cut_off)


def _chunks(file: BinaryIO, position: int, stop: int) -> Iterator[tuple[bytes, int]]:
    """Yield RIFF's chunks: their name, a list's with its kind, and where they end."""
    while position + 8 <= stop:
        file.seek(position)
        head = file.read(12)
        name = head[:4] + (head[8:] if head[:4] in {b"LIST", b"RIFF"} else b"")
        size = int.from_bytes(head[4:8], "little")
        position += 8 + size + size % 2
        yield name, position


def _is_cut_off(parts: Iterator[tuple[bytes, int]], stop: int, end: int) -> bool:
    """Report whether pictures are missing of a whole that should end at ``stop``, in a file that ends at ``end``."""
    for name, part_stop in islice(parts, limits.MAX_BOXES):
        if part_stop > end:
            return (stop - part_stop if name in _NO_PICTURES else part_stop - end) > _FEW_BYTES
    return stop - end > _FEW_BYTES


_READERS: Final[dict[Family | None, Callable[[BinaryIO, int], Extent]]] = {
    Family.MP4: _mp4,
    Family.MATROSKA: _matroska,
    Family.AVI: _avi,
}
