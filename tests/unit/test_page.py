"""GET /app: the page is served as it was built, and its headers confine it. What it does is in tests/browser."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from events.aws_shapes import http_event, rest_event
from tests.conftest import ROOT
from tests.fakes import LambdaContext
from tests.fakes_aws import Clock, MemoryJobs, MemoryMultipart, MemorySigner, MemoryStore
from tests.template_info import properties, resolve
from video_common import limits
from video_common.job import Job, JobStatus
from video_common.result import FaceLandmarks
from video_common.routes import PAGE
from video_common.schema import EMOTION_LABELS
from video_emotions import interval
from video_jobs.api import Api
from video_jobs.callers import ANONYMOUS
from video_jobs.service import Jobs
from video_jobs.settings import Settings

BUILT = (ROOT / "functions/jobs/video_jobs/page.html").read_text(encoding="utf-8")
SERVICE = (ROOT / "web/page/service.js").read_text(encoding="utf-8")
JOB_ID = "a" * 32


def get(path="/app", event=rest_event, jobs=None, clock=None, **settings):
    named: Any = {"uploads_bucket": "uploads", "results_bucket": "results", "jobs_table": "jobs"}
    stores = jobs or MemoryJobs(), MemoryStore(), MemorySigner(), MemoryMultipart()
    service = Jobs(Settings(**named, **settings), *stores, clock or Clock())
    answer = Api(service, "*").handle(event("GET", path, None, {}), LambdaContext())
    headers = answer.get("headers") or {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    return answer["statusCode"], headers, answer["body"]


def policy() -> dict[str, list[str]]:
    header = get()[1]["Content-Security-Policy"]
    return {name: sources for name, *sources in (directive.split(" ") for directive in header.split("; "))}


@pytest.mark.parametrize("event", [rest_event, http_event])
def test_the_built_page_is_served(event):
    status, headers, body = get(event=event)
    assert (status, headers["Content-Type"], body) == (200, "text/html; charset=utf-8", BUILT)


def test_only_what_is_in_the_page_runs():
    inline = re.findall(r"<(script|style)[^>]*>(.*?)</\1>", BUILT, re.DOTALL)
    assert [name for name, _ in inline] == ["style", "style", "script", "script"]
    for kind in ("script", "style"):
        digests = [hashlib.sha256(text.encode()).digest() for name, text in inline if name == kind]
        assert policy()[f"{kind}-src"] == [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    # And no attribute of an element would need more
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", BUILT, flags=re.DOTALL)
    assert re.findall(r"\s(?:style|on\w+|src)=", markup) == []


def test_the_page_reaches_this_api_and_its_two_buckets_only():
    assert policy()["default-src"] == ["'none'"]
    assert policy()["connect-src"] == ["'self'", "https://results.invalid", "https://uploads.invalid"]
    assert {source for sources in policy().values() for source in sources if "//" in source} == {
        "https://results.invalid",
        "https://uploads.invalid",
    }
    assert all(policy()[name] == ["'none'"] for name in ("base-uri", "form-action", "frame-ancestors"))


def test_it_can_be_turned_off():
    status, _, body = get(page="off")
    problem = json.loads(body)
    assert (status, problem["code"]) == (404, "not_found")
    assert "has no page" in problem["detail"]


@pytest.mark.parametrize(
    ("parameters", "page"), [({}, "on"), ({"Page": "off"}, "off"), ({"ApiAuth": "iam"}, "off"), ({"Page": "on"}, "on")]
)
def test_the_template_turns_it_off_where_a_page_is_of_no_use(parameters, page):
    assert resolve(properties("Jobs")["Environment"]["Variables"]["PAGE"], **parameters) == page


def test_anybody_may_open_it():
    assert PAGE.is_open  # the template's side of it is in test_template_api.py


def test_the_page_knows_the_promised_numbers():
    numbers = {name: int(value.replace("_", "")) for name, value in re.findall(r"const (MAX_\w+) = ([\d_]+);", SERVICE)}
    assert numbers == {
        "MAX_POST_BYTES": limits.MAX_POST_VIDEO_BYTES,
        "MAX_FORM_BYTES": limits.MULTIPART_BYTES,
    }


def test_the_report_and_its_table_know_the_names_in_their_order():
    words = (ROOT / "web/report/words.js").read_text(encoding="utf-8")
    assert f"EMOTIONS = {json.dumps(EMOTION_LABELS)};" in words
    assert f"FEWEST_FRAMES = {interval.FEWEST};" in words
    table = (ROOT / "web/page/csv.js").read_text(encoding="utf-8")
    assert f"POINTS = {json.dumps(list(FaceLandmarks.model_fields))};" in table


@pytest.mark.parametrize(("age", "seconds"), [(0, 2), (29, 2), (100, 10), (5000, 30)])
@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.DELETED])
def test_a_job_says_when_to_ask_again(status, age, seconds):
    clock, jobs = Clock(), MemoryJobs()
    now = int(clock())
    jobs.jobs[JOB_ID] = Job(
        job_id=JOB_ID,
        status=status,
        key="k",
        created_at=now,
        updated_at=now,
        expires_at=now + 10_000,
        lease_until=now + 10_000,
        holder="h",
        owner=ANONYMOUS,
    )
    clock.now += age
    answered, headers, body = get(f"/jobs/{JOB_ID}", jobs=jobs, clock=clock)
    assert (answered, json.loads(body)["status"]) == (200, status)
    ended = status in {JobStatus.SUCCEEDED, JobStatus.FAILED}
    assert headers.get("Retry-After") == (None if ended else str(seconds))
