"""What people send is in no line of the log, no metric and no trace: a marker is planted wherever they can write."""

import base64
import hashlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any
from urllib.parse import quote_plus

import av
import numpy as np
import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from local.cloud import HANDLED, JOBS, RESULTS, UPLOADS, Cloud, id_of
from tests.conftest import ROOT
from tests.fakes import LambdaContext, json_event, rest_event, s3_event, sqs_event
from tests.logged import logged
from video_common.aws import clients
from video_common.errors import StorageUnavailable
from video_common.job import Job, is_job_id
from video_emotions import child

MARKER = "PlantedMarker7f3a"
FORMS = (
    MARKER,
    base64.b64encode(MARKER.encode()).decode()[:16],
    MARKER.encode().hex(),
    quote_plus(MARKER),
    hashlib.sha256(MARKER.encode()).hexdigest(),
)
"""As it is, and as somebody would write it who means to hide it."""


def marked_video() -> bytes:
    """Return a video with the marker in its pixels, its title, its comment and behind its end."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        container.metadata.update({"title": MARKER, "comment": f"of {MARKER}"})
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        row = np.resize(np.frombuffer(MARKER.encode(), np.uint8), (240, 320, 3))
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(row, format="rgb24")))
        container.mux(stream.encode())
    text = MARKER.encode()
    return buffer.getvalue() + (8 + len(text)).to_bytes(4, "big") + b"free" + text


VIDEO = marked_video()
SAMPLE = base64.b64decode(json.loads((ROOT / "events/clip-small-v1.json").read_text())["body"])
"""A face in five frames."""
TEXT = base64.b64encode(VIDEO).decode()
GET: dict[str, Any] = {"content_type": None, "method": "GET"}

POSTED: dict[str, dict[str, Any]] = {
    "pixels and metadata": rest_event(VIDEO),
    "pixels and metadata, in base64": json_event({"video": TEXT}),
    "a cut-off file": rest_event(VIDEO[: len(VIDEO) // 2]),
    "no video": rest_event(MARKER.encode()),
    "text that is no base64": json_event({"video": f"{MARKER}!"}),
    "base64 of text": json_event({"video": base64.b64encode(MARKER.encode()).decode()}),
    "an address": json_event({"video": f"https://{MARKER}.example.org/{MARKER}.mp4"}),
    "a member": json_event({"video": TEXT, MARKER: 1}),
    "a member's value": json_event({"video": TEXT, "detector": MARKER}),
    "a member twice": json_event(f'{{"{MARKER}": 1, "{MARKER}": 2}}'),
    "no JSON": json_event(f"{{{MARKER}"),
    "an option": rest_event(VIDEO, query={MARKER: ["1"]}),
    "an option's value": rest_event(VIDEO, query={"frame_interval": [MARKER]}),
    "an option twice": rest_event(VIDEO, query={"frame_interval": [MARKER, MARKER]}),
    "a content type": rest_event(VIDEO, content_type=f"video/{MARKER}"),
    "a path": rest_event(None, path=f"/{MARKER}", **GET),
    "a method": rest_event(None, content_type=None, method=MARKER.upper()),
}
ASKED: dict[str, dict[str, Any]] = {
    "a file's name": json_event({"file_name": f"{MARKER}.mp4"}, path="/uploads"),
    "a wrong file's name": json_event({"file_name": f"{MARKER}\n"}, path="/uploads"),
    "an upload's type": json_event({"content_type": f"video/{MARKER}"}, path="/uploads"),
    "parameters of its type": json_event({"content_type": f"video/mp4;codecs={MARKER}"}, path="/uploads"),
    "an upload's option": json_event({MARKER: 1}, path="/uploads"),
    "an upload's bytes": rest_event(VIDEO, path="/uploads"),
    "a job's id": rest_event(None, path=f"/jobs/{MARKER}", **GET),
}
HEADERS = ("User-Agent", "X-Forwarded-For", "Referer", "Cookie", "x-api-key", "Authorization", f"X-{MARKER}")


@pytest.fixture
def functions(handler_module, cloud: Cloud, monkeypatch) -> dict[str, ModuleType]:
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    modules = {name: import_module(f"video_jobs.{name}") for name in ("handler", "dead_letters")}
    if modules["dead_letters"].settings.parked_url != cloud.parked_url:  # another test imported it for other names
        for module in modules.values():
            del sys.modules[module.__name__]
        modules = {name: import_module(f"video_jobs.{name}") for name in modules}
    return {"analyze": handler_module, "jobs": modules["handler"], "letters": modules["dead_letters"]}


@pytest.fixture
def heard(capfd) -> Iterator[Callable[[], str]]:
    """Return what was logged, and written to standard output and error, by child processes too."""
    capfd.readouterr()
    with logged() as text:

        def read() -> str:
            captured = capfd.readouterr()
            return captured.out + captured.err + text.getvalue()

        yield read


def check(said: str) -> None:
    assert "ended" in said, "nothing was logged: the test sees nothing"
    for form in FORMS:
        assert form.lower() not in said.lower(), said


@pytest.mark.parametrize("where", POSTED)
def test_a_post_leaves_no_trace_of_what_is_in_it(functions, heard, where):
    functions["analyze"].handler(POSTED[where], LambdaContext())
    check(heard())


@pytest.mark.parametrize("where", ASKED)
def test_asking_for_an_upload_leaves_none(functions, heard, where):
    functions["jobs"].handler(ASKED[where], LambdaContext())
    check(heard())


@pytest.mark.parametrize("function", ["analyze", "jobs"])
@pytest.mark.parametrize("name", HEADERS)
def test_no_header_leaves_one(functions, heard, function, name):
    path = {"analyze": "/", "jobs": f"/jobs/{'0' * 32}"}[function]
    event = rest_event(None, path=path, **GET)
    event["headers"][name] = MARKER
    event["multiValueHeaders"][name] = [MARKER]
    functions[function].handler(event, LambdaContext())
    check(heard())


@pytest.mark.parametrize("function", ["analyze", "jobs"])
def test_a_request_id_that_the_caller_chose_leaves_none(functions, heard, function):
    event = rest_event(None, path={"analyze": "/", "jobs": f"/jobs/{'0' * 32}"}[function], **GET)
    event["requestContext"]["requestId"] = MARKER  # API Gateway takes it from the header X-Amzn-RequestId
    functions[function].handler(event, LambdaContext())
    said = heard()
    check(said)
    assert "gateway_request_id" not in said


def test_a_bug_of_the_child_names_its_place_and_not_what_the_file_says():
    def read(*_: Any) -> Any:
        return float(MARKER)

    with io.FileIO(os.devnull, "wb") as nowhere:
        told, _ = child._outcome({"path": "v"}, bytearray(), child._Answer(nowhere), read)
    assert "in read" in told["bug"]
    assert told["bug"].endswith("ValueError")
    assert MARKER not in told["bug"]


def test_a_record_that_does_not_fit_is_not_quoted():
    with pytest.raises(ValidationError) as raised:
        Job.model_validate({"key": MARKER, "status": MARKER, "file_name": [MARKER]})
    assert MARKER not in str(raised.value)


UPLOADED: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "a key": (f"holiday of {MARKER}/{MARKER}+1.mp4", SAMPLE, {}),
    "a video": ("clip", VIDEO, {}),
    "a key of no video": (f"{MARKER}.txt", MARKER.encode(), {}),
    "metadata": ("clip-2", SAMPLE, {"camera": MARKER}),
    "options": ("clip-3", SAMPLE, {"options": f'{{"detector": "{MARKER}"}}'}),
    "options' names": ("clip-4", SAMPLE, {"options": f'{{"{MARKER}": 1}}'}),
    "options that are no JSON": ("clip-5", SAMPLE, {"options": f"{{{MARKER}"}),
}


@pytest.mark.parametrize("where", UPLOADED)
def test_an_upload_and_its_deletion_leave_none(functions, cloud, heard, where):
    key, content, metadata = UPLOADED[where]
    cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=content, Metadata=metadata)
    event = s3_event(quote_plus(key), bucket=UPLOADS, size=len(content))
    assert functions["analyze"].handler(sqs_event(event), LambdaContext()) == {"batchItemFailures": []}
    for method in ("GET", "DELETE"):
        event = rest_event(None, content_type=None, method=method, path=f"/jobs/{id_of(key)}")
        answer = functions["jobs"].handler(event, LambdaContext())
        assert answer["statusCode"] in {200, 204}
    check(heard())


def test_a_missing_object_a_dead_letter_and_a_broken_message_leave_none(functions, heard):
    gone = s3_event(f"{MARKER}-gone.mp4", bucket=UPLOADS)
    other = s3_event(f"{MARKER}.mp4", bucket="other", sequencer="2")
    strange = {"Records": [{"eventSource": MARKER, "s3": {"object": {"key": MARKER}}}]}
    for event in (gone, other, strange, {MARKER: MARKER}):
        functions["analyze"].handler(sqs_event(event), LambdaContext())
        functions["letters"].handler(sqs_event(event), LambdaContext())
    check(heard())


def test_a_key_stands_in_the_record_the_result_and_the_event_and_nowhere_else(functions, cloud, heard):
    key = f"of/{MARKER}.mp4"
    cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=SAMPLE)
    sqs = cloud.client("sqs")
    sqs.purge_queue(QueueUrl=cloud.completions_url)
    event = s3_event(quote_plus(key), bucket=UPLOADS, sequencer="77")
    functions["analyze"].handler(sqs_event(event), LambdaContext())
    dynamodb = cloud.client("dynamodb")
    record = dynamodb.get_item(TableName=JOBS, Key={"job_id": {"S": id_of(key)}})["Item"]
    assert record["key"] == {"S": key}
    stored = cloud.client("s3").get_object(Bucket=RESULTS, Key=record["result_key"]["S"])["Body"].read()
    assert json.loads(stored)["source"]["key"] == key
    messages = sqs.receive_message(QueueUrl=cloud.completions_url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["detail"]["video"]["key"] for message in messages] == [key]
    # And nowhere else: not in the result's name, not among the events that were handled, not in the log
    assert MARKER not in record["result_key"]["S"]
    assert MARKER not in json.dumps(dynamodb.scan(TableName=HANDLED)["Items"], default=str)
    check(heard())


def test_a_store_that_cannot_be_reached_leaves_none(functions, monkeypatch, heard):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    clients.renew()
    try:
        event = s3_event(f"{MARKER}/unreachable.mp4", bucket=UPLOADS)
        answer = functions["analyze"].handler(sqs_event(event), LambdaContext())
    finally:
        clients.renew()
    assert answer != {"batchItemFailures": []}
    said = heard()
    check(said)
    # But what happened
    assert "EndpointConnectionError" in said


def test_a_right_that_is_missing_leaves_none():
    message = f"not authorized to perform: s3:GetObject on resource: arn:aws:s3:::uploads/{MARKER}"
    response: Any = {"Error": {"Code": "AccessDenied", "Message": message}, "ResponseMetadata": {"RequestId": "7B4A"}}
    with pytest.raises(StorageUnavailable) as raised, clients.failures(StorageUnavailable("The store is away.")):
        raise ClientError(response, "GetObject")
    said = "".join(traceback.format_exception(raised.value))
    assert MARKER not in said
    assert "GetObject was answered with AccessDenied; AWS's request id: 7B4A" in said


def test_the_functions_write_no_traces_of_their_own(functions):
    # Lambda's and the gateway's own traces have the function, the status and the time
    assert "aws_xray_sdk" not in sys.modules


def test_a_line_names_the_job_and_the_requests_of_both_sides(functions, heard):
    event = json_event({}, path="/uploads")
    event["requestContext"]["requestId"] = "6b1f0d6e-3c0a-4f5e-9d0b-2a7c8e9f1a2b"
    functions["jobs"].handler(event, LambdaContext())
    lines = [json.loads(line) for line in heard().splitlines() if line.startswith("{")]
    start, end = (line for line in lines if line.get("message") in {"request started", "request ended"})
    for line in (start, end):
        assert line["function_request_id"] == LambdaContext().aws_request_id
        assert line["gateway_request_id"] == event["requestContext"]["requestId"]
        assert (line["route"], line["method"]) == ("/uploads", "POST")
    assert (end["outcome"], end["status"]) == ("succeeded", 200)
    assert end["milliseconds"] > 0
    assert is_job_id(end["job_id"])
