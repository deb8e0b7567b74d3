"""The judge of tracks sees each kind of mistake."""

from collections.abc import Callable

import pytest

from testbed.following import Followed, judge
from testbed.walks import KINDS, Walk


def judged(walk: Walk, number: Callable[[int, int], int]) -> Followed:
    """Number each person's box by person and frame."""
    found = [
        [(box, number(person, frame)) for person, box in enumerate(walk.boxes(frame)) if box]
        for frame in range(walk.frames)
    ]
    return judge(walk, range(walk.frames), found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_for_each_person_is_right(kind):
    followed = judged(KINDS[kind](3), lambda person, _: person + 1)
    assert (followed, followed.kept) == (Followed(), True)


@pytest.mark.parametrize("kind", ["cross", "three mingle", "a cut"])
def test_one_number_for_everybody_is_a_switch_for_each_but_the_first(kind):
    walk = KINDS[kind](3)
    followed = judged(walk, lambda *_: 1)
    people = len(walk.boxes(0))
    assert (followed.switches, followed.fragments, followed.kept) == (people - 1, 0, False)


def test_a_number_that_goes_on_behind_a_cut_is_not_kept():
    walk = KINDS["a cut"](3)
    half = len(walk.boxes(0)) // 2
    followed = judged(walk, lambda person, _: person % half + 1)
    assert followed.across == half
    assert (followed.switches, followed.kept) == (half, False)


def test_a_new_number_is_a_fragment_and_so_is_the_old_one_again():
    walk = KINDS["cross"](3)
    followed = judged(walk, lambda person, frame: 9 if (person, 10 <= frame < 20) == (0, True) else person + 1)
    assert (followed.switches, followed.fragments, followed.kept) == (0, 2, False)


def test_numbers_that_are_exchanged_are_switches():
    walk = KINDS["cross"](3)
    followed = judged(walk, lambda person, frame: person + 1 if frame < walk.frames // 2 else 2 - person)
    assert (followed.switches, followed.fragments, followed.kept) == (2, 0, False)


def test_a_face_without_a_box_is_missed():
    walk = KINDS["cross"](3)
    found = [[(box, person) for person, box in enumerate(walk.boxes(frame)) if box] for frame in range(walk.frames)]
    found[5] = []
    assert judge(walk, range(walk.frames), found).missed == 2
