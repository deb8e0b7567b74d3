"""What an MP4's tables claim, held against the size of the file. FFmpeg builds its indexes from the claims alone.

A sample has at least one byte, and so does each entry of a table. A file of 3 kB that claims 85 million samples of one
byte costs 3 GB to open, and no picture of it exists.
"""

import mmap
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from video_common import limits
from video_common.errors import NotAVideo, TooManyTracks

_PARENTS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"mvex", b"moof", b"traf", b"mfra"}
_COUNT_AT: Final = {
    **dict.fromkeys((b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stps", b"elst", b"trun", b"senc"), 4),
    **dict.fromkeys((b"stsz", b"stz2"), 8),
    b"tfra": 12,
}
"""Tables, and where each has the number of its entries or samples: bytes after the box's size and name."""
_SAMPLES_IN: Final = {b"stts": (0, 2), b"ctts": (0, 2), b"stsc": (1, 3)}
"""Tables whose entries count samples: which number of how many. Each number stands for so many samples."""
_VIDEO_TRACKS: Final = b"video tracks"
_EXPORT: Final = "Export the video again, then send the new file."


def refuse_false_tables(path: Path) -> None:
    """Reject an MP4 whose tables claim more than the file can hold. Files that are no MP4 have no such boxes.

    The work is bounded by the number of boxes, and by the bytes of the tables.

    Raises
    ------
    NotAVideo
        A kind of table claims more entries or samples, in the whole file, than the file has bytes.
    TooManyTracks
        FFmpeg decodes the first pictures of each video track to open the file.
    """
    with path.open("rb") as file:
        if not file.read(1):
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _refuse(data)


def _refuse(data: mmap.mmap) -> None:
    claims: Counter[bytes] = Counter()
    for place, (kind, start, end) in enumerate(_boxes(data)):
        if place == limits.MAX_BOXES:
            raise NotAVideo(f"The file has more than {limits.MAX_BOXES:,} parts. {_EXPORT}")
        if kind == b"hdlr":
            claims[_VIDEO_TRACKS] += data[start + 8 : start + 12] == b"vide"
        elif kind in _COUNT_AT and start + _COUNT_AT[kind] + 4 <= end:
            (count,) = struct.unpack_from(">I", data, start + _COUNT_AT[kind])
            claims[kind] += count
            if kind in _SAMPLES_IN:
                claims[kind + b" samples"] += _samples(data, start, end, *_SAMPLES_IN[kind])
    if claims.pop(_VIDEO_TRACKS, 0) > limits.MAX_VIDEO_TRACKS:
        raise TooManyTracks(
            f"The file has more than {limits.MAX_VIDEO_TRACKS} video tracks. Send a file with one of them."
        )
    if any(count > len(data) for count in claims.values()):
        raise NotAVideo(f"The file's index lists more samples than the file can hold. {_EXPORT}")


def _boxes(data: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box, parents before their children: its name, where its content starts and where it ends."""
    ends = [len(data)]
    position = 0
    while ends:
        if position + 8 > ends[-1]:
            position = ends.pop()
            continue
        size, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if size == 1 and start + 8 <= ends[-1]:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = min(position + size, ends[-1]) if size else ends[-1]
        if end < start:
            position = ends.pop()  # no box: FFmpeg goes on after the parent, too
            continue
        yield kind, start, end
        if kind in _PARENTS:
            ends.append(end)
            position = start
        else:
            position = end


def _samples(data: mmap.mmap, start: int, end: int, column: int, columns: int) -> int:
    """Add up a column of a table, as far as its box reaches."""
    entries = max(0, end - start - 8) // (4 * columns)
    numbers = np.frombuffer(data, ">u4", entries * columns, start + 8) if entries else np.empty(0)
    return int(numbers[column::columns].sum(dtype=np.int64))
