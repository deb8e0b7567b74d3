"""What becomes of a dead letter: its job ends, its end is announced, and the message is parked. No AWS here.

::

    begin (FAILED, gave_up) --> publish --> park --> SQS deletes the dead letter

Each step can be repeated. A consumer that is lost leaves the dead letter, and the next one does all steps again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from video_common.aws.interfaces import Begun, EventBus, JobStore, Queue
from video_common.completion import DETAIL_TYPE, completion
from video_common.errors import GaveUp, JobInProgress, JobsUnavailable, UnsupportedEvent
from video_common.failed_execution import FailedExecution, failed_execution
from video_common.job import Job, JobStatus, given_up, job_id_of
from video_common.metrics import Metric, meter
from video_common.telemetry import Entry, Outcome, entry, job_facts, logger
from video_common.upload import Upload, as_message, uploads_in_message
from video_jobs.settings import DeadLetterSettings

_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True)
class GivingUp:
    """Ends the jobs of dead letters."""

    settings: DeadLetterSettings
    jobs: JobStore
    bus: EventBus
    parked: Queue
    secret: Callable[[], bytes]
    now: Callable[[], float] = time.time

    def handle(self, body: str, request_id: str) -> None:
        """End the jobs of one dead letter. Park the letter, unless all of its jobs have ended without it.

        Raises
        ------
        JobInProgress
            A worker has one of the jobs. Its message, or this one, decides later.
        TransientError
            Another try may succeed.
        """
        failed = failed_execution(body)
        if failed is not None:
            self._end(failed, request_id)
            return
        try:
            uploads = uploads_in_message(body)
        except UnsupportedEvent:
            logger.exception("a dead letter names no upload")
            settled = False
        else:
            # All of them, even if the first is not.
            before = [self._settle(upload, request_id) for upload in uploads]
            settled = all(before)
        if not settled:
            self.parked.send_again(body, 0)

    def _end(self, failed: FailedExecution, request_id: str) -> None:
        """End the job of a failed execution, and park the upload's message. See `video_emotions.executions`."""
        upload, source = failed.upload, failed.upload.source
        job_id = job_id_of(source.key, self.secret)
        with entry("job", **job_facts(job_id, source.bucket, source.key)) as line:
            job = self.jobs.get(job_id)
            if job is not None and job.is_being_planned(upload.sequencer):
                raise JobsUnavailable("The worker that started the execution has not recorded it yet.")
            if job is None or job.work != failed.work or job.began_after(failed.failed_at):
                line.ends(Outcome.SUPERSEDED)
                return
            outcome = Outcome.REPEATED
            if job.status is JobStatus.RUNNING:
                outcome = Outcome.FAILED
                # The holder proves that nobody else has the job.
                kept = job.model_dump(include={"holder", "work", "owner", "file_name"})
                job = self._given_up(upload, request_id).model_copy(update=kept)
                if not self.jobs.finish(job):
                    raise JobsUnavailable("The job's record changed meanwhile. Try again.")
                logger.error("a job was given up", job_id=job_id)
                meter.add(Metric.GIVEN_UP)
            self.bus.publish(DETAIL_TYPE, completion(job, self.settings.uploads_bucket, self.settings.results_bucket))
            if job.was_given_up:
                self.parked.send_again(as_message(upload, failed.failure), 0)
            line.ends(outcome, (job.error or {}).get("code"))

    def _settle(self, upload: Upload, request_id: str) -> bool:
        """End an upload's job, and report whether it had its end before."""
        source = upload.source
        if source.bucket != self.settings.uploads_bucket:
            logger.error("a dead letter is of another bucket")
            return False
        job_id = job_id_of(source.key, self.secret)
        with entry("job", **job_facts(job_id, source.bucket, source.key)) as line:
            return self._give_up(upload, request_id, line)

    def _give_up(self, upload: Upload, request_id: str, line: Entry) -> bool:
        begun, job = self.jobs.begin(self._given_up(upload, request_id), revives_since=upload.revives_since)
        if begun in {Begun.OLDER, Begun.DELETED}:
            line.ends(Outcome.SUPERSEDED if begun is Begun.OLDER else Outcome.DELETED)
            return True
        if begun is Begun.BUSY:
            raise JobInProgress("A worker has the job.")
        if begun is Begun.RUN:
            logger.error("a job was given up", job_id=job.job_id)
            meter.add(Metric.GIVEN_UP)
        # Also for a job that had its end before: perhaps only its announcement failed.
        self.bus.publish(DETAIL_TYPE, completion(job, self.settings.uploads_bucket, self.settings.results_bucket))
        line.ends(*((Outcome.REPEATED, None) if begun is Begun.DONE else (Outcome.FAILED, GaveUp.code)))
        # This function gave the job up, perhaps without parking the letter.
        return begun is Begun.DONE and not job.was_given_up

    def _given_up(self, upload: Upload, request_id: str) -> Job:
        now = int(self.now())
        return Job(
            job_id=job_id_of(upload.source.key, self.secret),
            status=JobStatus.FAILED,
            key=upload.source.key,
            sequencer=upload.sequencer,
            created_at=now,
            updated_at=now,
            expires_at=now + self.settings.results_expire_days * _DAY,
            error=given_up().problem(request_id),
        )
