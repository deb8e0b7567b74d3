"""Costs follow from the seconds on one and on two processors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cost import cost_section, seconds_on
from video_common.prices import invocation_dollars

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
    assert invocation_dollars(1.0, 1024) == pytest.approx(0.0000166667 + 0.0000002)


def test_the_costs_of_a_clip_are_a_line_for_each_number_of_vcpus():
    section = cost_section({"A": (60, 8.0, 4.0)})
    assert "| A | 1 | 1769 | 8.00 | measured here | 0.23 | 4,338 |" in section
    assert "| A | 2 | 3538 | 4.00 | measured here | 0.23 | 4,338 |" in section
    assert "| A | 4 | 7076 | 2.00 | calculated |" in section
    assert "SnapStart" in section
