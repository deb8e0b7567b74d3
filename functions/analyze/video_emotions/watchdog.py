"""The last resort against a worker that is stuck where no code checks the deadline, such as in a download."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watchdog(seconds: float, act: Callable[[], object]) -> Iterator[threading.Event]:
    """Call ``act`` from a thread if the block takes longer than so many seconds. The block goes on.

    Yields
    ------
    Event
        Set once ``act`` was called and did not raise. After the block it does not change any more.
    """
    acted = threading.Event()

    def bark() -> None:
        act()
        acted.set()

    timer = threading.Timer(seconds, bark)
    timer.daemon = True
    timer.start()
    try:
        yield acted
    finally:
        timer.cancel()
        timer.join()  # what has begun must not end after the block
