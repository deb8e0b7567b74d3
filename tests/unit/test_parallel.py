"""Frames are prefetched and several are in progress at the same time; the results do not show it."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_common.errors import InvalidOption
from video_emotions.parallel import ordered_map, prefetched


class Numbers(Iterator[int]):
    """Counts to a number. The thread that makes ``waits_at`` waits until somebody closes this object."""

    def __init__(self, count: int, waits_at: int | None = None) -> None:
        self._count, self._waits_at = count, waits_at
        self._closed = threading.Event()
        self.made: list[int] = []
        self.gave_up = False

    def __next__(self) -> int:
        number = len(self.made)
        if number == self._count:
            raise StopIteration
        self.made.append(number)
        if number == self._waits_at:
            self.gave_up = not self._closed.wait(timeout=20)
        return number

    def close(self) -> None:
        self._closed.set()


def test_prefetched_gives_the_same_items_and_makes_one_more_than_is_used():
    numbers = Numbers(5)
    coming = prefetched(numbers)
    assert next(coming) == 0
    coming.close()
    assert numbers.made == [0, 1]
    assert list(prefetched(Numbers(5))) == [0, 1, 2, 3, 4]
    assert list(prefetched(Numbers(0))) == []


def test_closing_ends_the_work_on_the_item_that_nobody_wants():
    numbers = Numbers(5, waits_at=1)
    coming = prefetched(numbers)
    assert next(coming) == 0
    coming.close()
    assert not numbers.gave_up


def test_what_fails_while_it_is_prefetched_fails_where_it_would_have():
    class Items(Numbers):
        def __next__(self) -> int:
            if self.made:
                raise InvalidOption("too large")
            return super().__next__() + 1

    coming = prefetched(Items(5))
    assert next(coming) == 1
    with pytest.raises(InvalidOption):
        next(coming)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_in_order_is_map(items, workers):
    assert list(ordered_map(lambda item: item * 2, items, workers)) == [item * 2 for item in items]


def test_two_workers_work_at_the_same_time_and_the_later_one_may_be_done_first():
    # Given work on the first item that ends only when the second one's is done
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            assert second_done.wait(timeout=10)
        else:
            second_done.set()
        return item

    assert list(ordered_map(work, [1, 2, 3], workers=2)) == [1, 2, 3]


@given(st.integers(1, 20), st.integers(1, 4))
def test_no_more_items_are_taken_than_are_worked_on_and_one(count, workers):
    taken, most_waiting, given_out = 0, 0, 0

    def items():
        nonlocal taken, most_waiting
        for number in range(count):
            taken += 1
            most_waiting = max(most_waiting, taken - given_out)
            yield number

    for _ in ordered_map(lambda item: item, items(), workers):
        given_out += 1
    assert most_waiting <= workers + 1


def test_work_that_fails_fails_in_its_turn_and_no_thread_stays():
    def work(item: int) -> int:
        if item == 1:
            raise InvalidOption("too large")
        return item

    coming = ordered_map(work, iter([0, 1, 2]), workers=2)
    assert next(coming) == 0
    with pytest.raises(InvalidOption):
        next(coming)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("work")]
