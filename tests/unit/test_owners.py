"""Whose job it is: nobody else can tell it from a job that does not exist."""

from typing import Any

import pytest

from tests.fakes import LambdaContext, rest_event
from tests.job_callers import ANN, BEN, OPERATOR, Callers
from tests.job_world import SECRET, id_of
from video_common.job import Job, JobStatus, job_id_of

UNKNOWN = "0" * 32


@pytest.fixture
def world() -> Callers:
    return Callers()


def states(world: Callers) -> dict[str, str]:
    """Make a job of Ann's in each state, and return their ids."""
    made = {name: world.ask(ANN) for name in ("pending", "running", "succeeded", "failed", "expired", "deleted")}
    world.upload(made["succeeded"])
    world.upload(made["failed"], b"no video")
    world.upload(made["deleted"])
    assert world.call(ANN, "DELETE", made["deleted"])[0] == 204
    changes: dict[str, dict[str, Any]] = {
        "running": {"status": JobStatus.RUNNING, "lease_until": int(world.clock()) + 100},
        "expired": {"expires_at": int(world.clock()) - 1},
    }
    for name, change in changes.items():
        world.jobs.jobs[made[name]] = world.jobs.jobs[made[name]].model_copy(update=change)
    return made


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("other", [BEN, OPERATOR])
def test_anothers_job_looks_like_none_in_every_state(world, method, other):
    made = states(world)
    before, objects = dict(world.jobs.jobs), dict(world.store.objects)
    nothing = world.call(other, method, UNKNOWN)
    assert nothing[0] == 404
    for name, job_id in made.items():
        assert world.call(other, method, job_id) == nothing, name
    assert (world.jobs.jobs, world.store.objects) == (before, objects)
    # While their owner sees them
    seen = {name: world.call(ANN, "GET", job_id)[0] for name, job_id in made.items()}
    assert seen == {"pending": 200, "running": 200, "succeeded": 200, "failed": 200, "expired": 410, "deleted": 410}


def test_the_owner_stays_through_every_step(world):
    job_id = world.ask(ANN, file_name="my clip.mp4")
    world.upload(job_id)
    assert (world.jobs.jobs[job_id].owner, world.jobs.jobs[job_id].file_name) == (ANN, "my clip.mp4")
    # Also through a job that is given up, and its redrive
    world.queue.send(world.put(f"uploads/{job_id}", b"video", 2))
    world.queue.dead.append(world.queue.messages.popitem()[1])
    world.give_up()
    assert (world.jobs.jobs[job_id].status, world.jobs.jobs[job_id].owner) == (JobStatus.FAILED, ANN)
    world.redrive()
    world.run()
    assert (world.jobs.jobs[job_id].status, world.jobs.jobs[job_id].owner) == (JobStatus.SUCCEEDED, ANN)


def test_the_answer_tells_no_owner(world):
    job_id = world.ask(ANN)
    assert "ann" not in world.call(ANN, "GET", job_id)[1]


def test_the_next_session_of_a_role_is_the_same_owner(world):
    job_id = world.ask(OPERATOR)
    event = rest_event(None, content_type=None, method="GET", path=f"/jobs/{job_id}")
    event["requestContext"]["identity"]["userArn"] = f"{OPERATOR.removeprefix('iam:')}/another-session"
    assert world.api.handle(event, LambdaContext())["statusCode"] == 200


def test_a_dropped_files_job_belongs_to_the_operator(world):
    world.queue.send(world.put("holiday/clip.mp4", b"video"))
    world.run()
    job_id = id_of("holiday/clip.mp4")
    assert world.call(OPERATOR, "GET", job_id)[0] == 200
    assert world.call(ANN, "GET", job_id) == world.call(ANN, "GET", UNKNOWN)
    # And without an operator to nobody
    alone = Callers(operator=None)
    alone.jobs.jobs = world.jobs.jobs
    assert [alone.call(caller, "GET", job_id)[0] for caller in (ANN, OPERATOR)] == [404, 404]


def test_a_job_of_before_owners_belongs_to_the_operator(world):
    old = Job(job_id="ab" * 16, status=JobStatus.PENDING, key="k", created_at=1, updated_at=1, expires_at=2**40)
    world.jobs.create(old)
    assert world.call(OPERATOR, "GET", old.job_id)[0] == 200
    assert world.call(ANN, "GET", old.job_id) == world.call(ANN, "GET", UNKNOWN)


def test_a_rotated_key_is_another_owner_until_the_record_says_otherwise(world):
    job_id = world.ask(ANN)
    rotated = "key:ann-2"
    assert world.call(rotated, "GET", job_id)[0] == 404
    world.jobs.jobs[job_id] = world.jobs.jobs[job_id].model_copy(
        update={"owner": rotated}
    )  # as docs/operations.md says
    assert world.call(rotated, "GET", job_id)[0] == 200


# -- The ids of dropped files -----------------------------------------------------------------------------------------


def test_a_dropped_files_job_has_an_id_that_the_key_alone_does_not_tell():
    key = "holiday/clip.mp4"
    assert job_id_of(key, lambda: SECRET) == job_id_of(key, lambda: SECRET)
    assert len({id_of(key), id_of(key, b"of another stack"), id_of(key + "x")}) == 3


def test_the_secret_is_not_asked_for_an_upload_that_was_asked_for():
    def secret() -> bytes:
        raise AssertionError

    assert job_id_of(f"uploads/{'ab' * 16}", secret) == "ab" * 16


def test_two_events_of_a_dropped_file_meet_in_one_job(world):
    for _ in range(2):
        world.queue.send(world.put("a", b"video"))
        world.run()
    assert set(world.jobs.jobs) == {id_of("a")}
    assert world.pipeline.analyzed == [b"video"]
