"""Coverage is how many intervals hold the true share of a sequence whose truth is known."""

from functools import partial

import numpy as np
import pytest

from benchmarks.intervals import coverage, eye_contact, now_and_then, seldom, three_faces
from benchmarks.sequences import SHARES, Case

CASE = Case(60, 1, 2, 0.1)


@pytest.mark.parametrize(("found", "part", "width"), [((0.0, 1.0), 1.0, 1.0), ((0.99, 1.0), 0.0, 0.01)])
def test_an_interval_that_holds_everything_always_holds(found, part, width):
    held, mean, none = coverage(CASE, 5, {"made": lambda *_: [found] * 7})["made"]
    assert (held, none) == (part, 0)
    assert mean == pytest.approx(width)


def test_clips_without_an_interval_are_counted():
    turns = iter([None, [(0.0, 1.0)] * 7] * 4)
    _, _, none = coverage(CASE, 8, {"made": lambda *_: next(turns)})["made"]
    assert none == pytest.approx(0.5)


def test_the_share_of_a_long_sequence_is_the_truth():
    case = Case(200_000, 1, 2, 0.3, 3.0)
    labels = case.sequence(np.random.default_rng(1))
    shares = np.bincount(labels, minlength=len(SHARES)) / len(labels)
    assert shares == pytest.approx(case.truth, abs=0.01)
    assert case.truth.sum() == pytest.approx(1)


@pytest.mark.parametrize("regular", [1.0, 3.0])
def test_an_expression_lasts_as_long_as_the_case_says(regular):
    labels = Case(100_000, 0.1, 5, 0.0, regular).sequence(np.random.default_rng(2))
    # Two expressions that follow each other are the same one as often as chance has it
    changes = np.count_nonzero(np.diff(labels)) / (1 - (SHARES**2).sum())
    assert 100_000 * 0.1 / changes == pytest.approx(5, rel=0.1)


def test_contact_and_several_faces_have_true_shares_of_their_own():
    random = np.random.default_rng(3)
    ((interval, truth),) = eye_contact(CASE, random)
    assert truth == CASE.truth[3]
    assert interval[0] < interval[1]
    for way in (three_faces, now_and_then, partial(seldom, part=0.7)):
        assert [truth for _, truth in way(CASE, random=random)] == [
            CASE.truth[label] for label in np.flatnonzero(SHARES)
        ]
