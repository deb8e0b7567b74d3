"""Write a video's packets once more, without coding them again."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av


def with_edit_list(path: Path, seconds: Fraction = Fraction(1, 2)) -> Path:
    """Write an MP4 beside another, whose edit list leaves out the beginning, and return its path."""
    new = path.with_stem(f"{path.stem}-edited")
    with av.open(str(path)) as old, av.open(str(new), "w") as out:
        source: Any = old.streams.video[0]
        stream: Any = out.add_stream_from_template(source)
        earlier = round(seconds / source.time_base)
        packets: Any = old.demux(source)
        for packet in packets:
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - earlier, packet.dts - earlier, stream
                out.mux(packet)
    return new


def joined(parts: Sequence[Path], path: Path) -> Path:
    """Write an MP4 of the pictures of several, one after another, each with its own sample description.

    Parameters
    ----------
    parts : sequence of Path
        MP4 files of one codec and size, with 30 pictures a second, without B-frames.
    path : Path
    """
    coded = []
    for part in parts:
        with av.open(str(part)) as container:
            coded.append([(bytes(packet), packet.is_keyframe) for packet in container.demux(video=0) if packet.size])
    every = [packet for packets in coded for packet in packets]
    files = [_boxes(part.read_bytes()) for part in parts]
    way = [b"moov", b"trak", b"mdia", b"minf", b"stbl"]
    nested, descriptions = [], []
    for file in files:
        nested.append([file])
        for name in way:
            nested[-1].append(_boxes(nested[-1][-1][name]))
        descriptions.append(nested[-1][-1][b"stsd"][8:])
    table, header = nested[0][-1], nested[0][3][b"mdhd"]
    units = struct.unpack_from(">I", header, 12)[0] // 30
    first = len(files[0][b"ftyp"]) + 16
    offsets = [first + sum(len(data) for data, _ in every[:place]) for place in range(len(every))]
    keyframes = [place + 1 for place, (_, is_keyframe) in enumerate(every) if is_keyframe]
    begins = [1 + sum(len(packets) for packets in coded[:number]) for number in range(len(coded))]
    chunks = [field for number, begin in enumerate(begins, 1) for field in (begin, 1, number)]
    numbers = {
        b"stts": [1, len(every), units],
        b"stss": [len(keyframes), *keyframes],
        b"stsc": [len(parts), *chunks],
        b"stsz": [0, len(every), *(len(data) for data, _ in every)],
        b"stco": [len(offsets), *offsets],
    }
    table.update({name: struct.pack(f">{len(row) + 1}I", 0, *row) for name, row in numbers.items()})
    table[b"stsd"] = struct.pack(">2I", 0, len(parts)) + b"".join(descriptions)
    nested[0][3][b"mdhd"] = header[:16] + struct.pack(">I", units * len(every)) + header[20:]
    nested[0][2].pop(b"edts", None)
    for depth in range(len(way), 0, -1):
        nested[0][depth - 1][way[depth - 1]] = _packed(nested[0][depth])
    media = b"".join(data for data, _ in every)
    path.write_bytes(_packed({b"ftyp": files[0][b"ftyp"], b"mdat": media, b"moov": files[0][b"moov"]}))
    return path


def _boxes(data: bytes) -> dict[bytes, bytes]:
    """Return an MP4's boxes, or a box's: their content by name."""
    found, place = {}, 0
    while place < len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        found[name] = data[place + 8 : place + size]
        place += size
    return found


def _packed(found: dict[bytes, bytes]) -> bytes:
    return b"".join(struct.pack(">I4s", len(content) + 8, name) + content for name, content in found.items())
