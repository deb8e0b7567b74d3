"""The event that is published when a job ends; docs/completion-event.schema.json describes its detail."""

from typing import Any, Final

from video_common.job import Job

DETAIL_TYPE: Final = "Video Analysis Finished"


def completion(job: Job, uploads_bucket: str | None, results_bucket: str | None) -> dict[str, Any]:
    """Return the event's detail for a job that has ended, or that was given up."""
    detail: dict[str, Any] = {
        "job_id": job.job_id,
        "status": job.status,
        "video": {"bucket": uploads_bucket, "key": job.key},
    }
    if job.file_name is not None:
        detail["video"]["file_name"] = job.file_name
    if job.result_key is not None:
        detail["result"] = {"bucket": results_bucket, "key": job.result_key}
    if job.error is not None:
        detail["error"] = job.error
    return detail
