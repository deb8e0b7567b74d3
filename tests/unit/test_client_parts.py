"""Files in parts, by the client: sent once each, in order, resumed. The service is the real one, in memory."""

import json
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from tests.fakes import LambdaContext, json_event
from tests.fakes_aws import Clock, MemoryJobs, MemoryMultipart, MemorySigner, MemoryStore
from video_common import limits
from video_emotions_client import Client, Rejected, Unavailable
from video_emotions_client.retries import Retries
from video_jobs.api import Api
from video_jobs.service import Jobs
from video_jobs.settings import Settings

PART = 5


class World:
    """A deployment whose store keeps parts in memory. ``broken``: by part, what the store answers before it works.

    ``unanswered``: parts that arrive, and whose first answer is lost. ``lost``: what arrives instead of the answers of
    the next calls of `complete`.
    """

    def __init__(self) -> None:
        self.parts, self.jobs = MemoryMultipart(), MemoryJobs()
        settings = Settings(uploads_bucket="uploads", results_bucket="results", jobs_table="jobs", operator="anonymous")
        self.api = Api(Jobs(settings, self.jobs, MemoryStore(), MemorySigner(), self.parts, Clock()), "*")
        self.sent: list[int] = []
        self.asked: list[int] = []
        self.broken: dict[int, list[int]] = {}
        self.unanswered: list[int] = []
        self.forms = 0
        self.lost: list[Callable[[httpx.Request], httpx.Response]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.method == "PUT":
            return self._stored(request)
        if request.url.host.endswith(".invalid"):
            self.forms += 1
            return httpx.Response(204)
        if request.url.path.endswith("/parts"):
            self.asked.append(json.loads(request.content)["first"])
        members = json.loads(request.content or "{}")
        answer = self.api.handle(json_event(members, path=request.url.path.removeprefix("/v1")), LambdaContext())
        if self.lost and request.url.path.endswith("/complete"):
            return self.lost.pop(0)(request)
        return httpx.Response(answer["statusCode"], content=answer["body"], headers=answer.get("headers"))

    def _stored(self, request: httpx.Request) -> httpx.Response:
        upload_id, number, length = request.url.query.decode().split("&")
        assert "x-api-key" not in request.headers, "the storage is another host"
        assert request.headers["Content-Length"] == length == str(len(request.content))
        assert "Transfer-Encoding" not in request.headers, "S3 accepts no chunks"
        if self.broken.get(int(number)):
            return httpx.Response(self.broken[int(number)].pop(0), text="<Code>AccessDenied</Code>")
        self.parts.uploads[upload_id][int(number)] = request.content
        self.sent.append(int(number))
        if int(number) in self.unanswered:
            self.unanswered.remove(int(number))
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(200)

    def client(self) -> Client:
        patience = Retries(sleep=lambda _: None)
        return Client("https://api.test/v1", "key", retries=patience, transport=httpx.MockTransport(self))


@pytest.fixture
def world(monkeypatch) -> World:
    monkeypatch.setattr(limits, "MULTIPART_BYTES", 10)
    monkeypatch.setattr(limits, "PART_BYTES", PART)
    monkeypatch.setattr("video_jobs.large_uploads._MEGABYTE", 1)
    monkeypatch.setattr(limits, "MAX_PART_URLS", 2)
    return World()


@pytest.mark.parametrize("size", [11, 15, 23, 25])
def test_a_large_file_arrives_in_parts_as_it_was(world, size, tmp_path):
    content = bytes(range(size))
    (path := tmp_path / "clip.mp4").write_bytes(content)
    told: list[tuple[str, int, int]] = []
    begun: list[str] = []
    job_id = world.client().upload(path, progress=lambda *step: told.append(step), begun=begun.append)
    assert world.parts.objects == {("uploads", f"uploads/{job_id}"): content}
    assert world.sent == list(range(1, -(-size // PART) + 1))
    assert world.asked == list(range(1, -(-size // PART) + 1, 2)), "two addresses at a time, each asked for once"
    assert told[-1] == ("sending", size, size)
    assert begun == [job_id]


def test_a_part_whose_answer_is_lost_is_sent_again(world):
    content, world.unanswered = bytes(range(23)), [2, 3]
    job_id = world.client().upload(content)
    assert world.parts.objects == {("uploads", f"uploads/{job_id}"): content}
    assert world.sent == [1, 2, 2, 3, 3, 4, 5]


def test_a_small_file_goes_by_the_form(world):
    begun: list[str] = []
    world.client().upload(b"0123456789", begun=begun.append)
    assert (world.forms, world.parts.created, begun) == (1, [], [])


def test_an_upload_that_stopped_goes_on_where_it_was(world):
    content = bytes(range(23))
    begun: list[str] = []
    world.broken = {4: [500]}
    with pytest.raises(Unavailable, match="500"):
        world.client().upload(content, begun=begun.append)
    assert world.sent == [1, 2, 3]
    world.client().resume(begun[0], content)
    assert world.sent == [1, 2, 3, 4, 5], "no part twice"
    assert list(world.parts.objects.values()) == [content]


def test_an_address_that_expired_is_asked_for_again(world):
    world.broken = {2: [403], 3: [503]}
    content = bytes(range(15))
    world.client().upload(content)
    assert world.asked == [1, 2, 3]
    assert list(world.parts.objects.values()) == [content]
    world.broken = {1: [403, 403]}
    with pytest.raises(Unavailable, match="403 AccessDenied"):
        world.client().upload(content)


@pytest.mark.parametrize("size", [17, 22, 24, 40])
def test_another_file_is_no_end_of_an_upload(world, size):
    begun: list[str] = []
    world.broken = {2: [500]}
    with pytest.raises(Unavailable):
        world.client().upload(bytes(23), begun=begun.append)
    with pytest.raises(Rejected) as raised:
        world.client().resume(begun[0], bytes(size))
    assert raised.value.code == "another_file"
    # And nothing of it is sent, so the right file can go on
    assert (world.parts.objects, world.sent) == ({}, [1])
    world.client().resume(begun[0], bytes(23))
    assert world.sent == [1, 2, 3, 4, 5]


def lose(error: type[httpx.TransportError], request: httpx.Request) -> httpx.Response:
    raise error("lost", request=request)


LOST = [
    pytest.param(partial(lose, httpx.ReadTimeout), id="timeout"),
    pytest.param(partial(lose, httpx.RemoteProtocolError), id="disconnected"),
    pytest.param(lambda _request: httpx.Response(504), id="gateway"),
]


@pytest.mark.parametrize("answer", LOST)
def test_an_end_whose_answer_was_lost_is_told_again(world, answer):
    world.lost = [answer] * 2
    content = bytes(range(23))
    job_id = world.client().upload(content)
    assert world.parts.objects == {("uploads", f"uploads/{job_id}"): content}
    assert (world.lost, world.sent) == ([], [1, 2, 3, 4, 5])


def test_an_upload_whose_end_was_never_told_can_be_resumed(world):
    begun: list[str] = []
    world.lost = [partial(lose, httpx.ConnectError)] * Retries.tries
    with pytest.raises(Unavailable):
        world.client().upload(bytes(23), begun=begun.append)
    assert world.lost == []
    assert world.client().resume(begun[0], bytes(23)) == begun[0]
    assert world.sent == [1, 2, 3, 4, 5]


def test_an_upload_that_ended_is_told(world):
    begun: list[str] = []
    world.broken = {2: [500]}
    with pytest.raises(Unavailable):
        world.client().upload(bytes(23), begun=begun.append)
    world.parts.uploads.clear()  # it expired
    with pytest.raises(Rejected, match="no open upload"):
        world.client().resume(begun[0], bytes(23))
