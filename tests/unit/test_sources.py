"""Of which object a result, a job and a completion event are; and what makes no job."""

import json

import jsonschema
import pytest

from tests.conftest import ROOT
from tests.fakes import json_event, s3_event
from tests.job_callers import ANN, OPERATOR, Callers
from tests.job_world import id_of
from tests.unit.test_uploads import LastSecond, wait_until
from video_common import limits
from video_common.job import JobStatus
from video_common.result import Result, Source

SCHEMA = json.loads((ROOT / "docs/completion-event.schema.json").read_text())
NAMES = ["my clip.mp4", "../../etc/passwd", "café 微笑.mov", "a" * limits.MAX_FILE_NAME_CHARACTERS]


@pytest.fixture
def world() -> Callers:
    return Callers()


def sources(world: Callers, job_id: str, caller: str) -> list[dict]:
    """Return what the stored result, the job as its owner sees it, and the event say of the object."""
    job = world.jobs.jobs[job_id]
    stored = Result.model_validate_json(world.store.objects["results", job.result_key or ""])
    assert isinstance(stored.source, Source)
    told = json.loads(world.call(caller, "GET", job_id)[1])
    event = world.bus.events[-1]["detail"]
    jsonschema.validate(event, SCHEMA)
    return [stored.source.model_dump(), told["source"], told["result"]["source"], {"file_name": None, **event["video"]}]


@pytest.mark.parametrize("name", NAMES)
def test_an_asked_for_uploads_own_name_is_told_everywhere(world, name):
    job_id = world.ask(ANN, file_name=name)
    world.upload(job_id)
    expected = {"bucket": "uploads", "key": f"uploads/{job_id}", "file_name": name}
    assert sources(world, job_id, ANN) == [expected] * 4


def test_a_dropped_files_key_is_told_everywhere(world):
    world.queue.send(world.put("holiday/my clip+1.mp4", b"video"))
    world.run()
    expected = {"bucket": "uploads", "key": "holiday/my clip+1.mp4", "file_name": None}
    assert sources(world, id_of("holiday/my clip+1.mp4"), OPERATOR) == [expected] * 4


def test_a_failed_jobs_event_tells_it_too(world):
    job_id = world.ask(ANN, file_name="notes.txt")
    world.upload(job_id, b"no video")
    (event,) = world.bus.events
    jsonschema.validate(event["detail"], SCHEMA)
    assert event["detail"]["video"] == {"bucket": "uploads", "key": f"uploads/{job_id}", "file_name": "notes.txt"}


def test_a_stuck_jobs_event_names_it_too(world):
    job_id = world.ask(ANN, file_name="clip.mp4")
    world.pipeline.during = lambda _: wait_until(lambda: world.jobs.jobs[job_id].status is JobStatus.FAILED)
    world.queue.send(world.put(f"uploads/{job_id}", b"video"))
    world.deliver(context=LastSecond())
    (event,) = world.bus.events
    assert event["detail"]["error"]["code"] == "too_long"
    assert event["detail"]["video"]["file_name"] == "clip.mp4"


@pytest.mark.parametrize("name", ["", "a" * (limits.MAX_FILE_NAME_CHARACTERS + 1), "a\nb", "\u202egpj.exe", 5, ["a"]])
def test_a_name_that_cannot_be_shown_is_refused(world, name):
    answer = world.send(ANN, json_event({"file_name": name}, path="/uploads"))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "invalid_option")
    assert world.jobs.jobs == {}


@pytest.mark.parametrize("key", ["holiday/", "holiday/empty.mp4", "a%24folder%24"])
def test_a_folder_marker_and_an_empty_object_are_no_job(world, key):
    world.queue.send(s3_event(key, size=0))
    world.run()
    assert (world.jobs.jobs, world.bus.events, world.queue.dead) == ({}, [], [])
    # Nor as a dead letter
    world.giving_up.handle(json.dumps(s3_event(key, size=0)), "request-1")
    assert (world.jobs.jobs, world.parked.messages) == ({}, {})


def test_beside_a_folder_marker_a_video_is_a_job(world):
    marker, video = s3_event("holiday/", size=0), world.put("holiday/clip.mp4", b"video")
    world.queue.send({"Records": marker["Records"] + video["Records"]})
    world.run()
    assert set(world.jobs.jobs) == {id_of("holiday/clip.mp4")}
