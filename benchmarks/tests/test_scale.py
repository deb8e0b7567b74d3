"""The simulation of long videos obeys what must hold of any."""

from dataclasses import replace

import pytest

from benchmarks.page import write_section
from benchmarks.scale import CASES, VARIED, Assumptions, cost_seconds, section, simulate
from video_common import limits

PLAIN = Assumptions(spread=0.0, stragglers=0.0, failures=0.0)


def test_a_video_alone_on_enough_functions_takes_one_segments_time():
    got = simulate(1, 6.0, PLAIN)
    each = cost_seconds(6.0, PLAIN) / got.segments
    assert each <= limits.SEGMENT_SECONDS
    assert got.wall_seconds == pytest.approx(each * PLAIN.slowness / PLAIN.vcpus + PLAIN.cold_seconds + 10)


def test_one_function_takes_all_of_the_time():
    got = simulate(1, 6.0, replace(PLAIN, at_once=1))
    assert got.wall_seconds == pytest.approx(got.function_seconds + 10)


def test_environments_begin_a_thousand_in_ten_seconds():
    few, many = (simulate(1000, 1.0, replace(PLAIN, at_once=number)) for number in (1000, 3000))
    assert many.wall_seconds < few.wall_seconds
    slow = simulate(1000, 1.0, replace(PLAIN, at_once=3000, ramp=1))
    assert slow.wall_seconds > many.wall_seconds + 9000


@pytest.mark.parametrize("changed", [changed for _, changed in VARIED if changed])
def test_each_change_for_the_worse_costs_time_or_money(changed):
    given = Assumptions()
    before, after = simulate(200, 1.0, given), simulate(200, 1.0, replace(given, **changed))
    assert after.wall_seconds > before.wall_seconds or after.dollars > before.dollars


def test_the_same_seed_gives_the_same_figures():
    assert simulate(3, 1.0, Assumptions()) == simulate(3, 1.0, Assumptions())
    assert simulate(3, 1.0, Assumptions()) != simulate(3, 1.0, Assumptions(), seed=2)


def test_the_page_has_a_row_for_each_case(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- scale: written by benchmarks/scale.py -->\nformer\n<!-- scale: end -->\nafter\n")
    write_section("scale", section(), page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- scale: end -->\nafter\n")
    assert "former" not in text
    assert text.count("\n| 1") == len(CASES) + 2  # two of the assumptions begin with a 1
