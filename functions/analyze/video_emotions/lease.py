"""A worker's lease on its job: a thread renews it while the worker works. If the worker is lost, the lease ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from video_common import limits
from video_common.telemetry import logger


@contextmanager
def renewed(renew: Callable[[], bool], every: float = limits.LEASE_RENEW_SECONDS) -> Iterator[None]:
    """Call ``renew`` from a thread until the block ends, on every path out of it.

    Parameters
    ----------
    renew : callable
        Returns False when the lease is lost; then the calls stop. After an exception the next call tries again.
    every : float
        Seconds from one call's start to the next one's.
    """
    stopped = threading.Event()

    def keep() -> None:
        due = time.monotonic() + every
        while not stopped.wait(max(0, due - time.monotonic())):
            due += every  # even if a call took long: the lease ends by the clock
            try:
                if not renew():
                    return
            except Exception:  # noqa: BLE001 - a thread that ended here would end the lease in silence
                logger.warning("a lease could not be renewed", exc_info=True)

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        # A call in progress may wait for the network. It changes nothing once the job has ended.
        thread.join(timeout=1)
