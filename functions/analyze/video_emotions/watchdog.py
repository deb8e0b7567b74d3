"""The last resort against a worker that is stuck where no code checks the deadline, such as in a download."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watchdog(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Call ``act`` from a thread if the block takes longer than so many seconds. The block goes on."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # what has begun must not end after the block: the worker writes the last word
