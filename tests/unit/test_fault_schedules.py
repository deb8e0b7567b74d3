"""Two hundred bad days: whatever fails, every upload ends SUCCEEDED, FAILED with a reason, or in the dead letters."""

import contextlib
import hashlib
import json
import random
from urllib.parse import unquote_plus

import pytest

from tests.fakes_aws import Faults
from tests.job_world import Lost, World
from video_common.errors import VideoEmotionsError
from video_common.job import JobStatus

RATES = (0.0, 0.05, 0.2, 0.5)


class BadDay:
    """Some uploads in a world that fails by chance."""

    def __init__(self, seed: int) -> None:
        self.rate = RATES[seed % len(RATES)]
        self.chance = random.Random(seed)
        self.world = World()
        faults = Faults(rate=self.rate, chance=self.chance)
        for part in (self.world.store, self.world.jobs, self.world.bus, self.world.queue, self.world.persistence):
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
