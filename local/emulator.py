"""The real Lambda runtime on loopback: AWS's Runtime Interface Emulator in front of AWS's runtime interface client."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HANDLER = "video_emotions.handler.handler"
START_SECONDS = 30


class EmulatorError(RuntimeError):
    """The function did not answer with a JSON value; the text says what it did instead."""


class Emulator:
    """A running emulator. It takes one event at a time, as one Lambda environment does."""

    def __init__(self, port: int, seconds: int) -> None:
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self._seconds = seconds

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Send an event to the function and return its answer.

        Raises
        ------
        EmulatorError
            The function raised, ran out of time, or its process ended.
        """
        request = urllib.request.Request(self._url, data=json.dumps(event).encode(), method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self._seconds + 10) as response:  # noqa: S310
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            raise EmulatorError(f"The function failed at its start, or its process ended. {_told(error)}") from error
        except (urllib.error.URLError, OSError) as error:
            raise EmulatorError(f"The emulator did not answer: {error}") from error
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise EmulatorError(text.strip()) from error  # a time-out is told in plain words, with status 200
        if isinstance(answer, dict) and "errorType" in answer:
            raise EmulatorError(f"{answer['errorType']}: {answer.get('errorMessage', '')}")
        return answer


@contextmanager
def emulator(environment: Mapping[str, str], *, seconds: int = 900, memory_mb: int = 3008) -> Iterator[Emulator]:
    """Run the function under the emulator; both end with the ``with`` block.

    Parameters
    ----------
    environment : mapping of str to str
        The function's variables; nothing else of this process's environment reaches it but ``PATH``.
    seconds : int
        The function's time-out.
    memory_mb : int
        What the function is told; the emulator does not enforce it.
    """
    port, runtime_port = _free_ports(2)
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "analyze",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
        **environment,
    }
    command = [str(_binary()), "--log-level", "error"]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
    command += [sys.executable, "-m", "awslambdaric", HANDLER]
    process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=sys.stderr.fileno(), start_new_session=True)
    try:
        _wait_for(port, process)
        yield Emulator(port, seconds)
    finally:
        # The runtime is the emulator's child: end both, by the session that they are alone in.
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, sign)
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    continue
        _end_group(process.pid)


def _told(error: urllib.error.HTTPError) -> str:
    """Return the runtime's own sentence, without its stack trace, which is in the log above."""
    text = error.read().decode(errors="replace")
    try:
        answer = json.loads(text)
        return f"{answer['errorType']}: {answer['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return text.strip() or "Its own words, if any, are above."


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _binary() -> Path:
    machine = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
    found = sorted((ROOT / ".tools").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    if not found:
        raise EmulatorError("The emulator is not installed. Run: make .tools/.ready")
    found[0].chmod(0o755)
    return found[0]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmulatorError(f"The emulator ended at its start with code {process.returncode}.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise EmulatorError(f"The emulator did not listen within {START_SECONDS} s.")
