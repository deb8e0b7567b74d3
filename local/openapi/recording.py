"""The examples of the description: requests to `make serve`, and its real answers.

What differs from one recording to the next is fixed: ids, times, signatures.
"""

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import urllib3

from local.engine import ROOT
from local.processes import free_ports, listens, started, wait_until
from video_common import limits
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES

EXAMPLES: Final = ROOT / "docs" / "examples.json"
SAMPLE: Final = ROOT / "tests" / "data" / "sample.mp4"
MODEL: Final = "compact"
"""The model that every machine has."""

TOLERANCE: Final = 1e-3
"""Processors round differently, so the numbers of two machines can differ a little."""

SECONDS: Final = 60
"""For an answer, and for a job."""

_JOB_ID: Final = "8c0c5d2e6f4b4d0f9a3e1b7c5d9e2f10"
_ASKED_AT: Final = 1_796_000_000
_FIXED: Final[dict[str, Any]] = {
    "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    "created_at": _ASKED_AT,
    "updated_at": _ASKED_AT,
    "expires_at": _ASKED_AT + 30 * 24 * 60 * 60,
    "timings_ms": {"file": 1.2, "probe": 26.1, "frames": 8.3, "faces": 552.0, "emotions": 10.6, "total": 598.2},
    "url": "https://video-emotions-uploads-0f9d8c7b.s3.us-east-1.amazonaws.com/",
    "policy": "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMzBUMDE6MDg6MjBaIiwgLi4ufQ==",
    "x-amz-credential": "ASIAEXAMPLE/20261130/us-east-1/s3/aws4_request",
    "x-amz-date": "20261130T005320Z",
    "x-amz-signature": "fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024",
    "AWSAccessKeyId": "ASIAEXAMPLE",
    "signature": "2xGmFuHmJtNHBz2XuVQB3JhWlCI=",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A request and its answer.

    Attributes
    ----------
    name, summary : str
    route : str
        As the table spells it.
    body : dict or None
        The request's JSON, if it has one and is a valid request.
    status : int
    answer : dict
    """

    name: str
    summary: str
    route: str
    body: dict[str, Any] | None
    status: int
    answer: dict[str, Any]


def load() -> list[Example]:
    """Read the committed examples."""
    return [Example(**members) for members in json.loads(EXAMPLES.read_text(encoding="utf-8"))]


def save(examples: list[Example]) -> None:
    """Write the examples."""
    EXAMPLES.write_text(json.dumps([asdict(each) for each in examples], indent=1) + "\n", encoding="utf-8")


@contextmanager
def served() -> Iterator[str]:
    """Run `make serve`, and yield its address."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "local.serve", "--port", str(port)]
    with started(command, {**os.environ, "EMOTION_MODEL": MODEL}, cwd=ROOT) as process:
        wait_until(lambda: listens(("127.0.0.1", port)), process, 120)
        yield f"http://127.0.0.1:{port}"


def record(url: str) -> list[Example]:
    """Send each request to a server, and return what it answers."""
    recorder = _Recorder(url)
    recorder.videos()
    recorder.jobs()
    recorder.parts()
    return recorder.examples


def differences(before: list[Example], now: list[Example]) -> list[str]:
    """Return the places at which two recordings differ by more than rounding."""
    old, new = ({f"{each.route} {each.name}": asdict(each) for each in recorded} for recorded in (before, now))
    return _differences(old, new, "")


def _differences(before: Any, now: Any, place: str) -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        names = {**before, **now}
        return [each for name in names for each in _differences(before.get(name), now.get(name), f"{place}/{name}")]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [each for index, (old, new) in pairs for each in _differences(old, new, f"{place}/{index}")]
    if isinstance(before, float) and isinstance(now, float):
        same = math.isclose(before, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    else:
        same = before == now
    return [] if same else [f"{place}: {before!r} -> {now!r}"]


class _Recorder:
    def __init__(self, url: str) -> None:
        self.url = url
        self.examples: list[Example] = []

    def videos(self) -> None:
        """Record what a caller with a small video sees."""
        sample, binary = SAMPLE.read_bytes(), VIDEO_CONTENT_TYPES[0]
        ask = "POST /process-frame"
        self._add("ok", "The service runs", "GET /")
        self._add("sample", "A clip of 12 seconds", ask, sample, binary)
        query = "frame_interval=150&include=timeline"
        self._add("timeline", "The same clip, every 150th frame, with its timeline", ask, sample, binary, query=query)
        self._add("unknown_option", "A misspelt option", ask, sample, binary, query="interval=10")
        self._add("video_too_large", "A file that is too large", ask, b"\0" * (limits.MAX_POST_VIDEO_BYTES + 1), binary)
        self._add("unsupported_media_type", "A form", ask, b"video=", "multipart/form-data; boundary=x")
        self._add("not_a_video", "A web page", ask, b"<!doctype html><title>Sign in</title>", binary)

    def jobs(self) -> None:
        """Record the life of two jobs, and what goes wrong before one."""
        ask, get, delete = "POST /uploads", "GET /jobs/{job_id}", "DELETE /jobs/{job_id}"
        options = {"content_type": "video/mp4", "frame_interval": 150}
        asked = self._add("upload", "A video, with an option", ask, options)
        self._add("pending", "Before the upload", get, job_id=asked["job_id"])
        _upload(asked["upload"], SAMPLE.read_bytes())
        self._until_it_ends(asked["job_id"])
        self._add("succeeded", "With its result", get, job_id=asked["job_id"])
        asked = self._send(ask, {})[1]
        _upload(asked["upload"], b"<!doctype html><title>Sign in</title>")
        self._until_it_ends(asked["job_id"])
        self._add("failed", "The file was a web page", get, job_id=asked["job_id"])
        self._add("invalid_option", "An option out of its range", ask, {"frame_interval": 0})
        self._add("unsupported_media_type", "An image", ask, {"content_type": "image/gif"})
        self._add("deleted", "A job that has ended", delete, job_id=asked["job_id"])
        self._add("job_deleted", "A deleted job", get, job_id=asked["job_id"])
        self._add("job_not_found", "An unknown job", get, job_id="0" * 32)
        self._add("job_not_found", "An unknown job", delete, job_id="0" * 32)

    def parts(self) -> None:
        """Record the upload of a file in parts."""
        ask, parts, complete = "POST /uploads", "POST /uploads/{job_id}/parts", "POST /uploads/{job_id}/complete"
        large = {"content_type": "video/mp4", "size": limits.MULTIPART_BYTES + 1}
        job_id = self._add("upload_in_parts", "A file that can be uploaded in parts", ask, large)["job_id"]
        too_large = {"size": limits.MAX_OBJECT_BYTES + 1}
        self._add("video_too_large", "A file that is too large for the storage", ask, too_large)
        self._add("parts", "The addresses of two parts", parts, {"first": 1, "count": 2}, job_id=job_id)
        self._add("invalid_option", "A part that does not exist", parts, {"first": 0}, job_id=job_id)
        self._add("job_not_found", "An unknown job", parts, {"first": 1}, job_id="0" * 32)
        self._add("incomplete_upload", "No part has arrived", complete, job_id=job_id)
        for part in self._send(parts, {}, job_id=job_id)[1]["parts"]:
            _put(part["url"], bytes(part["bytes"]))
        self._add("completed", "All parts have arrived", complete, job_id=job_id)
        self._add("job_not_found", "An unknown job", complete, job_id="0" * 32)

    def _add(
        self,
        name: str,
        summary: str,
        route: str,
        body: bytes | dict[str, Any] | None = None,
        content_type: str = JSON_CONTENT_TYPE,
        **more: str,
    ) -> dict[str, Any]:
        status, answer = self._send(route, body, content_type, **more)
        shown = body if isinstance(body, dict) and status < 400 else None
        self.examples.append(Example(name, summary, route, shown, status, _fixed(answer)))
        return answer

    def _send(
        self,
        route: str,
        body: bytes | dict[str, Any] | None = None,
        content_type: str = JSON_CONTENT_TYPE,
        query: str = "",
        job_id: str = "",
    ) -> tuple[int, dict[str, Any]]:
        method, path = route.split()
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        address = f"{self.url}{path.format(job_id=job_id)}?{query}"
        headers = {"Content-Type": content_type}
        answer = urllib3.request(method, address, body=data, headers=headers, retries=False, timeout=SECONDS)
        return answer.status, answer.json() if answer.data else {}

    def _until_it_ends(self, job_id: str) -> None:
        deadline = time.monotonic() + SECONDS
        while self._send("GET /jobs/{job_id}", job_id=job_id)[1]["status"] not in {"SUCCEEDED", "FAILED"}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The job {job_id} does not end.")
            time.sleep(0.2)


def _upload(form: dict[str, Any], content: bytes) -> None:
    fields = {**form["fields"], "file": ("clip.mp4", content)}
    answer = urllib3.request("POST", form["url"], fields=fields, retries=False, timeout=SECONDS)
    if answer.status >= 400:
        raise RuntimeError(f"The storage answers {answer.status}.")


def _put(url: str, content: bytes) -> None:
    answer = urllib3.request("PUT", url, body=content, retries=False, timeout=SECONDS)
    if answer.status >= 400:
        raise RuntimeError(f"The storage answers {answer.status}.")


def _fixed(answer: dict[str, Any]) -> dict[str, Any]:
    """Replace what differs from one recording to the next."""
    text = json.dumps(answer)
    if "job_id" in answer:
        text = text.replace(answer["job_id"], _JOB_ID)
    return json.loads(text, object_hook=lambda members: {**members, **{k: _FIXED[k] for k in members if k in _FIXED}})  # type: ignore[no-any-return]
