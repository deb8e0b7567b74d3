"""The whole service, with callers in front of it."""

import json
from typing import Any

from tests.fakes import LambdaContext, json_event, rest_event
from tests.fakes_aws import MemoryMultipart, MemorySigner
from tests.job_world import World
from video_jobs.api import Api
from video_jobs.service import Jobs
from video_jobs.settings import Settings

ANN, BEN, OPERATOR = "key:ann", "key:ben", "iam:arn:aws:sts::123456789012:assumed-role/Operations"


class Callers(World):
    """A world in which somebody calls the API."""

    def __init__(self, operator: str | None = OPERATOR) -> None:
        super().__init__()
        settings = Settings(uploads_bucket="uploads", results_bucket="results", jobs_table="j", operator=operator)
        self.api = Api(Jobs(settings, self.jobs, self.store, MemorySigner(), MemoryMultipart(), self.clock), "*")

    def send(self, caller: str, event: dict[str, Any]) -> dict[str, Any]:
        kind, name = caller.split(":", 1)
        member = {"key": "apiKeyId", "iam": "userArn"}[kind]
        event["requestContext"]["identity"][member] = name if kind == "key" else f"{name}/a-session"
        return self.api.handle(event, LambdaContext())

    def ask(self, caller: str, **members: Any) -> str:
        job_id: str = json.loads(self.send(caller, json_event(members, path="/uploads"))["body"])["job_id"]
        return job_id

    def call(self, caller: str, method: str, job_id: str) -> tuple[int, str]:
        """Return status and body of a request about a job."""
        answer = self.send(caller, rest_event(None, content_type=None, method=method, path=f"/jobs/{job_id}"))
        return answer["statusCode"], answer["body"]

    def upload(self, job_id: str, content: bytes = b"video") -> None:
        """Send the form of a job, and let it be analyzed."""
        self.queue.send(self.put(f"uploads/{job_id}", content))
        self.run()
