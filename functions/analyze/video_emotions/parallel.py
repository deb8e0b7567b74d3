"""Several frames at once: FFmpeg and OpenCV release the interpreter's lock while they work, so threads are enough."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """Yield ``items`` and make the next one in a thread while one is in use."""
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield cast("Item", item)


def in_order(work: Callable[[Item], Outcome], items: Iterable[Item], workers: int) -> Generator[Outcome]:
    """Yield ``work(item)`` for each of ``items``, in their order, from that many threads.

    Items are taken as they are needed: no more than ``workers + 1`` are under way.
    """
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="work") as pool:
        under_way: deque[Future[Outcome]] = deque()
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
