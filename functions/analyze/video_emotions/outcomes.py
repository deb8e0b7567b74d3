"""What the function did with a job: its answer, the metric, and the end of its line in the log."""

from typing import Any, Final

from video_common.errors import GaveUp
from video_common.job import Job, JobStatus
from video_common.metrics import Metric, meter
from video_common.telemetry import Entry, Outcome

SUPERSEDED: Final = "SUPERSEDED"
STARTED: Final = "STARTED"
"""Statuses that no record has: a later version of the object has come; an execution continues the job."""

_OUTCOMES: Final = {
    JobStatus.SUCCEEDED: Outcome.SUCCEEDED,
    JobStatus.FAILED: Outcome.REJECTED,
    JobStatus.DELETED: Outcome.DELETED,
    SUPERSEDED: Outcome.SUPERSEDED,
    STARTED: Outcome.STARTED,
}


def outcome_of(job: Job, status: str) -> dict[str, Any]:
    """Return what was done with a job: ``job_id``, ``status``, and of a FAILED one ``code``."""
    code = {"code": job.error["code"]} if status == JobStatus.FAILED and job.error else {}
    return {"job_id": job.job_id, "status": str(status), **code}


def count(done: dict[str, Any], line: Entry) -> None:
    """Count what was done with a job, and set the end of its line in the log. A job is given up elsewhere."""
    outcome, code = _OUTCOMES[done["status"]], done.get("code")
    if code == GaveUp.code:
        outcome = Outcome.FAILED
    elif outcome is Outcome.SUCCEEDED:
        meter.add(Metric.SUCCEEDED)
    elif outcome is Outcome.REJECTED:
        meter.reject(code or "")
    line.ends(outcome, code)
