"""What the benchmarks make of what they measure."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import page
from benchmarks.bench import SEED, Bar, figures, table, verdict
from benchmarks.cost import cost_section, dollars, seconds_on
from benchmarks.measuring import Measured, measure, readiness

SECONDS = st.floats(0.01, 1000)


@given(SECONDS, st.floats(0.5, 1), st.floats(1, 64))
def test_on_one_and_two_vcpus_it_is_what_was_measured_and_more_are_never_slower(one, part, vcpus):
    two = one * part
    assert seconds_on(1, one, two) == pytest.approx(one)
    assert seconds_on(2, one, two) == pytest.approx(two)
    assert seconds_on(vcpus + 1, one, two) <= seconds_on(vcpus, one, two) + 1e-9
    assert seconds_on(1e9, one, two) == pytest.approx(2 * two - one, abs=1e-5)


def test_where_a_second_processor_did_not_help_more_do_not_either():
    assert seconds_on(6, 1.0, 1.1) == 1.0


def test_a_gigabyte_for_a_second_and_a_request_cost_what_the_list_says():
    assert dollars(1.0, 1024) == pytest.approx(0.0000166667 + 0.0000002)


def test_the_costs_of_a_clip_are_a_line_for_each_number_of_vcpus():
    section = cost_section({"A": (60, 8.0, 4.0)})
    assert "| A | 1 | 1769 | 8.00 | measured here | 0.23 | 4,338 |" in section
    assert "| A | 2 | 3538 | 4.00 | measured here | 0.23 | 4,338 |" in section
    assert "| A | 4 | 7076 | 2.00 | calculated |" in section
    assert "SnapStart" in section


def seen(seconds: list[float], ready: float = 1.0, peak_mb: float = 100.0) -> Measured:
    return Measured(None, [ready], [[one] for one in seconds], peak_mb)


@pytest.mark.parametrize(
    ("kind", "expected"), [("faster", [2.0, 8.0]), ("part", [0.5, 0.125]), ("ready", [0.5]), ("memory", [0.1])]
)
def test_a_bar_is_about_each_rounds_seconds_readiness_or_memory(kind, expected):
    mine, other = seen([4.0, 1.0], ready=2.0), seen([8.0, 8.0], ready=4.0, peak_mb=1000.0)
    assert figures(Bar("A", "exact", "seed", kind, 1, 1), mine, other) == expected


def test_a_round_of_several_runs_counts_with_their_median():
    several = Measured(None, rounds=[[1.0, 2.0, 9.0], [3.0, 3.0, 3.0]])
    assert several.by_round == [2.0, 3.0]
    assert several.median == 3.0


@pytest.mark.parametrize(
    ("kind", "is_", "word"),
    [
        ("faster", 2.9, "**not kept**"),
        ("faster", 3.0, "kept"),
        ("faster", 4.0, "aim reached"),
        ("part", 3.1, "**not kept**"),
        ("part", 3.0, "kept"),
    ],
)
def test_the_verdict_tells_what_must_be_from_what_is_aimed_at(kind, is_, word):
    assert verdict(Bar("A", "exact", "seed", kind, 3, 4 if kind == "faster" else 2), is_) == word


def test_the_table_compares_round_by_round_and_says_how_far_they_differ():
    # Given a machine that was half as fast in the second round
    bar = Bar("A", "exact", "seed", "faster", 3, 4)
    text = table([bar], {("A", "exact"): seen([2.0, 4.0, 2.0]), ("A", "seed"): seen([6.0, 14.0, 7.0])}, {"A": SEED})
    assert "`make bench`, interleaved rounds: 3 after" in text
    assert "| A | exact | 3.50 times faster than seed | 3.00 to 3.50 | 3.00 | 4.00 | kept |" in text


def test_a_bar_that_asks_for_nothing_is_not_judged():
    text = table(
        [Bar("yours", "exact", "seed", "faster")],
        {("yours", "exact"): seen([2.0]), ("yours", "seed"): seen([6.0])},
        {"yours": SEED},
    )
    assert text.endswith("| yours | exact | 3.00 times faster than seed |  |  |  |  |")


def test_a_bar_that_compares_two_clips_takes_the_other_clips_figure():
    bar = Bar("D", "exact", "exact", "part", 21, 20.2, "D1")
    text = table([bar], {("D", "exact"): seen([40.0]), ("D1", "exact"): seen([2.0])}, {"D": SEED})
    assert "| D | exact | 20.00 of the time of exact on D1 |  | 21.00 | 20.20 | aim reached |" in text


def test_processes_run_in_turns_and_the_warm_up_is_not_counted(tmp_path):
    # Given two subjects that write down when they run
    program = """
import sys
from pathlib import Path
from benchmarks.serving import serve
def run(path):
    with path.open("a") as file:
        file.write(sys.argv[1])
serve(lambda: run, Path(sys.argv[2]))
"""
    diary = tmp_path / "diary"
    commands = {("clip", name): [sys.executable, "-c", program, name, str(diary)] for name in "ab"}
    done = measure(commands, rounds=2)
    assert diary.read_text() == "ababab"
    assert [len(one.seconds) for one in done.values()] == [2, 2]
    assert all(1 < one.peak_mb < 100 for one in done.values())
    assert [len(seconds) for seconds in readiness(commands, rounds=2).values()] == [2, 2]
    assert diary.read_text() == "ababab"


def test_the_memory_of_a_subject_is_its_own_and_not_what_its_parent_held():
    # Given a parent that holds 200 MB
    held = np.ones(200 * 2**20, np.uint8)
    program = "from pathlib import Path; from benchmarks.serving import serve; serve(lambda: print, Path())"
    done = measure({("clip", "light"): [sys.executable, "-c", program]}, rounds=1)
    assert held.all()
    assert done["clip", "light"].peak_mb < 100


def test_a_section_is_replaced_and_the_others_stay(tmp_path, monkeypatch):
    path = tmp_path / "page.md"
    path.write_text("# Page\n", encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", path)
    for name, text in (("cost", "old"), ("steps", "other"), ("cost", "new")):
        page.write_section(name, text)
    written = path.read_text(encoding="utf-8")
    assert [line for line in written.splitlines() if line and not line.startswith(("<!--", "#"))] == ["new", "other"]
    # Given that the end of a section went missing
    broken = written.replace("<!-- cost: end -->", "")
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(ValueError, match="substring not found"):
        page.write_section("cost", "newer")
    assert path.read_text(encoding="utf-8") == broken


def test_a_subject_that_ends_early_ends_the_benchmark():
    with pytest.raises(SystemExit, match="ended early"):
        measure({("clip", "none"): [sys.executable, "-c", ""]}, rounds=1)
