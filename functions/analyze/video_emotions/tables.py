"""What an MP4's tables claim, held against the size of the file. FFmpeg builds its indexes from the claims alone.

A sample has at least one byte, and so does each entry of a table. A file of 3 kB that claims 85 million samples of one
byte costs 3 GB to open, and no picture of it exists.
"""

import os
import struct
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import NotAVideo, TooManyTracks
from video_emotions.encryption import KINDS, Descriptions
from video_emotions.progress import Beat, silent
from video_emotions.remedies import EXPORT

_PARENTS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"mvex", b"moof", b"traf", b"mfra"}
_COUNT_AT: Final = {
    **dict.fromkeys((b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stps", b"elst", b"trun", b"senc"), 4),
    **dict.fromkeys((b"stsz", b"stz2"), 8),
    b"tfra": 12,
}
"""Tables, and where each has the number of its entries or samples: bytes after the box's size and name."""
COLUMNS: Final = {b"stts": 2, b"ctts": 2, b"stsc": 3, b"stco": 1}
"""How many numbers of 32 bits an entry of a table has."""
_COUNTS_IN: Final = {b"stts": 0, b"ctts": 0, b"stsc": 1}
"""Tables whose entries count samples: which of their numbers stands for so many samples."""
_VIDEO_TRACKS: Final = b"video tracks"
_ENTRIES_AT_ONCE: Final = 65_536
"""Of a table. The whole file is never in memory: mapped pages count as used memory when memory runs short."""
_MOST_OF_A_BOX: Final = 16 * 1024 * 1024
"""Bytes of a box that the decoder reads for its sample descriptions. An index of a million chunks fits."""


def refuse_false_tables(file: BinaryIO, beat: Beat = silent) -> None:
    """Reject an MP4 whose tables claim more than the file can hold. Files that are no MP4 have no such boxes.

    The work is bounded by the number of boxes, and by the bytes of the tables. Only those are read.

    Parameters
    ----------
    file : BinaryIO
        It is left at another place.
    beat : Beat
        Called at each box and each part of a table.

    Raises
    ------
    NotAVideo
        A kind of table claims more entries or samples, in the whole file, than the file has bytes.
    TooManyTracks
        FFmpeg decodes the first pictures of each video track to open the file.
    EncryptedVideo
        Pictures are encrypted, even if others are not.
    """
    size = file.seek(0, os.SEEK_END)
    claims: Counter[bytes] = Counter()
    descriptions = Descriptions()
    for place, (kind, start, end) in enumerate(boxes(file, size)):
        beat()
        if place == limits.MAX_BOXES:
            raise NotAVideo(f"The file has more than {limits.MAX_BOXES:,} parts. {EXPORT}")
        if kind in KINDS:
            descriptions.look_at(kind, content(file, start, min(end - start, _MOST_OF_A_BOX)))
        if kind == b"hdlr":
            claims[_VIDEO_TRACKS] += content(file, start + 8, 4) == b"vide"
        elif kind in _COUNT_AT and start + _COUNT_AT[kind] + 4 <= end:
            claims[kind] += int.from_bytes(content(file, start + _COUNT_AT[kind], 4), "big")
            if kind in _COUNTS_IN:
                for samples in _samples(file, start, end, kind):
                    claims[kind + b" samples"] += samples
                    beat()
    if claims.pop(_VIDEO_TRACKS, 0) > limits.MAX_VIDEO_TRACKS:
        raise TooManyTracks(
            f"The file has more than {limits.MAX_VIDEO_TRACKS} video tracks. Send a file with one of them."
        )
    if any(count > size for count in claims.values()):
        raise NotAVideo(f"The file's index lists more samples than the file can hold. {EXPORT}")
    descriptions.refuse_encrypted()


def boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box of a file of that size, parents before their children.

    Yields
    ------
    bytes
        Its name.
    int, int
        Where its content starts and where it ends.
    """
    ends = [size]
    position = 0
    while ends:
        if position + 8 > ends[-1]:
            position = ends.pop()
            continue
        head = content(file, position, 16)
        length, kind = struct.unpack_from(">I4s", head)
        start = position + 8
        if length == 1 and start + 8 <= ends[-1]:
            (length,) = struct.unpack_from(">Q", head, 8)
            start += 8
        end = min(position + length, ends[-1]) if length else ends[-1]
        if end < start:
            position = ends.pop()  # no box: FFmpeg goes on after the parent, too
            continue
        yield kind, start, end
        if kind in _PARENTS:
            ends.append(end)
            position = start
        else:
            position = end


def content(file: BinaryIO, start: int, length: int) -> bytes:
    """Return bytes of a file, fewer at its end."""
    file.seek(start)
    return file.read(length)


def columns(file: BinaryIO, start: int, end: int, kind: bytes) -> NDArray[np.uint32]:
    """Return a table of `COLUMNS` as an array of shape (entries, columns), as far as its box reaches."""
    width = COLUMNS[kind]
    entries = max(0, end - start - 8) // (4 * width)
    numbers = np.frombuffer(content(file, start + 8, 4 * entries * width), ">u4")
    return numbers[: len(numbers) // width * width].reshape(-1, width)


def _samples(file: BinaryIO, start: int, end: int, kind: bytes) -> Iterator[int]:
    """Yield sums of the samples in a table, part by part, as far as its box reaches."""
    width, column = COLUMNS[kind], _COUNTS_IN[kind]
    left = max(0, end - start - 8) // (4 * width)
    place = start + 8
    while left:
        entries = min(left, _ENTRIES_AT_ONCE)
        numbers = np.frombuffer(content(file, place, 4 * width * entries), ">u4")
        yield int(numbers[column::width].sum(dtype=np.int64))
        place += 4 * width * entries
        left -= entries
