"""The state machine's document on moto's Step Functions, which calls the function by HTTP, as AWS does.

moto has no JSON lines and no tolerated failures, and it looks for the ResultWriter's values in the results. So the
document differs here in these three places, and the list of segments is JSON.
"""

import http.client
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from moto import mock_aws

from tests.state_machine import definition
from video_common.aws import clients
from video_common.aws.states import StepFunctions

Call = Callable[[str, dict[str, Any]], Any]
_BUCKET, _SECONDS = "results", 120
_FUNCTIONS = "/2015-03-31/functions/"
_OF_A_CONNECTION = {"connection", "transfer-encoding", "content-length", "date", "server"}


def let_machines_run(moto_url: str) -> None:
    """Tell moto's server to execute state machines. Its clients look for all of AWS at port ``MOTO_PORT``."""
    body = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    with urllib.request.urlopen(f"{moto_url}/moto-api/config", data=body, timeout=30):
        pass


def create_machine(states: Any, bucket: str) -> str:
    """Create the state machine with a client of moto's Step Functions, and return its ARN."""
    document = definition()
    segments = document["States"]["Segments"]
    segments["ItemReader"]["ReaderConfig"]["InputType"] = "JSON"
    del segments["ToleratedFailurePercentage"]
    segments["ResultWriter"]["Parameters"] = {"Bucket": bucket, "Prefix": "work"}
    role = "arn:aws:iam::123456789012:role/states"
    made = states.create_state_machine(name="long", definition=json.dumps(document), roleArn=role)
    return str(made["stateMachineArn"])


def wait_for(states: Any, execution_arn: str) -> str:
    """Wait until an execution has ended, and return its status."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        told = states.describe_execution(executionArn=execution_arn)
        if told["status"] != "RUNNING":
            return str(told["status"])
        time.sleep(0.1)
    raise TimeoutError("the execution does not end")


def _in_json(lines: str) -> str:
    return json.dumps([json.loads(line) for line in lines.splitlines()])


class MotoMachine:
    """A `StateMachine`. ``lines`` reads an object of the results bucket."""

    def __init__(self, lines: Callable[[str, str], str]) -> None:
        self._lines = lines
        self._s3, self._states = boto3.client("s3"), boto3.client("stepfunctions")
        self._s3.create_bucket(Bucket=_BUCKET)
        self.arn = create_machine(self._states, _BUCKET)

    def start(self, name: str, given: Mapping[str, Any], *, goes_on: bool) -> None:
        """See `StateMachine.start`."""
        key = given["segments_key"]
        self._s3.put_object(Bucket=_BUCKET, Key=key, Body=_in_json(self._lines(_BUCKET, key)))
        StepFunctions(self.arn).start(name, given, goes_on=goes_on)

    def wait(self) -> str:
        """Wait until the only execution has ended, and return its status."""
        (execution,) = self._states.list_executions(stateMachineArn=self.arn)["executions"]
        return wait_for(self._states, execution["executionArn"])


class Front(ThreadingHTTPServer):
    """What moto's Step Functions takes for AWS: calls of the function go to ``call``, one at a time.

    Attributes
    ----------
    call : callable
        Takes the function's ARN and the event. What it raises is the function's error, by the name of its class.
    moto_url : str
        Of moto's server, which gets all other requests.
    slow_downs : dict of str to int
        How many GETs of the objects whose keys end so are still to be refused, as S3 refuses when it is busy.
    """

    def __init__(self, call: Call | None = None, moto_url: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.call, self.moto_url = call, moto_url
        self.slow_downs: dict[str, int] = {}
        self.one_at_a_time = Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def is_slow(self, key: str) -> bool:
        """Report whether to refuse this GET, and count it."""
        for end, left in self.slow_downs.items():
            if left and key.endswith(end):
                self.slow_downs[end] -= 1
                return True
        return False

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer requests until the block ends."""
        Thread(target=self.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # boto3 waits for "100 Continue" before it sends an object
    server: Front

    def do_POST(self) -> None:
        if not self.path.startswith(_FUNCTIONS):
            self._forward()
            return
        event, function, failed = json.loads(self._body()), unquote(self.path.split("/")[3]), {}
        assert self.server.call is not None
        try:
            with self.server.one_at_a_time:
                answer = self.server.call(function, event)
        except Exception as error:  # noqa: BLE001 - Lambda reports each of them
            failed = {"X-Amz-Function-Error": "Unhandled"}
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        self._answer(200, failed, json.dumps(answer).encode())

    def do_GET(self) -> None:
        key = urlsplit(self.path).path
        if self.server.is_slow(key):
            self._answer(503, {}, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
            return
        self._forward(in_json=key.endswith("segments.jsonl"))

    def do_HEAD(self) -> None:
        self._forward()

    def do_PUT(self) -> None:
        self._forward()

    def do_DELETE(self) -> None:
        self._forward()

    def _forward(self, *, in_json: bool = False) -> None:
        moto = http.client.HTTPConnection(urlsplit(self.server.moto_url).netloc)
        try:
            moto.request(self.command, self.path, self._body(), dict(self.headers))
            answer = moto.getresponse()
            content, headers = answer.read(), dict(answer.getheaders())
        finally:
            moto.close()
        if in_json and answer.status == 200:
            content = _in_json(content.decode()).encode()
            headers = {name: value for name, value in headers.items() if "checksum" not in name.lower()}
        self._answer(answer.status, headers, content, answer.getheader("Content-Length"))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes, told: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _OF_A_CONNECTION:
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", str(told if is_head else len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@contextmanager
def moto_states(call: Call, monkeypatch: Any) -> Iterator[None]:
    """Run moto in this process, whose Step Functions calls ``call`` with the function's ARN and the event."""
    front = Front(call)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # of the services that other tests in this process use
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", front.url)
    with front.serving(), mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        clients.renew()  # those that other tests in this process made
        try:
            yield
        finally:
            clients.renew()
