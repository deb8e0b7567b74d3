"""Which pictures are wanted."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.videos_info import index_of, info_of
from video_common import limits
from video_common.errors import InvalidOption
from video_common.schema import Options, Sampling
from video_emotions.frames import shrink
from video_emotions.plan import plan, refuse_too_many_pixels, scales_for

COUNTS = st.integers(1, 2000)
INTERVALS = st.integers(1, 300)


@given(COUNTS, INTERVALS)
def test_exact_takes_every_nth_from_the_first(count, interval):
    chosen = plan(info_of(count), index_of(count), Options(frame_interval=interval))
    assert chosen.indices.tolist() == list(range(0, count, interval))
    assert not chosen.facts.truncated


@given(COUNTS, INTERVALS, st.sets(st.integers(0, 1999), max_size=40))
def test_keyframes_takes_the_nearest_of_each_and_each_once(count, interval, places):
    places = {0} | {place for place in places if place < count}
    index = index_of(count, keyframes=tuple(places))
    chosen = plan(info_of(count), index, Options(frame_interval=interval, sampling=Sampling.KEYFRAMES)).indices.tolist()
    nearest = {min(sorted(places), key=lambda key: abs(key - wanted)) for wanted in range(0, count, interval)}
    assert chosen == sorted(nearest)


def test_more_than_the_limit_is_left_out_and_said():
    count = limits.MAX_SAMPLED_FRAMES
    whole = plan(info_of(count), index_of(count), Options(frame_interval=1))
    assert (len(whole.indices), whole.facts.truncated) == (count, False)
    cut = plan(info_of(count + 1), index_of(count + 1), Options(frame_interval=1))
    assert (len(cut.indices), cut.facts.truncated) == (count, True)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_without_a_factor_the_longer_side_shrinks_to_each_limit_and_never_grows(height, width):
    scales = scales_for((width, height), Options())
    sides = [max(shrink(np.zeros((height, width, 3), np.uint8), scale, (width, height)).shape[:2]) for scale in scales]
    assert sides == sorted({min(max(height, width), side) for side in limits.DEFAULT_LONG_SIDES})


@given(st.integers(1, 300), st.integers(1, 300), st.floats(min_value=0, max_value=1, exclude_min=True))
def test_a_factor_however_small_leaves_a_picture(height, width, factor):
    assert min(shrink(np.zeros((height, width, 3), np.uint8), factor, (width, height)).shape[:2]) >= 1


def test_a_factor_that_leaves_too_many_pixels_is_refused_with_one_that_fits():
    image = np.zeros((4320, 7680, 3), np.uint8)
    with pytest.raises(InvalidOption, match=r"at 0\.50 at most"):
        shrink(image, 1.0, (7680, 4320))
    assert shrink(image, 0.5, (7680, 4320)).shape == (2160, 3840, 3)


@pytest.mark.parametrize("size", [(4096, 2160), (4096, 2304), (3840, 2400), (6000, 4000), (8192, 4320)])
def test_the_factor_that_a_refusal_names_is_not_refused(size):
    with pytest.raises(InvalidOption) as raised:
        refuse_too_many_pixels(size, 1.0)
    (named,) = re.findall(r"at (0\.\d+) at most", raised.value.detail)
    refuse_too_many_pixels(size, float(named))
    with pytest.raises(InvalidOption):
        refuse_too_many_pixels(size, float(named) + 0.01)
