"""Uploads in parts: asked for, resumed, completed, ended, by their owner only."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LambdaContext, json_event, rest_event
from tests.fakes_aws import Clock, MemoryJobs, MemoryMultipart, MemorySigner, MemoryStore
from video_common import limits
from video_common.errors import StorageUnavailable
from video_common.job import JobStatus
from video_jobs.api import Api
from video_jobs.large_uploads import part_bytes
from video_jobs.service import Jobs
from video_jobs.settings import Settings

SIZE = 3 * limits.PART_BYTES + 5
WHOLE = dict.fromkeys((1, 2, 3), limits.PART_BYTES) | {4: 5}
"""The lengths of its parts."""


class World:
    def __init__(self) -> None:
        self.clock, self.jobs, self.parts = Clock(), MemoryJobs(), MemoryMultipart()
        settings = Settings(uploads_bucket="uploads", results_bucket="results", jobs_table="jobs", operator="anonymous")
        self.api = Api(Jobs(settings, self.jobs, MemoryStore(), MemorySigner(), self.parts, self.clock), "*")

    def post(self, path: str, members=None):
        event = rest_event(None, content_type=None, path=path) if members is None else json_event(members, path=path)
        return self.send(event)

    def send(self, event):
        answer = self.api.handle(event, LambdaContext())
        return answer["statusCode"], json.loads(answer["body"] or "null")

    def begun(self, size: int = 2 * limits.MULTIPART_BYTES) -> str:
        status, told = self.post("/uploads", {"size": size, "content_type": "video/mp4", "frame_interval": 7})
        assert status == 200
        return told["job_id"]

    def upload(self, sizes: dict[int, int]) -> None:
        (sent,) = self.parts.uploads.values()
        sent.clear()
        sent.update({number: bytes(size) for number, size in sizes.items()})


@pytest.fixture
def world(monkeypatch) -> World:
    return World()


@pytest.fixture
def small(world, monkeypatch) -> World:
    """A world in which an upload of four parts is a large one."""
    monkeypatch.setattr(limits, "MULTIPART_BYTES", 1)
    return world


def test_a_large_file_can_be_uploaded_in_parts_and_a_small_one_by_the_form_only(world):
    for size in (None, 1, limits.MULTIPART_BYTES):
        status, told = world.post("/uploads", {} if size is None else {"size": size})
        assert (status, "upload" in told, "multipart" in told) == (200, True, False)
    status, told = world.post("/uploads", {"size": limits.MULTIPART_BYTES + 1, "content_type": "video/webm"})
    assert status == 200
    assert told["multipart"] == {
        "part_bytes": limits.PART_BYTES,
        "parts": 6,
        "expires_in": limits.UPLOAD_IN_PARTS_SECONDS,
    }
    # The form is there for callers who know no parts
    assert (told["upload"]["url"][:5], told["max_bytes"]) == ("https", limits.MAX_UPLOAD_VIDEO_BYTES)
    (made,) = world.parts.created
    assert made == {
        "bucket": "uploads",
        "key": f"uploads/{told['job_id']}",
        "content_type": "video/webm",
        "metadata": {},
    }
    assert world.jobs.jobs[told["job_id"]].status is JobStatus.PENDING


def test_the_options_travel_with_the_upload(world):
    world.begun()
    assert json.loads(world.parts.created[0]["metadata"]["options"]) == {"frame_interval": 7}


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (0, "invalid_option"),
        (-5, "invalid_option"),
        (True, "invalid_option"),
        ("10", "invalid_option"),
        (1.5, "invalid_option"),
        (limits.MAX_OBJECT_BYTES + 1, "video_too_large"),
    ],
)
def test_a_wrong_size_begins_nothing(world, size, code):
    assert world.post("/uploads", {"size": size})[1]["code"] == code
    assert world.parts.created == []
    assert world.jobs.jobs == {}


@given(st.integers(1, limits.MAX_OBJECT_BYTES))
def test_parts_fit_into_the_limits_of_the_store(size):
    length = part_bytes(size)
    assert -(-size // length) <= limits.MAX_PARTS
    assert limits.PART_BYTES <= length <= 5 * 1024**3
    assert length % 1024**2 == 0


def test_addresses_have_the_length_of_their_part_and_can_be_had_again(small):
    job_id = small.begun(SIZE)
    status, told = small.post(f"/uploads/{job_id}/parts")
    assert status == 200
    assert [part["bytes"] for part in told["parts"]] == [limits.PART_BYTES] * 3 + [5]
    assert [part["number"] for part in told["parts"]] == [1, 2, 3, 4]
    assert told["parts"][3]["url"].endswith("&4&5")
    assert (told["uploaded"], told["expires_in"]) == ([], limits.PART_URL_SECONDS)
    small.upload({1: limits.PART_BYTES, 3: limits.PART_BYTES})
    status, told = small.post(f"/uploads/{job_id}/parts", {"first": 4, "count": 50})
    assert ([part["number"] for part in told["parts"]], told["uploaded"]) == ([4], [1, 3])
    assert told["size"] == SIZE
    # A part of another length has to be sent again
    small.upload({1: limits.PART_BYTES - 1, 3: limits.PART_BYTES, 5: 1})
    assert small.post(f"/uploads/{job_id}/parts")[1]["uploaded"] == [3]
    status, told = small.post(f"/uploads/{job_id}/parts", {"first": 2, "count": 1})
    assert [part["number"] for part in told["parts"]] == [2]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"first": 0}, "invalid_option"),
        ({"first": 5}, "invalid_option"),
        ({"first": "1"}, "invalid_option"),
        ({"count": 0}, "invalid_option"),
        ({"count": limits.MAX_PART_URLS + 1}, "invalid_option"),
        ({"number": 1}, "unknown_option"),
    ],
)
def test_wrong_numbers_are_refused(small, members, code):
    assert small.post(f"/uploads/{small.begun(SIZE)}/parts", members)[1]["code"] == code


def test_an_upload_is_complete_when_its_sum_is_right(small):
    job_id = small.begun(SIZE)
    for wrong in ({}, {**WHOLE, 4: 6}, {1: WHOLE[1], 2: WHOLE[2], 4: 5}, {**WHOLE, 5: 1}):
        small.upload(wrong)
        status, told = small.post(f"/uploads/{job_id}/complete")
        assert (status, told["code"]) == (409, "incomplete_upload")
        assert small.parts.objects == {}
    small.upload(WHOLE)
    assert small.post(f"/uploads/{job_id}/complete") == (200, {"job_id": job_id})
    assert len(small.parts.objects["uploads", f"uploads/{job_id}"]) == SIZE
    # Then nothing can be sent any more
    assert small.post(f"/uploads/{job_id}/parts")[1]["code"] == "job_not_found"


def test_an_upload_can_be_completed_again(small):
    job_id = small.begun(SIZE)
    small.upload(WHOLE)
    # Given an answer that was lost on the way from the store
    small.parts.lost = [StorageUnavailable("no answer")]
    assert small.post(f"/uploads/{job_id}/complete")[0] == 503
    # Then the next ones say what the first one would have said
    answer = (200, {"job_id": job_id})
    assert [small.post(f"/uploads/{job_id}/complete") for _ in range(2)] == [answer] * 2
    # Also when the job has begun, whose record then knows no upload, and when its video is deleted
    job = small.jobs.jobs[job_id]
    begun = job.model_copy(update={"status": JobStatus.SUCCEEDED, "sequencer": "1", "upload_id": None, "size": None})
    small.jobs.jobs[job_id] = begun
    small.parts.objects.clear()
    assert small.post(f"/uploads/{job_id}/complete") == answer
    event = rest_event(None, content_type=None, method="DELETE", path=f"/jobs/{job_id}")
    assert small.send(event)[0] == 204
    assert small.post(f"/uploads/{job_id}/complete")[1]["code"] == "job_not_found"


def test_two_calls_at_the_same_time_complete_an_upload(small):
    job_id = small.begun(SIZE)
    small.upload(WHOLE)
    list_parts = small.parts.parts

    def another_call_is_faster(bucket, key, upload_id):
        listed = list_parts(bucket, key, upload_id)
        small.parts.complete(bucket, key, upload_id, listed)
        return listed

    small.parts.parts = another_call_is_faster
    assert small.post(f"/uploads/{job_id}/complete") == (200, {"job_id": job_id})


@pytest.mark.parametrize("content", [None, b"another file"])
def test_an_upload_that_expired_is_not_complete(small, content):
    job_id = small.begun(SIZE)
    small.parts.uploads.clear()
    if content is not None:
        small.parts.objects["uploads", f"uploads/{job_id}"] = content
    assert small.post(f"/uploads/{job_id}/complete")[1]["code"] == "job_not_found"


def test_deleting_the_job_ends_its_upload(small):
    job_id = small.begun(SIZE)
    for _ in range(2):
        event = rest_event(None, content_type=None, method="DELETE", path=f"/jobs/{job_id}")
        assert small.send(event)[0] == 204
    assert small.parts.uploads == {}
    assert small.post(f"/uploads/{job_id}/parts")[1]["code"] == "job_not_found"


def test_nobody_else_has_the_upload(small):
    job_id = small.begun(SIZE)
    small.jobs.jobs[job_id] = small.jobs.jobs[job_id].model_copy(update={"owner": "key:another"})
    for path in ("parts", "complete"):
        assert small.post(f"/uploads/{job_id}/{path}")[1]["code"] == "job_not_found"
    _, told = small.post("/uploads", {"content_type": "video/mp4"})
    assert small.post(f"/uploads/{told['job_id']}/parts")[1]["code"] == "job_not_found"


def test_a_store_that_does_not_answer_is_worth_another_try(small):
    job_id = small.begun(SIZE)
    small.parts.faults.planned["parts", f"uploads/{job_id}"] = [StorageUnavailable("503"), StorageUnavailable("503")]
    assert [small.post(f"/uploads/{job_id}/{path}")[0] for path in ("parts", "complete")] == [503, 503]
    assert small.post(f"/uploads/{job_id}/parts")[0] == 200
