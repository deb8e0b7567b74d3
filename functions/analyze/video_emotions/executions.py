"""Executions of the state machine: its tasks, and its failed end. Entry point: parse, call, map.

::

    SQS -> worker: plan, start --> Map: segment, segment, ... --> merge: result or the video's fault, job's end
                                     `-- any of them fails for good --> the execution's status event --> fail: job's end
                                                      (its message is parked, unless another segment has found a fault)
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.aws.interfaces import Queue
from video_common.errors import (
    JobsUnavailable,
    ObjectMissing,
    OtherVersion,
    SegmentsDisagree,
    ServiceError,
    UnsupportedEvent,
    VideoEmotionsError,
)
from video_common.job import Job, JobStatus, given_up
from video_common.metrics import Metric, meter
from video_common.telemetry import Outcome, entry, job_facts
from video_common.upload import as_message
from video_emotions.deadline import Deadline
from video_emotions.long_videos import Failure, LongVideos, version_of
from video_emotions.outcomes import SUPERSEDED, count
from video_emotions.work import Failed, SegmentTask, Task
from video_emotions.worker import Worker, kept

SOURCE: Final = "aws.states"
"""Of the events about executions."""
TASK: Final = "task"
"""The member that names the task in an event of the state machine."""

_ITS_OWN: Final = frozenset({TASK, "segments_key", "max_segments"})


@dataclass(frozen=True)
class Executions:
    """Does what the state machine asks for. The messages of uploads that it gives up go to the queue ``parked``."""

    worker: Worker
    long: LongVideos
    parked: Queue

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Do one task, or end the job of an execution that failed.

        Raises
        ------
        ServiceError
            The state machine knows it by the name of its class.
        """
        deadline = Deadline.of_request(context.get_remaining_time_in_millis() / 1000)
        request_id = context.aws_request_id
        try:
            if event.get("source") == SOURCE:
                failed = Task.model_validate(_known(json.loads(event["detail"]["input"])))
                failure = Failed(str(event["id"]), datetime.fromisoformat(event["time"]).timestamp())
                return self._logged(failed, lambda: self.fail(failed, failure, request_id))
            members = _known(event)
            task = (SegmentTask if event[TASK] == "segment" else Task).model_validate(members)
        except (KeyError, TypeError, ValueError) as error:  # Pydantic's and JSON's errors are among them
            raise UnsupportedEvent("The event is of no task of the state machine.") from error
        if task.function != version_of(context):
            raise OtherVersion("The video was planned by another version of the function.")
        if isinstance(task, SegmentTask):
            return self.analyze(task, request_id, deadline)
        return self._logged(task, lambda: self.merge(task, request_id, deadline))

    def _logged(self, task: Task, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with entry("job", **self._facts(task)) as line:
            done = do()
            count(done, line)
        return done

    def analyze(self, task: SegmentTask, request_id: str, deadline: Deadline) -> dict[str, Any]:
        """Analyze one segment, unless nobody needs it: see `_is_lost`, or another one has found a fault of the video.

        A fault of the video is an answer: an execution that fails calls the operator. The merge ends the job with it.

        Returns
        -------
        dict
            As of `LongVideos.analyze`.

        Raises
        ------
        ServiceError
        """
        nothing = {"segment": task.segment, "frames": 0}
        with entry("segment", **self._facts(task), segment=task.segment) as line:
            line.ends(Outcome.SUPERSEDED)
            if self._is_lost(task, self._job(task)):
                return nothing
            try:
                if self.long.fault(task) is not None:
                    return nothing
                done = self.long.analyze(task, request_id, deadline)
            except SegmentsDisagree:
                if self._is_lost(task, self._job(task)):  # deleted while its plan was read
                    return nothing
                raise
            line.ends(Outcome.REJECTED if "code" in done else Outcome.SUCCEEDED, done.get("code"))
        return done

    def merge(self, task: Task, request_id: str, deadline: Deadline) -> dict[str, Any]:
        """Take the job of an execution to its end, with what the segments found.

        Returns
        -------
        dict
            As of `Worker.process`. SUPERSEDED also if the job was given up, or another execution has it. If the job
            has ended with this merge, its end is announced again: the last try may have failed to do so.

        Raises
        ------
        TransientError, SegmentsDisagree, OtherVersion
        """
        upload, job = task.upload, self._job(task)
        _wait_for_the_worker(task, job)
        if job is None or job.work != task.work or job.was_given_up:
            return self._superseded(task, job)
        if job.status is JobStatus.RUNNING:
            try:
                job = self._merged(task, job, request_id, deadline)
            except SegmentsDisagree:
                if self._is_lost(task, now := self._job(task)):
                    return self._superseded(task, now)
                raise
            if not self.worker.jobs.finish(job):
                return self.worker.overtaken(upload, job)
        outcome = self.worker.announced(upload, job)
        self.long.tidy(task)
        return outcome

    def _merged(self, task: Task, job: Job, request_id: str, deadline: Deadline) -> Job:
        """Return a job as it ends with what the segments found. It keeps the name of the work: see `fail`."""
        upload = task.upload
        if (fault := self.long.fault(task)) is not None:
            return self._failed(task, job, fault, request_id)
        try:
            with self.long.merged(task, deadline) as (result, name, frames):
                ended = self.worker.kept_result(upload, job, result, name, frames)
        except ServiceError:
            raise
        except VideoEmotionsError as error:
            ended = self.worker.record(upload, JobStatus.FAILED, error=error.problem(request_id), **kept(job))
        return ended.model_copy(update={"work": task.work})

    def fail(self, task: Task, failure: Failed, request_id: str) -> dict[str, Any]:
        """End the job of an execution that failed, and park the upload's message.

        The video is at fault if a segment has found that and another one failed. Then no message is parked.

        Parameters
        ----------
        task : Task
        failure : Failed
            An event that was handled to its end changes nothing when it comes again, even if the execution runs again.
            One that was handled in part is handled again, unless the execution runs again.
        request_id : str

        Returns
        -------
        dict
            As of `Worker.process`. SUPERSEDED also if the job has ended otherwise, or another execution has it.

        Raises
        ------
        TransientError
        """
        upload, job = task.upload, self._job(task)
        _wait_for_the_worker(task, job)
        if job is None or job.work != task.work or job.began_after(failure.at) or self._was_handled(task, failure.id):
            return self._superseded(task, job)
        if job.status is JobStatus.RUNNING:
            job = self._failed(task, job, self.long.failure(task), request_id)
            if not self.worker.jobs.finish(job):
                return self.worker.overtaken(upload, job)
        outcome = self.worker.announced(upload, job)
        if job.was_given_up:
            self.parked.send_again(as_message(upload, failure.id), 0)
        else:
            self.long.tidy(task)  # nobody goes on with it
        self.long.store.put(self.long.bucket, task.failure_key, failure.id, "text/plain")
        return outcome

    def _failed(self, task: Task, job: Job, failure: Failure, request_id: str) -> Job:
        """Return a job as it ends with a failure. The error names the segment."""
        problem = failure.problem or given_up().problem(request_id)
        is_of_a_segment = failure.number < failure.count
        where = f"Segment {failure.number + 1} of {failure.count}" if is_of_a_segment else "Joining the segments"
        if failure.count:
            problem = {**problem, "detail": f"{where}: {problem['detail']}"}
        if failure.problem is None:
            meter.add(Metric.GIVEN_UP)
        ended = self.worker.record(task.upload, JobStatus.FAILED, error=problem, work=task.work, **kept(job))
        # After a deployment this function is another version than the one that holds the job.
        return ended.model_copy(update={"holder": job.holder})

    def _superseded(self, task: Task, job: Job | None) -> dict[str, Any]:
        """Leave a job that the execution does not have (any more), and delete what the segments of a lost job kept."""
        if self._is_lost(task, job):
            self.long.tidy(task)
        return {"job_id": self.worker.job_id(task.upload), "status": SUPERSEDED}

    def _facts(self, task: Task) -> dict[str, str]:
        source = task.upload.source
        return job_facts(self.worker.job_id(task.upload), source.bucket, source.key)

    def _job(self, task: Task) -> Job | None:
        return self.worker.jobs.get(self.worker.job_id(task.upload))

    @staticmethod
    def _is_lost(task: Task, job: Job | None) -> bool:
        """Report whether nobody needs the execution any more: the job is deleted, another one's, or at its end."""
        if job is None or job.sequencer != task.upload.sequencer or job.work not in {None, task.work}:
            return True
        return job.work is None and job.has_ended and not job.was_given_up

    def _was_handled(self, task: Task, failure: str) -> bool:
        try:
            return self.long.store.read(self.long.bucket, task.failure_key) == failure
        except ObjectMissing:
            return False


def _wait_for_the_worker(task: Task, job: Job | None) -> None:
    if job is not None and job.is_being_planned(task.upload.sequencer):
        raise JobsUnavailable("The worker that started the execution has not recorded it yet.")


def _known(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event without what only the state machine reads."""
    return {name: value for name, value in event.items() if name not in _ITS_OWN}
