"""The files of a merge: a timeline can have more frames than fit into the memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from video_common.result import TimelineFrame
from video_emotions.aggregate import Observation
from video_emotions.responses import timeline_frame
from video_emotions.workspace import room

_UTF8: Final = "utf-8"


class StoredTimeline(Iterable[TimelineFrame]):
    """The frames of a timeline, in a file with a line for each of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding=_UTF8)

    def keep(self, seen: Observation) -> None:
        """Add a frame.

        Raises
        ------
        StorageUnavailable
            The disk is full.
        """
        with room():
            self._file.write(f"{timeline_frame(seen).model_dump_json()}\n")

    def __iter__(self) -> Iterator[TimelineFrame]:
        with room():
            self._file.flush()
        with self._path.open(encoding=_UTF8) as lines:
            yield from map(TimelineFrame.model_validate_json, lines)

    def close(self) -> None:
        """Close the file.

        Raises
        ------
        StorageUnavailable
            The disk is full.
        """
        with room():
            self._file.close()
