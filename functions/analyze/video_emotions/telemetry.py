"""The milliseconds of each step, and what is counted of an analysis. Traces are Lambda's own: docs/decisions."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from video_common.metrics import Metric, meter
from video_common.result import Result

Item = TypeVar("Item")
STEPS: Final = ("file", "probe", "frames", "faces", "emotions")
WALL: Final = "wall"
"""The time from the plan to the end of an analysis in segments. All other times are sums over the segments."""
_SPENT: Final = dict(
    zip(
        (*STEPS, "total"),
        (Metric.FILE, Metric.PROBE, Metric.READ, Metric.LOOK, Metric.SCORE, Metric.TOTAL),
        strict=True,
    )
)


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


def record_analysis(result: Result) -> None:
    """Count one analyzed video: its size, its length, its frames, and the milliseconds of every step."""
    meter.add(Metric.VIDEOS)
    meter.add(Metric.FRAMES, result.total_frames_analyzed)
    meter.add(Metric.FACES, result.frames_with_face)
    meter.add(Metric.BYTES, result.video.bytes)
    meter.add(Metric.MINUTES, result.video.duration_ms / 60_000)
    if result.truncated:
        meter.add(Metric.TRUNCATED)
    for step, milliseconds in result.timings_ms.items():
        if step != WALL:
            meter.add(_SPENT[step], milliseconds)
