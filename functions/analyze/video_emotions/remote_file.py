"""A file that another process fetches range by range: a seekable, read-only file object."""

import io
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from video_common import limits

Fetch = Callable[[int, int], bytes | bytearray]
"""Returns the bytes from a place of the file to before another."""

_BLOCKS: Final = 4
"""Blocks in memory: FFmpeg reads an index, a track and the next cluster in turn."""


class RemoteFile(io.RawIOBase):
    """Reads blocks, and larger ones the longer it reads on without a jump.

    So an index far from the beginning costs little, and a video that is read from end to end costs few requests.

    Parameters
    ----------
    size : int
        Bytes of the file.
    fetch : callable
        See `Fetch`. Both places are within the file.

    Attributes
    ----------
    largest_block : int
        Bytes of a block at most.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._kept: tuple[int, memoryview] = (0, memoryview(b""))
        self._blocks: deque[tuple[int, memoryview]] = deque(maxlen=_BLOCKS)
        self.largest_block = limits.RANGE_BYTES

    def keep(self, start: int, end: int) -> None:
        """Fetch a range and hold it in memory, for several readers of it. Call it with an empty range to let it go."""
        self._kept = (start, memoryview(b""))
        pieces = bytearray()
        while start + len(pieces) < end:
            begin = start + len(pieces)
            pieces += self._fetch(begin, min(end, begin + limits.RANGE_BYTES))
        self._kept = (start, memoryview(pieces))

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, which may be behind the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning of the file")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, or all up to the end; fewer only at the end."""
        end = self._size if size < 0 else min(self._size, self._position + size)
        pieces = []
        while self._position < end:
            start, block = self._block()
            pieces.append(bytes(block[self._position - start : end - start]))
            self._position += len(pieces[-1])
        return b"".join(pieces)

    def _block(self) -> tuple[int, memoryview]:
        """Return a block that has the position."""
        follows = 0
        for start, block in (self._kept, *self._blocks):
            if start <= self._position < start + len(block):
                return start, block
            if start + len(block) == self._position and (start, block) != self._kept:
                follows = len(block)
        length = min(max(limits.FIRST_RANGE_BYTES, 2 * follows), self.largest_block, self._size - self._position)
        fetched = self._position, memoryview(self._fetch(self._position, self._position + length))
        self._blocks.append(fetched)
        return fetched


Source: TypeAlias = Path | RemoteFile
"""A file on this machine, or one that is fetched range by range."""


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """Open a file for reading. A remote one stays open."""
    if isinstance(source, RemoteFile):
        yield cast("BinaryIO", source)
    else:
        with source.open("rb") as file:
            yield file
