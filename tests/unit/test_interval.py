"""Intervals allow for neighboring votes that say the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from video_emotions.interval import contact_interval, vote_intervals


def ballots(labels):
    return [(int(label),) for label in labels]


def intervals(votes):
    found = vote_intervals(votes, 7)
    assert found is not None
    return found


def width(found, label=0):
    return found[label][1] - found[label][0]


def test_independent_votes_have_wilsons_interval():
    labels = np.random.default_rng(1).integers(0, 2, 400)
    found = intervals(ballots(labels))
    share = (labels == 0).mean()
    assert found[0][0] < share < found[0][1]
    assert width(found) == pytest.approx(2 * 1.96 * 0.5 / 400**0.5, rel=0.25)


def test_the_longer_an_expression_lasts_the_wider_is_the_interval():
    alone = np.random.default_rng(2).integers(0, 2, 40)
    widths = [width(vote_intervals(ballots(np.repeat(alone, times)), 7)) for times in (1, 10, 100)]
    # Given the same 40 looks, more votes about each of them say nothing more
    assert widths[1] == pytest.approx(widths[0], rel=0.35)
    assert widths[2] == pytest.approx(widths[1], rel=0.1)


def test_a_label_without_a_vote_has_an_interval_too():
    found = intervals(ballots(np.random.default_rng(3).integers(0, 2, 200)))
    assert found[6][0] == 0
    assert 0.005 < found[6][1] < 0.1


def test_frames_without_votes_keep_their_place():
    labels = np.repeat(np.random.default_rng(4).integers(0, 2, 60), 5)
    whole = ballots(labels)
    gaps = [vote if place % 2 else () for place, vote in enumerate(whole)]
    assert width(vote_intervals(gaps, 7)) == pytest.approx(width(vote_intervals(whole, 7)), rel=0.25)


@pytest.mark.parametrize("place", [0, 150, 300], ids=["before", "in the middle", "after"])
@pytest.mark.parametrize("times", [1, 4, 9])
@pytest.mark.parametrize("lasts", [5, 20])
def test_a_part_without_a_face_says_nothing(place, times, lasts):
    whole = ballots(np.repeat(np.random.default_rng(4).integers(0, 2, 300 // lasts), lasts))
    empty = [()] * (times * len(whole))
    found = vote_intervals([*whole[:place], *empty, *whole[place:]], 7)
    assert width(found) == pytest.approx(width(vote_intervals(whole, 7)), rel=0.1)


@pytest.mark.parametrize("seen", [2, 10, 20])
def test_a_face_in_view_for_less_time_than_an_expression_lasts_says_no_more_than_the_whole(seen):
    whole = ballots(np.repeat(np.random.default_rng(9).integers(0, 2, 60), 150))
    parts = [vote if place % 50 < seen else () for place, vote in enumerate(whole)]
    assert width(vote_intervals(parts, 7)) == pytest.approx(width(vote_intervals(whole, 7)), rel=0.15)


def test_a_face_found_in_few_frames_says_no_more_than_the_whole():
    ratios = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        whole = ballots(np.repeat(random.integers(0, 2, 20), 150))
        parts = [vote if random.random() < 0.04 else () for vote in whole]
        ratios.append(width(vote_intervals(parts, 7)) / width(vote_intervals(whole, 7)))
    assert np.mean(ratios) > 0.9, ratios


def test_two_faces_that_always_agree_are_one_vote():
    labels = np.random.default_rng(5).integers(0, 2, 100)
    twice = [(int(label), int(label)) for label in labels]
    assert width(vote_intervals(twice, 7)) == pytest.approx(width(vote_intervals(ballots(labels), 7)), rel=0.05)


def test_two_faces_that_know_nothing_of_each_other_are_two_votes():
    labels = np.random.default_rng(6).integers(0, 2, (400, 2))
    both = vote_intervals([tuple(map(int, pair)) for pair in labels], 7)
    one = vote_intervals(ballots(labels[:, 0]), 7)
    assert width(both) == pytest.approx(width(one) / 2**0.5, rel=0.2)


def test_a_crowd_in_one_frame_does_not_make_the_interval_narrower_than_that_of_independent_frames():
    votes = [(int(label),) for label in np.random.default_rng(8).integers(0, 2, 29)] + [(0,) * 200]
    counts = np.array([len(ballot) for ballot in votes])
    first = np.array([ballot.count(0) for ballot in votes])
    residuals = first - first.sum() / counts.sum() * counts
    of_frames = 2 * 1.96 * np.sqrt((residuals**2).sum()) / counts.sum()
    assert width(vote_intervals(votes, 7)) > of_frames


def test_an_interval_needs_the_documented_number_of_frames():
    assert vote_intervals(ballots([0, 1] * 15), 7) is not None
    assert vote_intervals(ballots([0, 1] * 14 + [0]), 7) is None


def test_many_faces_of_a_few_frames_have_no_interval():
    crowd = np.random.default_rng(7).integers(0, 2, (30, 20)).tolist()
    assert vote_intervals(crowd[:29], 7) is None
    assert vote_intervals([*crowd[:29], (), ()], 7) is None
    assert vote_intervals(crowd, 7) is not None


@pytest.mark.parametrize("labels", [[3] * 500, []])
def test_equal_votes_or_none_have_no_interval(labels):
    assert vote_intervals(ballots(labels), 7) is None


def test_eye_contact_has_an_interval():
    contacts = [True, False, False] * 40
    found = contact_interval(contacts)
    assert found is not None
    low, high = found
    assert 0.15 < low < 1 / 3 < high < 0.5
    assert contact_interval([True] * 100) is None


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 6), max_size=3).map(tuple), max_size=120))
def test_an_interval_holds_its_share_and_stays_in_range(votes):
    found = vote_intervals(votes, 7)
    assert found == vote_intervals(votes, 7)
    if found is not None:
        cast = [label for ballot in votes for label in ballot]
        for label, (low, high) in enumerate(found):
            assert 0 <= low <= cast.count(label) / len(cast) + 1e-7
            assert cast.count(label) / len(cast) - 1e-7 <= high <= 1
