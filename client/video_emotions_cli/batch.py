"""Several videos at the same time; their outcomes come in order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def in_order(work: Callable[[Item], Outcome], items: Sequence[Item], workers: int) -> Iterator[tuple[Item, Outcome]]:
    """Yield each item with ``work(item)``, in order. If the caller stops, no further item begins."""
    pool = ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="video")
    try:
        futures = [pool.submit(work, item) for item in items]
        for item, future in zip(items, futures, strict=True):
            yield item, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
