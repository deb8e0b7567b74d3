"""Faces of neighboring frames get the same number while people move, cross and hide; no number spans a cut."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from testbed.following import Followed, judge
from testbed.walks import KINDS, STEP_MS, Walk
from video_emotions.aggregate import Observation, Report, ScoredFace, summarise
from video_emotions.assignment import assign
from video_emotions.boxes import Box
from video_emotions.cuts import is_cut, thumbnail
from video_emotions.follower import Follower, compared
from video_emotions.outline import Partial, observations
from video_emotions.tracks import KEPT_MS, Tracks

Image = NDArray[np.uint8]
HEIGHT, WIDTH = 270, 480
SEEDS = range(100)


def lawn(seed: int) -> Image:
    """Return a picture that has structure, and the same color everywhere; larger than a frame by 40 pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT + 40, WIDTH + 40))
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    gray = np.clip(120 + 20 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def frame_of(place: Image, across: int = 20, down: int = 20) -> Image:
    return np.ascontiguousarray(place[down : down + HEIGHT, across : across + WIDTH])


SCENES = [thumbnail(frame_of(lawn(seed))) for seed in (1, 2)]


def detected(walk: Walk, frame: int, random: np.random.Generator) -> list[Box]:
    """Find the faces as a detector does: somewhat beside, at times not at all, at times where nobody is."""
    boxes = []
    for box in walk.seen(frame):
        if box and random.random() > 0.03:
            x, y, size = random.normal(0, 0.05, 3) * box.height
            grown = 1 + size / box.height
            boxes.append(Box(round(box.x + x), round(box.y + y), round(box.width * grown), round(box.height * grown)))
    if random.random() < 0.01:
        boxes.append(Box(int(random.integers(400)), int(random.integers(200)), 50, 64))
    return sorted(boxes, key=lambda box: -box.area)


def follow(walk: Walk, step: int = 1) -> Followed:
    frames, tracks, found = range(0, walk.frames, step), Tracks(), []
    random = np.random.default_rng([9, walk.seed])
    for frame in frames:
        boxes = detected(walk, frame, random)
        before, scene = (SCENES[walk.scenes[place]] for place in (max(0, frame - step), frame))
        tracks, numbers = tracks.follow(frame * STEP_MS, boxes, is_cut=is_cut(before, scene))
        found.append(list(zip(boxes, numbers, strict=True)))
    return judge(walk, frames, found)


@pytest.mark.parametrize(
    ("kind", "least"),
    [("cross", 95), ("meet and turn back", 90), ("one hidden for a second", 90), ("three mingle", 80)],
)
def test_people_keep_their_numbers(kind, least):
    kept = [follow(KINDS[kind](seed)).kept for seed in SEEDS]
    assert sum(kept) >= least, [seed for seed, is_kept in zip(SEEDS, kept, strict=True) if not is_kept]


def test_no_track_spans_a_cut():
    outcomes = [follow(KINDS["a cut"](seed)) for seed in SEEDS]
    assert sum(outcome.across for outcome in outcomes) == 0
    assert sum(outcome.kept for outcome in outcomes) >= 97


def test_whoever_returns_after_some_seconds_is_a_new_person():
    outcomes = [follow(KINDS["one leaves and returns"](seed)) for seed in SEEDS]
    assert sum(outcome.switches for outcome in outcomes) == 0
    assert sum(outcome.fragments == 1 for outcome in outcomes) >= 95


def test_handed_on_tracks_give_the_numbers_of_the_whole():
    walk = KINDS["three mingle"](3)
    random = np.random.default_rng(3)
    frames = [(frame * STEP_MS, detected(walk, frame, random)) for frame in range(walk.frames)]

    def numbers(tracks: Tracks, some: list) -> Iterator[tuple[Tracks, tuple[int, ...]]]:
        for frame in some:
            tracks, chosen = tracks.follow(*frame)
            yield tracks, chosen

    whole = [chosen for _, chosen in numbers(Tracks(), frames)]
    for cut in (0, 1, 17, len(frames)):
        first = list(numbers(Tracks(), frames[:cut]))
        handed_on = first[-1][0] if first else Tracks()
        rest = [chosen for _, chosen in numbers(handed_on, frames[cut:])]
        assert [chosen for _, chosen in first] + rest == whole


def observed(walk: Walk) -> list[Observation]:
    """Return a walk's frames, whose faces have scores and are not linked yet."""
    random, frames = np.random.default_rng([7, walk.seed]), []
    for frame in range(walk.frames):
        boxes, contact = detected(walk, frame, random), bool(random.integers(2))
        faces = tuple(
            ScoredFace(box, True, tuple(random.integers(0, 10**6, 7).tolist()), 0.9, eye_contact=contact)
            for box in boxes
        )
        frames.append(Observation(frame, frame * STEP_MS, contact, faces, 0, SCENES[walk.scenes[frame]]))
    return frames


def through_texts(report: Report) -> tuple[Report, Iterator[Observation]]:
    sums, timeline = Partial(outline="", number=0, report=report, timings_ms={}).to_texts()
    return Partial.model_validate_json(sums).report, observations(timeline.splitlines())


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 99),
    cuts=st.lists(st.integers(0, 60), max_size=9),
    keep=st.booleans(),
)
def test_segments_that_are_linked_in_the_merge_have_the_report_of_the_whole(kind, seed, cuts, keep):
    frames = observed(KINDS[kind](seed))
    frames[5:9] = [replace(seen, faces=()) for seen in frames[5:9]]
    whole = summarise(Follower().follow(frames), frames_wanted=len(frames), keep_timeline=keep)
    kept: list[Observation] = []
    merged, follower, bounds = Report(), Follower(), [0, *sorted(min(cut, len(frames)) for cut in cuts), len(frames)]
    for first, end in pairwise(bounds):
        part = summarise(compared(frames[first:end]), frames_wanted=end - first, keep_timeline=True)
        assert sum(seen.scene is not None for seen in part.timeline) == min(2, end - first)
        merged += follower.linked(*through_texts(part), kept.append)
    assert replace(merged, timeline=tuple(kept) if keep else ()) == whole
    assert merged.people


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
