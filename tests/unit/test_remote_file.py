"""A file that is fetched range by range reads like a file, with few and small requests."""

import io
import threading
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from video_common import limits
from video_common.errors import StorageUnavailable
from video_emotions.read_ahead import ReadAhead
from video_emotions.remote_file import RemoteFile, opened

DATA = bytes(range(256)) * 4096


def remote(data: bytes = DATA, log: list[tuple[int, int]] | None = None) -> RemoteFile:
    def fetch(start: int, end: int) -> bytes:
        assert 0 <= start < end <= len(data)
        assert end - start <= limits.RANGE_BYTES
        if log is not None:
            log.append((start, end))
        return data[start:end]

    return RemoteFile(len(data), fetch)


STEPS = st.lists(st.tuples(st.sampled_from(["seek", "read", "end"]), st.integers(0, len(DATA) + 10)), max_size=20)


@settings(deadline=None)
@given(STEPS, st.booleans())
def test_it_reads_like_a_file(steps, keeps):
    file, real = remote(), io.BytesIO(DATA)
    if keeps:
        file.keep(1000, 300_000)
    for what, number in steps:
        if what == "seek":
            assert file.seek(number) == real.seek(number)
        elif what == "end":
            assert file.seek(-min(number, len(DATA)), io.SEEK_END) == real.seek(-min(number, len(DATA)), io.SEEK_END)
        else:
            assert file.read(number) == real.read(number)
        assert file.tell() == real.tell()
    assert file.read() == real.read()


def test_it_fetches_little_after_a_jump_and_more_as_it_reads_on():
    log: list[tuple[int, int]] = []
    file = remote(log=log)
    while file.read(32_768):
        pass
    lengths = [end - start for start, end in log]
    assert lengths[:4] == [65_536, 131_072, 262_144, 524_288]
    assert sum(lengths) == len(DATA)
    log.clear()
    file.seek(10)
    file.read(10)
    assert log == [(10, 10 + limits.FIRST_RANGE_BYTES)]
    file.largest_block = 100_000
    file.read(500_000)
    assert max(end - start for start, end in log) == 100_000


def test_what_is_kept_is_fetched_once_and_let_go():
    log: list[tuple[int, int]] = []
    file = remote(log=log)
    file.keep(200_000, 900_000)
    for _ in range(3):
        file.seek(200_000)
        assert file.read(700_000) == DATA[200_000:900_000]
    assert log == [(200_000, 900_000)]
    file.keep(0, 0)
    file.seek(200_000)
    file.read(1)
    assert len(log) == 2


def test_a_position_before_the_beginning_is_refused():
    with pytest.raises(ValueError, match="before"):
        remote().seek(-1)


def test_a_file_on_the_disk_is_closed_and_a_remote_one_stays_open(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with opened(path) as file:
        assert file.read() == b"abc"
    assert file.closed
    far = remote(b"abc")
    with opened(far) as file:
        assert file is cast("BinaryIO", far)
    assert not far.closed


class Slow:
    """Ranges that say what they were asked for, and fail on demand."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked: list[tuple[int, int]] = []
        self.fails_at = -1
        self.second = threading.Event()
        """Set when the second of the largest ranges is asked for."""

    def read(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        if start == limits.RANGE_BYTES:
            self.second.set()
        if start == self.fails_at:
            raise StorageUnavailable("slow down")
        return bytes(end - start)


def test_the_next_large_range_is_fetched_in_advance_and_small_ones_are_not():
    most = limits.RANGE_BYTES
    source = Slow(3 * most + 5)
    with ReadAhead(source) as ahead:
        ahead.read(0, 100)
        assert source.asked == [(0, 100)]
        assert not source.second.is_set()
        ahead.read(0, most)
        assert source.second.wait(60)
        assert len(ahead.read(most, 2 * most)) == most
        assert len(ahead.read(2 * most, 3 * most)) == most
        assert len(ahead.read(3 * most, 3 * most + 5)) == 5
    assert sorted(source.asked) == [
        (0, 100),
        (0, most),
        (most, 2 * most),
        (2 * most, 3 * most),
        (3 * most, 3 * most + 5),
    ]


def test_a_failure_in_advance_reaches_the_reader_of_that_range_only():
    most = limits.RANGE_BYTES
    source = Slow(10 * most)
    source.fails_at = most
    with ReadAhead(source) as ahead:
        assert len(ahead.read(0, most)) == most
        with pytest.raises(StorageUnavailable):
            ahead.read(most, 2 * most)
        assert ahead.read(7 * most, 7 * most + 3) == bytes(3)
