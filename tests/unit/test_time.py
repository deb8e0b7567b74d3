"""Sampling by time, and a part of a video."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.videos_info import info_of
from video_common.errors import InvalidOption
from video_common.options import from_metadata, parse_options, to_metadata
from video_common.schema import Options
from video_emotions.packets import PacketIndex
from video_emotions.plan import plan

TIMES = st.lists(st.integers(0, 5000), min_size=1, max_size=60).map(sorted)
MOMENTS = st.integers(0, 6000)


def planned(times: list[int], last_ms: int = 40, **options) -> list[int]:
    """Return what is sampled of pictures that begin at those times, the last one shown for so long."""
    index = PacketIndex(np.array(times), np.array(times), np.ones(len(times), np.bool_), np.arange(len(times)), True)
    info = info_of(len(times), duration_ms=times[-1] - times[0] + last_ms)
    return plan(info, index, Options(**options)).indices.tolist()


@given(TIMES, MOMENTS, MOMENTS, st.integers(1, 50))
def test_a_part_is_sampled_by_count_from_its_first_picture(times, start, length, interval):
    inside = [place for place, time in enumerate(times) if start <= time < start + length + 1]
    options = {"start_ms": start, "end_ms": start + length + 1, "frame_interval": interval}
    if not inside:
        with pytest.raises(InvalidOption, match=f"begins at {times[0]} ms and the last one at {times[-1]} ms"):
            planned(times, **options)
        return
    assert planned(times, **options) == inside[::interval]


@given(TIMES, MOMENTS, st.integers(1, 3000))
def test_the_picture_shown_at_each_multiple_is_sampled_once(times, start, interval):
    if start > times[-1]:
        return
    # Given every moment, one by one, until the last picture is over
    first = next(place for place, time in enumerate(times) if time >= start)
    shown = {first}
    for moment in range(start, times[-1] + 40, interval):
        shown.add(max([place for place, time in enumerate(times) if time <= moment], default=first))
    assert planned(times, start_ms=start, interval_ms=interval) == sorted(place for place in shown if place >= first)


def test_by_time_a_fast_camera_and_a_slow_one_give_the_same_moments():
    slow, fast = list(range(0, 4000, 40)), [round(place * 1000 / 240) for place in range(960)]
    times = [[clip[place] for place in planned(clip, 4000 - clip[-1], interval_ms=500)] for clip in (slow, fast)]
    assert times[0] == pytest.approx(times[1], abs=40)
    assert len(times[0]) == len(times[1]) == 8


def test_the_last_picture_is_shown_until_it_ends():
    assert planned([0, 40, 80], interval_ms=100) == [0, 2]
    assert planned([0, 40, 80], interval_ms=120) == [0]
    assert planned([0, 40, 80], interval_ms=100, end_ms=100) == [0]


def test_a_file_that_claims_years_costs_no_memory():
    assert planned([0, 10**15], interval_ms=1) == [0, 1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"interval_ms": ["500"], "frame_interval": ["30"]}, "'interval_ms' and 'frame_interval' exclude each other"),
        ({"start_ms": ["500"], "end_ms": ["500"]}, "'end_ms' must be greater than 'start_ms'"),
        ({"interval_ms": ["0"]}, "'interval_ms' must be a whole number of milliseconds from 1 to"),
        ({"start_ms": ["-1"]}, "'start_ms' must be a whole number of milliseconds from 0 to"),
        ({"detector": ["mtcnn"]}, "'detector' must be haar or yunet"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_words(query, said):
    with pytest.raises(InvalidOption, match=said):
        parse_options(query, {})


def test_options_of_query_and_json_are_validated_together():
    with pytest.raises(InvalidOption, match="exclude each other"):
        parse_options({"interval_ms": ["500"]}, {"frame_interval": 30})
    with pytest.raises(InvalidOption, match="'end_ms' must be greater"):
        parse_options({"start_ms": ["900"]}, {"end_ms": 800})
    assert parse_options({"interval_ms": ["500"]}, {"detector": "yunet"}).frame_interval is None


@given(st.sampled_from([{"interval_ms": 40}, {"frame_interval": 7}, {"start_ms": 5, "end_ms": 9, "detector": "yunet"}]))
def test_options_survive_the_way_through_an_objects_metadata(members):
    options = Options(**members)
    assert from_metadata(to_metadata(options)) == options
