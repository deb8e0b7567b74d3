"""What a file says of itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SAMPLE
from video_common import limits
from video_emotions.containers import extent
from video_emotions.sniffing import family_of


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


@pytest.fixture
def written(tmp_path: Path):
    def write(data: bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(data)
        return path

    return write


def declared(path: Path) -> int | None:
    with path.open("rb") as file:
        return extent(file).declared


def test_the_sample_has_the_size_that_it_declares():
    assert declared(SAMPLE) == SAMPLE.stat().st_size


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.9999])
def test_a_cut_sample_declares_more_than_it_has(written, fraction):
    data = SAMPLE.read_bytes()
    path = written(data[: int(len(data) * fraction)])
    assert declared(path) > path.stat().st_size


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(100)), 120),
        (box(b"ftyp", b"isom") + (1).to_bytes(4, "big") + b"mdat" + (1000).to_bytes(8, "big"), 1012),
        (box(b"ftyp", b"isom") + bytes(4) + b"mdat" + bytes(50), None),  # "up to the end of the file"
        (box(b"ftyp", b"isom") + b"\xff\xff\xff\xff\x00\x01\x02\x03 trailing rubbish", 12),
        (box(b"ftyp", b"isom") + b"\x00\x00\x01", 12),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x8a" + bytes(10), 20),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", None),  # a live recording
        (b"RIFF" + (100).to_bytes(4, "little") + b"AVI LIST", 108),
        (b"#EXTM3U\n#EXT-X-VERSION:3", None),
        (b"ffconcat version 1.0\n", None),
        (b"", None),
    ],
)
def test_declared_sizes(written, data, size):
    assert declared(written(data)) == size


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any"
    for magic in (b"", b"\x1a\x45\xdf\xa3", b"\x00\x00\x00\x08ftyp", b"RIFF\x01\x02\x03\x04AVI "):
        path.write_bytes(magic + data)
        size = declared(path)
        assert size is None or size >= 0
        assert family_of(path.read_bytes()) or not magic


def test_a_file_of_tiny_boxes_costs_no_minutes(written):
    assert declared(written(box(b"free") * (limits.MAX_BOXES + 1))) is None
