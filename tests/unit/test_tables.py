"""Tables that claim more than the file holds are found without building an index."""

import io
import struct

import pytest

from video_common import limits
from video_common.errors import NotAVideo, TooManyTracks
from video_emotions.tables import refuse_false_tables


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def table(name: bytes, *numbers: int) -> bytes:
    """Make a table: version and flags, then these numbers of 32 bits."""
    return box(name, struct.pack(f">{len(numbers) + 1}I", 0, *numbers))


def track(*tables: bytes, handler: bytes = b"vide") -> bytes:
    media = box(b"hdlr", bytes(8) + handler + bytes(12)) + box(b"minf", box(b"stbl", b"".join(tables)))
    return box(b"trak", box(b"mdia", media))


def movie(*tracks: bytes) -> bytes:
    return box(b"ftyp", b"isom") + box(b"mdat", bytes(1000)) + box(b"moov", b"".join(tracks))


HONEST = (
    table(b"stts", 1, 900, 40),
    table(b"ctts", 2, 450, 40, 450, 80),
    table(b"stsc", 1, 1, 900, 1),
    table(b"stsz", 1, 900),
    table(b"stco", 1, 32),
)
FALSE = {
    "samples of one size": table(b"stsz", 1, 85_000_000),
    "samples of no size": table(b"stsz", 0, 0xFFFFFFFF),
    "a run of times": table(b"stts", 1, 85_000_000, 1),
    "runs of times": table(b"stts", 100, *[1000, 1] * 100),
    "runs of offsets": table(b"ctts", 1, 0x7FFFFFFF, 1),
    "samples in a chunk": table(b"stsc", 1, 1, 0x7FFFFFFF, 1),
    "chunks": table(b"stco", 0x3FFFFFFF),
    "edits": table(b"elst", 0x0FFFFFFF),
}


def refuse(tmp_path, data: bytes) -> None:
    (tmp_path / "video").write_bytes(data)
    with (tmp_path / "video").open("rb") as file:
        refuse_false_tables(file)


def test_a_file_that_holds_what_it_claims_passes(tmp_path):
    refuse(tmp_path, movie(track(*HONEST)))
    refuse(tmp_path, b"")
    refuse(tmp_path, b"RIFF" + bytes(100))


@pytest.mark.parametrize("name", FALSE)
def test_each_false_table_is_refused(tmp_path, name):
    with pytest.raises(NotAVideo, match="more samples"):
        refuse(tmp_path, movie(track(*HONEST, FALSE[name])))


def test_tracks_and_fragments_share_the_bytes_of_the_file(tmp_path):
    # Given one track, or one fragment, whose claim would fit
    refuse(tmp_path, movie(track(table(b"stsz", 1, 900))))
    refuse(tmp_path, movie() + box(b"moof", box(b"traf", table(b"trun", 900))))
    # Then two of them do not fit together
    with pytest.raises(NotAVideo):
        refuse(tmp_path, movie(track(table(b"stsz", 1, 900)), track(table(b"stsz", 1, 900))))
    with pytest.raises(NotAVideo):
        refuse(tmp_path, movie() + 2 * box(b"moof", box(b"traf", table(b"trun", 900))))


def test_more_video_tracks_than_a_camera_writes_are_refused(tmp_path):
    most = limits.MAX_VIDEO_TRACKS
    refuse(tmp_path, movie(*[track()] * most, *[track(handler=b"soun")] * 30))
    with pytest.raises(TooManyTracks):
        refuse(tmp_path, movie(*[track()] * (most + 1)))


def test_tables_in_large_boxes_and_boxes_without_an_end_are_found(tmp_path):
    false = track(FALSE["samples of one size"])
    with pytest.raises(NotAVideo, match="more samples"):
        refuse(tmp_path, box(b"ftyp") + struct.pack(">I4sQ", 1, b"moov", 16 + len(false)) + false)
    with pytest.raises(NotAVideo, match="more samples"):
        refuse(tmp_path, box(b"ftyp") + struct.pack(">I4s", 0, b"moov") + false)


def test_each_tiny_box_is_looked_at_once_and_too_many_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BOXES", 10_000)
    looks: list[None] = []
    refuse_false_tables(io.BytesIO(box(b"free") * limits.MAX_BOXES), lambda: looks.append(None))
    assert len(looks) == limits.MAX_BOXES
    with pytest.raises(NotAVideo, match="parts"):
        refuse(tmp_path, box(b"free") * (limits.MAX_BOXES + 1))


@pytest.mark.parametrize("length", range(0, 90, 7))
def test_a_table_that_is_cut_off_is_no_exception(tmp_path, length):
    whole = movie(track(*HONEST))
    refuse(tmp_path, whole[: len(whole) - length])


def test_the_work_says_that_it_goes_on():
    # Given a table of a million entries, which is read in parts
    video = movie(track(table(b"stts", *[0] * 2_000_001)))
    beats: list[None] = []
    refuse_false_tables(io.BytesIO(video), lambda: beats.append(None))
    assert len(beats) > 15 + 8  # the boxes besides
