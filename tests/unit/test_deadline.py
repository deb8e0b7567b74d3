"""An analysis ends in time, and its answer is exactly that of the frames before."""

import math
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes_aws import Clock
from tests.template_info import IMAGE_FUNCTIONS, properties
from tests.videos_info import MODEL
from video_common import limits
from video_common.errors import TooLong
from video_common.result import DetectorFacts
from video_common.schema import Options, Partial
from video_emotions.aggregate import Report
from video_emotions.boxes import Box
from video_emotions.deadline import NEVER, Deadline
from video_emotions.emotions import EmotionModel
from video_emotions.faces.detector import Detection
from video_emotions.faces.finder import FaceFinder
from video_emotions.facts import Frame, PlanFacts
from video_emotions.follower import Follower
from video_emotions.pace import Pace
from video_emotions.pipeline import Pipeline
from video_emotions.settings import Settings
from video_emotions.telemetry import Stopwatch

STEP_MS = 40
NOON = 1_800_000_000.0
GATEWAY_MS = limits.GATEWAY_SECONDS * 1000


def seconds(left: float, arrived_ms: int | None) -> float:
    """Return how long a request has that begins at noon, with the margin."""
    clock = Clock(100.0)
    deadline = Deadline.of_request(left, arrived_ms, clock=clock, now=lambda: NOON)
    return (deadline.left + limits.FINISH_SECONDS) / (1 - limits.FINISH_SHARE)


@pytest.mark.parametrize(
    ("left", "arrived_ago_ms", "has"),
    [
        (28, None, 28),
        (28, 0, 28),
        (28, 5_000, 24),  # a cold start of five seconds: the gateway gives up first
        (10, 5_000, 10),
        (28, GATEWAY_MS - 1, 0.001),
        (28, GATEWAY_MS, 28),  # the gateway has given up: a recorded event
        (28, 10**12, 28),
        (28, -60_000, 28),  # the clocks differ
    ],
)
def test_the_sooner_end_counts_and_a_recorded_arrival_does_not(left, arrived_ago_ms, has):
    arrived_ms = None if arrived_ago_ms is None else round(NOON * 1000) - arrived_ago_ms
    assert seconds(left, arrived_ms) == pytest.approx(has, abs=1e-4)


def test_a_margin_stays_for_the_answer():
    deadline = Deadline.of_request(28, clock=Clock(0.0))
    assert deadline.at == pytest.approx(28 - limits.FINISH_SECONDS - 28 * limits.FINISH_SHARE)
    assert NEVER.left == math.inf


def test_the_functions_have_the_times_that_callers_are_told():
    times = [properties(name)["Timeout"] for name in IMAGE_FUNCTIONS]
    assert times == [limits.API_SECONDS, limits.WORKER_SECONDS]


class Toy:
    """A detector that takes time, and finds one face, whose place depends on the picture."""

    facts = DetectorFacts(name="toy", weights_sha256="0" * 64)
    smallest_face = sure_face = 1

    def __init__(self, clock: Clock, cost: float) -> None:
        self._clock, self._cost = clock, cost

    def detect(self, image) -> Iterator[Detection]:
        self._clock.now += self._cost
        if image[0, 0, 0] % 5:
            yield Detection(Box(int(image[0, 0, 0]) % 8, 4, 16, 16))


class Brightness(EmotionModel):
    """A model whose scores follow from each picture."""

    def __init__(self) -> None:
        super().__init__(None, MODEL)

    def score(self, faces):
        return [tuple(int(face.sum() * 7 + place) % 1000 for place in range(7)) for face in faces]


class Coming(Iterator[Frame]):
    """Frames, each there at once."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = iter(frames)

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Do nothing: no work is in progress."""


def frames_of(count: int, unreadable: Set[int], clock: Clock, cost: float, *, until_ms: int | None) -> Iterator[Frame]:
    for place in range(count):
        clock.now += cost
        if place not in unreadable:
            image = np.full((32, 32, 3), place % 256, np.uint8)
            next_ms = (place + 1) * STEP_MS if place + 1 < count else until_ms
            yield Frame(place, place * STEP_MS, (image,), (32, 32), place + 1, next_ms)


def report(
    count: int,
    unreadable: Set[int] = frozenset(),
    deadline_at: float = math.inf,
    *,
    costs: tuple[float, float] = (0, 0),
    until_ms: int | None = None,
    partial: Partial | None = None,
) -> Report:
    clock = Clock(0.0)
    finder = FaceFinder(Path(), "toy", {"toy": lambda _: Toy(clock, costs[1])})
    frames = Coming(frames_of(count, unreadable, clock, costs[0], until_ms=until_ms))
    plan = PlanFacts(count, count, until_ms, (1.0,))
    options = Options(include="timeline", partial=partial)
    pipeline = Pipeline(Settings(threads=2), Brightness(), finder)
    return pipeline.report(frames, plan, options, Stopwatch(), Deadline(deadline_at, clock), Follower())


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 40),
    st.sets(st.integers(0, 39), max_size=10),
    st.floats(0, 50),
    st.tuples(st.floats(0, 2), st.floats(0, 2)),
    st.sampled_from([None, 40 * STEP_MS]),
)
def test_whenever_the_deadline_comes_the_report_is_that_of_the_first_frames(count, unreadable, at, costs, until_ms):
    cut = report(count, unreadable, at, costs=costs, until_ms=until_ms)
    whole = report(count, unreadable, until_ms=until_ms)
    if cut.analyzed_until_ms == until_ms:
        assert cut == whole
        return
    assert cut.analyzed_until_ms is not None
    # Then it is the Report of the frames before a moment, to the last face, and that moment is the next frame's
    first = cut.analyzed_until_ms // STEP_MS
    assert cut == replace(report(first, unreadable), analyzed_until_ms=first * STEP_MS)
    assert [seen.index for seen in cut.timeline] == [place for place in range(first) if place not in unreadable]
    # And the rest is the Report of the whole without it
    rest = [seen for seen in whole.timeline if seen.time_ms >= cut.analyzed_until_ms]
    assert list(cut.timeline) + rest == list(whole.timeline)


def test_without_time_nothing_is_analyzed_and_with_enough_all():
    assert report(5, deadline_at=0).frames_analyzed == 0
    assert report(5, deadline_at=0).analyzed_until_ms == 0
    assert report(5, deadline_at=100, costs=(1, 1)).analyzed_until_ms is None


def test_a_decoder_that_stops_at_the_deadline_leaves_what_came_before():
    def frames() -> Iterator[Frame]:
        yield from frames_of(3, set(), Clock(), 0, until_ms=120)
        raise TooLong("the time is over")

    pace = Pace(10, Options(), Deadline(1, Clock(0.0)))
    assert [frame.index for frame in pace.admitted(frames())] == [0, 1, 2]
    assert (pace.frames, pace.until_ms) == (3, 120)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 3), st.floats(20, 60))
def test_frames_in_progress_end_before_the_deadline(cost, at):
    # Given looks that take most of what is left: none begins that may end too late
    clock = Clock(0.0)
    pace = Pace(100, Options(), Deadline(at, clock))

    def look(_frame: Frame) -> float:
        clock.now += cost
        return clock.now

    look_timed = pace.timed(look)
    ended = [look_timed(frame) for frame in pace.admitted(frames_of(100, set(), clock, 0, until_ms=None))]
    assert max(ended) <= at
    assert at - max(ended) <= 3 * cost or len(ended) == 100


def test_a_large_first_frame_needs_more_time_than_a_small_one():
    def admitted(width: int, height: int) -> int:
        image = np.zeros((height, width, 3), np.uint8)
        frames = iter([Frame(0, 0, (image,), (width, height), 1, None)])
        return len(list(Pace(1, Options(), Deadline(2, Clock(0.0))).admitted(frames)))

    assert (admitted(640, 360), admitted(3840, 2160)) == (1, 0)


def test_what_cannot_end_in_time_is_refused_early_and_only_then():
    def analyzed(cost: float, partial: Partial) -> tuple[int, bool]:
        found = report(1000, deadline_at=900, costs=(cost, 0), partial=partial)
        return found.frames_analyzed, found.truncated

    # Ten times too slow: a tenth of the time is enough to know
    count, truncated = analyzed(9, Partial.REFUSE)
    assert truncated
    assert count == pytest.approx(20, abs=2)
    # A little too slow: it may become faster, so it has its time
    count, truncated = analyzed(1.0, Partial.REFUSE)
    assert truncated
    assert count > 600
    # Fast enough
    assert analyzed(0.85, Partial.REFUSE) == (1000, False)
    # And a caller who allows a part gets all that the time is long enough for
    count, truncated = analyzed(9, Partial.ALLOW)
    assert truncated
    assert count == pytest.approx(96, abs=4)


def test_a_slow_start_is_not_the_pace():
    # Given a download that takes half of the time, and twenty frames that take twice as long as the others
    clock = Clock(0.0)

    def frames() -> Iterator[Frame]:
        for frame in frames_of(1000, set(), clock, 0.4, until_ms=None):
            clock.now += 0.4 if frame.index < 20 else 0
            yield frame

    pace = Pace(1000, Options(partial=Partial.REFUSE), Deadline(900, clock))
    clock.now += 450
    assert len(list(pace.admitted(frames()))) == 1000
