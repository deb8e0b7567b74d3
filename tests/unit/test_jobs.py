"""The jobs function: uploads asked for, jobs asked about."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LambdaContext, json_event, rest_event
from tests.fakes_aws import Clock, MemoryJobs, MemoryMultipart, MemorySigner, MemoryStore
from tests.job_world import id_of, result_of
from video_common import limits
from video_common.errors import JobsUnavailable
from video_common.job import Job, JobStatus, comparable
from video_common.options import from_metadata, to_metadata
from video_common.schema import VIDEO_CONTENT_TYPES, FacelessFrames, Options, Sampling, Voting
from video_jobs.api import Api
from video_jobs.service import Jobs
from video_jobs.settings import Settings

ID = "ab" * 16


class World:
    def __init__(self) -> None:
        self.clock, self.jobs, self.results = Clock(), MemoryJobs(), MemoryStore()
        settings = Settings(uploads_bucket="uploads", results_bucket="results", jobs_table="jobs", operator="anonymous")
        self.headers: dict[str, list[str]] = {}
        self.api = Api(Jobs(settings, self.jobs, self.results, MemorySigner(), MemoryMultipart(), self.clock), "*")

    def ask(self, members=None, **arguments):
        event = (
            json_event(members, path="/uploads", **arguments)
            if members is not None
            else rest_event(None, content_type=None, path="/uploads")
        )
        return self._answer(event)

    def look(self, job_id: str):
        return self._answer(rest_event(None, content_type=None, method="GET", path=f"/jobs/{job_id}"))

    def store(self, status: JobStatus, **more) -> None:
        now = int(self.clock())
        times = {"created_at": now, "updated_at": now, "expires_at": now + 100}
        self.jobs.jobs[ID] = Job(job_id=ID, status=status, key="k", **times | more)

    def _answer(self, event):
        answer = self.api.handle(event, LambdaContext())
        self.headers = answer["multiValueHeaders"]
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def world() -> World:
    return World()


def test_an_upload_that_is_asked_for_is_a_pending_job(world):
    status, body = world.ask({"content_type": "video/webm", "frame_interval": 5})
    assert status == 200
    assert body["upload"]["fields"] == {
        "key": f"uploads/{body['job_id']}",
        "Content-Type": "video/webm",
        "options": '{"frame_interval":5}',
    }
    assert (body["expires_in"], body["max_bytes"]) == (limits.UPLOAD_SECONDS, limits.MAX_UPLOAD_VIDEO_BYTES)
    # And the object's event will find it
    assert id_of(body["upload"]["fields"]["key"]) == body["job_id"]
    status, told = world.look(body["job_id"])
    assert (status, told["status"]) == (200, "PENDING")
    assert told["expires_at"] > told["created_at"] == int(world.clock())


@pytest.mark.parametrize("base", VIDEO_CONTENT_TYPES)
@pytest.mark.parametrize("parameters", ["", ";codecs=vp8,opus", '; codecs="avc1.42E01E, mp4a.40.2"'])
def test_what_is_signed_is_the_type_that_the_browser_sends(world, base, parameters):
    # S3 compares the form's field with the signed one character by character, parameters included.
    status, body = world.ask({"content_type": base + parameters})
    assert (status, body["upload"]["fields"]["Content-Type"]) == (200, base + parameters)


def test_the_type_of_an_upload_has_its_letters_as_they_were_sent(world):
    assert world.ask({"content_type": " Video/WebM;codecs=VP8 "})[1]["upload"]["fields"]["Content-Type"] == (
        "Video/WebM;codecs=VP8"
    )


def test_an_address_is_not_fetched_here_either(world):
    status, body = world.ask({"url": "https://example.org/clip.mp4"})
    assert (status, body["code"]) == (400, "unknown_option")
    assert "does not fetch addresses" in body["detail"]
    assert world.jobs.jobs == {}


def test_a_file_that_is_sent_here_is_told_where_it_goes(world):
    event = rest_event(b"\x00\xff", path="/uploads")
    body = json.loads(world.api.handle(event, LambdaContext())["body"])
    assert (body["code"], body["detail"].split(" ")[-1]) == ("invalid_json", "returns.")


def test_options_may_stand_in_the_query_and_are_as_strict_there(world):
    assert world.ask({}, query={"frame_interval": ["5"]})[1]["upload"]["fields"]["options"] == '{"frame_interval":5}'
    for query, code in [({"nonsense": ["1"]}, "unknown_option"), ({"frame_interval": ["5", "6"]}, "repeated_option")]:
        assert world.ask({}, query=query)[1]["code"] == code
    assert world.ask({"frame_interval": 5}, query={"frame_interval": ["5"]})[1]["code"] == "repeated_option"


@pytest.mark.parametrize("members", [None, {}])
def test_nothing_has_to_be_said(world, members):
    status, body = world.ask(members)
    assert status == 200
    assert body["upload"]["fields"]["Content-Type"] == "application/octet-stream"
    assert "options" not in body["upload"]["fields"]


def test_two_uploads_are_two_jobs(world):
    assert world.ask({})[1]["job_id"] != world.ask({})[1]["job_id"]


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"frames": 1}, 400, "unknown_option"),
        ({"frame_interval": 0}, 400, "invalid_option"),
        ({"frame_interval": "5"}, 400, "invalid_option"),
        ('{"frame_interval": 5, "frame_interval": 6}', 400, "repeated_option"),
        ("[]", 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        ({"content_type": "image/png"}, 415, "unsupported_media_type"),
        ({"content_type": ["video/mp4"]}, 415, "unsupported_media_type"),
        ({"content_type": ";video/mp4"}, 415, "unsupported_media_type"),
        ({"content_type": "image/png;video/mp4"}, 415, "unsupported_media_type"),
        ({"content_type": "video/mp4;\r\nx-amz-acl: public-read"}, 415, "unsupported_media_type"),
        ({"content_type": "video/mp4;name=ä"}, 415, "unsupported_media_type"),
        ({"content_type": f"video/mp4;{'x' * limits.MAX_CONTENT_TYPE_CHARACTERS}"}, 415, "unsupported_media_type"),
    ],
)
def test_options_are_refused_before_anything_is_uploaded(world, members, status, code):
    answered, body = world.ask(members)
    assert (answered, body["code"]) == (status, code)
    assert world.jobs.jobs == {}


@pytest.mark.parametrize(
    "more", [{"result_content_type": "application/json"}, {}], ids=["with its type", "a record without a type"]
)
def test_a_result_that_fits_is_in_the_answer(world, more):
    result = result_of(b"video").model_dump_json()
    world.results.objects["results", "r.json"] = result.encode()
    world.store(JobStatus.SUCCEEDED, result_key="r.json", result_bytes=len(result), **more)
    status, body = world.look(ID)
    assert (status, body["result"]) == (200, json.loads(result))
    assert "result_url" not in body


def test_a_result_that_does_not_fit_is_an_address(world):
    world.store(JobStatus.SUCCEEDED, result_key="r.json", result_bytes=limits.MAX_INLINE_RESULT_BYTES + 1)
    status, body = world.look(ID)
    assert (status, body["result_url"]) == (200, "https://results.invalid/r.json?signed")
    assert body["result_url_expires_in"] == limits.RESULT_URL_SECONDS
    assert "result" not in body


def test_a_result_that_is_not_json_is_an_address_however_small(world):
    world.store(JobStatus.SUCCEEDED, result_key="r.csv", result_bytes=1, result_content_type="text/csv")
    status, body = world.look(ID)
    assert (status, body["result_url"]) == (200, "https://results.invalid/r.csv?signed")
    assert "result" not in body


def test_the_largest_result_in_an_answer_is_no_larger_than_a_response(world):
    # Given the worst there is: only characters that count twice
    result = json.dumps('"' * (limits.MAX_INLINE_RESULT_BYTES // 2 - 1))
    assert len(result) == limits.MAX_INLINE_RESULT_BYTES
    world.results.objects["results", "r.json"] = result.encode()
    world.store(JobStatus.SUCCEEDED, result_key="r.json", result_bytes=len(result))
    event = rest_event(None, content_type=None, method="GET", path=f"/jobs/{ID}")
    assert len(json.dumps(world.api.handle(event, LambdaContext()))) <= limits.LAMBDA_PAYLOAD_BYTES


def test_a_failed_job_says_why(world):
    world.store(JobStatus.FAILED, error={"code": "not_a_video", "detail": "convert it"})
    status, body = world.look(ID)
    assert (status, body["status"], body["error"]["code"]) == (200, "FAILED", "not_a_video")


def test_a_job_is_running_only_while_its_workers_lease_is_live(world):
    until = int(world.clock()) + 50
    world.store(JobStatus.RUNNING, lease_until=until, holder="h")
    assert world.look(ID)[1]["status"] == "RUNNING"
    world.clock.now = until - 1
    assert world.look(ID)[1]["status"] == "RUNNING"
    # From then on it waits for another try
    world.clock.now = until
    assert world.look(ID)[1]["status"] == "PENDING"
    # And so does one whose record names no lease
    world.store(JobStatus.RUNNING)
    assert world.look(ID)[1]["status"] == "PENDING"


def test_callers_do_not_see_leases(world):
    world.store(JobStatus.RUNNING, lease_until=int(world.clock()) + 50, holder="h")
    assert set(world.look(ID)[1]) == {"job_id", "status", "created_at", "updated_at", "expires_at", "source"}


@pytest.mark.parametrize("job_id", ["0" * 32, "unknown", "..%2F..", "A" * 32, "0" * 33])
def test_an_unknown_job_is_404(world, job_id):
    status, body = world.look(job_id)
    assert (status, body["code"]) == (404, "job_not_found")


def test_a_job_whose_time_is_over_is_410(world):
    world.store(JobStatus.SUCCEEDED, result_key="r.json", result_bytes=1)
    world.clock.now += 100
    status, body = world.look(ID)
    assert (status, body["code"]) == (410, "job_expired")


def test_a_result_that_was_deleted_is_410_too(world):
    world.store(JobStatus.SUCCEEDED, result_key="r.json", result_bytes=1)
    assert world.look(ID)[0] == 410


def test_a_job_store_that_is_away_is_503_and_tells_nothing_of_it(world):
    world.jobs.faults.planned["get", ID] = [JobsUnavailable("Try again.")]
    status, body = world.look(ID)
    assert (status, body["code"]) == (503, "jobs_unavailable")


def test_a_body_that_the_gateway_encoded_is_read(world):
    text = base64.b64encode(b'{"frame_interval": 5}').decode()
    event = json_event("{}", path="/uploads") | {"body": text, "isBase64Encoded": True}
    assert json.loads(world.api.handle(event, LambdaContext())["body"])["upload"]["fields"]["options"]
    event["body"] = base64.b64encode(b"\xff").decode()
    assert json.loads(world.api.handle(event, LambdaContext())["body"])["code"] == "invalid_json"


@pytest.mark.parametrize(("body", "status"), [("", 200), (" \r\n\t", 200), ("\x1d", 400), ("\xa0", 400)])
@pytest.mark.parametrize("is_encoded", [False, True])
def test_only_the_white_space_of_json_is_no_body(world, body, status, is_encoded):
    text = base64.b64encode(body.encode()).decode() if is_encoded else body
    event = json_event("{}", path="/uploads") | {"body": text, "isBase64Encoded": is_encoded}
    assert world.api.handle(event, LambdaContext())["statusCode"] == status


@given(
    st.builds(
        Options,
        frame_interval=st.integers(1, limits.MAX_FRAME_INTERVAL),
        scale_factor=st.none() | st.floats(0, 1, exclude_min=True),
        faceless_frames=st.sampled_from(FacelessFrames),
        sampling=st.sampled_from(Sampling),
        include=st.sampled_from([None, "timeline", "people", "timeline,people"]),
        voting=st.sampled_from(Voting),
    )
)
def test_options_travel_with_the_object_and_come_back(options):
    metadata = to_metadata(options)
    assert from_metadata(metadata) == options
    assert all(len(text) <= limits.MAX_OPTIONS_BYTES and text.isascii() for text in metadata.values())


@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_sequencers_compare_as_numbers_whatever_their_length(one, other):
    assert (comparable(f"{one:x}") < comparable(f"{other:016X}")) == (one < other)


def test_an_error_that_another_try_may_not_have_says_when(world):
    world.jobs.faults.planned["get", ID] = [JobsUnavailable("Try again.")]
    assert world.look(ID)[0] == 503
    assert world.headers["Retry-After"] == [str(limits.MIN_POLL_SECONDS)]
    assert world.look(ID)[0] == 404
    assert "Retry-After" not in world.headers
