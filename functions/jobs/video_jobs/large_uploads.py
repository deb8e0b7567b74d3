"""Uploads in parts: what a form cannot carry, or what should not begin again from zero. No AWS and no HTTP here.

::

    POST /uploads {"size": ...}             --> the number of parts and their size
    POST /uploads/{job_id}/parts            --> addresses for parts, and which ones the store has; as often as needed
    PUT <address>                           the part, to the store itself
    POST /uploads/{job_id}/complete         --> checks the sum; then the upload is one like any other. Can be repeated
    DELETE /jobs/{job_id}                   ends it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from video_common import limits
from video_common.aws.large_files import MultipartUploads, Part
from video_common.errors import (
    IncompleteUpload,
    InvalidOption,
    JobNotFound,
    ObjectMissing,
    UnknownOption,
    VideoTooLarge,
)
from video_common.job import Job
from video_common.options import short

SIZE_MEMBER: Final = "size"
_FIRST, _COUNT = "first", "count"
_MEGABYTE: Final = 1024 * 1024
_NOT_OPEN: Final = "The job has no open upload in parts. POST /uploads with a 'size' begins one."


@dataclass(frozen=True)
class LargeUploads:
    """Uploads in parts, into one bucket."""

    bucket: str
    store: MultipartUploads

    def begin(self, key: str, size: int, content_type: str, metadata: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Begin an upload, and return its id and what its caller needs.

        Raises
        ------
        StorageUnavailable
        """
        length = part_bytes(size)
        upload_id = self.store.create(self.bucket, key, content_type, metadata)
        told = {"parts": -(-size // length), "part_bytes": length, "expires_in": limits.UPLOAD_IN_PARTS_SECONDS}
        return upload_id, told

    def parts(self, job: Job, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return addresses for parts of an upload. They can be asked for again, after they expired for example.

        Parameters
        ----------
        job : Job
        members : mapping
            ``first``, the number of the first part, 1 by default, and ``count``, ``limits.MAX_PART_URLS`` by default.

        Returns
        -------
        dict
            ``parts`` with ``number``, ``url`` and ``bytes``, the length that each must have; ``size`` of the file;
            ``uploaded``, the numbers that the store has with that length; ``expires_in`` in seconds.

        Raises
        ------
        JobNotFound, InvalidOption, UnknownOption, StorageUnavailable
        """
        upload_id, size = _open(job)
        unknown = set(members) - {_FIRST, _COUNT}
        if unknown:
            raise UnknownOption(f"{short(min(unknown))} is not known here. Use {_FIRST!r} and {_COUNT!r}.")
        last = -(-size // part_bytes(size))
        first = _number(members, _FIRST, 1, last)
        count = _number(members, _COUNT, limits.MAX_PART_URLS, limits.MAX_PART_URLS)
        lengths = _lengths(size)
        uploaded = self._uploaded(job, upload_id)
        numbers = range(first, min(first + count, last + 1))
        return {
            "parts": [
                {
                    "number": number,
                    "url": self.store.address(self.bucket, job.key, upload_id, number, lengths[number]),
                    "bytes": lengths[number],
                }
                for number in numbers
            ],
            "size": size,
            "uploaded": sorted(number for number in lengths if uploaded.get(number) == lengths[number]),
            "expires_in": limits.PART_URL_SECONDS,
        }

    def complete(self, job: Job) -> None:
        """Make one object of the parts, if they are all there. To do it twice makes no difference.

        Raises
        ------
        JobNotFound, StorageUnavailable
        IncompleteUpload
            With the parts that are missing or have another length.
        """
        if job.sequencer is not None:
            return  # the video arrived, and its job has begun
        upload_id, size = _open(job)
        try:
            parts = self.store.parts(self.bucket, job.key, upload_id)
            _refuse_incomplete(parts, size)
            self.store.complete(self.bucket, job.key, upload_id, parts)
        except ObjectMissing as error:
            # Perhaps an earlier call completed it, and its answer was lost.
            if self.store.object_bytes(self.bucket, job.key) != size:
                raise JobNotFound(_NOT_OPEN) from error

    def abort(self, job: Job) -> None:
        """End an upload, if the job has an open one. To do it twice makes no difference.

        Raises
        ------
        StorageUnavailable
        """
        if job.upload_id is not None:
            self.store.abort(self.bucket, job.key, job.upload_id)

    def _uploaded(self, job: Job, upload_id: str) -> dict[int, int]:
        """Return the lengths of the parts that the store has."""
        try:
            parts = self.store.parts(self.bucket, job.key, upload_id)
            return {number: part.bytes for number, part in parts.items()}
        except ObjectMissing as error:
            raise JobNotFound(_NOT_OPEN) from error


def size_of(given: Any) -> int | None:
    """Return the size that a caller gives for an upload, None if none is given.

    Raises
    ------
    InvalidOption, VideoTooLarge
    """
    if given is None:
        return None
    if type(given) is not int or given < 1:
        raise InvalidOption(f"{SIZE_MEMBER!r} must be the file's size, a whole number of bytes.")
    if given > limits.MAX_OBJECT_BYTES:
        raise VideoTooLarge(f"A video may have {limits.MAX_OBJECT_BYTES:,} bytes. Cut it into parts.")
    return given


def part_bytes(size: int) -> int:
    """Return the length of the parts of an upload, but the last one: whole megabytes, for 10,000 parts at most."""
    least = -(-size // limits.MAX_PARTS)
    return max(limits.PART_BYTES, -(-least // _MEGABYTE) * _MEGABYTE)


def _open(job: Job) -> tuple[str, int]:
    if job.upload_id is None or job.size is None:
        raise JobNotFound(_NOT_OPEN)
    return job.upload_id, job.size


def _lengths(size: int) -> dict[int, int]:
    """Return the length of each part of a file."""
    length = part_bytes(size)
    return {number: min(length, size - length * (number - 1)) for number in range(1, -(-size // length) + 1)}


def _refuse_incomplete(parts: Mapping[int, Part], size: int) -> None:
    expected = _lengths(size)
    wrong = [number for number in expected if number not in parts or parts[number].bytes != expected[number]]
    if wrong or len(parts) != len(expected):
        some = ", ".join(map(str, wrong[:10])) or "none"
        raise IncompleteUpload(
            f"{len(wrong)} of {len(expected)} parts are missing or have another length (the first ones: {some}). "
            "Send them, then complete the upload again."
        )


def _number(members: Mapping[str, Any], name: str, default: int, most: int) -> int:
    number = members.get(name, default)
    if type(number) is not int or not 1 <= number <= most:
        raise InvalidOption(f"{name!r} must be a whole number from 1 to {most:,}.")
    return number
