"""Frames come in presentation order, even if the decoder gives others first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from video_emotions.facts import Frame
from video_emotions.frames import in_order

IMAGE = np.zeros((2, 2, 3), np.uint8)


def ordered(*planned: int, given: int = 0) -> list[int]:
    frames = (Frame(place, 40 * place, (IMAGE,), (2, 2), place, None) for place in planned)
    return [frame.planned for frame in in_order(frames, given)]


def test_one_early_frame_costs_no_other():
    assert ordered(1, 2, 12, 3, 4, 5, 6, 7, 8, 9, 10, 11) == list(range(1, 13))
    assert ordered(5, 9, 6, 7, 8, given=4) == [5, 6, 7, 8, 9]


def test_frames_after_a_missing_one_are_given():
    assert ordered(1, 3, 4, 5, 6, 7, 8) == [1, 3, 4, 5, 6, 7, 8]


def test_what_comes_too_late_is_left_out():
    assert ordered(*range(6, 16), 1, 2) == list(range(6, 16))
    assert ordered(1, 2, given=2) == []


@given(st.permutations(range(1, 30)))
def test_they_always_ascend(planned):
    got = ordered(*planned)
    assert got == sorted(set(got))
    assert len(got) >= 9  # those that can wait, and one more
