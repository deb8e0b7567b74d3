"""What the application asks of AWS for large files: ranges, uploads in parts, executions. See `interfaces`."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Ranges(Protocol):
    """A file of which ranges can be had."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``, both within the file.

        Raises
        ------
        ObjectMissing
            The file is not there any more, or another one is in its place.
        StorageUnavailable
        """


class Part(NamedTuple):
    """A part of an upload that the store has: its entity tag, and its length."""

    etag: str
    bytes: int


class MultipartUploads(Protocol):
    """Uploads whose parts are sent one by one. Each method raises StorageUnavailable; worth a retry."""

    def create(self, bucket: str, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """Begin an upload, and return its id."""

    def address(self, bucket: str, key: str, upload_id: str, number: int, length: int) -> str:
        """Return a URL to which a part of exactly that length can be PUT. It is signed here; the store is not asked."""

    def parts(self, bucket: str, key: str, upload_id: str) -> Mapping[int, Part]:
        """Return the parts that the store has, by number.

        Raises
        ------
        ObjectMissing
            The upload is not open: it is complete, ended, or expired.
        """

    def complete(self, bucket: str, key: str, upload_id: str, parts: Mapping[int, Part]) -> None:
        """Make the object of these parts.

        Raises
        ------
        ObjectMissing
        """

    def object_bytes(self, bucket: str, key: str) -> int | None:
        """Return the length of the object of that key, None if there is none."""

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """End an upload and delete its parts. One that is not open is left alone."""


class StateMachine(Protocol):
    """Starts executions."""

    def start(self, name: str, given: Mapping[str, Any], *, goes_on: bool) -> None:
        """Start an execution of that name, unless it is running.

        The latest execution of that name goes on where it failed, if it may. Where that is not possible, one with a new
        name starts: names stay taken for 90 days.

        Parameters
        ----------
        name : str
        given : mapping
        goes_on : bool
            What an earlier execution kept is still there.

        Raises
        ------
        JobsUnavailable
        """
