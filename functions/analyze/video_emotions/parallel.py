"""Several frames at the same time: FFmpeg and OpenCV release the interpreter's lock, so threads are enough."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar, cast

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)
Outcome = TypeVar("Outcome")


class Closable(Iterator[Item_co], Protocol[Item_co]):
    """Items that are made while the caller waits for them."""

    def close(self) -> None:
        """End the work on the next item, even while another thread waits for it."""


def prefetched(items: Closable[Item]) -> Generator[Item]:
    """Yield ``items``, and make the next one in a thread while one is in use. Close them at the end.

    Closing this generator early does not wait for the next item.
    """
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
        coming = pool.submit(next, items, end)
        try:
            while (item := coming.result()) is not end:
                coming = pool.submit(next, items, end)
                yield cast("Item", item)
        finally:
            items.close()


def ordered_map(work: Callable[[Item], Outcome], items: Iterable[Item], workers: int) -> Generator[Outcome]:
    """Yield ``work(item)`` for each of ``items``, in their order, from that many threads.

    Items are consumed as they are needed: no more than ``workers + 1`` are in progress.
    """
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="work") as pool:
        in_progress: deque[Future[Outcome]] = deque()
        for item in items:
            in_progress.append(pool.submit(work, item))
            if len(in_progress) > workers:
                yield in_progress.popleft().result()
        while in_progress:
            yield in_progress.popleft().result()


class Pool(Generic[Item]):
    """Objects that only one thread at a time may use. There are as many as were ever in use at the same time."""

    def __init__(self, make: Callable[[], Item]) -> None:
        self._make = make
        self._idle = [make()]

    @contextmanager
    def borrowed(self) -> Iterator[Item]:
        """Give an idle object, or a new one where none is idle. It is idle again after the block."""
        try:
            item = self._idle.pop()
        except IndexError:
            item = self._make()
        try:
            yield item
        finally:
            self._idle.append(item)
