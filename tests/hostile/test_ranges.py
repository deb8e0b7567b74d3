"""A child that reads its file through its parent gets bytes of this file only, however it asks."""

import pytest

from tests.hostile.children import child_that_only
from video_common import limits
from video_common.errors import DecoderCrashed, DecoderHung, TooLong
from video_common.schema import Options
from video_emotions.reader import Reader, Segmenting

ASKS = "send(ready=True); request = receive(); send(range={})"


class Counted:
    """A file of zeros that counts what is read of it."""

    def __init__(self, size: int = 100) -> None:
        self.size = size
        self.ranges: list[tuple[int, int]] = []

    def read(self, start: int, end: int) -> bytes:
        self.ranges.append((start, end))
        return bytes(end - start)


@pytest.mark.parametrize(
    "wanted",
    [
        *("[0, 101]", "[-1, 5]", "[50, 50]", "[60, 50]", "[100, 101]"),
        *("[0]", "[0, 1, 2]", "None", "'ab'", "{'start': 0}", "['x', 'y']", "[1e400, 5]"),
        f"[0, {limits.RANGE_BYTES + 1}]",
    ],
)
def test_a_range_that_is_none_of_the_file_is_a_crash_and_nothing_is_read(wanted):
    source = Counted(2 * limits.RANGE_BYTES if str(limits.RANGE_BYTES + 1) in wanted else 100)
    with pytest.raises(DecoderCrashed):
        Reader(command=child_that_only(ASKS.format(wanted))).segments(source, Options(), 1, Segmenting())
    assert source.ranges == []


def test_a_child_of_a_file_on_the_disk_gets_no_ranges(tmp_path):
    with pytest.raises(DecoderCrashed):
        Reader(command=child_that_only(ASKS.format("[0, 1]"))).read(tmp_path / "video", Options(), 1)


def test_a_child_that_asks_and_does_not_read_is_ended():
    # Given a range that no pipe holds, and a child that leaves it there
    source, sleeps = Counted(limits.RANGE_BYTES), "; time.sleep(60)"
    command = child_that_only(ASKS.format(f"[0, {limits.RANGE_BYTES}]") + sleeps)
    with pytest.raises(DecoderHung):
        Reader(command=command, silent_seconds=3.0).segments(source, Options(), 1, Segmenting())
    with pytest.raises(TooLong):
        Reader(command=command).segments(source, Options(), 1, Segmenting(), seconds=4.0)


def test_a_slice_that_is_none_is_a_crash(tmp_path):
    (tmp_path / "video").write_bytes(b"")
    for part in (b"", b"\0" * 8, b"\xff" * 100):
        with pytest.raises(DecoderCrashed):
            list(Reader().read_slice(tmp_path / "video", part, (10, 10), Options(), 1))
