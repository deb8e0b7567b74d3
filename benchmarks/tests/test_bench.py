"""The table of `make bench` compares subjects round by round, and says whether each bar is kept."""

import pytest

from benchmarks.bench import BARS, BESIDES, OURS, SEED, Bar, figures, table, verdict
from benchmarks.clips import CLIPS
from benchmarks.measuring import Measured
from benchmarks.subject import SUBJECTS


def seen(seconds: list[float], ready: float = 1.0, peak_mb: float = 100.0) -> Measured:
    return Measured([ready], [[one] for one in seconds], peak_mb)


@pytest.mark.parametrize(
    ("kind", "expected"), [("faster", [2.0, 8.0]), ("part", [0.5, 0.125]), ("ready", [0.5]), ("memory", [0.1])]
)
def test_a_bar_is_about_each_rounds_seconds_readiness_or_memory(kind, expected):
    mine, other = seen([4.0, 1.0], ready=2.0), seen([8.0, 8.0], ready=4.0, peak_mb=1000.0)
    assert figures(Bar("A", "default", "seed", kind, 1), mine, other) == expected


@pytest.mark.parametrize(
    ("kind", "is_", "word"),
    [
        ("faster", 2.9, "**not kept**"),
        ("faster", 3.0, "kept"),
        ("part", 3.1, "**not kept**"),
        ("part", 3.0, "kept"),
        ("ready", 3.1, "**not kept**"),
        ("memory", 2.9, "kept"),
    ],
)
def test_speed_must_be_at_least_the_bar_and_all_else_at_most(kind, is_, word):
    assert verdict(Bar("A", "default", "seed", kind, 3), is_) == word


def test_the_table_compares_round_by_round_and_says_how_far_they_differ():
    # Given a machine that was half as fast in the second round
    bar = Bar("A", "default", "seed", "faster", 3)
    text = table([bar], {("A", "default"): seen([2.0, 4.0, 2.0]), ("A", "seed"): seen([6.0, 14.0, 7.0])}, {"A": SEED})
    assert "`make bench`, interleaved rounds: 3 (D: 1) after" in text
    assert "| A | default | 3.50 times faster than seed | 3.00 to 3.50 | 3.00 | kept |" in text


def test_a_bar_that_asks_for_nothing_is_not_judged():
    text = table(
        [Bar("yours", "yunet", "seed", "faster")],
        {("yours", "yunet"): seen([2.0]), ("yours", "seed"): seen([6.0])},
        {"yours": SEED},
    )
    assert text.endswith("| yours | yunet | 3.00 times faster than seed |  |  |  |")


def test_a_bar_that_compares_two_clips_takes_the_other_clips_figure():
    bar = Bar("D", "default", "default", "part", 21, "D1")
    text = table([bar], {("D", "default"): seen([40.0]), ("D1", "default"): seen([2.0])}, {"D": SEED})
    assert "| D | default | 20.00 of the time of default on D1 |  | 21.00 | kept |" in text


def test_all_that_is_measured_exists():
    pairs = {(bar.clip, bar.subject) for bar in BARS} | {(bar.against_clip or bar.clip, bar.against) for bar in BARS}
    pairs |= {*BESIDES, *(("A", name) for name in OURS)}
    assert {clip for clip, _ in pairs} == set(CLIPS)
    assert {name.partition("@")[0] for _, name in pairs} == set(SUBJECTS)
