"""From packets to pictures."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_emotions.packet_index import PacketIndex, Use
from video_emotions.packets import PACKET, Packet, leave_out_unseen, listed

MS = Fraction(1, 1000)


def index_of(packets: list[Packet], start: Fraction | None = None) -> PacketIndex:
    return PacketIndex.of(np.fromiter(listed(packets), PACKET), MS, start, stores_decoding_times=False)


PARTS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40).filter(
    lambda parts: any(starts for _, starts in parts)
)


@given(PARTS, st.data())
def test_a_picture_is_decoded_with_all_its_packets_and_those_since_its_keyframe(parts, data):
    packets = [Packet(40 * place, None, 40, key, starts) for place, (key, starts) in enumerate(parts)]
    index = index_of(packets)
    assert index.frame_count == sum(starts for _, starts in parts)
    wanted = data.draw(st.integers(0, index.frame_count - 1))
    uses = index.uses_of_packets(np.array([wanted]))
    picture_of = np.clip(np.cumsum([starts for _, starts in parts]) - 1, 0, None)
    assert len(uses) == len(packets)
    assert np.array_equal(uses == Use.PICTURE, picture_of == wanted)
    used = np.flatnonzero(uses)
    assert np.array_equal(used, np.arange(used[0], used[-1] + 1))
    assert used[0] == 0 or parts[used[0]][0]


@pytest.mark.parametrize(
    ("wanted", "given", "begins"),
    [
        (7, {0, 4, 6}, 6),
        (7, {0, 4}, 4),  # the container calls 6 a keyframe, and the decoder does not
        (7, {0, 4, 7}, 4),  # 7 is no keyframe for the container
        (7, {0, 2}, 0),  # pictures behind 2 refer to pictures before it
        (7, set(), None),
        (5, {0, 4, 6}, 4),
    ],
)
def test_a_second_look_begins_at_the_last_sure_keyframe(wanted, given, begins):
    packets = [Packet(40 * n, None, 40, n in {0, 2, 4, 6}, True, n == 2) for n in range(8)]
    index = index_of(packets)
    assert index.has_open_groups
    uses = index.uses_from_keyframe(wanted, np.isin(np.arange(8), list(given)))
    expected = None if begins is None else [Use.NONE] * begins + [Use.PICTURE] * (8 - begins)
    assert (None if uses is None else uses.tolist()) == expected


@pytest.mark.parametrize("start", [None, Fraction(0), Fraction(1, 10), Fraction(9)])
def test_no_time_is_negative(start):
    times = index_of([Packet(time, None, 40, True) for time in (80, 120, 160)], start).times_ms.tolist()
    assert times == ([80, 120, 160] if start == 0 else [0, 40, 80])


def test_a_packet_without_a_time_makes_pictures_be_counted():
    packets = [Packet(0, 0, 40, True), Packet(None, None, 40, False), Packet(None, 80, 40, False)]
    index = index_of(packets)
    assert (index.pts.tolist(), index.has_presentation_times) == ([0, 0, 80], False)


@pytest.mark.parametrize(
    ("keyframes", "shown", "seen"),
    [
        ({0}, [20], [0, 10, 20, 30]),  # the first picture is damaged: it counts, and cannot be read
        ({2}, [20], [20, 30]),  # a recording that began between keyframes
        ({2}, [0], [0, 10, 20, 30]),  # its decoder shows them all the same
        (set(), [10], [10, 20, 30]),
        (set(), [0, *range(20, 400, 10)], [0, 20, 30]),  # only the second picture needs one before the file
        (set(), [0, 20], [0, 10, 20, 30]),  # the second picture may come late
        ({1}, [0, *range(20, 400, 10)], [0, 10, 20, 30]),
    ],
)
def test_what_needs_a_keyframe_before_the_file_is_left_out(keyframes, shown, seen):
    packets = np.fromiter(listed(Packet(10 * n, None, 10, n in keyframes) for n in range(4)), PACKET)
    leave_out_unseen(packets, shown)
    assert packets["stamp"][packets["starts_picture"]].tolist() == seen


def test_pictures_before_the_first_keyframe_are_left_out_in_the_order_of_showing_too():
    # Given a keyframe, and behind it in the file two pictures that are shown before it
    packets = np.fromiter(listed(Packet(time, None, 10, time == 20) for time in (20, 0, 10, 30)), PACKET)
    leave_out_unseen(packets, [20])
    assert packets["stamp"][packets["starts_picture"]].tolist() == [20, 30]
