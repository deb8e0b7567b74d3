"""Methods and paths as callers write them, for both functions and both versions of events."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from aws_lambda_powertools.event_handler.api_gateway import Router

import video_emotions.api
import video_jobs.api
from events.aws_shapes import http_event, rest_event
from tests.fakes import LambdaContext
from tests.fakes_aws import Clock, MemoryJobs, MemoryMultipart, MemorySigner, MemoryStore
from tests.job_world import result_of
from tests.videos_info import MODEL
from video_common.api_gateway import json_answer, problem_resolvers
from video_common.result import Result
from video_common.routes import HEALTH, ROUTES, Route, find
from video_common.schema import PROBLEM_CONTENT_TYPE
from video_emotions.deadline import Deadline
from video_emotions.emotions import EmotionModel
from video_emotions.pipeline import Pipeline
from video_emotions.settings import Settings as AnalyzeSettings
from video_emotions.video_request import VideoRequest
from video_jobs.service import Jobs
from video_jobs.settings import Settings

JOB_ID = "0" * 32
BODIES: dict[str, tuple[bytes, str]] = {
    "/process-frame": (b"a video", "application/octet-stream"),
    "/uploads": (b"{}", "application/json"),
}


class Loaded:
    """A pipeline that analyzes nothing."""

    settings = AnalyzeSettings()
    model = EmotionModel(cast("Any", None), MODEL)

    @staticmethod
    def analyze(request: VideoRequest, _deadline: Deadline) -> Result:
        assert isinstance(request.source, bytes)
        return result_of(request.source)


def answer(version: str, method: str, path: str, route: Route | None = None) -> dict[str, Any]:
    """Answer a request by the function that the gateway sends it to."""
    found = find(path)
    route = route or (found[0] if found else HEALTH)
    body, content_type = BODIES.get(route.path, (None, ""))
    event: Callable[..., dict[str, Any]] = {"v1": rest_event, "v2": http_event}[version]
    sent = event(method, path, body, {"Content-Type": content_type} if content_type else {})
    response = apis()[route.function](sent, LambdaContext())
    headers = response.get("headers") or {name: values[0] for name, values in response["multiValueHeaders"].items()}
    return {**response, "headers": headers}


def apis() -> dict[str, Any]:
    settings = Settings(uploads_bucket="uploads", results_bucket="results", jobs_table="jobs")
    jobs = Jobs(settings, MemoryJobs(), MemoryStore(), MemorySigner(), MemoryMultipart(), Clock())
    return {
        "analyze": video_emotions.api.Api(cast("Pipeline", Loaded())).handle,
        "jobs": video_jobs.api.Api(jobs, "*").handle,
    }


def code(response: dict[str, Any]) -> str | None:
    is_page = response["headers"]["Content-Type"].startswith("text/html")
    return None if is_page else json.loads(response["body"]).get("code")


VERSIONS = pytest.mark.parametrize("version", ["v1", "v2"])


@VERSIONS
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_slash_at_the_end_makes_no_difference(route, version):
    path = route.path.format(job_id=JOB_ID)
    plain = answer(version, route.method, path, route)
    slashed = answer(version, route.method, f"{path.rstrip('/')}/", route)
    expected = (404, "job_not_found") if "{" in route.path else (200, None)
    assert (plain["statusCode"], code(plain)) == (slashed["statusCode"], code(slashed)) == expected


@VERSIONS
@pytest.mark.parametrize("path", ["/", "/app", f"/jobs/{JOB_ID}", f"/jobs/{JOB_ID}/", "/openapi.json"])
def test_head_is_get_without_the_body(path, version):
    get, head = (answer(version, method, path) for method in ("GET", "HEAD"))
    assert (head["statusCode"], head["headers"]) == (get["statusCode"], get["headers"])
    assert (head["body"], bool(get["body"])) == ("", True)


@VERSIONS
@pytest.mark.parametrize(
    ("path", "method", "allow", "useful"),
    [
        ("/", "POST", "GET, HEAD, OPTIONS", "GET or HEAD"),
        ("/app", "POST", "GET, HEAD, OPTIONS", "GET or HEAD"),
        ("/process-frame", "GET", "OPTIONS, POST", "POST"),
        ("/process-frame/", "PUT", "OPTIONS, POST", "POST"),
        ("/uploads", "GET", "OPTIONS, POST", "POST"),
        (f"/jobs/{JOB_ID}", "PUT", "DELETE, GET, HEAD, OPTIONS", "DELETE, GET or HEAD"),
        ("/openapi.json", "PUT", "GET, HEAD, OPTIONS", "GET or HEAD"),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(path, method, allow, useful, version):
    response = answer(version, method, path)
    assert (response["statusCode"], code(response)) == (405, "method_not_allowed")
    assert response["headers"]["Content-Type"] == PROBLEM_CONTENT_TYPE
    assert response["headers"]["Allow"] == allow
    assert json.loads(response["body"])["detail"].endswith(f" Send {useful} instead.")


@VERSIONS
@pytest.mark.parametrize("path", ["/process-video", "/jobs", "/jobs/"])
def test_an_unknown_path_is_404_for_every_method(path, version):
    for method in ("GET", "POST", "DELETE"):
        response = answer(version, method, path)
        assert (response["statusCode"], code(response)) == (404, "not_found")
        assert "Allow" not in response["headers"]


@VERSIONS
def test_a_route_of_the_other_function_is_404(version):
    response = answer(version, "POST", "/uploads", HEALTH)
    assert (response["statusCode"], code(response)) == (404, "not_found")


@pytest.mark.parametrize("shape", [rest_event, http_event])
def test_an_answer_keeps_its_body_while_a_head_is_answered(shape):
    # Given a route during whose work another request comes, as to the local server
    router, other = Router(), problem_resolvers(Router(), "*")

    @router.route("/process-frame", ["POST"])
    def work() -> Any:
        other(shape("HEAD", "/", None, {}), LambdaContext())
        return json_answer({"done": True})

    answered = problem_resolvers(router, "*")(shape("POST", "/process-frame", None, {}), LambdaContext())
    assert (answered["statusCode"], answered["body"]) == (200, '{"done": true}')
