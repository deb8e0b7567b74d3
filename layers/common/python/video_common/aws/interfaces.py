"""What the application asks of AWS. Nothing here imports boto3, so fakes and callers need not either."""

from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

from video_common.aws.large_files import Ranges
from video_common.job import Job


class ObjectStore(Protocol):
    """Reads videos, writes results, deletes both."""

    def metadata(self, bucket: str, key: str, version_id: str | None) -> Mapping[str, str]:
        """Return the metadata that was stored with an object, names in lower case.

        Raises
        ------
        ObjectMissing
            There is no such object (any more).
        StorageUnavailable
            The store did not answer, or it rejected the call. Retry.
        """

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        """Stream an object to a new file.

        Parameters
        ----------
        bucket, key : str
        version_id : str or None
            None: the current version.
        path : Path
            The file to write.

        Raises
        ------
        ObjectMissing, StorageUnavailable
        VideoTooLarge
            It is over ``limits.MAX_UPLOAD_VIDEO_BYTES``; nothing was downloaded.
        """

    def ranges(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> Ranges:
        """Return an object as a file of which ranges can be had.

        Parameters
        ----------
        bucket, key : str
        version_id, etag : str or None
            If the object has another entity tag, now or at a later read, it counts as missing. None takes what is there
            now.

        Raises
        ------
        ObjectMissing, StorageUnavailable
        """

    def checksum(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> str | None:
        """Return an object's CRC-64/NVME, base64. None: the store has none, or has another object by now.

        Raises
        ------
        StorageUnavailable
        """

    def put(self, bucket: str, key: str, body: str | bytes | Path, content_type: str) -> None:
        """Write an object of at most 5 GB: a text, bytes, or what is in a file.

        Raises
        ------
        StorageUnavailable
        """

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys that begin so, in the order of the alphabet.

        Raises
        ------
        StorageUnavailable
        """

    def read(self, bucket: str, key: str) -> str:
        """Return a small text object.

        Raises
        ------
        ObjectMissing, StorageUnavailable
        """

    def delete(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> None:
        """Delete an object. One that is not there (any more), or has another entity tag than ``etag``, is left alone.

        With a ``version_id`` the tag is not compared.

        Raises
        ------
        StorageUnavailable
        """

    def delete_all(self, bucket: str, prefix: str) -> None:
        """Delete all objects whose keys begin so.

        Raises
        ------
        StorageUnavailable
        """


class Signer(Protocol):
    """Signs addresses that let a caller without credentials do one thing, for a short time."""

    def upload(self, bucket: str, key: str, content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        """Return ``{"url", "fields"}`` of a form post (multipart/form-data, the file last) that makes this object."""

    def download(self, bucket: str, key: str) -> str:
        """Return a URL from which this object can be fetched."""


class Begun(Enum):
    """What `JobStore.begin` found."""

    RUN = auto()
    """The job is the caller's now."""
    BUSY = auto()
    """Another holder has this version's job, and its lease is live. Worth a retry."""
    OLDER = auto()
    """A later version of the object has come: this one's result is of no interest."""
    DONE = auto()
    """This version's job has its result, or its error."""
    DELETED = auto()
    """Somebody deleted the job."""


class JobStore(Protocol):
    """Keeps jobs. Every change is conditional, so that events may come twice and out of order.

    Each method raises JobsUnavailable when the store does not answer; worth a retry.
    """

    def create(self, job: Job) -> None:
        """Store a new job; one of that id that is already there stays as it is."""

    def get(self, job_id: str) -> Job | None:
        """Return a job, None if there is none. What was written before is seen."""

    def begin(self, job: Job, *, is_redriven: bool = False, revives_since: int | None = None) -> tuple[Begun, Job]:
        """Take a job over for the version of its object that ``job.sequencer`` names, and store ``job`` as its record.

        A worker begins a job as RUNNING, with a lease and with one run, which is added to those of the same version.
        The consumer of dead letters begins it as FAILED. A live lease of another holder is respected;
        ``job.updated_at`` is the time of the call. The time of the job's creation, its owner and its file's name stay
        as they were stored first.

        Parameters
        ----------
        job : Job
        is_redriven : bool
            The message was sent again on purpose: also begin a job that was given up.
        revives_since : int or None
            Seconds since 1970. A job that was deleted before begins again; None leaves every deleted job deleted.

        Returns
        -------
        Begun
        Job
            As it is stored now.
        """

    def renew(self, job: Job) -> bool:
        """Store ``job.lease_until`` in the record of a RUNNING job.

        Returns
        -------
        bool
            False if ``job.holder`` does not have the job any more.
        """

    def finish(self, job: Job) -> bool:
        """Store a job's end, or its return to PENDING.

        Returns
        -------
        bool
            False if a later version has taken the job over meanwhile; for PENDING also if ``job.holder`` does not have
            the job any more.
        """

    def delete(self, job: Job) -> None:
        """Put a tombstone, a DELETED job, in the place of a job's record. Where there is no record it puts none.

        A tombstone without a key replaces only another tombstone: meanwhile a new file can have begun the job again.
        """


class Queue(Protocol):
    """The queue that messages came from."""

    def defer(self, receipt: str, seconds: int) -> None:
        """Hide a received message for so long from now on.

        Raises
        ------
        JobsUnavailable
        """

    def send_again(self, body: str, seconds: int) -> None:
        """Send a message like one that was received; it is delivered after so long, at most 900 s.

        Raises
        ------
        JobsUnavailable
        """


class EventBus(Protocol):
    """Publishes events to the account's subscribers."""

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish one event.

        Raises
        ------
        EventsUnavailable
        """


class Functions(Protocol):
    """Lambda functions that can be asked."""

    def invoke(self, arn: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return a version's answer to an event.

        Raises
        ------
        FunctionFailed
            It could not be invoked, or it failed as a whole.
        """


class Deployments(Protocol):
    """Deployments that wait until a check is over."""

    def report(self, deployment_id: str, hook_id: str, *, succeeded: bool) -> None:
        """Let a deployment go on, or end it.

        Raises
        ------
        FunctionFailed
        """
