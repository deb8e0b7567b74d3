"""Every file of events/ is replayed: through the handler, and through the real Lambda runtime."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest

from local.emulator import Emulator, EmulatorError, emulator
from tests.conftest import RESULTS, ROOT, SAMPLE, UPLOADS
from tests.fakes import LambdaContext

EXPECTED = {
    "health-v1": (200, None),
    "health-v2": (200, None),
    "clip-raw-v1": (200, None),
    "clip-raw-v2": (200, None),
    "clip-json-v1": (200, None),
    "not-base64": (400, "invalid_base64"),
    "empty-body": (400, "empty_body"),
    "unknown-option": (400, "unknown_option"),
    "s3-put": 1,
    "s3-put-two": 2,
    "s3-key-encoded": 1,
    "s3-test-event": 0,
}
"""Of API events the status and the code, of S3 events the number of results."""

EVENTS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))}


def test_every_file_is_replayed():
    assert set(EVENTS) == set(EXPECTED)


@pytest.fixture(scope="module")
def function(aws: str, s3: Any, models_dir) -> Iterator[Emulator]:
    variables = {
        "EMOTION_MODEL": "mini-xception",
        "MODELS_DIR": str(models_dir),
        "UPLOADS_BUCKET": UPLOADS,
        "RESULTS_BUCKET": RESULTS,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    with emulator(variables, seconds=60) as running:
        yield running


def check(name: str, answer: dict, s3: Any) -> None:
    expected = EXPECTED[name]
    if isinstance(expected, tuple):
        body = json.loads(answer["body"])
        assert (answer["statusCode"], body.get("code")) == expected
        if name.startswith("clip"):
            assert body["overall_dominant_emotion"] == "happy"
    else:
        keys = [unquote_plus(record["s3"]["object"]["key"]) for record in EVENTS[name].get("Records", [])]
        assert len(keys) == expected
        assert answer == {"results": [f"{RESULTS}/{key}.json" for key in keys]}
        for key in keys:
            result = json.loads(s3.get_object(Bucket=RESULTS, Key=f"{key}.json")["Body"].read())
            assert result["overall_dominant_emotion"] == "happy"


@pytest.fixture
def uploaded(request, s3) -> str:
    """The event's name, with its objects in the bucket and no results of an earlier replay."""
    name = request.param
    for record in EVENTS[name].get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        s3.put_object(Bucket=UPLOADS, Key=key, Body=SAMPLE.read_bytes())
        s3.delete_object(Bucket=RESULTS, Key=f"{key}.json")
    return name


@pytest.mark.parametrize("uploaded", EXPECTED, indirect=True)
def test_through_the_handler(uploaded, handler_module, s3):
    check(uploaded, handler_module.handler(EVENTS[uploaded], LambdaContext()), s3)


@pytest.mark.parametrize("uploaded", EXPECTED, indirect=True)
def test_through_the_lambda_runtime(uploaded, function, s3):
    check(uploaded, function.invoke(EVENTS[uploaded]), s3)


def test_an_event_of_another_service_is_an_error(function):
    with pytest.raises(EmulatorError, match="UnsupportedEvent"):
        function.invoke({"detail-type": "Scheduled Event"})
