"""The client against a service that fails on demand. No time passes: waits are recorded."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.job_world import result_of
from tests.unit.test_boundaries import loaded_after
from video_common import limits
from video_emotions.rendering import render
from video_emotions_client import Client, ClientError, NotAllowed, Rejected, Unavailable
from video_emotions_client.retries import Retries

URL, STORAGE, KEY = "https://api.test/prod", "https://bucket.test/", "secret-key"
VIDEO = b"a video"
LARGE = bytes(limits.MAX_POST_VIDEO_BYTES + 1)
RESULT = result_of(VIDEO)
SOURCE = {"bucket": "uploads", "key": f"uploads/{'0' * 32}", "file_name": None}
JOB = {"job_id": "0" * 32, "created_at": 1, "updated_at": 2, "expires_at": 3, "source": SOURCE}

Answer = httpx.Response | Exception


def answer(members: object, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json=members, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def result_answer(**changes: object) -> httpx.Response:
    return httpx.Response(200, text=render(RESULT.model_copy(update=changes), "json").text)


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    members = {"type": "t", "status": status, "code": code, "title": "t", "detail": f"what {code} means"}
    members["request_id"] = "r-1"
    return answer(members, status, **headers)


def form(max_bytes: int = 10**9) -> httpx.Response:
    upload = {"url": STORAGE, "fields": {"key": "uploads/1", "policy": "p"}}
    return answer({"job_id": JOB["job_id"], "upload": upload, "expires_in": 900, "max_bytes": max_bytes})


class Service:
    """Gives its answers one by one, and keeps the requests and the waits."""

    def __init__(self, *answers: Answer | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            if isinstance(given, httpx.RequestError):
                given.request = request
            raise given
        return given if isinstance(given, httpx.Response) else given(request)

    def client(self, **retries: Any) -> Client:
        patience = Retries(sleep=self.waits.append, **retries)
        return Client(URL + "/", KEY, retries=patience, transport=httpx.MockTransport(self))

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def test_a_small_video_is_one_post():
    service = Service(result_answer())
    assert service.client().analyze(VIDEO, frame_interval=10, include="timeline", partial=None) == RESULT
    (request,) = service.requests
    assert str(request.url) == f"{URL}/process-frame?frame_interval=10&include=timeline"
    assert (request.method, request.content) == ("POST", VIDEO)
    assert request.headers["x-api-key"] == KEY
    assert request.headers["Content-Type"] == "application/octet-stream"


def test_a_file_is_named_by_a_text_or_a_path(tmp_path):
    (path := tmp_path / "clip.mp4").write_bytes(VIDEO)
    service = Service(result_answer(), result_answer())
    for name in (path, str(path)):
        assert service.client().analyze(name) == RESULT
    assert [request.content for request in service.requests] == [VIDEO, VIDEO]
    with pytest.raises(FileNotFoundError):
        Service().client().analyze(tmp_path / "none.mp4")


def test_a_large_video_is_uploaded_with_progress_and_waited_for(tmp_path):
    # Given a file that is too large for a POST
    (path := tmp_path / "clip.mp4").write_bytes(LARGE)
    result = json.loads(render(RESULT, "json").text)
    service = Service(
        form(),
        httpx.Response(204),
        answer({**JOB, "status": "PENDING"}, Retry_After="7"),
        answer({**JOB, "status": "RUNNING"}),
        answer({**JOB, "status": "SUCCEEDED", "result": result}),
    )
    told = []
    # When it is analyzed
    assert service.client().analyze(path, frame_interval=10, progress=lambda *step: told.append(step)) == RESULT
    # Then
    assert service.asked == ["POST /prod/uploads", "POST /", *["GET /prod/jobs/" + "0" * 32] * 3]
    asked, sent, *_ = service.requests
    assert json.loads(asked.content) == {"content_type": "application/octet-stream", "frame_interval": 10}
    body = sent.content
    assert sent.headers["Content-Length"] == str(len(body)), "S3 accepts no chunked form"
    assert body.index(b'name="policy"') < body.index(b'name="file"'), "S3 reads no field behind the file"
    assert LARGE in body
    assert "x-api-key" not in sent.headers, "the storage is another host"
    sizes = [done for stage, done, total in told if stage == "sending"]
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(LARGE)
    assert told[-1] == ("waiting", 0, 0)
    assert service.waits == [7, limits.MIN_POLL_SECONDS]


def test_a_large_result_is_downloaded_without_the_key():
    job = answer({**JOB, "status": "SUCCEEDED", "result_url": "https://results.test/1?signature=s"})
    service = Service(job, result_answer())
    assert service.client().wait("0" * 32) == RESULT
    assert str(service.requests[1].url) == "https://results.test/1?signature=s"
    assert "x-api-key" not in service.requests[1].headers


@pytest.mark.parametrize(
    "lacks", [{"truncated": True, "analyzed_until_ms": 1}, {"timeline": [], "timeline_truncated": True}]
)
def test_what_a_post_has_no_time_or_room_for_goes_by_upload(lacks):
    whole = answer({**JOB, "status": "SUCCEEDED", "result": json.loads(render(RESULT, "json").text)})
    service = Service(result_answer(**lacks), form(), httpx.Response(204), whole)
    assert service.client().analyze(VIDEO) == RESULT
    # But a caller who asks for the result so far gets it
    service = Service(result_answer(**lacks))
    assert service.client().analyze(VIDEO, partial="allow") == RESULT.model_copy(update=lacks)


def test_the_waits_of_a_busy_service_grow_and_differ():
    service = Service(*[problem(503, "storage_unavailable")] * 4, result_answer())
    assert service.client().analyze(VIDEO) == RESULT
    for wait, full in zip(service.waits, (0.5, 1, 2, 4), strict=True):
        assert full / 2 <= wait <= full
    many = [Service(problem(503, "storage_unavailable"), result_answer()) for _ in range(5)]
    for each in many:
        each.client().analyze(VIDEO)
    assert len({each.waits[0] for each in many}) == 5


def test_a_busy_service_gives_up_in_the_end():
    service = Service(*[problem(429, "too_many_requests")] * 5)
    with pytest.raises(Unavailable) as raised:
        service.client().analyze(VIDEO)
    assert (raised.value.code, raised.value.request_id) == ("too_many_requests", "r-1")
    assert len(service.waits) == 4


def test_retry_after_is_obeyed_in_both_forms():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    service = Service(
        problem(429, "too_many_requests", Retry_After="11"),
        problem(503, "jobs_unavailable", Retry_After=later),
        problem(503, "jobs_unavailable", Retry_After="soon"),
        result_answer(),
    )
    assert service.client().analyze(VIDEO) == RESULT
    seconds, date, unknown = service.waits
    assert 11 <= seconds <= 11 * 1.25
    assert 18 <= date <= 20 * 1.25
    assert 1 <= unknown <= 2, "back-off of the third wait"


@pytest.mark.parametrize(
    "last",
    [
        problem(429, "quota_exceeded"),
        problem(503, "storage_unavailable", Retry_After="3600"),
        problem(500, "internal_error"),
    ],
)
def test_what_no_wait_helps_is_told_at_once(last):
    service = Service(last)
    with pytest.raises(Unavailable, match="means"):
        service.client().analyze(VIDEO)
    assert service.waits == []


def test_a_lost_connection_is_tried_again_but_an_analysis_that_took_too_long_is_not():
    service = Service(httpx.ConnectError("refused"), httpx.RemoteProtocolError("cut"), result_answer())
    assert service.client().analyze(VIDEO) == RESULT
    assert len(service.waits) == 2
    service = Service(httpx.ReadTimeout("slow"))
    with pytest.raises(Unavailable, match="did not answer in time") as raised:
        service.client().analyze(VIDEO)
    assert (raised.value.code, raised.value.request_id, service.waits) == ("unreachable", None, [])
    # A question about a job can be asked again
    service = Service(httpx.ReadTimeout("slow"), answer({}, 504), answer({**JOB, "status": "PENDING"}))
    assert service.client().job("0" * 32).status == "PENDING"


def test_a_lost_upload_starts_from_the_beginning_of_the_file(tmp_path):
    (path := tmp_path / "clip.mp4").write_bytes(VIDEO)
    service = Service(form(), httpx.WriteError("cut"), httpx.Response(201))
    assert service.client().upload(path) == "0" * 32
    first, second = service.requests[1:]
    assert VIDEO in first.content
    assert VIDEO in second.content


def test_an_unreachable_address_is_named_without_its_query():
    service = Service(*[httpx.ConnectError("Name or service not known")] * 5)
    with pytest.raises(Unavailable, match=r"^https://api.test/prod/process-frame cannot be reached") as raised:
        service.client().analyze(VIDEO, frame_interval=7)
    assert "7" not in raised.value.detail
    for address in ("nowhere", "htps://api.test"):
        with pytest.raises(Unavailable, match="is not an address"), Client(address) as client:
            client.job("0" * 32)


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (problem(422, "not_a_video"), Rejected, "not_a_video"),
        (problem(413, "video_too_large"), Rejected, "video_too_large"),
        (problem(403, "forbidden"), NotAllowed, "forbidden"),
        (problem(401, "unauthorized"), NotAllowed, "unauthorized"),
        (problem(504, "timeout"), Unavailable, "timeout"),
        (problem(404, "not_found"), Unavailable, "unexpected_answer"),
        (httpx.Response(200, text="<html>a router's login page</html>"), Unavailable, "unexpected_answer"),
        (httpx.Response(502, text="<html>"), Unavailable, "unexpected_answer"),
        (httpx.Response(301, headers={"Location": "https://other.test/"}), Unavailable, "unexpected_answer"),
    ],
)
def test_each_error_has_its_kind_and_code(response, kind, code):
    service = Service(response)
    with pytest.raises(ClientError) as raised:
        service.client().analyze(VIDEO)
    assert (type(raised.value), raised.value.code, service.waits) == (kind, code, [])
    if code == "unexpected_answer":
        assert "Check the address" in raised.value.detail


@pytest.mark.parametrize(("status", "code", "kind"), [(422, "too_long", Rejected), (500, "gave_up", Unavailable)])
def test_a_job_that_failed_raises_its_error(status, code, kind):
    failed = answer({**JOB, "status": "FAILED", "error": json.loads(problem(status, code).content)})
    with pytest.raises(kind) as raised:
        Service(failed).client().wait("0" * 32)
    assert (raised.value.code, raised.value.detail) == (code, f"what {code} means")


def test_waiting_ends_after_the_given_time():
    service = Service(answer({**JOB, "status": "RUNNING"}, Retry_After="30"))
    with pytest.raises(Unavailable, match="still RUNNING") as raised:
        service.client().wait("0" * 32, seconds=10)
    assert (raised.value.code, service.waits) == ("still_running", [])


def test_an_upload_that_is_too_large_or_rejected_is_told():
    with pytest.raises(Rejected, match="limit is 3"):
        Service(form(max_bytes=3)).client().upload(VIDEO)
    expired = httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(Unavailable, match="403 AccessDenied"):
        Service(form(), expired).client().upload(VIDEO)


def test_a_file_of_more_than_100_mb_goes_in_parts_and_a_lost_part_goes_again_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MULTIPART_BYTES", len(VIDEO))
    (path := tmp_path / "clip.mp4").write_bytes(content := bytes(range(23)))
    sizes = [2] * 11 + [1]

    def addresses(*numbers: int) -> httpx.Response:
        parts = [{"number": n, "url": f"{STORAGE}{n}?signed", "bytes": sizes[n - 1]} for n in numbers]
        return answer({"parts": parts, "uploaded": [], "expires_in": 3600})

    asked = json.loads(form().text) | {"multipart": {"parts": 12, "part_bytes": 2, "expires_in": 86400}}
    service = Service(
        *(answer(asked), addresses(*range(1, 11))),
        *(httpx.Response(200), httpx.Response(503), httpx.ReadError("reset"), *[httpx.Response(200)] * 9),
        *(addresses(11, 12), *[httpx.Response(200)] * 2, answer({"job_id": JOB["job_id"]})),
    )
    told = []
    job_id = service.client().upload(path, progress=lambda *state: told.append(state), frame_interval=10)
    assert job_id == JOB["job_id"]
    begun, first, *_ = service.requests
    assert json.loads(begun.content)["size"] == 23
    assert (first.url.path, json.loads(first.content)) == (f"/prod/uploads/{job_id}/parts", {"first": 1, "count": 10})
    sent = {request.url.path: request for request in service.requests if request.method == "PUT"}
    assert b"".join(sent[f"/{number}"].content for number in range(1, 13)) == content
    assert [name for name in service.asked if name == "PUT /2"] == ["PUT /2"] * 3
    for request in sent.values():
        assert request.headers["Content-Length"] == str(len(request.content))
        assert "Transfer-Encoding" not in request.headers
        assert "x-api-key" not in request.headers
    assert service.asked[-1] == f"POST /prod/uploads/{job_id}/complete"
    assert told[-1] == ("sending", 23, 23)
    # A file of exactly that size goes by the form, and a part that the storage rejects ends the upload
    service = Service(form(), httpx.Response(204))
    service.client().upload(VIDEO)
    assert "size" not in json.loads(service.requests[0].content)
    service = Service(answer(asked), addresses(1), httpx.Response(403, text="<Code>AccessDenied</Code>"))
    with pytest.raises(Unavailable, match="403 AccessDenied"):
        service.client().upload(path)


def test_members_of_a_newer_service_are_ignored():
    members = json.loads(render(RESULT, "json").text)
    newer = {
        **members,
        "new": 1,
        "video": {**members["video"], "new": 1},
        "settings": {**members["settings"], "new": 1},
    }
    assert Service(answer(newer)).client().analyze(VIDEO) == RESULT
    job = {**JOB, "status": "SUCCEEDED", "result": newer, "new": 1}
    assert Service(answer(job)).client().job("0" * 32).result == RESULT


def test_format_is_not_for_the_client():
    with pytest.raises(TypeError, match="format"):
        Service().client().analyze(VIDEO, format="csv")


def test_the_client_brings_nothing_heavy():
    heavy = ("numpy", "cv2", "av", "boto3", "deepface", "tensorflow", "onnxruntime", "aws_lambda_powertools")
    assert (
        loaded_after("import video_emotions_client, video_emotions_cli.main, video_emotions_cli.remote", *heavy)
        == set()
    )


def test_no_wait_exceeds_the_longest():
    service = Service(*[httpx.ConnectError("refused")] * 12)
    with pytest.raises(Unavailable):
        service.client(tries=12, longest_wait=3).analyze(VIDEO)
    assert max(service.waits) <= 3
    assert any(later > earlier for earlier, later in pairwise(service.waits))
