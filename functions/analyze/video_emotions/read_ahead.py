"""Ranges of a file, the next one while the one before is in use."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from video_common import limits
from video_common.aws.large_files import Ranges


class ReadAhead:
    """Ranges that are read one after the other. After one of the largest size the next one is fetched in advance.

    Smaller ones are those of an index. The range after one is not known, so it is not fetched in advance.
    """

    def __init__(self, source: Ranges) -> None:
        self._source = source
        self.size = source.size
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._coming: tuple[int, int, Future[bytes]] | None = None

    def read(self, start: int, end: int) -> bytes:
        """See `Ranges.read`."""
        coming, self._coming = self._coming, None
        if coming is not None and coming[:2] == (start, end):
            data = coming[2].result()
        else:
            data = self._source.read(start, end)
        after = min(end + limits.RANGE_BYTES, self.size)
        if end - start == limits.RANGE_BYTES and end < after:
            self._coming = end, after, self._pool.submit(self._source.read, end, after)
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
