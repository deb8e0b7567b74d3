"""Logs, metrics (AWS Lambda Powertools) and the milliseconds of each step. Traces are Lambda's own: docs/decisions."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = "video-emotions"
NAMESPACE = "VideoEmotions"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

Item = TypeVar("Item")
STEPS = ("file", "probe", "frames", "faces", "emotions")


class Stopwatch:
    """Milliseconds by step.

    Steps pull from each other, frame by frame. The time of an outer step excludes that of an inner one, and each step's
    time adds up over many visits. For threaded steps, this is the time spent waiting for results.

    Parameters
    ----------
    clock : callable
        Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds = dict.fromkeys(STEPS, 0.0)
        self._step: str | None = None
        self._started = self._since = clock()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time inside the ``with`` block, less that of steps within it, for the step ``name``."""
        outer = self._switch(name)
        try:
            yield
        finally:
            self._switch(outer)

    def iterate(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """Yield ``items`` and count the time spent in producing each of them for the step ``name``."""
        iterator = iter(items)
        while True:
            with self.step(name):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def milliseconds(self) -> dict[str, float]:
        """Return milliseconds by step, and ``total`` since the stopwatch was made; to a microsecond."""
        steps = {**self._seconds, "total": self._clock() - self._started}
        return {name: round(seconds * 1000, 3) for name, seconds in steps.items()}

    def _switch(self, step: str | None) -> str | None:
        now = self._clock()
        if self._step is not None:
            self._seconds[self._step] += now - self._since
        self._since, previous, self._step = now, self._step, step
        return previous


def record_analysis(frames: int, faces: int, timings_ms: dict[str, float]) -> None:
    """Count one analyzed video: an EMF metric each for videos, frames, faces, and the milliseconds of every step.

    Parameters
    ----------
    frames : int
        Frames analyzed.
    faces : int
        Of them, those with a face: a frame counts once, however many faces it shows.
    timings_ms : dict of str to float
        From `Stopwatch.milliseconds`.
    """
    metrics.add_metric("Videos", MetricUnit.Count, 1)
    metrics.add_metric("Frames", MetricUnit.Count, frames)
    metrics.add_metric("Faces", MetricUnit.Count, faces)
    for name, milliseconds in timings_ms.items():
        metrics.add_metric(f"{name.capitalize()}Milliseconds", MetricUnit.Milliseconds, milliseconds)
