"""An uploaded object's way through its job: begin -> analyse -> keep the result -> finish -> tell.

Every step can be repeated: whatever fails for the time being leaves a job that another try takes through to its end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from video_common import limits
from video_common.aws.interfaces import Begun, EventBus, JobStore, ObjectStore
from video_common.errors import ConfigurationError, ServiceError, TooLong, VideoEmotionsError
from video_common.job import Job, JobStatus, job_id_of, result_key
from video_emotions.deadline import Deadline
from video_emotions.pipeline import Pipeline
from video_emotions.rendering import render
from video_emotions.telemetry import logger
from video_emotions.video_request import Upload, from_upload
from video_emotions.watchdog import watchdog

DETAIL_TYPE = "Video Analysis Finished"
"""Of the event that is published when a job ends; docs/completion-event.schema.json describes its detail."""

_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Worker:
    """Takes uploads through their jobs."""

    pipeline: Pipeline
    store: ObjectStore
    jobs: JobStore
    bus: EventBus
    now: Callable[[], float] = time.time

    def process(self, upload: Upload, request_id: str, seconds_left: float) -> dict[str, Any]:
        """Take one upload to the end of its job.

        Parameters
        ----------
        upload : Upload
        request_id : str
        seconds_left : float
            Until Lambda ends this worker. A job that cannot end by then is FAILED, `too_long`.

        Returns
        -------
        dict
            ``job_id``, and ``status``: SUCCEEDED, FAILED, or SUPERSEDED if a later version of the object has come.

        Raises
        ------
        TransientError
            Another try may succeed; the job waits for it as PENDING where that could still be written.
        ServiceError
            The deployment is wrong.
        """
        self._refuse_other_buckets(upload)
        begun, job = self.jobs.begin(self._job(upload, JobStatus.RUNNING))
        if begun is Begun.OLDER:
            return _outcome(job, "SUPERSEDED")
        if begun is Begun.RUN:
            try:
                with watchdog(
                    seconds_left * (1 - limits.FINISH_SHARE / 2), lambda: self._end_stuck(upload, request_id)
                ):
                    job = self._ended(upload, request_id, Deadline.of_request(seconds_left))
            except Exception:
                # For who asks meanwhile. The message decides about another try, not this record.
                self.jobs.finish(self._job(upload, JobStatus.PENDING))
                raise
            if not self.jobs.finish(job):
                return _outcome(job, "SUPERSEDED")
        # Also for a job that was done before: whoever did it may have been lost before this.
        self.bus.publish(DETAIL_TYPE, self._detail(job))
        return _outcome(job, job.status)

    def _ended(self, upload: Upload, request_id: str, deadline: Deadline) -> Job:
        """Analyse, keep the result, and return the job as it ends."""
        source = upload.source
        try:
            metadata = self.store.metadata(source.bucket, source.key, source.version_id)
            request = from_upload(upload, metadata)
            body = render(self.pipeline.analyze(request, deadline), request.format)
        except ServiceError:
            raise
        except VideoEmotionsError as error:
            logger.info(error.detail, code=error.code)
            return self._job(upload, JobStatus.FAILED, error=error.problem(request_id))
        key = result_key(job_id_of(source.key), upload.sequencer, body.suffix)
        self.store.put(self._results_bucket, key, body.text, body.content_type)
        return self._job(
            upload,
            JobStatus.SUCCEEDED,
            result_key=key,
            result_bytes=len(body.text.encode()),
            result_content_type=body.content_type,
        )

    def _end_stuck(self, upload: Upload, request_id: str) -> None:
        """End a job whose worker Lambda is about to stop. The message comes back once and announces the end."""
        error = TooLong("The service could not read and analyze the video in its time. Upload the video again.")
        logger.error("a worker is stuck", code=error.code)
        self.jobs.finish(self._job(upload, JobStatus.FAILED, error=error.problem(request_id)))

    def _job(self, upload: Upload, status: JobStatus, **more: Any) -> Job:
        now = int(self.now())
        return Job(
            job_id=job_id_of(upload.source.key),
            status=status,
            key=upload.source.key,
            sequencer=upload.sequencer,
            created_at=now,
            updated_at=now,
            expires_at=now + self.pipeline.settings.results_expire_days * _DAY,
            **more,
        )

    def _detail(self, job: Job) -> dict[str, Any]:
        settings = self.pipeline.settings
        detail: dict[str, Any] = {
            "job_id": job.job_id,
            "status": job.status,
            "video": {"bucket": settings.uploads_bucket, "key": job.key},
        }
        if job.result_key is not None:
            detail["result"] = {"bucket": settings.results_bucket, "key": job.result_key}
        if job.error is not None:
            detail["error"] = job.error
        return detail

    @property
    def _results_bucket(self) -> str:
        if bucket := self.pipeline.settings.results_bucket:
            return bucket
        raise ConfigurationError("RESULTS_BUCKET is not set: there is nowhere to put a result.")

    def _refuse_other_buckets(self, upload: Upload) -> None:
        if upload.source.bucket != self.pipeline.settings.uploads_bucket:
            raise ConfigurationError("The event is of another bucket than UPLOADS_BUCKET. Mend the notification.")


def _outcome(job: Job, status: str) -> dict[str, Any]:
    return {"job_id": job.job_id, "status": str(status)}
