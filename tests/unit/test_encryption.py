"""Encrypted pictures are found by the boxes of a file, also behind clear ones."""

import struct
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.unit.test_tables import box, table
from video_common.errors import EncryptedVideo
from video_emotions.tables import refuse_false_tables


def described(*names: bytes, chunks: tuple[int, ...] = ()) -> bytes:
    """Make a track 1 with these sample descriptions, and chunks of which each has the description of a number."""
    header = table(b"tkhd", 0, 0, 1)
    descriptions = box(b"stsd", struct.pack(">2I", 0, len(names)) + b"".join(box(name, bytes(78)) for name in names))
    of_chunks = (number for place, chunk in enumerate(chunks, 1) for number in (place, 1, chunk))
    tables = descriptions + table(b"stsc", len(chunks), *of_chunks)
    return box(b"trak", header + box(b"mdia", box(b"minf", box(b"stbl", tables))))


def fragment(*numbers: int, flags: int = 0, track: int = 1) -> bytes:
    return box(b"moof", box(b"traf", box(b"tfhd", struct.pack(f">{2 + len(numbers)}I", flags, track, *numbers))))


def movie(*boxes: bytes, default: int = 1) -> bytes:
    return box(b"moov", box(b"mvex", table(b"trex", 1, default, 0, 0, 0)) + b"".join(boxes))


FILES = {
    "clear": (movie(described(b"avc1", chunks=(1, 1))), False),
    "encrypted": (movie(described(b"encv", chunks=(1,))), True),
    "FairPlay": (movie(described(b"drmi", chunks=(1,))), True),
    "clear, then encrypted": (movie(described(b"avc1", b"encv", chunks=(1, 1, 2))), True),
    "a clear beginning": (movie(described(b"avc1", b"encv", chunks=(1, 1))), False),
    "encrypted sound": (movie(described(b"enca", chunks=(1,)), described(b"avc1", chunks=(1,))), False),
    "nothing yet": (movie(described(b"encv")), False),
    "clear fragments": (movie(described(b"encv", b"av01")) + fragment(2, flags=2), False),
    "an encrypted fragment": (movie(described(b"encv", b"av01")) + fragment(2, flags=2) + fragment(1, flags=2), True),
    "behind an offset": (movie(described(b"avc1", b"encv")) + fragment(0, 0, 2, flags=3), True),
    "by default": (movie(described(b"avc1", b"encv"), default=2) + fragment(), True),
    "clear by default": (movie(described(b"avc1", b"encv"), default=1) + fragment(), False),
    "of no track": (movie(described(b"encv")) + fragment(track=7), False),
    "another beginning": (movie(described(b"avc1")) + fragment() + movie(described(b"encv")) + fragment(), True),
}


def refuse(path: Path) -> None:
    with path.open("rb") as file:
        refuse_false_tables(file)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_if_samples_that_it_has_are_encrypted(tmp_path: Path, name):
    data, is_encrypted = FILES[name]
    (tmp_path / "video").write_bytes(box(b"ftyp", b"isom") + data)
    with pytest.raises(EncryptedVideo) if is_encrypted else nullcontext():
        refuse(tmp_path / "video")


@pytest.mark.parametrize("length", range(1, 60, 3))
def test_boxes_that_are_cut_off_are_no_exception(tmp_path: Path, length):
    data = movie(described(b"avc1", b"encv", chunks=(1, 1))) + fragment(0, 0, 1, flags=3)
    (tmp_path / "video").write_bytes(data[:-length])
    refuse(tmp_path / "video")
