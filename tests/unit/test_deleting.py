"""A deleted job leaves nothing of its content, and no event brings it back."""

import contextlib
import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_aws import MemoryStore
from tests.job_callers import ANN, OPERATOR, Callers
from tests.job_world import Lost, World, id_of
from video_common import limits
from video_common.errors import JobsUnavailable, StorageUnavailable
from video_common.job import JobStatus
from video_emotions.uploads import Uploads

MARKER = "holiday-of-ann.mp4"


@pytest.fixture
def world() -> Callers:
    return Callers()


def left(world: Callers) -> str:
    """Return all that buckets, table and queue hold, as text."""
    objects = {repr(place): content.decode() for place, content in world.store.objects.items()}
    records = [job.model_dump(mode="json", exclude_none=True) for job in world.jobs.jobs.values()]
    return json.dumps([objects, records])


def finished(world: Callers) -> str:
    job_id = world.ask(ANN, file_name=MARKER)
    world.upload(job_id)
    assert MARKER in left(world)
    return job_id


def test_nothing_of_the_content_is_left_but_a_tombstone(world):
    job_id = finished(world)
    assert world.call(ANN, "DELETE", job_id) == (204, "")
    assert world.store.objects == {}
    now = int(world.clock())
    (tombstone,) = world.jobs.jobs.values()
    assert tombstone.model_dump(mode="json", exclude_none=True) == {
        "job_id": job_id,
        "status": "DELETED",
        "key": "",
        "created_at": now,
        "updated_at": now,
        "expires_at": now + limits.DELETED_JOB_DAYS * 86_400,
        "owner": ANN,
    }
    status, body = world.call(ANN, "GET", job_id)
    assert (status, json.loads(body)["code"]) == (410, "job_deleted")


def test_to_delete_twice_makes_no_difference(world):
    job_id = finished(world)
    world.call(ANN, "DELETE", job_id)
    before = dict(world.jobs.jobs)
    world.clock.now += 60
    assert world.call(ANN, "DELETE", job_id) == (204, "")
    assert world.jobs.jobs == before


def test_an_expired_job_can_be_deleted(world):
    job_id = finished(world)
    world.clock.now += 31 * 86_400
    assert world.call(ANN, "DELETE", job_id)[0] == 204
    assert world.store.objects == {}


@pytest.mark.parametrize("again", [1, 2])
def test_an_event_that_comes_again_does_not_bring_it_back(world, again):
    job_id = world.ask(ANN)
    event = world.put(f"uploads/{job_id}", b"video")
    if again == 2:
        world.queue.send(event)
        world.run()
    world.call(ANN, "DELETE", job_id)
    # Also where the idempotency's record is gone by then
    world.persistence.records.clear()
    world.queue.send(event)
    world.run()
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED
    assert world.store.objects == {}
    assert (world.queue.dead, len(world.bus.events)) == ([], again - 1)


def test_what_the_form_of_a_deleted_job_uploads_is_removed(world):
    job_id = world.ask(ANN)
    world.call(ANN, "DELETE", job_id)
    world.clock.now += 60
    world.upload(job_id)
    assert world.store.objects == {}
    assert world.pipeline.analyzed == []
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED


def test_a_job_can_be_deleted_while_it_runs(world):
    job_id = world.ask(ANN)
    answers = []
    world.pipeline.during = lambda content: answers.append(world.call(ANN, "DELETE", job_id))
    world.upload(job_id)
    assert answers == [(204, "")]
    assert world.pipeline.analyzed == [b"video"]
    assert world.store.objects == {}
    assert world.bus.events == []
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED
    # And the worker says so, and does not come again
    assert (world.queue.messages, world.queue.dead) == ({}, [])


def test_a_worker_that_is_lost_after_it_kept_the_result_of_a_deleted_job_leaves_none(world):
    job_id = world.ask(ANN)

    class LosesWorker(MemoryStore):
        def put(self, bucket: str, key: str, body: str | bytes | Path, content_type: str) -> None:
            world.call(ANN, "DELETE", job_id)
            super().put(bucket, key, body, content_type)
            raise Lost

    store = LosesWorker(world.store.objects)
    worker = dataclasses.replace(world.worker, store=store)
    world.uploads = Uploads(worker, world.queue, world.persistence)
    world.queue.send(world.put(f"uploads/{job_id}", b"video"))
    with pytest.raises(Lost):
        world.deliver()
    assert len(world.store.objects) == 1
    # When the message comes again
    world.run()
    assert world.store.objects == {}
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED


def test_a_dead_letter_of_a_deleted_job_is_neither_parked_nor_announced(world):
    job_id = world.ask(ANN)
    world.queue.send(world.put(f"uploads/{job_id}", b"video"))
    world.queue.dead.append(world.queue.messages.popitem()[1])
    world.call(ANN, "DELETE", job_id)
    world.give_up()
    assert (world.queue.dead, world.parked.messages, world.bus.events) == ([], {}, [])
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED


def test_a_redriven_message_does_not_bring_a_deleted_job_back(world):
    job_id = world.ask(ANN)
    world.queue.send(world.put(f"uploads/{job_id}", b"video"))
    world.queue.dead.append(world.queue.messages.popitem()[1])
    world.give_up()
    assert world.jobs.jobs[job_id].was_given_up
    assert world.call(ANN, "DELETE", job_id) == (204, "")
    world.redrive()
    world.run()
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED
    assert (world.store.objects, world.pipeline.analyzed, world.queue.dead) == ({}, [], [])
    assert [event["detail"]["status"] for event in world.bus.events] == ["FAILED"]


@pytest.mark.parametrize("failing", ["get", "first tombstone", "video", "results", "last tombstone"])
def test_a_deletion_that_fails_in_between_is_finished_by_the_next_one(world, failing):
    job_id = finished(world)
    jobs, store = world.jobs.faults, world.store.faults
    where, call, error = {
        "get": (jobs, ("get", job_id), JobsUnavailable("down")),
        "first tombstone": (jobs, ("delete", job_id), JobsUnavailable("down")),
        "video": (store, ("delete", f"uploads/{job_id}"), StorageUnavailable("down")),
        "results": (store, ("delete_all", f"{job_id}/"), StorageUnavailable("down")),
        "last tombstone": (jobs, ("delete", job_id), JobsUnavailable("down")),
    }[failing]
    if failing == "last tombstone":
        world.jobs.faults = LastFails(world, job_id)
    else:
        where.planned[call] = [error]
    assert world.call(ANN, "DELETE", job_id)[0] == 503
    assert world.call(ANN, "DELETE", job_id)[0] == 204
    assert world.store.objects == {}
    assert MARKER not in left(world)
    assert f"uploads/{job_id}" not in left(world)


class LastFails:
    """Fails for the second tombstone of the first deletion."""

    def __init__(self, world: World, job_id: str) -> None:
        self.count = 0

    def around(self, operation, key, error, effect):
        self.count += operation == "delete"
        if operation == "delete" and self.count == 2:
            raise JobsUnavailable("down")
        return effect()


# -- Dropped files ----------------------------------------------------------------------------------------------------


def event_at(world: Callers, seconds: float, version: int, key: str = "daily.mp4") -> dict:
    """Put an object, and return its event with a time."""
    event = world.put(key, f"video {version}".encode(), version)
    event["Records"][0]["eventTime"] = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
    return event


def test_a_file_that_is_dropped_after_the_deletion_is_a_new_one(world):
    first = event_at(world, world.clock() - 60, 1)
    world.queue.send(first)
    world.run()
    job_id = id_of("daily.mp4")
    assert world.call(OPERATOR, "DELETE", job_id)[0] == 204
    assert world.store.objects == {}
    # When its event comes again, nothing does
    world.persistence.records.clear()
    world.queue.send(first)
    world.run()
    assert world.jobs.jobs[job_id].status is JobStatus.DELETED
    # When another file of that name comes, it is analyzed
    world.clock.now += 60
    world.queue.send(event_at(world, world.clock(), 2))
    world.run()
    assert (world.jobs.jobs[job_id].status, world.jobs.jobs[job_id].key) == (JobStatus.SUCCEEDED, "daily.mp4")
    # And what is old then spares it
    world.persistence.records.clear()
    world.queue.send(first)
    world.run()
    assert ("uploads", "daily.mp4") in world.store.objects
    assert world.jobs.jobs[job_id].status is JobStatus.SUCCEEDED


def test_a_file_that_is_dropped_in_the_middle_of_a_deletion_is_analyzed(world):
    world.queue.send(event_at(world, world.clock() - 60, 1))
    world.run()
    job_id = id_of("daily.mp4")
    erase = world.store.delete_all

    def drops(bucket: str, prefix: str) -> None:
        erase(bucket, prefix)
        world.clock.now += 2
        world.queue.send(event_at(world, world.clock(), 2))
        world.run()

    world.store.delete_all = drops
    assert world.call(OPERATOR, "DELETE", job_id)[0] == 204
    assert world.jobs.jobs[job_id].status is JobStatus.SUCCEEDED
    assert ("uploads", "daily.mp4") in world.store.objects


def test_a_version_that_waited_when_the_job_was_deleted_does_not_bring_it_back(world):
    world.queue.send(event_at(world, world.clock() - 60, 1))
    world.run()
    world.queue.send(event_at(world, world.clock() - 1, 2))
    world.call(OPERATOR, "DELETE", id_of("daily.mp4"))
    world.run()
    assert world.jobs.jobs[id_of("daily.mp4")].status is JobStatus.DELETED
    assert "daily" not in left(world)


# -- Videos that go when their result is kept -------------------------------------------------------------------------


def deleting(world: Callers) -> Callers:
    world.pipeline.settings = world.pipeline.settings.model_copy(update={"delete_videos_after_analysis": True})
    return world


def videos(world: Callers) -> list[str]:
    return [place[1] for place in world.store.objects if place[0] == "uploads"]


def test_videos_stay_by_default(world):
    world.queue.send(world.put("a", b"video"))
    world.run()
    assert videos(world) == ["a"]


def test_a_video_goes_when_its_result_is_kept(world):
    deleting(world).queue.send(world.put("a", b"video"))
    world.run()
    assert videos(world) == []
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert world.result("a") is not None


def test_a_video_without_a_result_stays(world):
    deleting(world).queue.send(world.put("a", b"no video"))
    world.run()
    assert videos(world) == ["a"]


def test_a_newer_video_of_that_name_stays_until_its_own_result_is_kept(world):
    deleting(world)
    newer: list[dict[str, Any]] = []
    world.pipeline.during = lambda content: None if newer else newer.append(world.put("a", b"newer", 2))
    world.queue.send(world.put("a", b"video", 1))
    world.run()
    assert videos(world) == ["a"]
    world.queue.send(newer[0])
    world.run()
    assert videos(world) == []
    assert world.pipeline.analyzed == [b"video", b"newer"]


def test_a_video_that_could_not_be_deleted_is_deleted_by_the_next_try(world):
    deleting(world).store.faults.planned["delete", "a"] = [StorageUnavailable("down")] * 2
    world.queue.send(world.put("a", b"video"))
    world.run()
    assert videos(world) == []
    assert world.pipeline.analyzed == [b"video"]
    assert (world.queue.dead, world.job("a").status) == ([], JobStatus.SUCCEEDED)


def test_a_worker_that_is_lost_before_the_deletion_leaves_it_to_the_next_one(world):
    deleting(world).bus.faults.planned["publish", ""] = [Lost()]
    world.queue.send(world.put("a", b"video"))
    with contextlib.suppress(Lost):
        world.deliver()
    assert videos(world) == ["a"]
    world.run()
    assert videos(world) == []
