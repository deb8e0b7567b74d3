"""Dead letters: the job ends as FAILED, its end is announced, the message is parked, and a redriven one may succeed."""

import json
from importlib import import_module

import jsonschema
import pytest

from tests.conftest import ROOT
from tests.fakes import LambdaContext, s3_event, sqs_event
from tests.fakes_aws import Message
from tests.job_world import Lost, World, id_of
from video_common import limits
from video_common.errors import EventsUnavailable, JobInProgress, JobsUnavailable, StorageUnavailable
from video_common.job import Job, JobStatus

SCHEMA = json.loads((ROOT / "docs/completion-event.schema.json").read_text())


@pytest.fixture
def world() -> World:
    return World()


def deliver_until_dead(world: World) -> None:
    while world.queue.wait():
        try:
            world.deliver()
        except Lost:
            continue


def dead_letter(world: World, event: dict) -> None:
    world.queue.dead.append(Message("dead", json.dumps(event), world.clock()))


def poison(world: World) -> None:
    """Kill every worker that analyzes."""

    def kill(content: bytes) -> None:
        raise Lost

    world.pipeline.during = kill


def test_a_poison_message_ends_its_job_and_is_parked(world):
    poison(world)
    event = world.put("a", b"video")
    world.queue.send(event)
    deliver_until_dead(world)
    assert len(world.queue.dead) == 1
    world.give_up()
    job = world.job("a")
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "gave_up")
    assert (job.holder, job.lease_until) == (None, None)
    (announced,) = world.bus.events
    jsonschema.validate(announced["detail"], SCHEMA)
    assert (announced["detail"]["job_id"], announced["detail"]["error"]["code"]) == (job.job_id, "gave_up")
    assert world.queue.dead == []
    assert [json.loads(message.body) for message in world.parked.messages.values()] == [event]


def test_a_redriven_message_that_succeeds_makes_the_job_succeed(world):
    poison(world)
    world.queue.send(world.put("a", b"video"))
    deliver_until_dead(world)
    world.give_up()
    world.pipeline.during = lambda content: None
    world.redrive()
    world.run()
    assert (world.job("a").status, world.job("a").error) == (JobStatus.SUCCEEDED, None)
    assert [event["detail"]["status"] for event in world.bus.events] == ["FAILED", "SUCCEEDED"]
    assert world.queue.dead == []


def test_a_redriven_message_that_fails_again_is_given_up_again(world):
    poison(world)
    world.queue.send(world.put("a", b"video"))
    for _ in range(2):
        deliver_until_dead(world)
        world.give_up()
        assert world.job("a").error["code"] == "gave_up"
        assert len(world.parked.messages) == 1
        world.redrive()


def test_a_job_that_was_asked_for_keeps_the_time_of_its_creation(world):
    job_id = "ab" * 16
    pending = Job(job_id=job_id, status=JobStatus.PENDING, key="k", created_at=5, updated_at=5, expires_at=9)
    world.jobs.create(pending)
    dead_letter(world, world.put(f"uploads/{job_id}", b"video"))
    world.give_up()
    assert (world.jobs.get(job_id).error["code"], world.jobs.get(job_id).created_at) == ("gave_up", 5)


@pytest.mark.parametrize("content", [b"video", b"no video"])
def test_a_later_versions_end_stays(world, content):
    dead_letter(world, world.put("a", b"old", 1))
    world.queue.send(world.put("a", content, 2))
    world.run()
    before = world.job("a")
    world.give_up()
    assert world.job("a") == before
    assert len(world.bus.events) == 1
    # And nobody needs the older version's message any more
    assert (world.queue.dead, world.parked.messages) == ([], {})


def test_an_earlier_versions_end_does_not_stay(world):
    world.queue.send(world.put("a", b"video", 1))
    world.run()
    dead_letter(world, world.put("a", b"video", 2))
    world.give_up()
    assert (world.job("a").error["code"], world.job("a").result_key) == ("gave_up", None)


def test_a_job_that_ended_without_being_announced_is_announced_and_stays(world):
    world.bus.faults.planned["publish", ""] = [EventsUnavailable("down")] * 4
    world.queue.send(world.put("a", b"video"))
    world.run()
    assert (world.job("a").status, world.bus.events, len(world.queue.dead)) == (JobStatus.SUCCEEDED, [], 1)
    world.give_up()
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert [event["detail"]["status"] for event in world.bus.events] == ["SUCCEEDED"]
    assert (world.queue.dead, world.parked.messages) == ([], {})


def test_a_job_that_a_worker_has_is_not_given_up(world):
    event = world.put("a", b"video")
    dead_letter(world, event)

    def during(content: bytes) -> None:
        with pytest.raises(JobInProgress):
            world.giving_up.handle(json.dumps(event), "request-1")
        assert world.job("a").status is JobStatus.RUNNING

    world.pipeline.during = during
    world.queue.send(event)
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED
    world.give_up()
    assert (world.queue.dead, world.parked.messages) == ([], {})


def test_a_lost_workers_job_is_given_up_once_its_lease_has_ended(world):
    poison(world)
    event = world.put("a", b"video")
    world.queue.send(event)
    with pytest.raises(Lost):
        world.deliver()
    dead_letter(world, event)
    world.give_up()
    assert (world.job("a").status, len(world.queue.dead)) == (JobStatus.RUNNING, 1)
    world.clock.now += limits.LEASE_SECONDS
    world.give_up()
    assert (world.job("a").error["code"], world.queue.dead) == ("gave_up", [])


@pytest.mark.parametrize("body", ["{", "[]", json.dumps({"Records": [{}]}), json.dumps(s3_event("a", bucket="other"))])
def test_a_message_of_no_job_is_parked_and_changes_none(world, body):
    world.giving_up.handle(body, "request-1")
    assert (world.jobs.jobs, world.bus.events) == ({}, [])
    assert len(world.parked.messages) == 1


def test_all_records_of_a_message_are_given_up(world):
    one, two = world.put("one", b"video"), world.put("two", b"video")
    dead_letter(world, {"Records": one["Records"] + two["Records"]})
    world.give_up()
    assert [world.job(key).error["code"] for key in ("one", "two")] == ["gave_up"] * 2
    assert len(world.parked.messages) == 1


@pytest.mark.parametrize(
    ("part", "call", "error"),
    [
        ("jobs", ("begin", id_of("a")), JobsUnavailable("down")),
        ("bus", ("publish", ""), EventsUnavailable("down")),
        ("parked", None, JobsUnavailable("down")),
    ],
)
def test_a_step_that_fails_leaves_the_dead_letter_for_another_try(world, part, call, error):
    event = world.put("a", b"video")
    dead_letter(world, event)
    getattr(world, part).faults.planned[call or ("send_again", json.dumps(event))] = [error] * 2
    for left in (1, 1, 0):
        world.give_up()
        assert len(world.queue.dead) == left
    assert world.job("a").error["code"] == "gave_up"
    assert len(world.parked.messages) == 1


class Letters:
    """Stands in for `GivingUp`; fails as it is told."""

    def __init__(self) -> None:
        self.errors: list[Exception | None] = []

    def handle(self, body: str, request_id: str) -> None:
        if error := self.errors.pop(0):
            raise error


@pytest.fixture
def dead_letters(monkeypatch):
    for name in ("UPLOADS_BUCKET", "RESULTS_BUCKET", "JOBS_TABLE", "PARKED_URL", "JOB_ID_SECRET_ARN"):
        monkeypatch.setenv(name, name.lower())
    module = import_module("video_jobs.dead_letters")
    monkeypatch.setattr(module, "giving_up", Letters())
    return module


def test_the_handler_asks_for_what_failed_again_and_raises_what_nobody_expects(dead_letters):
    dead_letters.giving_up.errors = [None, StorageUnavailable("down"), JobInProgress("busy")]
    answer = dead_letters.handler(sqs_event({}, {}, {}), LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
    dead_letters.giving_up.errors = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        dead_letters.handler(sqs_event({}), LambdaContext())
