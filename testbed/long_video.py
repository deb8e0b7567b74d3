"""A long or large MP4: the header is real, and most of the file are holes, which take no room on the disk."""

import struct
from pathlib import Path
from typing import Final

import numpy as np

_PARENTS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


def write_long_video(path: Path, clip: Path, seconds: int, size: int, *, filled: bool = False) -> Path:
    """Write a file of that size, whose header repeats the samples of a clip until they last so long.

    Parameters
    ----------
    path : Path
        The new file. It takes little room on the disk.
    clip : Path
        An MP4 of one video track at 30 pictures a second, the header last.
    seconds, size : int
        Length of the new video, and bytes of the new file.
    filled : bool
        Write the clip's pictures at each repetition. Otherwise only those of the first one can be decoded.
    """
    data = clip.read_bytes()
    boxes = dict(_boxes(data, 0, len(data)))
    media, header = boxes[b"mdat"], boxes[b"moov"]
    tables = dict(_leaves(data, *header))
    (count,) = struct.unpack_from(">I", data, tables[b"stsz"][0] + 8)
    sizes = np.frombuffer(data, ">u4", count, tables[b"stsz"][0] + 12)
    (begin,) = struct.unpack_from(">I", data, tables[b"stco"][0] + 8)
    repeats = -(-30 * seconds // count)
    step = (size - 64 * 1024 * 1024 - begin) // repeats
    offsets = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)[:-1]))
    positions = begin + (np.arange(repeats) * step)[:, None] + offsets[None, :]
    if step <= int(sizes.sum()):
        message = f"{size} bytes are too few for {seconds} s"
        raise ValueError(message)
    new = {
        b"stts": _table(_again(data, tables[b"stts"], 2, repeats), 2),
        b"ctts": _table(_again(data, tables[b"ctts"], 2, repeats), 2),
        b"stss": _table((_keyframes(data, tables[b"stss"])[None, :] + count * np.arange(repeats)[:, None]).ravel(), 1),
        b"stsc": _table(np.array([1, 1, 1]), 3),
        b"stsz": struct.pack(">III", 0, 0, count * repeats) + np.tile(sizes, repeats).astype(">u4").tobytes(),
        b"stco": struct.pack(">II", 0, count * repeats) + positions.astype(">u8").tobytes(),
    }
    moov = _box(b"moov", _copied(data, *header, new, count * repeats))
    with path.open("wb") as file:
        file.write(data[: media[0] - 8])
        end = size - len(moov)
        # A size of 64 bits takes the place of the box that FFmpeg's muxer leaves in front for it.
        file.seek(media[0] - 16)
        file.write(struct.pack(">I4sQ", 1, b"mdat", end - media[0] + 16))
        for start in positions[: None if filled else 1, 0].tolist():
            file.seek(start)
            file.write(data[begin : begin + int(sizes.sum())])
        file.seek(end)
        file.write(moov)
    return path


def _boxes(data: bytes, start: int, end: int) -> "list[tuple[bytes, tuple[int, int]]]":
    found = []
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        found.append((kind, (start + 8, start + length)))
        start += length
    return found


def _leaves(data: bytes, start: int, end: int) -> "list[tuple[bytes, tuple[int, int]]]":
    found = []
    for kind, (begin, stop) in _boxes(data, start, end):
        found += _leaves(data, begin, stop) if kind in _PARENTS else [(kind, (begin, stop))]
    return found


def _copied(data: bytes, start: int, end: int, new: "dict[bytes, bytes]", samples: int) -> bytes:
    """Copy boxes, with new tables, without edit lists, and with durations of so many samples at 30 a second."""
    copies = []
    for kind, (begin, stop) in _boxes(data, start, end):
        if kind == b"edts":
            continue
        if kind in _PARENTS:
            copies.append(_box(kind, _copied(data, begin, stop, new, samples)))
        else:
            copies.append(_box(b"co64" if kind == b"stco" else kind, new.get(kind, data[begin:stop])))
    return b"".join(copies)


def _again(
    data: bytes, place: "tuple[int, int]", columns: int, repeats: int
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    (entries,) = struct.unpack_from(">I", data, place[0] + 4)
    return np.tile(np.frombuffer(data, ">u4", entries * columns, place[0] + 8).astype(np.int64), repeats)


def _keyframes(data: bytes, place: "tuple[int, int]") -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return _again(data, place, 1, 1)


def _table(numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]", columns: int) -> bytes:
    return struct.pack(">II", 0, len(numbers) // columns) + numbers.astype(">u4").tobytes()


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content
