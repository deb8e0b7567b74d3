"""The upload path without AWS and without analysis: a queue, its worker, and what surrounds them, on one clock."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from urllib.parse import quote_plus

from tests.fakes import LambdaContext, s3_event
from tests.fakes_aws import Clock, MemoryBus, MemoryJobs, MemoryPersistence, MemoryQueue, MemoryStore, Message
from tests.videos_info import DETECTOR, MODEL, SETTINGS
from video_common.errors import NotAVideo, TransientError
from video_common.job import Job, job_id_of
from video_common.result import Result, VideoFacts
from video_common.shares import Emotions
from video_common.upload import S3Object, as_redriven
from video_emotions.deadline import Deadline
from video_emotions.pipeline import Pipeline
from video_emotions.settings import Settings
from video_emotions.uploads import Uploads
from video_emotions.video_request import VideoRequest
from video_emotions.worker import Worker
from video_jobs.giving_up import GivingUp
from video_jobs.settings import DeadLetterSettings

SECRET = b"of this stack"
NOBODY = Emotions(angry=0, disgust=0, fear=0, happy=0, sad=0, surprise=0, neutral=0)


def id_of(key: str, secret: bytes = SECRET) -> str:
    """Return the id of the job of a key."""
    return job_id_of(key, lambda: secret)


class Lost(BaseException):
    """The worker is gone, as by SIGKILL: nothing of ours runs after it."""


def result_of(content: bytes, **more: Any) -> Result:
    """Make a Result that names the bytes it is of."""
    video = VideoFacts(
        duration_ms=0,
        width=0,
        height=0,
        codec="none",
        frame_rate=0,
        rotation=0,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return Result(
        average_emotion_scores=NOBODY,
        overall_dominant_emotion=None,
        total_frames_analyzed=1,
        average_confidence_score=0,
        eye_contact_score=0,
        frames_with_face=0,
        frames_unreadable=0,
        truncated=False,
        mean_emotion_probabilities=NOBODY,
        video=video,
        settings=SETTINGS,
        model=MODEL,
        timings_ms={},
        detector=DETECTOR,
        faces_left_out=0,
        **more,
    )


@dataclass
class ReadsOnly:
    """A pipeline that fetches its video and analyses nothing. A video that begins with ``no`` is none."""

    settings: Settings
    store: MemoryStore
    clock: Clock
    seconds: float = 20
    analyzed: list[bytes] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)
    during: Callable[[bytes], None] = lambda content: None
    model: str = "none"

    @property
    def identity(self) -> dict[str, Any]:
        return {"model": self.model, "centre_tolerance": self.settings.centre_tolerance}

    def analyze(self, request: VideoRequest, deadline: Deadline) -> Result:
        source = request.source
        assert isinstance(source, S3Object)
        self.seconds_left.append(deadline.left)
        with TemporaryDirectory() as folder:
            path = Path(folder, "video")
            self.store.download(source.bucket, source.key, source.version_id, path)
            content = path.read_bytes()
        self.clock.now += self.seconds
        self.during(content)
        if content.startswith(b"no"):
            raise NotAVideo("not a video")
        self.analyzed.append(content)
        return result_of(content)


class Context(LambdaContext):
    """An invocation that has the whole of the function's time before it."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


class World:
    """Everything from the bucket to the event bus. `put` an object, `notify` of it, `run` until the queue is empty."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store, self.jobs, self.bus = MemoryStore(), MemoryJobs(), MemoryBus()
        self.queue, self.persistence = MemoryQueue(self.clock), MemoryPersistence(self.clock)
        settings = Settings(uploads_bucket="uploads", results_bucket="results")
        self.pipeline = ReadsOnly(settings, self.store, self.clock)
        pipeline = cast("Pipeline", self.pipeline)  # it has all that a worker uses
        self.worker = Worker(pipeline, self.store, self.jobs, self.bus, lambda: SECRET, self.clock)
        self.uploads = Uploads(self.worker, self.queue, self.persistence)
        self.parked = MemoryQueue(self.clock)
        names = {"UPLOADS_BUCKET": "uploads", "RESULTS_BUCKET": "results", "JOBS_TABLE": "j", "PARKED_URL": "p"}
        letters = DeadLetterSettings.from_environment({**names, "JOB_ID_SECRET_ARN": "s"})
        self.giving_up = GivingUp(letters, self.jobs, self.bus, self.parked, lambda: SECRET, self.clock)

    def put(self, key: str, content: bytes, version: int = 1, *, versioned: bool = False) -> dict[str, Any]:
        """Store an object, over what was there, and return S3's event of it. The template's bucket has no versions."""
        place = ("uploads", key, f"v{version}") if versioned else ("uploads", key)
        self.store.objects[place] = content
        return s3_event(
            quote_plus(key),
            sequencer=f"{version:X}",
            version_id=f"v{version}" if versioned else None,
            etag=hashlib.md5(content).hexdigest(),
        )

    def deliver(self, most: int = 1, context: LambdaContext | None = None) -> list[str]:
        """Let Lambda take a batch, as its event source mapping does. Return the ids of the messages that failed."""
        batch = self.queue.receive(most)
        if not batch:
            return []
        answer = self.uploads.handle_queue({"Records": batch}, context or Context())
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        for record in batch:
            if record["messageId"] not in failed:
                self.queue.delete(record["messageId"])
        return failed

    def run(self) -> None:
        """Deliver until there is nothing left to deliver."""
        while self.queue.wait():
            self.deliver()

    def give_up(self) -> None:
        """Let the function for dead letters handle each of them. Those that it fails for stay."""
        for message in list(self.queue.dead):
            with contextlib.suppress(TransientError):
                self.giving_up.handle(message.body, "request-1")
                self.queue.faults.around("delete", message.message_id, TransientError(""), partial(self._bury, message))

    def _bury(self, message: Message) -> None:
        self.queue.dead.remove(message)

    def redrive(self) -> None:
        """Send what is parked back, as `make redrive` does."""
        for message in self.parked.messages.values():
            self.queue.send(json.loads(as_redriven(message.body)))
        self.parked.messages.clear()

    def job(self, key: str) -> Job | None:
        return self.jobs.jobs.get(id_of(key))

    def result(self, key: str) -> str | None:
        """Return the sha256 of the video that a key's result is of."""
        job = self.job(key)
        if job is None or job.result_key is None:
            return None
        text = self.store.objects["results", job.result_key].decode()
        return Result.model_validate_json(text).video.sha256
