"""From an error in the code to the alarm that somebody hears, and to the one that takes a version back."""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import SAMPLE
from tests.fakes import rest_event, s3_event, sqs_event
from tests.fakes_aws import MemoryJobs, MemoryMultipart, MemorySigner, MemoryStore
from tests.job_world import World, result_of
from tests.metric_info import Written, deploy, values
from tests.template_info import FUNCTIONS, RESOURCES, of_type, properties, resolve
from video_common.job import Job
from video_common.metrics import CODED, NAMESPACE, PLACE, VERSIONED, Dimension, Metric, meter
from video_common.prices import REQUEST
from video_emotions.api import Api
from video_emotions.telemetry import record_analysis
from video_jobs.api import Api as JobsApi
from video_jobs.service import Jobs
from video_jobs.settings import Settings as JobsSettings

ALARMS = of_type("AWS::CloudWatch::Alarm")
OURS = [name for name in ALARMS if properties(name).get("Namespace") == NAMESPACE]
STACK = {"Stack": resolve({"Ref": "AWS::StackName"}), "Environment": "default"}


class Broken(RuntimeError):
    """What nobody expects."""


class BrokenPipeline:
    """A pipeline whose code is broken."""

    def __init__(self, real: Any) -> None:
        self.settings, self.model, self.identity = real.settings, real.model, real.identity

    def analyze(self, *_: Any) -> Any:
        raise Broken


class BrokenJobs(MemoryJobs):
    """A store whose adapter is broken."""

    def get(self, job_id: str) -> Job | None:
        raise Broken


class BrokenLetters:
    """Dead letters that are handled by broken code."""

    def handle(self, body: str, request_id: str) -> None:
        raise Broken


@pytest.fixture
def entry_points(handler_module, monkeypatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return the module with each function's handler, initialized as in a deployment."""
    for name in ("UPLOADS_BUCKET", "RESULTS_BUCKET", "JOBS_TABLE", "PARKED_URL", "JOB_ID_SECRET_ARN"):
        monkeypatch.setenv(name, name.lower())
    modules = {
        "AnalyzeApi": handler_module,
        "AnalyzeUploads": handler_module,
        "Jobs": import_module("video_jobs.handler"),
        "GiveUp": import_module("video_jobs.dead_letters"),
    }
    yield modules.__getitem__
    meter.settle("local", "local")


def break_it(function: str, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put an error into a function's code; return an event that meets it."""
    world = World()
    if function == "AnalyzeApi":
        monkeypatch.setattr(module, "api", Api(BrokenPipeline(module.pipeline)))  # type: ignore[arg-type]
        return rest_event(SAMPLE.read_bytes())
    if function == "AnalyzeUploads":

        def during(content: bytes) -> None:
            raise Broken

        world.pipeline.during = during
        monkeypatch.setattr(module, "uploads", world.uploads)
        return sqs_event(world.put("a", b"video"))
    if function == "Jobs":
        settings = JobsSettings(uploads_bucket="u", results_bucket="r", jobs_table="j")
        monkeypatch.setattr(
            module, "api", JobsApi(Jobs(settings, BrokenJobs(), MemoryStore(), MemorySigner(), MemoryMultipart()), "*")
        )
        return rest_event(None, content_type=None, method="GET", path=f"/jobs/{'0' * 32}")
    monkeypatch.setattr(module, "giving_up", BrokenLetters())
    return sqs_event({})


def watched(alarm: str, **parameters: Any) -> Written:
    own = properties(alarm)
    dimensions = frozenset((item["Name"], resolve(item["Value"], **parameters)) for item in own["Dimensions"])
    return Written(own["Namespace"], own["MetricName"], dimensions)


def alarms_of(function: str) -> dict[bool, list[str]]:
    """Return the alarms on our own metrics of a function, by whether they take a version back."""
    mine = [name for name in OURS if ("Function", function) in watched(name).dimensions]
    return {back: [name for name in mine if ("Condition" in RESOURCES[name]) is back] for back in (False, True)}


@pytest.mark.parametrize("environment", ["default", "prod"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_in_the_code_moves_the_metric_of_its_alarms(function, environment, entry_points, monkeypatch, capsys):
    # Given that a function's code is broken, and that the error is answered or reported and not raised
    module = entry_points(function)
    event = break_it(function, module, monkeypatch)
    invocation = deploy(function, Environment=environment)
    capsys.readouterr()
    # When the function is called
    try:
        answer = module.handler(event, invocation)
    except Broken:
        answer = None
    assert (answer is None) == (function == "GiveUp")
    if {event["Type"] for event in properties(function)["Events"].values()} == {"Api"}:
        assert answer["statusCode"] == 500  # what the gateway's 5XXError counts
    # Then each of its alarms sees it, by name and dimensions
    written = values(capsys.readouterr().out)
    alarms = alarms_of(function)
    assert (len(alarms[False]), len(alarms[True])) == (1, 1)
    for alarm in alarms[False] + alarms[True]:
        name = watched(alarm, Environment=environment)
        assert sum(written[name]) >= properties(alarm)["Threshold"], alarm
    # And so does a search for the code
    coded = Written(
        NAMESPACE,
        "Failures",
        watched(alarms[False][0], Environment=environment).dimensions | {("Code", "internal_error")},
    )
    assert written[coded] == [1]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_new_version_is_judged_by_its_own_failures(function):
    (back,) = alarms_of(function)[True]
    preference = resolve(properties(function)["DeploymentPreference"], Environment="prod")
    assert back in preference["Alarms"]
    assert (Dimension.VERSION, f"{function}.Version.Version") in watched(back).dimensions


def test_every_alarm_on_our_metrics_is_of_one_that_the_code_knows():
    assert {properties(name)["MetricName"] for name in OURS} <= set(Metric)
    for name in OURS:
        names = {item["Name"] for item in properties(name)["Dimensions"]}
        assert names in ({*PLACE}, {*PLACE, Dimension.VERSION})
        assert Dimension.VERSION not in names or properties(name)["MetricName"] in VERSIONED


@pytest.mark.parametrize("function", ["AnalyzeApi", "Jobs", "AnalyzeUploads"])
def test_a_callers_mistake_and_a_bad_video_are_no_failures(function, entry_points, monkeypatch, capsys):
    module, world = entry_points(function), World()
    if function == "AnalyzeUploads":
        monkeypatch.setattr(module, "uploads", world.uploads)
        event, code = sqs_event(world.put("a", b"no video")), "not_a_video"
    elif function == "AnalyzeApi":
        event, code = rest_event(b"text"), "not_a_video"
    else:
        event, code = rest_event(b"{", path="/uploads", content_type="application/json"), "invalid_json"
    invocation = deploy(function)
    capsys.readouterr()
    module.handler(event, invocation)
    written = values(capsys.readouterr().out)
    place = frozenset({**STACK, "Function": function}.items())
    assert {item.metric for item in written} == {"Requests", "EstimatedDollars", "Rejected"} | (
        {"QueueWaitMilliseconds"} if function == "AnalyzeUploads" else set()
    )
    assert written[Written(NAMESPACE, "Rejected", place)] == [1]
    assert written[Written(NAMESPACE, "Rejected", place | {("Code", code)})] == [1]


def test_a_duplicate_that_waits_for_another_worker_is_no_failure(entry_points, monkeypatch, capsys):
    world, module = World(), entry_points("AnalyzeUploads")
    monkeypatch.setattr(module, "uploads", world.uploads)
    for _ in range(2):
        world.queue.send(world.put("a", b"video"))
    failed: list[str] = []
    world.pipeline.during = lambda content: failed.extend(world.deliver())
    invocation = deploy("AnalyzeUploads")
    capsys.readouterr()
    module.handler({"Records": world.queue.receive()}, invocation)
    assert failed == ["2"]
    written = {item.metric: value for item, value in values(capsys.readouterr().out).items()}
    assert "Failures" not in written
    assert written["Succeeded"] == [1]


# -- The dashboard ----------------------------------------------------------------------------------------------------


def recorded(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    record_analysis(event["result"])
    return {}


@pytest.fixture
def everything(entry_points, monkeypatch, capsys) -> dict[Written, list[float]]:
    """Return all that a stack writes when everything that can happen has happened, each thing once."""
    capsys.readouterr()
    analyze = entry_points("AnalyzeApi")
    for function in ("AnalyzeApi", "AnalyzeUploads"):
        analyze.handler(rest_event(SAMPLE.read_bytes()), deploy(function))
        analyze.handler(rest_event(b"text"), deploy(function))
        cut = result_of(b"").model_copy(update={"truncated": True})
        meter.invocation(recorded)({"result": cut}, deploy(function))
    world = World()
    with monkeypatch.context() as patch:
        patch.setattr(analyze, "uploads", world.uploads)
        analyze.handler(sqs_event(world.put("a", b"video")), deploy("AnalyzeUploads"))
        letters = entry_points("GiveUp")
        patch.setattr(letters, "giving_up", world.giving_up)
        letters.handler(sqs_event(world.put("b", b"video")), deploy("GiveUp"))
    jobs = entry_points("Jobs")
    settings = JobsSettings(uploads_bucket="u", results_bucket="r", jobs_table="j")
    monkeypatch.setattr(
        jobs, "api", JobsApi(Jobs(settings, MemoryJobs(), MemoryStore(), MemorySigner(), MemoryMultipart()), "*")
    )
    for body in (b"{}", b"{"):
        jobs.handler(rest_event(body, path="/uploads", content_type="application/json"), deploy("Jobs"))
    for function in FUNCTIONS:
        with monkeypatch.context() as patch:
            event = break_it(function, entry_points(function), patch)
            try:
                entry_points(function).handler(event, deploy(function))
            except Broken:
                assert function == "GiveUp"
    return values(capsys.readouterr().out)


def shown() -> list[list[Any]]:
    """Return the rows of all of the dashboard's widgets."""
    (name,) = of_type("AWS::CloudWatch::Dashboard")
    widgets = json.loads(resolve(properties(name)["DashboardBody"]))["widgets"]
    return [row for widget in widgets for row in widget["properties"]["metrics"]]


def test_the_dashboard_shows_what_the_code_writes_and_all_of_it(everything):
    rows = [[item for item in row if not isinstance(item, dict)] for row in shown() if row[0] == NAMESPACE]
    names = {Written(row[0], row[1], frozenset(zip(row[2::2], row[3::2], strict=True))) for row in rows}
    # Each row is of something that is written
    assert names - everything.keys() == set()
    # And what is written for a place is shown; codes are found by the searches, versions by their alarms
    plain = {item for item in everything if {name for name, _ in item.dimensions} == set(PLACE)}
    unseen = {(item.metric, dict(item.dimensions)["Function"]) for item in plain - names}
    assert unseen == set()
    assert {item.metric for item in everything} == set(Metric)


def test_the_dashboards_searches_find_what_has_a_code(everything):
    searches = [row[0]["expression"] for row in shown() if isinstance(row[0], dict)]
    found = {}
    for text in searches:
        match = re.fullmatch(r"SEARCH\('\{([^}]*)\} (.*)', 'Sum', 300\)", text)
        assert match
        namespace, *names = match[1].split(",")
        assert (namespace, names) == (NAMESPACE, [*PLACE, Dimension.CODE])
        filters = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
        found[filters.pop("MetricName")] = filters
    assert found == dict.fromkeys(CODED, STACK)
    coded = {item.metric for item in everything if Dimension.CODE in dict(item.dimensions)}
    assert coded == CODED


def test_the_dashboard_shows_the_queues_the_functions_and_the_gateway():
    theirs = {(row[0], *row[2:4]) for row in shown() if isinstance(row[0], str) and row[0] != NAMESPACE}
    queues = ("UploadsQueue", "UploadsDeadLetters", "UploadsParked")
    assert theirs == {
        *(("AWS/SQS", "QueueName", f"{name}.QueueName") for name in queues),
        *(("AWS/Lambda", "FunctionName", name) for name in FUNCTIONS),
        ("AWS/ApiGateway", "ApiName", STACK["Stack"]),
    }
    assert properties("Api")["Name"] == {"Ref": "AWS::StackName"}


def test_costs_and_waits_are_what_the_invocation_says(entry_points, monkeypatch, capsys):
    world, module = World(), entry_points("AnalyzeUploads")
    monkeypatch.setattr(module, "uploads", world.uploads)
    event = sqs_event(world.put("a", b"video"), s3_event("gone"))
    event["Records"][0]["attributes"]["SentTimestamp"] = str(int(world.clock() * 1000) - 5000)
    # Of what comes again the wait is known already
    event["Records"][1]["attributes"]["ApproximateReceiveCount"] = "2"
    invocation = deploy("AnalyzeUploads")
    capsys.readouterr()
    module.handler(event, invocation)
    written = {item.metric: value for item, value in values(capsys.readouterr().out).items()}
    assert written["QueueWaitMilliseconds"] == [5000]
    assert written["EstimatedDollars"][0] > REQUEST
