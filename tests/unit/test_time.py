"""Sampling by time, and a part of a video."""

from collections.abc import Set

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.videos_info import info_of
from video_common.errors import InvalidOption
from video_common.options import from_metadata, parse_options, to_metadata
from video_common.schema import Options
from video_emotions.packet_index import PacketIndex
from video_emotions.plan import plan

TIMES = st.lists(st.integers(0, 5000), min_size=1, max_size=60).map(sorted)
MOMENTS = st.integers(0, 6000)


def planned(times: list[int], last_ms: int = 40, *, keyframes: Set[int] | None = None, **options) -> list[int]:
    """Return what is sampled of pictures that begin at those times, the last one shown for so long.

    All of them are keyframes, or those that begin at the times ``keyframes``.
    """
    is_keyframe = np.array([keyframes is None or time in keyframes for time in times])
    index = PacketIndex(np.array(times), np.array(times), is_keyframe, np.arange(len(times)), True)
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


@given(TIMES, st.integers(1, 3000))
def test_the_picture_shown_at_each_multiple_is_sampled_once(times, interval):
    # Given every moment, one by one, until the last picture is over
    shown = {0}
    for moment in range(0, times[-1] + 40, interval):
        shown.add(max([place for place, time in enumerate(times) if time <= moment], default=0))
    assert planned(times, interval_ms=interval) == sorted(shown)


WAYS = st.sampled_from([{"sampling": "keyframes"}, {}, {"interval_ms": 1}, {"interval_ms": 1, "sampling": "keyframes"}])


@settings(deadline=None)
@given(st.data(), TIMES.map(lambda times: sorted(set(times))), WAYS, st.integers(1, 900))
def test_parts_join_on_to_the_whole_where_a_sampled_picture_begins(data, times, way, interval):
    keyframes = data.draw(st.sets(st.sampled_from(times)).map(lambda chosen: {times[0], *chosen}))
    options = way | {"interval_ms" if "interval_ms" in way else "frame_interval": interval}
    whole = planned(times, keyframes=keyframes, **options)
    until = times[data.draw(st.sampled_from(whole))]
    before = planned(times, keyframes=keyframes, end_ms=until, **options) if until > times[0] else []
    assert before + planned(times, keyframes=keyframes, start_ms=until, **options) == whole


@settings(deadline=None)
@given(st.data(), TIMES, st.integers(1, 900))
def test_by_time_a_part_has_the_samples_of_the_whole_that_begin_in_it(data, times, interval):
    start, length = data.draw(MOMENTS), data.draw(MOMENTS)
    inside = [place for place, time in enumerate(times) if start <= time < start + length + 1]
    if not inside:
        return
    sampled = [place for place in planned(times, interval_ms=interval) if place in inside]
    part = planned(times, interval_ms=interval, start_ms=start, end_ms=start + length + 1)
    assert part == (sampled or inside[:1])


def test_by_time_a_fast_camera_and_a_slow_one_give_the_same_moments():
    slow, fast = list(range(0, 4000, 40)), [round(place * 1000 / 240) for place in range(960)]
    times = [[clip[place] for place in planned(clip, 4000 - clip[-1], interval_ms=500)] for clip in (slow, fast)]
    assert times[0] == pytest.approx(times[1], abs=40)
    assert len(times[0]) == len(times[1]) == 8


def test_the_last_picture_is_shown_until_it_ends():
    assert planned([0, 40, 80], interval_ms=100) == [0, 2]
    assert planned([0, 40, 80], interval_ms=120) == [0]
    assert planned([0, 40, 80], interval_ms=100, end_ms=80) == [0]


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


def test_a_part_without_a_keyframe_is_refused_for_keyframes():
    times = [0, 40, 80, 120, 160]
    assert planned(times, keyframes={0, 120}, start_ms=40, sampling="keyframes") == [3]
    with pytest.raises(InvalidOption, match="sampling=exact"):
        planned(times, keyframes={0, 120}, start_ms=40, end_ms=120, sampling="keyframes")
