"""What a file is by its first bytes, and what its sender is told."""

import base64
import gzip
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SAMPLE
from tests.unit.test_containers import box
from video_common.errors import MissingBeginning, NotAVideo, TruncatedVideo, UnsupportedContainer, VideoError
from video_emotions.probe import probe
from video_emotions.sniffing import Family, family_of, refuse_other_files

CLIP = SAMPLE.read_bytes()
STRIPPED = CLIP.translate(None, b"\0\r\n")
FORM = b'--abc\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + CLIP


def webm(kind: bytes) -> bytes:
    return b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01" + kind + bytes(100)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (base64.b64encode(CLIP), NotAVideo, "is base64. Decode it"),
        (base64.encodebytes(CLIP), NotAVideo, "is base64. Decode it"),
        (base64.urlsafe_b64encode(CLIP), NotAVideo, "is base64. Decode it"),
        (b"data:video/mp4;base64," + base64.b64encode(CLIP), NotAVideo, "data URL"),
        (FORM, NotAVideo, "--data-binary"),
        (STRIPPED, NotAVideo, "curl -d drops them"),
        (
            b"".join(line.partition(b"\0")[0] for line in CLIP.replace(b"\r", b"").split(b"\n")),
            NotAVideo,
            "curl -d drops them",
        ),
        (CLIP.decode(errors="replace").encode(), NotAVideo, "became text characters"),
        (b"https://example.com/clip.mp4", NotAVideo, "Addresses are not fetched"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", NotAVideo, "git lfs pull"),
        (webm(b"").translate(None, b"\0") + b"x" * 100, NotAVideo, "curl -d drops them"),
        (gzip.compress(CLIP), NotAVideo, "compressed (gzip)"),
        (b"PK\x03\x04" + bytes(30), NotAVideo, "compressed (ZIP)"),
        (b"\n<!DOCTYPE html><html><body>404 Not Found</body></html>", NotAVideo, "HTML or XML"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', NotAVideo, "HTML or XML"),
        (b'{"url": "https://example.com/a.mp4"}', NotAVideo, "is JSON"),
        (b"#EXTM3U\n#EXT-X-VERSION:3", NotAVideo, "playlist"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), NotAVideo, "still picture"),
        (b"\xff\xd8\xff\xe0" + bytes(100), NotAVideo, "still picture"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", NotAVideo, "still picture"),
        (box(b"ftyp", b"heic") + box(b"meta", bytes(50)) + box(b"mdat", bytes(50)), NotAVideo, "still picture"),
        (b"RIFF\x24\0\0\0WAVEfmt ", NotAVideo, "sound file"),
        (b"ID3\x04" + bytes(100), NotAVideo, "sound file"),
        (b"OggS\0\x02" + bytes(100), UnsupportedContainer, "is Ogg"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), UnsupportedContainer, "is ASF (WMV)"),
        (b"\0\0\1\xba" + bytes(100), UnsupportedContainer, "is MPEG-PS"),
        (b"GIF89a" + bytes(100), UnsupportedContainer, "is GIF"),
        (bytes.fromhex("060e2b34020501010d01020101020400"), UnsupportedContainer, "is MXF"),
        (b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(100), MissingBeginning, "all chunks"),
        (b"\xa3\x42\x00\x81\x01\x00\x80" + bytes(600), MissingBeginning, "all chunks"),
        (box(b"styp", b"msdh") + box(b"moof") + box(b"mdat", bytes(50)), MissingBeginning, "initialization segment"),
        (box(b"moof", bytes(20)) + box(b"mdat", bytes(50))[:-9], MissingBeginning, "initialization segment"),
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(50)), TruncatedVideo, "has no index (its moov box)"),
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(50))[:-9], TruncatedVideo, "should have"),
        (b"plain text, and more of it, is no video", NotAVideo, "is not MP4"),
        (b"", NotAVideo, "is not MP4"),
    ],
)
def test_a_file_is_told_what_it_is_and_what_to_do(tmp_path: Path, data: bytes, error: type[VideoError], said: str):
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    with pytest.raises(error) as raised:
        probe(path, 1)
    assert type(raised.value) is error
    assert said in raised.value.detail


@pytest.mark.parametrize(
    ("head", "family"),
    [
        (CLIP[:64], Family.MP4),
        (webm(b"webm"), Family.MATROSKA),
        (b"RIFF\x24\0\0\0AVI LIST", Family.AVI),
        (b"FLV\x01\x05\0\0\0\x09", Family.FLV),
        ((b"\x47" + bytes(187)) * 3, Family.MPEG_TS),
        ((bytes(4) + b"\x47" + bytes(187)) * 3, Family.MPEG_TS),
        (b"\x47" + bytes(187) + b"\x46", None),
        (b"\x47", None),
    ],
)
def test_supported_containers_are_known_by_their_first_bytes(head: bytes, family: Family | None):
    assert family_of(head) is family


@given(st.sampled_from([b"", b"--", b"RIFF", b"\x1f\x43", b"\xa3", b"ID3", b"<", b"data:", b"\x47"]), st.binary())
def test_any_bytes_are_accepted_or_refused(tmp_path_factory: pytest.TempPathFactory, begin: bytes, rest: bytes):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(begin + rest)
    accepted = family_of(begin + rest) is not None
    with path.open("rb") as file, nullcontext() if accepted else pytest.raises(VideoError):
        refuse_other_files(file)
