"""New versions are tried before their first call, and CodeDeploy always hears of it."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.fakes import LambdaContext
from tests.job_world import World
from video_common.aws import clients
from video_common.aws.deployments import CodeDeployments, LambdaFunctions
from video_common.errors import FunctionFailed
from video_jobs.rehearsal import Rehearsal

ANALYZE, WORKER, JOBS, GIVE_UP = "arn:analyze:7", "arn:worker:7", "arn:jobs:7", "arn:give-up:7"
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}


@dataclass
class Versions:
    """Published versions that answer with the real handlers, or as they are told."""

    handlers: dict[str, Any]
    wrong: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def invoke(self, arn: str, event: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(arn)
        if arn in self.wrong:
            if isinstance(self.wrong[arn], Exception):
                raise self.wrong[arn]
            return self.wrong[arn]
        return self.handlers[arn](json.loads(json.dumps(event)), LambdaContext())


@pytest.fixture
def versions(handler_module, monkeypatch) -> Versions:
    for name in ("UPLOADS_BUCKET", "RESULTS_BUCKET", "JOBS_TABLE", "PARKED_URL", "JOB_ID_SECRET_ARN"):
        monkeypatch.setenv(name, name.lower())
    jobs, letters = import_module("video_jobs.handler"), import_module("video_jobs.dead_letters")
    monkeypatch.setattr(letters, "giving_up", World().giving_up)
    monkeypatch.setattr(jobs, "api", jobs.Api(jobs.Jobs(jobs.settings, World().jobs, World().store, None, None), "*"))
    analyze = handler_module.handler
    return Versions({ANALYZE: analyze, WORKER: analyze, JOBS: jobs.handler, GIVE_UP: letters.handler})


def rehearsal(versions: Versions) -> Rehearsal:
    return Rehearsal(versions, (ANALYZE, WORKER), JOBS, GIVE_UP)


def test_the_functions_as_they_are_pass(versions):
    assert rehearsal(versions).is_good()
    assert versions.asked == [ANALYZE, WORKER, JOBS, GIVE_UP]


@pytest.mark.parametrize("arn", [ANALYZE, WORKER, JOBS, GIVE_UP])
@pytest.mark.parametrize(
    "wrong",
    [
        FunctionFailed("raised"),
        {"statusCode": 500, "body": '{"code": "internal_error"}'},
        {"statusCode": 200, "body": '{"total_frames_analyzed": 5, "frames_with_face": 0}'},
        {"batchItemFailures": [{"itemIdentifier": "0"}]},
    ],
)
def test_one_version_that_fails_or_finds_no_face_is_enough(versions, arn, wrong):
    versions.wrong[arn] = wrong
    assert not rehearsal(versions).is_good()
    assert len(versions.asked) == 4


def test_the_sample_is_the_committed_event():
    sent, committed = ("functions/jobs/video_jobs/sample-event.json", "events/clip-small-v1.json")
    assert (ROOT / sent).read_bytes() == (ROOT / committed).read_bytes()


# -- The entry point, and AWS on its other side ----------------------------------------------------------------------


@dataclass
class Heard:
    """CodeDeploy."""

    words: list[tuple[str, str, bool]] = field(default_factory=list)

    def report(self, deployment_id: str, hook_id: str, *, succeeded: bool) -> None:
        self.words.append((deployment_id, hook_id, succeeded))


@pytest.fixture
def pre_traffic(monkeypatch) -> Any:
    monkeypatch.setenv("ANALYZE_VERSIONS", f"{ANALYZE},{WORKER}")
    monkeypatch.setenv("JOBS_VERSION", JOBS)
    monkeypatch.setenv("GIVE_UP_VERSION", GIVE_UP)
    module = import_module("video_jobs.pre_traffic")
    monkeypatch.setattr(module, "deployments", Heard())
    return module


@pytest.mark.parametrize("is_good", [True, False])
def test_codedeploy_hears_the_outcome(pre_traffic, versions, monkeypatch, is_good):
    assert (pre_traffic.rehearsal.analyze_versions, pre_traffic.rehearsal.jobs_version) == ((ANALYZE, WORKER), JOBS)
    if not is_good:
        versions.wrong[JOBS] = FunctionFailed("raised")
    monkeypatch.setattr(pre_traffic, "rehearsal", rehearsal(versions))
    assert pre_traffic.handler(EVENT, LambdaContext()) == {"good": is_good}
    assert pre_traffic.deployments.words == [("d-1", "hook-1", is_good)]


def test_codedeploy_hears_of_an_error_of_the_check_itself(pre_traffic, versions, monkeypatch):
    versions.wrong[ANALYZE] = {"statusCode": 200, "body": "{}"}
    monkeypatch.setattr(pre_traffic, "rehearsal", rehearsal(versions))
    with pytest.raises(KeyError):
        pre_traffic.handler(EVENT, LambdaContext())
    assert pre_traffic.deployments.words == [("d-1", "hook-1", False)]


class Service(BaseHTTPRequestHandler):
    """Lambda and CodeDeploy on loopback: they keep what they are sent."""

    answers: list[tuple[int, dict[str, str], bytes]]
    sent: list[tuple[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.sent.append((self.path, body))
        status, headers, content = self.answers.pop(0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def service(monkeypatch) -> Iterator[type[Service]]:
    made = type("Made", (Service,), {"answers": [], "sent": []})
    server = HTTPServer(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    clients.renew()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    clients.renew()


def test_a_version_is_invoked_with_the_event_and_its_answer_comes_back(service):
    service.answers = [(200, {}, b'{"statusCode": 200}')]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:jobs:7"
    assert LambdaFunctions().invoke(arn, {"a": "b"}) == {"statusCode": 200}
    ((path, body),) = service.sent
    assert body == {"a": "b"}
    assert path.endswith("/invocations")
    assert "jobs%3A7" in path


def test_a_version_that_raises_or_cannot_be_invoked_has_failed(service):
    service.answers = [
        (200, {"X-Amz-Function-Error": "Unhandled"}, b'{"errorMessage": "secret"}'),
        (403, {"x-amzn-ErrorType": "AccessDeniedException"}, b"{}"),
    ]
    for _ in range(2):
        with pytest.raises(FunctionFailed) as raised:
            LambdaFunctions().invoke("jobs", {})
        assert "secret" not in raised.value.detail


@pytest.mark.parametrize(("succeeded", "status"), [(True, "Succeeded"), (False, "Failed")])
def test_codedeploy_is_told_in_its_words(service, succeeded, status):
    service.answers = [(200, {}, b"{}")]
    CodeDeployments().report("d-1", "hook-1", succeeded=succeeded)
    expected = {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "hook-1", "status": status}
    assert service.sent == [("/", expected)]
