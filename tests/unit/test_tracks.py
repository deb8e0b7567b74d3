"""Faces of neighboring frames get the same number, and what is a cut. `tests/long/test_people.py` has whole walks."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from video_emotions.assignment import assign
from video_emotions.boxes import Box
from video_emotions.cuts import is_cut, thumbnail
from video_emotions.tracks import KEPT_MS, Tracks

Image = NDArray[np.uint8]
HEIGHT, WIDTH = 270, 480


def lawn(seed: int) -> Image:
    """Return a picture that has structure, and the same color everywhere; larger than a frame by 40 pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT + 40, WIDTH + 40))
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    gray = np.clip(120 + 20 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def frame_of(place: Image, across: int = 20, down: int = 20) -> Image:
    return np.ascontiguousarray(place[down : down + HEIGHT, across : across + WIDTH])


@pytest.mark.parametrize(("gap_ms", "same"), [(KEPT_MS, True), (KEPT_MS + 1, False)])
def test_a_hidden_face_is_remembered_for_a_while(gap_ms, same):
    face = Box(100, 100, 50, 60)
    tracks, (number,) = Tracks().follow(0, [face])
    tracks, _ = tracks.follow(gap_ms - 100, [])
    _, (later,) = tracks.follow(gap_ms, [face])
    assert (later == number) == same


def test_frames_that_are_seconds_apart_are_linked_too():
    tracks, (number,) = Tracks().follow(0, [Box(100, 100, 50, 60)])
    _, (later,) = tracks.follow(3 * KEPT_MS, [Box(110, 100, 50, 60)])
    assert later == number


def test_a_face_of_another_size_is_another_person():
    tracks, (number,) = Tracks().follow(0, [Box(100, 100, 50, 60)])
    _, (later,) = tracks.follow(100, [Box(70, 70, 120, 140)])
    assert later != number


COSTS = st.integers(1, 12).flatmap(
    lambda columns: st.lists(
        st.lists(st.none() | st.integers(-9, 40).map(float), min_size=columns, max_size=columns), max_size=12
    )
)


@settings(deadline=None)
@given(COSTS)
def test_the_assignment_is_the_one_of_another_solver(costs):
    columns = len(costs[0]) if costs else 0
    chosen = assign(costs, columns)
    pairs = [(row, place) for row, place in enumerate(chosen) if place is not None]
    assert len({place for _, place in pairs}) == len(pairs)
    mine = [costs[row][place] for row, place in pairs]
    assert None not in mine
    if costs:
        table = np.array([[1e4 if cost is None else cost for cost in row] for row in costs])
        theirs = [cost for cost in table[linear_sum_assignment(table)] if cost < 1e4]
        assert (len(mine), sum(mine)) == (len(theirs), pytest.approx(sum(theirs)))


def test_a_large_crowd_is_assigned_nearly_as_well():
    table = np.random.default_rng(1).random((200, 200)) * 20
    chosen = assign(table.tolist(), 200)
    assert set(chosen) == set(range(200))
    best = table[linear_sum_assignment(table)].sum()
    assert sum(table[row, place] for row, place in enumerate(chosen)) <= best + 200 * 0.1


LAWNS = st.integers(0, 10_000)


@settings(deadline=None, max_examples=30)
@given(LAWNS, LAWNS)
def test_another_place_of_the_same_color_is_a_cut(one, other):
    assume(one != other)
    assert is_cut(thumbnail(frame_of(lawn(one))), thumbnail(frame_of(lawn(other))))


@settings(deadline=None, max_examples=30)
@given(LAWNS, st.integers(-10, 10), st.integers(-10, 10), st.integers(-8, 8), st.integers(0, WIDTH // 2))
def test_a_moving_camera_a_person_grain_and_light_are_no_cut(seed, across, down, light, person):
    place = lawn(seed)
    before, after = frame_of(place), frame_of(place, 20 + across, 20 + down).astype(float)
    after[60:, person : person + WIDTH // 3] = (60, 120, 220)
    after += light + np.random.default_rng(seed).normal(0, 12, after.shape)
    assert not is_cut(thumbnail(before), thumbnail(np.clip(after, 0, 255).astype(np.uint8)))


def test_grain_on_a_plain_wall_is_no_cut():
    walls = [np.random.default_rng(seed).normal(120, 12, (HEIGHT, WIDTH, 3)).astype(np.uint8) for seed in (1, 2)]
    assert not is_cut(*map(thumbnail, walls))


@pytest.mark.parametrize("color", [(120, 120, 141), (99, 120, 120), (145, 145, 145)])
def test_another_color_is_a_cut(color):
    assert is_cut(*(thumbnail(np.full((HEIGHT, WIDTH, 3), each, np.uint8)) for each in ((120, 120, 120), color)))
