"""An uploaded object's way through its job: begin -> analyze -> store the result -> finish -> announce -> tidy up.

Every step can be repeated. After a temporary failure, another try finishes the job.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from video_common import limits
from video_common.aws.interfaces import Begun, EventBus, JobStore, ObjectStore
from video_common.completion import DETAIL_TYPE, completion
from video_common.errors import ConfigurationError, GaveUp, JobInProgress, ServiceError, TooLong, VideoEmotionsError
from video_common.job import Job, JobStatus, is_asked_for, job_id_of, result_key, work_prefix
from video_common.result import Result, Source, TimelineFrame
from video_common.telemetry import logger
from video_common.upload import Upload
from video_emotions.deadline import Deadline
from video_emotions.lease import renewed
from video_emotions.long_videos import LongVideos
from video_emotions.outcomes import STARTED, SUPERSEDED, outcome_of
from video_emotions.pipeline import Pipeline
from video_emotions.rendering import FORMATS
from video_emotions.video_request import from_upload
from video_emotions.watchdog import watchdog
from video_emotions.workspace import new_directory, room

_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True)
class Worker:
    """Takes uploads through their jobs. It renews the lease of a job every ``renew_seconds``."""

    pipeline: Pipeline
    store: ObjectStore
    jobs: JobStore
    bus: EventBus
    secret: Callable[[], bytes]
    now: Callable[[], float] = time.time
    renew_seconds: float = limits.LEASE_RENEW_SECONDS
    long: LongVideos | None = None

    def process(self, upload: Upload, request_id: str, seconds_left: float, function: str = "") -> dict[str, Any]:
        """Take one upload to the end of its job.

        Parameters
        ----------
        upload : Upload
        request_id : str
        seconds_left : float
            Until Lambda ends this worker. A job that cannot end by then is FAILED, `too_long`, and no lease is longer.

        Returns
        -------
        dict
            ``job_id``, and ``status``: SUCCEEDED, FAILED, DELETED, SUPERSEDED if a later version of the object has
            come, or STARTED if an execution continues the job. Of a FAILED one also ``code``.

        Raises
        ------
        JobInProgress
            Another worker has the job.
        TransientError
            Another try may succeed; the job waits for it as PENDING where that could still be written.
        GaveUp
            Too many workers were lost with this video, or the job was given up before.
        ServiceError
            The deployment is wrong.
        """
        self._refuse_other_buckets(upload)
        deadline = Deadline.of_request(seconds_left)
        stuck_at = time.monotonic() + seconds_left * (1 - limits.FINISH_SHARE / 2)
        lease = partial(self._lease, upload, self.now() + seconds_left)
        begun, job = self.jobs.begin(lease(), is_redriven=upload.is_redriven, revives_since=upload.revives_since)
        if begun in {Begun.OLDER, Begun.DELETED}:
            return outcome_of(job, SUPERSEDED) if begun is Begun.OLDER else self._deleted(upload, job)
        if begun is Begun.BUSY:
            raise JobInProgress("Another worker has the job.")
        if begun is Begun.DONE and job.was_given_up:
            raise GaveUp("The job was given up. Only `make redrive` begins it again.")
        if begun is Begun.RUN:
            runs = job.runs or 1
            if runs > limits.MAX_LOST_RUNS:
                self.jobs.finish(self.record(upload, JobStatus.PENDING, runs=runs))
                raise GaveUp(f"{limits.MAX_LOST_RUNS} workers were lost with this video. It is not tried again.")
            stuck = self._stuck(upload, job, request_id)
            try:
                with (
                    renewed(lambda: self.jobs.renew(lease()), self.renew_seconds),
                    watchdog(stuck_at - time.monotonic(), lambda: self._end_stuck(stuck)) as is_stuck,
                ):
                    job = self._ended(upload, job, request_id, deadline, function)
            except Exception:
                # Callers who poll see PENDING. The queue, not this record, decides whether to retry.
                self.jobs.finish(self.record(upload, JobStatus.PENDING, runs=runs - 1 or None))
                raise
            if is_stuck.is_set():
                job = stuck  # a caller may have seen it: a job ends once
            elif not self.jobs.finish(job):
                return self.overtaken(upload, job)
            if job.status is JobStatus.RUNNING:
                return outcome_of(job, STARTED)
        # Also for a job that was done before: its worker may have been lost before this.
        return self.announced(upload, job)

    def job_id(self, upload: Upload) -> str:
        """Return the id of an upload's job."""
        return job_id_of(upload.source.key, self.secret)

    def announced(self, upload: Upload, job: Job) -> dict[str, Any]:
        """Publish the end of a job. Then delete its video, if the settings say so."""
        settings = self.pipeline.settings
        self.bus.publish(DETAIL_TYPE, completion(job, settings.uploads_bucket, settings.results_bucket))
        if settings.delete_videos_after_analysis and job.status is JobStatus.SUCCEEDED:
            source = upload.source
            # The entity tag spares what somebody has put there meanwhile.
            self.store.delete(source.bucket, source.key, source.version_id, upload.etag)
        return outcome_of(job, job.status)

    def overtaken(self, upload: Upload, job: Job) -> dict[str, Any]:
        """Leave a job that is not this worker's any more: a later version has it, or it is deleted."""
        stored = self.jobs.get(job.job_id)
        if stored is not None and stored.status is JobStatus.DELETED:
            return self._deleted(upload, stored)
        return outcome_of(job, SUPERSEDED)

    def _deleted(self, upload: Upload, job: Job) -> dict[str, Any]:
        """Remove what came or was kept after a job was deleted: its form's upload, and the result of this version."""
        source = upload.source
        if is_asked_for(source.key):
            self.store.delete(source.bucket, source.key, source.version_id)
        self.store.delete_all(self._results_bucket, result_key(job.job_id, upload.sequencer, ""))
        self.store.delete_all(self._results_bucket, work_prefix(job.job_id, upload.sequencer))
        return outcome_of(job, JobStatus.DELETED)

    def _ended(self, upload: Upload, job: Job, request_id: str, deadline: Deadline, function: str) -> Job:
        """Analyze, keep the result, and return the job as it ends."""
        source = upload.source
        try:
            metadata = self.store.metadata(source.bucket, source.key, source.version_id)
            most = limits.MAX_UPLOAD_VIDEO_BYTES if self.long is None else limits.MAX_OBJECT_BYTES
            request = from_upload(upload, metadata, most)
            if self.long is not None and upload.size > limits.PLANNED_BYTES:
                started = self.long.start(job.job_id, upload, request, function, deadline)
                if started is not None:
                    until = int(self.now()) + limits.EXECUTION_SECONDS
                    facts = {"work": started.work, "segments": started.segments, "lease_until": until}
                    return self.record(upload, JobStatus.RUNNING, **facts, **kept(job))
            result = self.pipeline.analyze(request, deadline)
        except ServiceError:
            raise
        except VideoEmotionsError as error:
            return self.record(upload, JobStatus.FAILED, error=error.problem(request_id), **kept(job))
        return self.kept_result(upload, job, result, request.format)

    def kept_result(
        self, upload: Upload, job: Job, result: Result, name: str, frames: Iterable[TimelineFrame] | None = None
    ) -> Job:
        """Keep a result in a format, and return the job as it ends. ``frames``: a timeline that the Result lacks."""
        origin = Source(bucket=upload.source.bucket, key=upload.source.key, file_name=job.file_name)
        checksum = self.store.checksum(upload.source.bucket, upload.source.key, upload.source.version_id, upload.etag)
        video = result.video.model_copy(update={"etag": upload.etag or None, "crc64nvme": checksum})
        result, form = result.model_copy(update={"source": origin, "video": video}), FORMATS[name]
        key = result_key(job.job_id, upload.sequencer, form.suffix)
        with new_directory(self.pipeline.settings.work_dir) as directory:
            path = directory / "result"
            with room(), path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(form.write(result, (result.timeline or ()) if frames is None else frames))
            self.store.put(self._results_bucket, key, path, form.content_type)
            size = path.stat().st_size
        return self.record(
            upload,
            JobStatus.SUCCEEDED,
            result_key=key,
            result_bytes=size,
            result_content_type=form.content_type,
            **kept(job),
        )

    def _stuck(self, upload: Upload, job: Job, request_id: str) -> Job:
        """Return a job as it ends when Lambda is about to stop its worker."""
        error = TooLong("The service could not read and analyze the video in its time. Upload the video again.")
        return self.record(upload, JobStatus.FAILED, error=error.problem(request_id), **kept(job))

    def _end_stuck(self, job: Job) -> bool:
        """End a job whose worker Lambda is about to stop. The message comes back once and announces the end.

        Returns
        -------
        bool
            False if another worker has the job, or a later version of the object has come.
        """
        logger.error("a worker is stuck", code=TooLong.code)
        return self.jobs.finish(job)

    def _lease(self, upload: Upload, end: float) -> Job:
        """Return the job with a lease from now on. It ends with the invocation, before the message comes back."""
        until = int(min(self.now() + limits.LEASE_SECONDS, end))
        return self.record(upload, JobStatus.RUNNING, lease_until=until, runs=1)

    def record(self, upload: Upload, status: JobStatus, **more: Any) -> Job:
        """Return a record of an upload's job."""
        now = int(self.now())
        return Job(
            job_id=self.job_id(upload),
            status=status,
            key=upload.source.key,
            holder=self._holder,
            sequencer=upload.sequencer,
            created_at=now,
            updated_at=now,
            expires_at=now + self.pipeline.settings.results_expire_days * _DAY,
            **more,
        )

    @property
    def _holder(self) -> str:
        return sha256(json.dumps(self.pipeline.identity, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def _results_bucket(self) -> str:
        if bucket := self.pipeline.settings.results_bucket:
            return bucket
        raise ConfigurationError("RESULTS_BUCKET is not set: there is nowhere to put a result.")

    def _refuse_other_buckets(self, upload: Upload) -> None:
        if upload.source.bucket != self.pipeline.settings.uploads_bucket:
            raise ConfigurationError(
                "The event is of another bucket than UPLOADS_BUCKET. Fix the bucket's notification configuration."
            )


def kept(job: Job) -> dict[str, Any]:
    """Return what a job has from its creation."""
    return {"owner": job.owner, "file_name": job.file_name}
