"""The state machine's document on moto's Step Functions, which calls the function by HTTP, as AWS does.

moto has no JSON lines and no tolerated failures, and it looks for the ResultWriter's values in the results. So the
document differs here in these three places, and the list of segments is JSON.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote

import boto3
from moto import mock_aws

from tests.state_machine import definition
from video_common.aws.states import StepFunctions

Call = Callable[[str, dict[str, Any]], Any]
_BUCKET, _SECONDS = "results", 120


class MotoMachine:
    """A `StateMachine`. ``lines`` reads an object of the results bucket."""

    def __init__(self, lines: Callable[[str, str], str]) -> None:
        self._lines = lines
        document = definition()
        segments = document["States"]["Segments"]
        segments["ItemReader"]["ReaderConfig"]["InputType"] = "JSON"
        del segments["ToleratedFailurePercentage"]
        segments["ResultWriter"]["Parameters"] = {"Bucket": _BUCKET, "Prefix": "work"}
        self._s3, self._states = boto3.client("s3"), boto3.client("stepfunctions")
        self._s3.create_bucket(Bucket=_BUCKET)
        role = "arn:aws:iam::123456789012:role/states"
        made = self._states.create_state_machine(name="long", definition=json.dumps(document), roleArn=role)
        self.arn = made["stateMachineArn"]

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        """See `StateMachine.start`."""
        key = given["segments_key"]
        items = [json.loads(line) for line in self._lines(_BUCKET, key).splitlines()]
        self._s3.put_object(Bucket=_BUCKET, Key=key, Body=json.dumps(items))
        StepFunctions(self.arn).start(name, given)

    def wait(self) -> str:
        """Wait until the only execution has ended, and return its status."""
        (execution,) = self._states.list_executions(stateMachineArn=self.arn)["executions"]
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            told = self._states.describe_execution(executionArn=execution["executionArn"])
            if told["status"] != "RUNNING":
                return str(told["status"])
            time.sleep(0.1)
        raise TimeoutError("the execution does not end")


@contextmanager
def moto_states(call: Call, monkeypatch: Any) -> Iterator[None]:
    """Run moto, whose Step Functions calls ``call`` with the function's ARN and the event."""
    one_at_a_time = Lock()

    class Lambda(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            function = unquote(self.path.split("/")[3])
            failed = False
            try:
                with one_at_a_time:
                    answer = call(function, event)
            except Exception as error:  # noqa: BLE001 - Lambda reports each of them
                failed, answer = True, {"errorType": type(error).__name__, "errorMessage": str(error)}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if failed:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    Thread(target=server.serve_forever, daemon=True).start()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # of the services that other tests in this process use
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{server.server_port}")
    try:
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            yield
    finally:
        server.shutdown()
        server.server_close()
