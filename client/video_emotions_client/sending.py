"""A file on its way, with progress. It is read as it is sent, so its size does not matter for memory."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_PIECE_BYTES: Final = 1024 * 1024

Progress = Callable[[str, int, int], None]
"""Gets the stage (``sending``, ``analyzing`` or ``waiting``), and how much of it is done: of how many bytes or frames.

The length of ``waiting`` is unknown, so both numbers are 0.
"""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Ignore progress."""


def size_of(video: Path | bytes) -> int:
    """Return the length in bytes."""
    return len(video) if isinstance(video, bytes) else video.stat().st_size


def opened(video: Path | bytes) -> BinaryIO:
    """Open a video for reading."""
    return io.BytesIO(video) if isinstance(video, bytes) else video.open("rb")


class Counted:
    """A binary file that reports how much of it was read.

    Parameters
    ----------
    file : BinaryIO
    total : int
        Its length in bytes.
    progress : callable
    """

    def __init__(self, file: BinaryIO, total: int, progress: Progress) -> None:
        self._file = file
        self._total = total
        self._progress = progress

    def read(self, count: int = -1) -> bytes:
        """Read, and report the place in the file."""
        data = self._file.read(count)
        self._progress("sending", self._file.tell(), self._total)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()


@dataclass(frozen=True)
class Part:
    """A part of a file, from ``begin`` to before ``end``. Each iteration reads it from its beginning.

    Attributes
    ----------
    file : BinaryIO
    begin, end : int
    total : int
        The file's length in bytes.
    progress : callable
    """

    file: BinaryIO
    begin: int
    end: int
    total: int
    progress: Progress

    def __iter__(self) -> Iterator[bytes]:
        for place in range(self.begin, self.end, _PIECE_BYTES):
            self.file.seek(place)
            yield self.file.read(min(_PIECE_BYTES, self.end - place))
            self.progress("sending", min(place + _PIECE_BYTES, self.end), self.total)
