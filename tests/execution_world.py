"""A long upload without AWS: the function, its state machine, and what surrounds them, in memory."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import LambdaContext, s3_event
from tests.fakes_aws import (
    Clock,
    MemoryBus,
    MemoryJobs,
    MemoryMultipart,
    MemoryPersistence,
    MemoryQueue,
    MemorySigner,
    MemoryStore,
)
from tests.state_machine import Execution, MemoryMachine
from video_common import limits
from video_common.errors import StorageUnavailable
from video_common.job import JobStatus, job_id_of
from video_common.upload import as_redriven
from video_emotions.executions import Executions
from video_emotions.lengths import Limits
from video_emotions.long_videos import LongVideos
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Segmenting
from video_emotions.segmented import Segmented
from video_emotions.uploads import Uploads
from video_emotions.worker import Worker
from video_jobs.service import Jobs
from video_jobs.settings import Settings as JobSettings

KEY, JOB = "dropped/a film.mp4", job_id_of("dropped/a film.mp4", lambda: b"secret")


class Context(LambdaContext):
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


class Cloud:
    """The function for uploads, with everything around it in memory."""

    def __init__(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, over_seconds: float = 0.0, segments: int = 4
    ) -> None:
        monkeypatch.setattr(limits, "PLANNED_BYTES", 0)
        self.clock, self.store, self.jobs, self.bus = Clock(), MemoryStore(), MemoryJobs(), MemoryBus()
        self.machine = MemoryMachine()
        settings = pipeline.settings.model_copy(update={"uploads_bucket": "uploads", "results_bucket": "results"})
        self.pipeline = Pipeline(settings, pipeline.model, pipeline.finder, self.store, pipeline.reader)
        tasks = Segmented(self.pipeline)
        lengths = Limits(over_seconds, 3, segmenting=Segmenting(at_least=segments))
        self.long = LongVideos(tasks, self.store, self.machine, "results", lengths, self.clock)
        self.worker = Worker(
            self.pipeline, self.store, self.jobs, self.bus, lambda: b"secret", self.clock, long=self.long
        )
        self.queue, self.parked = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.uploads = Uploads(self.worker, self.queue, MemoryPersistence(self.clock))
        self.executions = Executions(self.worker, self.long, self.parked)
        known = JobSettings(uploads_bucket="uploads", results_bucket="results", jobs_table="unused", operator="me")
        self.api = Jobs(known, self.jobs, self.store, MemorySigner(), MemoryMultipart(), self.clock)

    def upload(self, content: bytes, options: str = "{}", version: int = 1) -> list[dict[str, Any]]:
        self.store.objects["uploads", KEY] = content
        self.store.metadata_of["uploads", KEY] = {"options": options}
        etag = hashlib.md5(content).hexdigest()
        event = s3_event(KEY.replace(" ", "+"), size=len(content), etag=etag, sequencer=f"{version:X}")
        done: list[dict[str, Any]] = self.uploads.handle_s3(event, Context())["jobs"]
        return done

    def redrive(self) -> None:
        """Send what is parked back, as `make redrive` does, and let the function handle it."""
        for message in self.parked.messages.values():
            self.queue.send(json.loads(as_redriven(message.body)))
        self.parked.messages.clear()
        answer = self.uploads.handle_queue({"Records": self.queue.receive(10)}, Context())
        assert answer == {"batchItemFailures": []}

    def run(self, call: Callable[[str, dict[str, Any]], Any] | None = None) -> Execution:
        (name,) = self.machine.executions
        return self.machine.run(name, call or self.call, self.store.read)

    def never(self, **which: Any) -> Callable[[str, dict[str, Any]], Any]:
        """Return a function that never works for a task or a segment."""

        def call(function: str, event: dict[str, Any]) -> Any:
            if which.items() <= event.items():
                raise StorageUnavailable("never")
            return self.call(function, event)

        return call

    def replaced_at(self, segment: int) -> Callable[[str, dict[str, Any]], Any]:
        """Return a function before whose segment somebody puts another object in the place of the video."""

        def call(function: str, event: dict[str, Any]) -> Any:
            if event.get("segment") == segment:
                self.store.objects["uploads", KEY] = b"another video"
            return self.call(function, event)

        return call

    def call(self, function: str, event: dict[str, Any]) -> Any:
        assert function in {"", "arn:aws:lambda:us-east-1:123456789012:function:analyze:7"}
        return self.executions.handle(event, Context())

    def result(self) -> dict[str, Any]:
        job = self.jobs.get(JOB)
        assert job is not None
        assert job.status is JobStatus.SUCCEEDED, job.error
        assert job.result_key is not None
        return dict(json.loads(self.store.read("results", job.result_key)))
