"""A hundred walks of each kind: people keep their numbers, and segments that are linked later give the same ones."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.following import Followed, judge
from testbed.walks import KINDS, STEP_MS, Walk
from tests.unit.test_tracks import frame_of, lawn
from video_emotions.aggregate import Observation, Report, ScoredFace, summarise
from video_emotions.boxes import Box
from video_emotions.cuts import is_cut, thumbnail
from video_emotions.follower import Follower, compared
from video_emotions.outline import Partial, observations
from video_emotions.tracks import Tracks

SEEDS = range(100)
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
