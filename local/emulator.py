"""The real Lambda runtime on loopback: AWS's Runtime Interface Emulator in front of AWS's runtime interface client."""

import http.client
import json
import os
import platform
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.processes import Process, ProcessError, free_ports, listens, signal_session, started, wait_until

ROOT = Path(__file__).resolve().parent.parent
HANDLER = "video_emotions.handler.handler"
START_SECONDS = 30


class EmulatorError(ProcessError):
    """The function did not answer with a JSON value; the text says what it did instead."""


class Emulator:
    """A running emulator. It handles one event at a time, as one Lambda environment does."""

    def __init__(self, port: int, seconds: int, process: Process) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self._seconds = seconds

    def kill(self) -> None:
        """Lose the environment, as Lambda can at any moment: SIGKILL for all of it."""
        signal_session(self._process, signal.SIGKILL)

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
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            raise EmulatorError(f"The emulator did not answer: {error}") from error
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise EmulatorError(
                text.strip()
            ) from error  # the emulator reports a timeout as plain text, with status 200
        if isinstance(answer, dict) and "errorType" in answer:
            raise EmulatorError(f"{answer['errorType']}: {answer.get('errorMessage', '')}")
        return answer


@contextmanager
def emulator(environment: Mapping[str, str], *, handler: str = HANDLER, seconds: int = 900) -> Iterator[Emulator]:
    """Run the function under the emulator; both end with the ``with`` block.

    Parameters
    ----------
    environment : mapping of str to str
        The function's variables; nothing else of this process's environment reaches it but ``PATH``. Unless they say
        otherwise, its ``WORK_DIR`` is its own, as a Lambda environment's /tmp is.
    handler : str
        The function, as Lambda names it.
    seconds : int
        The function's time-out.
    """
    port, runtime_port = free_ports(2)
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "analyze",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
        "AWS_REGION": "us-east-1",
        **environment,
    }
    command = [str(emulator_binary()), "--log-level", "error"]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
    command += [sys.executable, "-m", "awslambdaric", handler]
    with (
        TemporaryDirectory(prefix="emulated-lambda-") as work_dir,
        started(command, {"WORK_DIR": work_dir, **variables}, cwd=ROOT, stdout=sys.stderr.fileno()) as process,
    ):
        try:
            wait_until(lambda: listens(("127.0.0.1", port)), process, START_SECONDS)
        except ProcessError as error:
            raise EmulatorError(f"The emulator does not listen. {error}") from error
        yield Emulator(port, seconds, process)


def _told(error: urllib.error.HTTPError) -> str:
    """Return the runtime's own sentence, without its stack trace, which is in the log above."""
    text = error.read().decode(errors="replace")
    try:
        answer = json.loads(text)
        return f"{answer['errorType']}: {answer['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return text.strip() or "Its own words, if any, are above."


def emulator_binary() -> Path:
    """Return AWS's emulator, which comes with SAM.

    Raises
    ------
    EmulatorError
        It is not installed.
    """
    machine = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
    found = sorted((ROOT / ".tools").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    if not found:
        raise EmulatorError("The emulator is not installed. Run: make .tools/.ready")
    found[0].chmod(0o755)
    return found[0]
