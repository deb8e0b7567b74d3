"""What a video file says of itself in its first bytes: its kind, and how long it claims to be.

A file that was cut off during a transfer often still decodes in part, and players show it without a word. The three
container families all declare their size, so a missing end can be told for certain, before anything is decoded.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

_QUICKTIME_BOXES: Final = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
_EBML_MAGIC: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT_ID: Final = b"\x18\x53\x80\x67"
_MAX_EBML_HEADER: Final = 4096
_MAX_BOXES: Final = 100_000
"""Two days of two-second fragments; a file of nothing but tiny boxes must not cost minutes."""


def declared_size(path: Path) -> int | None:
    """Return the number of bytes the container claims to have.

    Returns
    -------
    int or None
        None where it does not say (a live recording), or where the file is no container of a kind that we know.

    Notes
    -----
    ISO/IEC 14496-12 (MP4, MOV): top-level boxes follow each other, each with its size. RFC 8794 and RFC 9559 (Matroska,
    WebM): the Segment has a size. RIFF (AVI): the first chunk has one; further chunks may follow.
    """
    with path.open("rb") as file:
        reader = _reader(file.read(12))
        if reader is None:
            return None
        file.seek(0)
        return reader(file)


def is_known_container(path: Path) -> bool:
    """Tell whether the first bytes are those of MP4, MOV, WebM, MKV or AVI."""
    with path.open("rb") as file:
        return _reader(file.read(12)) is not None


def _reader(head: bytes) -> Callable[[BinaryIO], int | None] | None:
    if head[4:8] in _QUICKTIME_BOXES:
        return _isobmff_size
    if head.startswith(_EBML_MAGIC):
        return _matroska_size
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return _riff_size
    return None


def _isobmff_size(file: BinaryIO) -> int | None:
    position, end = 0, file.seek(0, os.SEEK_END)
    for _ in range(_MAX_BOXES):
        if position >= end:
            return position
        file.seek(position)
        head = file.read(16)
        if not head[4:8].isalnum():  # bytes that somebody put after the video
            return position
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: up to the end of the file
            return None
        position += size
    return None


def _matroska_size(file: BinaryIO) -> int | None:
    file.seek(len(_EBML_MAGIC))
    header_size = _ebml_number(file)
    if header_size is None or header_size > _MAX_EBML_HEADER:
        return None
    file.seek(header_size, os.SEEK_CUR)
    if file.read(4) != _SEGMENT_ID:
        return None
    segment_size = _ebml_number(file)
    return None if segment_size is None else file.tell() + segment_size


def _ebml_number(file: BinaryIO) -> int | None:
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    marked = int.from_bytes(first + file.read(length - 1), "big")
    value = marked & ((1 << (7 * length)) - 1)
    unknown = (1 << (7 * length)) - 1
    return None if value == unknown else value


def _riff_size(file: BinaryIO) -> int | None:
    size = int.from_bytes(file.read(8)[4:], "little")
    return size + 8 if size else None
