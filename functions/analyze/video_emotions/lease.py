"""A worker's lease on its job: a thread renews it while the worker works. If the worker is lost, nobody renews it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from video_common import limits
from video_common.errors import TransientError
from video_common.telemetry import logger


@contextmanager
def renewed(renew: Callable[[], bool], every: float = limits.LEASE_RENEW_SECONDS) -> Iterator[None]:
    """Call ``renew`` from a thread until the block ends, on every path out of it.

    Parameters
    ----------
    renew : callable
        Returns False when the lease is lost; then the calls stop. A TransientError is logged and the next call tries
        again.
    every : float
        Seconds between two calls.
    """
    stopped = threading.Event()

    def keep() -> None:
        while not stopped.wait(every):
            try:
                if not renew():
                    return
            except TransientError:
                logger.warning("a lease could not be renewed", exc_info=True)

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        # A call in progress may wait for the network. It changes nothing once the job has ended.
        thread.join(timeout=1)
