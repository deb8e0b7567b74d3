"""A job: what becomes of an uploaded video. The record, its states, and the names that follow from an object's key.

::

    PENDING --> RUNNING --> SUCCEEDED
       (asked for, or       FAILED      the video cannot be analyzed; trying again does not help.
        waiting for another try)        Or `gave_up`: every try failed. Only a redriven message tries again.
    any of them --> DELETED             a tombstone: nothing of the job is left, and an event that comes again finds it

A job belongs to an object's key. A newer object under the same key, by S3's sequencers, takes the job over.
For callers it belongs to the caller who asked for it. Other callers cannot see that it exists.

A RUNNING record holds a lease, which its worker renews. A lost worker writes nothing, so its lease ends instead. From
then on the job is PENDING: its message comes back and another worker tries.
"""

import hmac
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from video_common.errors import GaveUp

KEY_PREFIX: Final = "uploads/"
"""Where asked-for uploads go, each under its job's id."""

_ASKED_FOR: Final = re.compile(rf"{KEY_PREFIX}([0-9a-f]{{32}})")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_RECORDED_SECONDS: Final = 20
"""Within which a worker records an execution that it has started. A message comes back after 30 s at the earliest."""


class JobStatus(StrEnum):
    """Where a job is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DELETED = "DELETED"


class Job(BaseModel):
    """A job's record.

    Attributes
    ----------
    job_id : str
        32 hexadecimal digits.
    status : JobStatus
    key : str
        Of the object in the uploads bucket. Empty if the job is deleted.
    sequencer : str or None
        Of the object's event, made comparable by `comparable`; None before the upload came.
    created_at, updated_at, expires_at : int
        Seconds since 1970. From ``expires_at`` on the job is gone for callers.
    result_key, result_bytes, result_content_type : str, int, str or None
        Of a SUCCEEDED job: the result's key in the results bucket, which ends with the format's suffix; its length; its
        type. A record without a type is older than this field, and its result is JSON.
    error : dict or None
        Of a FAILED job: the problem document.
    holder : str or None
        Of a RUNNING job: who holds the lease, as a name for what shapes the numbers (model, detectors, settings).
        Powertools' idempotency lets one worker at a time handle an event with it. So a lease with the caller's own name
        is the rest of a try that has ended.
    lease_until : int or None
        Of a RUNNING job: seconds since 1970. The job is RUNNING before this time only.
    runs : int or None
        Of a RUNNING job: how many workers began with this version of the object and did not say how it ended, the
        present one included. Of a PENDING job: those that were lost.
    owner : str or None
        Who asked for the upload (`video_jobs.callers`). None: the object was put into the bucket without asking, or the
        record is older than this field. Then the job belongs to the operator. It stays as it was created.
    file_name : str or None
        The file's own name, if it was given. It stays as it was created.
    work : str or None
        Of a job that an execution has, or has ended: the prefix of what its segments found, in the results bucket.
    segments : int or None
        Of such a job: how many there are.
    upload_id, size : str, int or None
        Of a job that waits for an upload in parts: the store's name for it, and the bytes that it will have.
    """

    # What a record that does not fit holds, such as a key, must not reach the log.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    job_id: str
    status: JobStatus
    key: str
    created_at: int
    updated_at: int
    expires_at: int
    sequencer: str | None = None
    result_key: str | None = None
    result_bytes: int | None = None
    result_content_type: str | None = None
    error: dict[str, Any] | None = None
    holder: str | None = None
    lease_until: int | None = None
    runs: int | None = None
    owner: str | None = None
    file_name: str | None = None
    work: str | None = None
    segments: int | None = None
    upload_id: str | None = None
    size: int | None = None

    @property
    def has_ended(self) -> bool:
        """Report whether the job has its last word."""
        return self.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}

    @property
    def was_given_up(self) -> bool:
        """Report whether every try failed. Only a redriven message begins such a job again."""
        return self.error is not None and self.error["code"] == GaveUp.code

    def is_being_planned(self, sequencer: str) -> bool:
        """Report whether a worker has this version that is about to record an execution, or was lost before it did."""
        return self.status is JobStatus.RUNNING and self.work is None and self.sequencer == sequencer

    def began_after(self, failed_at: float) -> bool:
        """Report whether the job began again after its execution failed, at a time in seconds since 1970."""
        return self.status is JobStatus.RUNNING and self.updated_at > failed_at + _RECORDED_SECONDS

    def status_at(self, now: float) -> JobStatus:
        """Return the status at a time, in seconds since 1970. A RUNNING record without a live lease is PENDING."""
        if self.status is JobStatus.RUNNING and (self.lease_until is None or self.lease_until <= now):
            return JobStatus.PENDING
        return self.status


def given_up() -> GaveUp:
    """Return the error with which a job ends whose tries all failed."""
    return GaveUp(
        "Every try to analyze the video failed, and the service stopped trying. "
        "Upload the video again, or ask the owner of the service to retry this job."
    )


def is_job_id(text: str) -> bool:
    """Report whether a text can be a job's id."""
    return _ID.fullmatch(text) is not None


def is_asked_for(key: str) -> bool:
    """Tell whether an object's upload was asked for: its key holds the id of its job."""
    return _ASKED_FOR.fullmatch(key) is not None


def job_id_of(key: str, secret: Callable[[], bytes]) -> str:
    """Return the id of the job of an object: the one that was asked for, or an HMAC of the key.

    An event that comes twice finds the same job, and nobody who knows or guesses a key can tell its job's id.

    Parameters
    ----------
    key : str
    secret : callable
        Returns the stack's secret. It is called only for an upload that was not asked for.
    """
    asked_for = _ASKED_FOR.fullmatch(key)
    return asked_for[1] if asked_for else hmac.new(secret(), key.encode(), "sha256").hexdigest()[:32]


def comparable(sequencer: str) -> str:
    """Return an S3 sequencer so that later ones of a key are larger as text.

    S3 says (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html): pad the shorter of two
    with zeros on the left, then compare them as text.
    """
    return sequencer.upper().zfill(32)


def work_prefix(job_id: str, sequencer: str = "") -> str:
    """Return the prefix of what is kept, in the results bucket, while a job's video is analyzed in segments."""
    return f"work/{job_id}/{sequencer}/" if sequencer else f"work/{job_id}/"


def partials_prefix(work: str) -> str:
    """Return the prefix of what the segments of a video found. Each has one key there that ends with ``.json``."""
    return f"{work}partials/"


def result_key(job_id: str, sequencer: str, suffix: str) -> str:
    """Return the key for the result of one version of a job's object: a name that no other version has."""
    return f"{job_id}/{sequencer}{suffix}"
