"""Stand-ins for AWS that keep state, share a clock, and fail on demand: before a call has its effect, or after it."""

import datetime as dt
import hashlib
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from tests.fakes import sqs_record
from video_common import limits
from video_common.aws.interfaces import Begun
from video_common.aws.large_files import Part
from video_common.errors import (
    EventsUnavailable,
    JobsUnavailable,
    ObjectMissing,
    StorageUnavailable,
)
from video_common.job import Job, JobStatus

T = TypeVar("T")


@dataclass
class Clock:
    """Seconds that pass when somebody says so."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Faults:
    """Which calls fail. ``planned`` maps (operation, key) to the errors of the next calls; ``rate`` lets chance decide.

    A call that fails by chance has had its effect in half of the cases, as with a time-out on the way back.
    """

    planned: dict[tuple[str, str], list[BaseException]] = field(default_factory=dict)
    rate: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    count: int = 0

    def around(self, operation: str, key: str, error: BaseException, effect: Callable[[], T]) -> T:
        """Do ``effect``, or fail."""
        if planned := self.planned.get((operation, key)):
            raise planned.pop(0)
        fails = self.chance.random() < self.rate
        self.count += fails
        if fails and self.chance.random() < 0.5:
            raise type(error)(*error.args)  # a new one: an error collects the stacks of all that ever raised it
        done = effect()
        if fails:
            raise type(error)(*error.args)
        return done


@dataclass
class MemoryStore:
    """An `ObjectStore`. Videos are found by (bucket, key), or by (bucket, key, version)."""

    objects: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    content_types: dict[tuple[str, str], str] = field(default_factory=dict)
    metadata_of: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    checksums: dict[tuple[str, str], str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def metadata(self, bucket: str, key: str, version_id: str | None) -> Mapping[str, str]:
        self._find(bucket, key, version_id)
        return self.faults.around("metadata", key, _STORE, lambda: self.metadata_of.get((bucket, key), {}))

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        data = self._find(bucket, key, version_id)
        path.write_bytes(data[: len(data) // 2])  # what fails, fails in the middle, as networks do
        self.faults.around("download", key, _STORE, lambda: path.write_bytes(data))

    def ranges(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> "MemoryRanges":
        data = self._find(bucket, key, version_id)
        if etag not in {None, hashlib.md5(data).hexdigest()}:
            raise ObjectMissing("another object")
        return self.faults.around("ranges", key, _STORE, lambda: MemoryRanges(self, (bucket, key, version_id), data))

    def checksum(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> str | None:
        data = self.objects.get(self._place(bucket, key, version_id))
        is_meant = data is not None and etag in {None, "", hashlib.md5(data).hexdigest()}
        checksum = self.checksums.get((bucket, key)) if is_meant else None
        return self.faults.around("checksum", key, _STORE, lambda: checksum)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(place[1] for place in self.objects if place[0] == bucket and place[1].startswith(prefix))

    def put(self, bucket: str, key: str, body: str | bytes | Path, content_type: str) -> None:
        content = body.read_bytes() if isinstance(body, Path) else body.encode() if isinstance(body, str) else body

        def effect() -> None:
            self.objects[bucket, key] = content
            self.content_types[bucket, key] = content_type

        self.faults.around("put", key, _STORE, effect)

    def read(self, bucket: str, key: str) -> str:
        return self.faults.around("read", key, _STORE, lambda: self._find(bucket, key, None).decode())

    def delete(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> None:
        place = self._place(bucket, key, version_id)

        def effect() -> None:
            content = self.objects.get(place)
            if content is not None and etag in {None, hashlib.md5(content).hexdigest()}:
                del self.objects[place]

        self.faults.around("delete", key, _STORE, effect)

    def delete_all(self, bucket: str, prefix: str) -> None:
        def effect() -> None:
            for place in [each for each in self.objects if each[0] == bucket and each[1].startswith(prefix)]:
                del self.objects[place]

        self.faults.around("delete_all", prefix, _STORE, effect)

    def _place(self, bucket: str, key: str, version_id: str | None) -> tuple[str, ...]:
        return (bucket, key, version_id) if version_id else (bucket, key)

    def _find(self, bucket: str, key: str, version_id: str | None) -> bytes:
        place = self._place(bucket, key, version_id)
        if place not in self.objects:
            raise ObjectMissing("no such object")
        return self.objects[place]


@dataclass
class MemoryRanges:
    """A `Ranges` of a `MemoryStore`."""

    store: MemoryStore
    place: tuple[str, str, str | None]
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int, end: int) -> bytes:
        if self.store._find(*self.place) != self.data:
            raise ObjectMissing("another object")
        return self.store.faults.around("range", self.place[1], _STORE, lambda: self.data[start:end])


_STORE = StorageUnavailable("503 Slow Down")
_JOBS = JobsUnavailable("throttled")


@dataclass
class MemoryJobs:
    """A `JobStore` with the conditions of the real one."""

    jobs: dict[str, Job] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, job: Job) -> None:
        self._do("create", job.job_id, lambda: self.jobs.setdefault(job.job_id, job))

    def get(self, job_id: str) -> Job | None:
        return self._do("get", job_id, lambda: self.jobs.get(job_id))

    def begin(self, job: Job, *, is_redriven: bool = False, revives_since: int | None = None) -> tuple[Begun, Job]:
        assert job.sequencer is not None
        sequencer = job.sequencer

        def effect() -> tuple[Begun, Job]:
            stored = self.jobs.get(job.job_id)
            if stored is not None and stored.status is JobStatus.DELETED and stored.updated_at >= (revives_since or 0):
                return Begun.DELETED, stored
            if stored is None or stored.sequencer is None or stored.sequencer < sequencer:
                return Begun.RUN, self._set(job)
            if stored.sequencer > sequencer:
                return Begun.OLDER, stored
            is_given_up = is_redriven and stored.was_given_up
            if stored.has_ended and not is_given_up:
                return Begun.DONE, stored
            is_running = stored.status_at(job.updated_at) is JobStatus.RUNNING
            if is_running and stored.holder != job.holder and not is_given_up:
                return Begun.BUSY, stored
            runs = job.runs if is_given_up or job.runs is None else (stored.runs or 0) + job.runs
            return Begun.RUN, self._set(job.model_copy(update={"runs": runs}))

        return self._do("begin", job.job_id, effect)

    def renew(self, job: Job) -> bool:
        def effect() -> bool:
            if not self._has(job):
                return False
            self.jobs[job.job_id] = self.jobs[job.job_id].model_copy(update={"lease_until": job.lease_until})
            return True

        return self._do("renew", job.job_id, effect)

    def finish(self, job: Job) -> bool:
        def effect() -> bool:
            stored = self.jobs.get(job.job_id)
            is_written = stored is not None and stored.status is job.status is not JobStatus.PENDING
            if not self._has(job, or_ended=is_written):
                return False
            self._set(job)
            return True

        return self._do("finish", job.job_id, effect)

    def delete(self, job: Job) -> None:
        def effect() -> None:
            stored = self.jobs.get(job.job_id)
            if stored is not None and (job.key or stored.status is JobStatus.DELETED):
                self.jobs[job.job_id] = job

        self._do("delete", job.job_id, effect)

    def _has(self, job: Job, *, or_ended: bool = False) -> bool:
        """Report whether the job's holder has it, or had it to its end."""
        stored = self.jobs.get(job.job_id)
        running = stored if stored and (or_ended or stored.status is JobStatus.RUNNING) else None
        return running is not None and (running.sequencer, running.holder) == (job.sequencer, job.holder)

    def _set(self, job: Job) -> Job:
        before = self.jobs.get(job.job_id)
        kept = {name: getattr(before, name) for name in ("created_at", "owner", "file_name")} if before else {}
        self.jobs[job.job_id] = job.model_copy(update={name: kept[name] for name in kept if kept[name] is not None})
        return self.jobs[job.job_id]

    def _do(self, operation: str, key: str, effect: Callable[[], T]) -> T:
        with self._lock:
            return self.faults.around(operation, key, _JOBS, effect)


class MemoryPersistence(BasePersistenceLayer):
    """Powertools' store of handled events, on a clock of ours."""

    def __init__(self, clock: Clock, faults: Faults | None = None) -> None:
        super().__init__()
        self.records: dict[str, DataRecord] = {}
        self._until: dict[str, float] = {}
        self._clock, self.faults, self._lock = clock, faults or Faults(), threading.Lock()

    def _get_record(self, idempotency_key: str) -> DataRecord:
        def effect() -> DataRecord:
            if idempotency_key not in self.records:
                raise IdempotencyItemNotFoundError
            return self.records[idempotency_key]

        return self._do("get", idempotency_key, effect)

    def _put_record(self, data_record: DataRecord) -> None:
        key, expiry = data_record.idempotency_key, data_record.in_progress_expiry_timestamp
        assert expiry is not None

        def effect() -> None:
            old = self.records.get(key)
            if old is not None and (old.status != "INPROGRESS" or self._until[key] >= self._clock()):
                raise IdempotencyItemAlreadyExistsError(old_data_record=old)
            # Powertools reckons with the machine's clock; what remains of the invocation counts from ours.
            remaining = expiry / 1000 - dt.datetime.now().timestamp()
            self._until[key] = self._clock() + remaining
            self.records[key] = data_record

        self._do("put", key, effect)

    def _update_record(self, data_record: DataRecord) -> None:
        self._do(
            "update",
            data_record.idempotency_key,
            lambda: self.records.update({data_record.idempotency_key: data_record}),
        )

    def _delete_record(self, data_record: DataRecord) -> None:
        self._do("delete", data_record.idempotency_key, lambda: self.records.pop(data_record.idempotency_key, None))

    def _do(self, operation: str, key: str, effect: Callable[[], T]) -> T:
        with self._lock:
            return self.faults.around(operation, key, TimeoutError("no answer"), effect)


@dataclass
class MemoryBus:
    """An `EventBus` that writes down what it is told."""

    events: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        event = {"detail-type": detail_type, "detail": json.loads(json.dumps(detail))}
        self.faults.around("publish", "", EventsUnavailable("throttled"), lambda: self.events.append(event))


@dataclass
class Message:
    """A message of `MemoryQueue`."""

    message_id: str
    body: str
    visible_at: float
    receives: int = 0


@dataclass
class MemoryQueue:
    """SQS: what is received is hidden for ``visibility`` seconds; after ``max_receives`` it is a dead letter."""

    clock: Clock
    visibility: float = 960
    max_receives: int = limits.MAX_RECEIVES
    messages: dict[str, Message] = field(default_factory=dict)
    dead: list[Message] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    _sent: int = 0

    def send(self, body: dict[str, Any]) -> None:
        self._send(json.dumps(body))

    def _send(self, body: str, seconds: float = 0) -> None:
        self._sent += 1
        self.messages[str(self._sent)] = Message(str(self._sent), body, self.clock() + seconds)

    def receive(self, most: int = 1) -> list[dict[str, Any]]:
        """Return what Lambda would be given."""
        batch: list[dict[str, Any]] = []
        for message in [each for each in self.messages.values() if each.visible_at <= self.clock()]:
            if message.receives >= self.max_receives:
                self.dead.append(self.messages.pop(message.message_id))
                continue
            if len(batch) == most:
                break
            message.receives += 1
            message.visible_at = self.clock() + self.visibility
            batch.append(sqs_record(message.message_id, message.body, message.receives))
        return batch

    def delete(self, message_id: str) -> None:
        self.faults.around("delete", message_id, _JOBS, lambda: self.messages.pop(message_id, None))

    def defer(self, receipt: str, seconds: int) -> None:
        def effect() -> None:
            self.messages[receipt].visible_at = self.clock() + seconds

        self.faults.around("defer", receipt, _JOBS, effect)

    def send_again(self, body: str, seconds: int) -> None:
        self.faults.around("send_again", body, _JOBS, lambda: self._send(body, min(seconds, 900)))

    def wait(self) -> bool:
        """Let time pass until a message can be seen; False if there is none left."""
        if self.messages:
            self.clock.now = max(self.clock.now, min(message.visible_at for message in self.messages.values()))
        return bool(self.messages)


@dataclass
class MemoryMultipart:
    """A `MultipartUploads` whose parts the test puts into ``uploads``: bytes by number, by the upload's id.

    ``lost``: what the next calls of `complete` raise after they had their effect.
    """

    lost: list[StorageUnavailable] = field(default_factory=list)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def create(self, bucket: str, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        upload_id = f"upload-{len(self.created)}"
        made = {"bucket": bucket, "key": key, "content_type": content_type, "metadata": dict(metadata)}
        self.created.append(made)
        self.uploads[upload_id] = {}
        return upload_id

    def address(self, bucket: str, key: str, upload_id: str, number: int, length: int) -> str:
        return f"https://{bucket}.invalid/{key}?{upload_id}&{number}&{length}"

    def parts(self, bucket: str, key: str, upload_id: str) -> dict[int, Part]:
        if upload_id not in self.uploads:
            raise ObjectMissing("no such upload")
        sent = self.uploads[upload_id]
        return self.faults.around(
            "parts", key, _STORE, lambda: {number: Part(f"etag-{number}", len(part)) for number, part in sent.items()}
        )

    def complete(self, bucket: str, key: str, upload_id: str, parts: Mapping[int, Part]) -> None:
        sent = self.uploads.pop(upload_id, None)
        if sent is None:
            raise ObjectMissing("no such upload")
        assert sorted(parts) == sorted(sent)
        self.objects[bucket, key] = b"".join(part for _, part in sorted(sent.items()))
        if self.lost:
            raise self.lost.pop(0)

    def object_bytes(self, bucket: str, key: str) -> int | None:
        made = self.objects.get((bucket, key))
        return None if made is None else len(made)

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        self.uploads.pop(upload_id, None)


@dataclass
class MemorySigner:
    """A `Signer`."""

    def upload(self, bucket: str, key: str, content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        return {"url": f"https://{bucket}.invalid", "fields": {"key": key, "Content-Type": content_type, **metadata}}

    def download(self, bucket: str, key: str) -> str:
        return f"https://{bucket}.invalid/{key}?signed"
