"""Two hundred bad days: with any failure, every upload ends SUCCEEDED, FAILED with a reason, or in the dead letters."""

import contextlib
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote_plus

import pytest

from tests.fakes_aws import Faults, Message
from tests.job_world import Lost, World
from video_common import limits
from video_common.errors import VideoEmotionsError
from video_common.job import JobStatus

T = TypeVar("T")
RATES = (0.0, 0.05, 0.2, 0.5)


class BadDay:
    """Some uploads in a world that fails by chance."""

    def __init__(self, seed: int) -> None:
        self.rate = RATES[seed % len(RATES)]
        self.chance = random.Random(seed)
        self.world = World()
        faults = Faults(rate=self.rate, chance=self.chance)
        world = self.world
        for part in (world.store, world.jobs, world.bus, world.queue, world.parked, world.persistence):
            part.faults = faults
        self.world.pipeline.during = self.during
        self.newest: dict[str, tuple[int, bytes]] = {}

    def during(self, content: bytes) -> None:
        if self.chance.random() < self.rate / 2:
            raise Lost
        if self.chance.random() < 0.3:  # another worker takes what can be seen meanwhile
            self.deliver()

    def deliver(self) -> None:
        # The worker is lost, or Lambda's own delete fails: the messages come again.
        with contextlib.suppress(Lost, VideoEmotionsError):
            self.world.deliver(most=self.chance.choice([1, 1, 3]))

    def events(self) -> list[dict]:
        """Store versions of some keys and return their events, some of them twice or three times, in any order."""
        events = []
        for number in range(self.chance.randint(1, 6)):
            key = f"clip {number}+%/../ü.mp4"
            for version in range(1, self.chance.randint(1, 3) + 1):
                content = self.chance.choice([b"video", b"video", b"no video"]) + bytes([number, version])
                self.newest[key] = (version, content)
                events += [self.world.put(key, content, version, versioned=True)] * self.chance.choice([1, 1, 2, 3])
        self.chance.shuffle(events)
        return events

    def run(self) -> None:
        for event in self.events():
            self.world.queue.send(event)
            if self.chance.random() < 0.5:
                self.deliver()
        self.run_to_the_end()

    def run_to_the_end(self) -> None:
        while self.world.queue.wait():
            self.deliver()


def bad_day(seed: int) -> BadDay:
    day = BadDay(seed)
    day.run()
    return day


@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_lost(seed):
    day = bad_day(seed)
    world = day.world
    dead = {
        unquote_plus(record["s3"]["object"]["key"])
        for message in world.queue.dead
        for record in json.loads(message.body)["Records"]
    }
    announced = {event["detail"]["video"]["key"] for event in world.bus.events}
    ended = {}
    for key, (version, content) in day.newest.items():
        job = world.job(key)
        if key in dead and (job is None or job.status in {JobStatus.PENDING, JobStatus.RUNNING}):
            ended[key] = "DEAD LETTER"
            continue
        assert job is not None, key
        assert job.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}, job
        ended[key] = job.status
        if job.sequencer != str(version).zfill(32):
            assert key in dead, "an older version has the last word only where the newest one is a dead letter"
        elif job.status is JobStatus.SUCCEEDED:
            assert world.result(key) == hashlib.sha256(content).hexdigest()
        else:
            assert content.startswith(b"no")
            assert job.error is not None
            assert job.error["code"] == "not_a_video"
        # And its end was announced, or the message that would have done it is there to be redriven
        assert key in announced | dead
    assert set(ended) == set(day.newest)
    if day.rate == 0:
        assert world.queue.dead == []


def test_the_schedules_do_fail_and_do_recover():
    worlds = [bad_day(seed).world for seed in range(40)]
    assert sum(world.store.faults.count for world in worlds) > 300
    assert sum(len(world.queue.dead) for world in worlds) > 0
    assert sum(len(world.bus.events) for world in worlds) > 50


def give_up_all(world: World) -> None:
    """Let the dead letters' function have them until none is left, as SQS does: again after three minutes."""
    for _ in range(200):
        with contextlib.suppress(Lost):
            world.give_up()
        if not world.queue.dead:
            return
        world.clock.now += 180
    pytest.fail("a dead letter stays")


@pytest.mark.parametrize("seed", range(60))
def test_every_dead_letter_ends_its_job_and_can_be_redriven(seed):
    day = bad_day(seed)
    world = day.world
    # When the dead letters' function has the same bad day
    give_up_all(world)
    parked = {
        unquote_plus(record["s3"]["object"]["key"])
        for message in world.parked.messages.values()
        for record in json.loads(message.body)["Records"]
    }
    # Then every job has an end that was announced, and what was given up is parked
    for key in day.newest:
        job = world.job(key)
        assert job is not None, key
        assert job.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}, job
        assert job.has_ended or key in parked
        assert (job.job_id, job.status) in {
            (event["detail"]["job_id"], event["detail"]["status"]) for event in world.bus.events
        }
    # And once the fault is gone, a redrive brings each newest version to its own end
    world.store.faults.rate = day.rate = 0
    world.redrive()
    day.run_to_the_end()
    give_up_all(world)
    for key, (version, content) in day.newest.items():
        job = world.job(key)
        assert job is not None, key
        assert job.has_ended, job
        assert job.sequencer == str(version).zfill(32)
        expected = "not_a_video" if content.startswith(b"no") else None
        assert (job.error["code"] if job.error else None) == expected
        if expected is None:
            assert world.result(key) == hashlib.sha256(content).hexdigest()
    assert world.queue.dead == []


@dataclass
class KilledAt(Faults):
    """The process is lost at one call: before it has its effect, or after it."""

    call: int = 0
    after: bool = False
    calls: int = 0

    def around(self, operation: str, key: str, error: BaseException, effect: Callable[[], T]) -> T:
        self.calls += 1
        if self.calls == self.call and not self.after:
            raise Lost
        done = effect()
        if self.calls == self.call:
            raise Lost
        return done


def killed_at(call: int, *, after: bool) -> tuple[World, KilledAt]:
    world, faults = World(), KilledAt(call=call, after=after)
    for part in (world.store, world.jobs, world.bus, world.queue, world.parked, world.persistence):
        part.faults = faults
    return world, faults


def tell(world: World) -> JobStatus | None:
    """Return what GET /jobs says, and check that it is true while nothing runs."""
    job = world.job("a")
    if job is None:
        return None
    if job.status is JobStatus.SUCCEEDED:
        assert world.result("a") == hashlib.sha256(b"video").hexdigest()
    if job.status is JobStatus.RUNNING:
        # The lost worker's lease is the only thing that says so, and not for long
        assert job.lease_until is not None
        assert world.clock() < job.lease_until <= world.clock() + limits.LEASE_SECONDS
    told = job.status_at(world.clock() + limits.LEASE_SECONDS)
    assert told is not JobStatus.RUNNING
    return told


CALLS = 10
"""Those of a worker: to the stores, the bus and the queue."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS + 2))
def test_a_worker_that_is_killed_at_any_step_leaves_a_true_record_and_the_next_one_finishes(call, after):
    world, _ = killed_at(call, after=after)
    world.queue.send(world.put("a", b"video"))
    killed = False
    while world.queue.wait():
        try:
            world.deliver()
        except Lost:
            killed = True
            tell(world)
    assert killed == (call <= CALLS), "a worker makes more calls, or fewer"
    assert tell(world) is JobStatus.SUCCEEDED
    assert {event["detail"]["status"] for event in world.bus.events} == {"SUCCEEDED"}
    assert world.queue.dead == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 6))
def test_a_consumer_of_dead_letters_that_is_killed_at_any_step_loses_nothing(call, after):
    world, faults = killed_at(0, after=after)
    event = world.put("a", b"video")
    world.queue.dead.append(Message("dead", json.dumps(event), world.clock()))
    faults.call, faults.calls = call, 0
    killed = False
    while world.queue.dead:
        try:
            world.give_up()
        except Lost:
            killed = True
            assert tell(world) in {None, JobStatus.FAILED}
            # Until the letter is parked it is still among the dead ones
            assert world.queue.dead or world.parked.messages
    assert killed == (call <= 4), "a consumer makes more calls, or fewer"
    faults.call = 0
    job = world.job("a")
    assert job is not None
    assert job.error is not None
    assert job.error["code"] == "gave_up"
    assert {event["detail"]["status"] for event in world.bus.events} == {"FAILED"}
    assert world.parked.messages
    # And however often it was parked, it is analyzed once
    world.redrive()
    world.run()
    assert world.pipeline.analyzed == [b"video"]
    assert tell(world) is JobStatus.SUCCEEDED
