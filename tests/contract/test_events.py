"""Every sample event is replayed: through the handler, and through the real Lambda runtime."""

import json
from collections.abc import Iterator
from urllib.parse import unquote_plus

import pytest

from events.make_events import make_events
from local.cloud import HANDLED, JOBS, RESULTS, UPLOADS, Cloud, id_of
from local.emulator import Emulator, EmulatorError, emulator
from tests.conftest import ROOT, SAMPLE
from tests.fakes import LambdaContext

EXPECTED = {
    "health-v1": (200, None),
    "health-v2": (200, None),
    "clip-raw-v1": (200, None),
    "clip-raw-v2": (200, None),
    "clip-json-v1": (200, None),
    "clip-small-v1": (200, None),
    "not-base64": (400, "invalid_base64"),
    "empty-body": (400, "empty_body"),
    "unknown-option": (400, "unknown_option"),
    "s3-put": 1,
    "s3-put-two": 2,
    "s3-key-encoded": 1,
    "s3-test-event": 0,
    "sqs-put": 1,
}
"""Of API events the status and the code, of upload events the number of jobs."""

OF_THE_JOBS_FUNCTION = {"uploads-v1": (200, None), "job-v1": (404, "job_not_found")}

COMMITTED = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
EVENTS = make_events(SAMPLE.read_bytes()) | COMMITTED


def test_every_event_is_replayed():
    assert set(EVENTS) == {*EXPECTED, *OF_THE_JOBS_FUNCTION}


@pytest.fixture(scope="module")
def function(cloud: Cloud, models_dir) -> Iterator[Emulator]:
    variables = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "POWERTOOLS_LOG_LEVEL": "ERROR"}
    with emulator({**variables, **cloud.variables}, seconds=60) as running:
        yield running


def keys_in(name: str) -> list[str]:
    """Return the keys of the objects that an event names."""
    event = EVENTS[name]
    if name.startswith("sqs"):
        event = json.loads(event["Records"][0]["body"])
    return [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", [])]


def check(name: str, answer: dict, cloud: Cloud) -> None:
    expected = EXPECTED[name]
    if isinstance(expected, tuple):
        body = json.loads(answer["body"])
        assert (answer["statusCode"], body.get("code")) == expected
        if name.startswith("clip"):
            assert body["overall_dominant_emotion"] == "happy"
        return
    keys = keys_in(name)
    assert len(keys) == expected
    if name.startswith("sqs"):
        assert answer == {"batchItemFailures": []}
    else:
        assert answer == {"jobs": [{"job_id": id_of(key), "status": "SUCCEEDED"} for key in keys]}
    for key in keys:
        job = cloud.client("dynamodb").get_item(TableName=JOBS, Key={"job_id": {"S": id_of(key)}})["Item"]
        stored = cloud.client("s3").get_object(Bucket=RESULTS, Key=job["result_key"]["S"])["Body"].read()
        assert json.loads(stored)["overall_dominant_emotion"] == "happy"


@pytest.fixture
def uploaded(request, cloud) -> str:
    """The event's name, with its objects in the bucket and nothing of an earlier replay."""
    for key in keys_in(request.param):
        cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=SAMPLE.read_bytes())
    forget(cloud)
    return request.param


def forget(cloud: Cloud) -> None:
    """Empty the tables, so that an event is a new one."""
    for table, key in ((JOBS, "job_id"), (HANDLED, "id")):
        for item in cloud.client("dynamodb").scan(TableName=table)["Items"]:
            cloud.client("dynamodb").delete_item(TableName=table, Key={key: item[key]})


@pytest.mark.parametrize("uploaded", EXPECTED, indirect=True)
def test_through_the_handler(uploaded, handler_module, cloud):
    check(uploaded, handler_module.handler(EVENTS[uploaded], LambdaContext()), cloud)


@pytest.mark.parametrize("uploaded", EXPECTED, indirect=True)
def test_through_the_lambda_runtime(uploaded, function, cloud):
    check(uploaded, function.invoke(EVENTS[uploaded]), cloud)


def test_events_of_the_jobs_function_through_its_runtime(cloud):
    with emulator(cloud.variables, handler="video_jobs.handler.handler", seconds=30) as jobs:
        for name, expected in OF_THE_JOBS_FUNCTION.items():
            answer = jobs.invoke(EVENTS[name])
            body = json.loads(answer["body"])
            assert (answer["statusCode"], body.get("code")) == expected


def test_an_event_of_another_service_is_an_error(function):
    with pytest.raises(EmulatorError, match="UnsupportedEvent"):
        function.invoke({"detail-type": "Scheduled Event"})
