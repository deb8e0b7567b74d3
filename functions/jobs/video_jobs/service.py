"""What the routes do: ask for an upload, look at a job, delete it. No AWS and no HTTP here."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from video_common import limits
from video_common.aws.interfaces import JobStore, ObjectStore, Signer
from video_common.aws.large_files import MultipartUploads
from video_common.errors import (
    InvalidJson,
    InvalidOption,
    JobDeleted,
    JobExpired,
    JobNotFound,
    ObjectMissing,
    UnsupportedMediaType,
)
from video_common.job import KEY_PREFIX, Job, JobStatus, is_job_id, partials_prefix, work_prefix
from video_common.options import parse_options, to_metadata
from video_common.result import Source
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES, media_type
from video_common.telemetry import logger
from video_jobs.large_uploads import SIZE_MEMBER, LargeUploads, size_of
from video_jobs.settings import Settings

CONTENT_TYPE_MEMBER = "content_type"
FILE_NAME_MEMBER = "file_name"
_DAY = 24 * 60 * 60
_GONE = "The job is over, and its result, if it had one, is deleted. Upload the video again."


@dataclass(frozen=True)
class Jobs:
    """Jobs as their owners see them. Each method is told who calls: see `video_jobs.callers`."""

    settings: Settings
    jobs: JobStore
    objects: ObjectStore
    signer: Signer
    multipart: MultipartUploads
    now: Callable[[], float] = time.time

    def ask(self, members: dict[str, Any], query: Mapping[str, list[str]], caller: str) -> dict[str, Any]:
        """Make a job that waits for its upload.

        Parameters
        ----------
        members : dict
            Options of the analysis, and ``content_type``, the one that the upload will have. It is signed with its
            parameters, so a page can send either the form's field or the type that the browser reports.
            ``file_name``, which the job, its Result and its completion event repeat. And ``size`` in bytes: a file over
            ``limits.MULTIPART_BYTES`` is uploaded in parts.
        query : mapping of str to list of str
            More options.
        caller : str
            The job's owner.

        Returns
        -------
        dict
            ``job_id``; ``upload`` with ``url`` and ``fields`` of a form post (the file goes last, as ``file``);
            ``expires_in`` in seconds; ``max_bytes``; ``multipart`` if the file can be uploaded in parts.

        Raises
        ------
        RequestError
            The options are not valid. They are checked before the upload.
        TransientError
        """
        content_type = _content_type(members.pop(CONTENT_TYPE_MEMBER, VIDEO_CONTENT_TYPES[0]))
        file_name = _file_name(members.pop(FILE_NAME_MEMBER, None))
        size = size_of(members.pop(SIZE_MEMBER, None))
        metadata = to_metadata(parse_options(query, members))
        if any(len(text) > limits.MAX_OPTIONS_BYTES for text in metadata.values()):
            raise InvalidJson("The options are too long to travel with the upload.")
        job_id, now = uuid4().hex, int(self.now())
        key = f"{KEY_PREFIX}{job_id}"
        logger.append_keys(job_id=job_id)
        told: dict[str, Any] = {
            "job_id": job_id,
            "upload": self.signer.upload(self.settings.uploads_bucket, key, content_type, metadata),
            "expires_in": limits.UPLOAD_SECONDS,
            "max_bytes": limits.MAX_UPLOAD_VIDEO_BYTES,
        }
        upload_id = None
        if size is not None and size > limits.MULTIPART_BYTES:
            upload_id, told["multipart"] = self._large.begin(key, size, content_type, metadata)
        self.jobs.create(
            Job(
                job_id=job_id,
                status=JobStatus.PENDING,
                key=key,
                created_at=now,
                updated_at=now,
                expires_at=now + self.settings.results_expire_days * _DAY,
                owner=caller,
                file_name=file_name,
                upload_id=upload_id,
                size=size if upload_id else None,
            )
        )
        return told

    def parts(self, job_id: str, members: Mapping[str, Any], caller: str) -> dict[str, Any]:
        """See `LargeUploads.parts`."""
        return self._large.parts(self._owned(job_id, caller), members)

    def complete(self, job_id: str, caller: str) -> dict[str, Any]:
        """See `LargeUploads.complete`. Return the job's id."""
        self._large.complete(self._owned(job_id, caller))
        return {"job_id": job_id}

    @property
    def _large(self) -> LargeUploads:
        return LargeUploads(self.settings.uploads_bucket, self.multipart)

    def look(self, job_id: str, caller: str) -> dict[str, Any]:
        """Return the state of a job. A job whose worker was lost is PENDING as soon as its lease ends.

        Returns
        -------
        dict
            ``job_id``, ``status``, the times in seconds since 1970, ``source`` with the object's bucket and key and the
            file's name. Of a RUNNING job whose video is analyzed in segments ``progress``: ``segments_done`` and
            ``segments``. Of a SUCCEEDED job ``result``, or ``result_url`` if the result is not JSON or is too large for
            a response. Of a FAILED one ``error``.

        Raises
        ------
        JobNotFound, JobDeleted, JobExpired, TransientError
        """
        job = self._owned(job_id, caller)
        if job.status is JobStatus.DELETED:
            raise JobDeleted("The job is deleted, with its video and its result. POST /uploads makes another one.")
        if self.now() >= job.expires_at:
            raise JobExpired(_GONE)
        now = job.model_copy(update={"status": job.status_at(self.now())})
        told = now.model_dump(mode="json", include={"job_id", "status", "created_at", "updated_at", "expires_at"})
        source = Source(bucket=self.settings.uploads_bucket, key=job.key, file_name=job.file_name)
        told["source"] = source.model_dump(mode="json")
        if now.status is JobStatus.RUNNING and job.work is not None:
            told["progress"] = {"segments_done": self._segments_done(job.work), "segments": job.segments}
        if job.error is not None:
            told["error"] = job.error
        if job.result_key is not None:
            told |= self._result(job.result_key, inline=_fits_inline(job))
        return told

    def pause(self, told: Mapping[str, Any]) -> int | None:
        """Return after how many seconds to look at a job again. None: it has ended.

        Parameters
        ----------
        told : mapping
            What `look` returned.
        """
        if told["status"] not in {JobStatus.PENDING, JobStatus.RUNNING}:
            return None
        if "progress" in told:
            return limits.MAX_POLL_SECONDS  # a segment takes minutes
        age = int(self.now() - told["created_at"])
        return max(limits.MIN_POLL_SECONDS, min(limits.MAX_POLL_SECONDS, age // 10))

    def _segments_done(self, work: str) -> int:
        """Count what is kept of the segments. A segment that is analyzed twice has the same key."""
        keys = self.objects.keys(self.settings.results_bucket, partials_prefix(work))
        return sum(key.endswith(".json") for key in keys)

    def delete(self, job_id: str, caller: str) -> None:
        """Delete a job with its video, its results, and what its record says. To do it twice makes no difference.

        A tombstone stays: the job's id, its owner and the time. It comes first, so that a worker that has the job keeps
        nothing more. The object's key goes last: a call that fails in between is finished by the next one.

        Raises
        ------
        JobNotFound, TransientError
        """
        job = self._owned(job_id, caller)
        if job.key:
            self.jobs.delete(self._tombstone(job, job.key))
            self._large.abort(job)
            self.objects.delete(self.settings.uploads_bucket, job.key)
        for prefix in (f"{job_id}/", work_prefix(job_id)):
            self.objects.delete_all(self.settings.results_bucket, prefix)
        if job.key:
            self.jobs.delete(self._tombstone(job, ""))

    def _tombstone(self, job: Job, key: str) -> Job:
        now = int(self.now())
        return Job(
            job_id=job.job_id,
            status=JobStatus.DELETED,
            key=key,
            created_at=now,
            updated_at=now,
            expires_at=now + limits.DELETED_JOB_DAYS * _DAY,
            owner=job.owner,
        )

    def _owned(self, job_id: str, caller: str) -> Job:
        """Return a job of the caller's. Those of others do not exist, in any state."""
        job = self.jobs.get(job_id) if is_job_id(job_id) else None
        if job is None or caller != (job.owner or self.settings.operator):
            raise JobNotFound("There is no job of that id. POST /uploads makes one.")
        return job

    def _result(self, key: str, *, inline: bool) -> dict[str, Any]:
        bucket = self.settings.results_bucket
        if not inline:
            return {"result_url": self.signer.download(bucket, key), "result_url_expires_in": limits.RESULT_URL_SECONDS}
        try:
            return {"result": json.loads(self.objects.read(bucket, key))}
        except ObjectMissing as error:
            raise JobExpired(_GONE) from error


def _content_type(given: Any) -> str:
    """Return the content type to sign. S3 compares it with the form's field character by character."""
    content_type = given.strip() if isinstance(given, str) else ""
    is_plain = content_type.isascii() and content_type.isprintable()
    if media_type(content_type) not in VIDEO_CONTENT_TYPES or not is_plain:
        raise UnsupportedMediaType(f"Set {CONTENT_TYPE_MEMBER!r} to one of these: {', '.join(VIDEO_CONTENT_TYPES)}.")
    if len(content_type) > limits.MAX_CONTENT_TYPE_CHARACTERS:
        raise UnsupportedMediaType(f"{CONTENT_TYPE_MEMBER!r} is too long. Leave out what follows the semicolon.")
    return content_type


def _fits_inline(job: Job) -> bool:
    is_json = job.result_content_type in {None, JSON_CONTENT_TYPE}
    return is_json and (job.result_bytes or 0) <= limits.MAX_INLINE_RESULT_BYTES


def _file_name(given: Any) -> str | None:
    """Return the file's own name. It is only repeated: no file and no object is named by it."""
    most = limits.MAX_FILE_NAME_CHARACTERS
    if given is None or (isinstance(given, str) and given.isprintable() and 0 < len(given) <= most):
        return given
    raise InvalidOption(f"{FILE_NAME_MEMBER!r} must be a text of 1 to {most} characters that can be printed.")
