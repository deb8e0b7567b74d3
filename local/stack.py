"""A whole stack on this machine, as `operations.stack` describes one: ``make smoke`` without a deployed one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from local.cloud import RESULTS, UPLOADS
from local.serve import HOST, application, uploads
from operations.stack import Http, Stack


@contextmanager
def local_stack(seconds: float = 120) -> Iterator[Stack]:
    """Serve the routes and deliver messages, until the block ends. There is no gateway."""
    with socket.socket() as listener, uploads() as (cloud, _):
        listener.bind((HOST, 0))
        listener.listen()  # so that the first request waits for the server and is not refused
        server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Stack(
                send=Http(f"http://{HOST}:{listener.getsockname()[1]}"),
                sqs=cloud.client("sqs"),
                s3=cloud.client("s3"),
                uploads_bucket=UPLOADS,
                results_bucket=RESULTS,
                queue_url=cloud.queue_url,
                dead_letters_url=cloud.dead_letters_url,
                parked_url=cloud.parked_url,
                has_gateway=False,
                seconds=seconds,
            )
        finally:
            server.should_exit = True
            thread.join()
