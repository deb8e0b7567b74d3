"""``make serve``: the routes on http://127.0.0.1:5000, each request an API Gateway event (HTTP API, v2) to its handler.

Uploads go to an emulated S3 on loopback, whose events reach the handler as in a deployment: one by one, by a queue.

Powertools has a local resolver, but it decodes bodies as UTF-8, so it does not support videos.
"""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

import uvicorn

from events.aws_shapes import Event, http_event
from local.cloud import Cloud, emulated_cloud
from local.processes import exit_on_term
from local.pump import Pump
from video_common import limits, routes
from video_common.aws import clients
from video_emotions.sandbox import end_with_parent

Returned = TypeVar("Returned")

HOST, PORT = "127.0.0.1", 5000
os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")

one_at_a_time = threading.Lock()
"""Requests to the function `analyze`."""

_LAST_STEP_SECONDS = 2.0
"""A step of the deliveries without a message takes a second."""


@dataclass
class LocalContext:
    """The Lambda context of a request."""

    function_name: str = "analyze"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 3008
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:analyze"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    seconds: int = limits.API_SECONDS
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return max(0, round((self.started + self.seconds - time.monotonic()) * 1000))


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Turn an ASGI request into an event, and the handler's answer into the response."""
    if scope["type"] != "http":
        return
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = await asyncio.to_thread(_call, _event(scope, bytes(body)))
    headers = [(name.lower().encode(), str(value).encode()) for name, value in answer.get("headers", {}).items()]
    content = answer.get("body", "").encode()
    if scope["method"] != "HEAD":  # there it would have to be the length of the body that a GET gets
        headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": answer["statusCode"], "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _call(event: Event) -> dict[str, Any]:
    found = routes.find(event["rawPath"])
    return jobs.call(event) if found and found[0].function == "jobs" else _analyze(event)


class JobsFunction:
    """The function `jobs`, in a process of its own: Powertools keeps the present request where all threads find it."""

    def __init__(self) -> None:
        self._process = ProcessPoolExecutor(1, get_context("spawn"), _start_jobs)

    def load(self) -> None:
        """Start the process. Its end follows that of the calling thread."""
        self.run(_load_jobs)

    def call(self, event: Event) -> dict[str, Any]:
        """Answer an event; others wait."""
        return self.run(_answer_jobs, event)

    def run(self, function: Callable[..., Returned], *arguments: Any) -> Returned:
        """Call a function of a module in that process."""
        return self._process.submit(function, *arguments).result()

    def close(self) -> None:
        """End the process."""
        self._process.shutdown(cancel_futures=True)


def _start_jobs() -> None:
    # A terminal's Ctrl-C and a runner's TERM reach all processes. The parent ends this one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    end_with_parent()


def _load_jobs() -> None:
    import video_jobs.handler  # noqa: F401 - the init phase: fail here, not at the first request

    clients.use_timeouts(clients.CONNECT_SECONDS, clients.READ_SECONDS)


def _answer_jobs(event: Event) -> dict[str, Any]:
    from video_jobs.handler import handler

    context: Any = LocalContext("jobs")
    answer: dict[str, Any] = handler(event, context)
    return answer


jobs = JobsFunction()


def _analyze(event: Event) -> dict[str, Any]:
    from video_emotions.handler import handler

    with one_at_a_time:  # as in a Lambda environment
        if "requestContext" in event:
            # Lambda starts another environment for a request that would have to wait. So its time starts here.
            event["requestContext"]["timeEpoch"] = round(time.time() * 1000)
            context: Any = LocalContext()
        else:
            context = LocalContext(seconds=limits.WORKER_SECONDS)
        answer: dict[str, Any] = handler(event, context)
        return answer


def _dead_letters(event: Event) -> dict[str, Any]:
    from video_jobs.dead_letters import handler

    context: Any = LocalContext("dead-letters")
    answer: dict[str, Any] = handler(event, context)
    return answer


@contextmanager
def uploads() -> Iterator[tuple[Cloud, threading.Thread]]:
    """Play the AWS services, and deliver what is uploaded, until the block ends.

    Yield the services and the thread that delivers. It may be alive after the block: it is analyzing an
    upload then, whose files are gone.
    """
    stopped = threading.Event()
    folder = TemporaryDirectory(prefix="video-emotions-serve-", ignore_cleanup_errors=True)
    with folder as work_dir, emulated_cloud() as cloud:
        os.environ |= {**cloud.variables, "WORK_DIR": work_dir}
        pump = Pump(cloud.client("sqs"), cloud.queue_url, _analyze)
        dead_letters = Pump(cloud.client("sqs"), cloud.dead_letters_url, _dead_letters)

        def deliver() -> None:
            while not stopped.is_set():
                try:
                    pump.step(wait_seconds=1)
                    dead_letters.step()
                except Exception:  # one upload's failure must not end the delivery of the others
                    logging.exception("A delivery failed. The queue delivers the message again.")

        thread = threading.Thread(target=deliver, daemon=True)
        import video_jobs.dead_letters  # noqa: F401 - the init phase: fail here, not at the first request

        jobs.load()
        # Deployed functions set their own, shorter timeouts. Here some share a process, and downloads need the longest.
        clients.use_timeouts(clients.CONNECT_SECONDS, clients.READ_SECONDS)
        thread.start()
        try:
            yield cloud, thread
        finally:
            stopped.set()
            jobs.close()
            thread.join(_LAST_STEP_SECONDS)


def _event(scope: dict[str, Any], body: bytes) -> Event:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return http_event(scope["method"], scope["path"], body, headers, query, str(uuid4()))


def main() -> None:
    """Load the model, then serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=PORT)
    port = parser.parse_args().port
    exit_on_term()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            sys.exit(
                f"Cannot listen on {HOST}:{port}: {error.strerror}. Is another server running? Stop it, or choose "
                f"another port: .venv/bin/python -m local.serve --port {port + 1}"
            )
        with uploads() as (_, deliveries), suppress(KeyboardInterrupt):  # which uvicorn raises again when it has ended
            _serve(listener, port)
        if deliveries.is_alive():
            print("Stopped in the middle of an upload's analysis. Upload the video again.", file=sys.stderr)
            os._exit(0)  # threads of the analysis would keep the process


def _serve(listener: socket.socket, port: int) -> None:
    print(
        f"Serving on http://{HOST}:{port} - open /app there in a browser, or try: curl -X POST --data-binary @clip.mp4 "
        f'-H "Content-Type: application/octet-stream" http://{HOST}:{port}/process-frame',
        file=sys.stderr,
    )
    uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off")).run(sockets=[listener])


if __name__ == "__main__":
    main()
