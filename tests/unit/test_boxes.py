"""Rectangles: where one is, what of it can be seen, and what it is in the picture at another size."""

from hypothesis import given
from hypothesis import strategies as st

from video_emotions.boxes import Box

SIDES = st.integers(1, 4000)
PLACES = st.integers(-4000, 4000)


def test_the_tolerance_is_of_the_frames_width_and_height_and_includes_its_edge():
    # Given a frame of 1000 x 500: the center may lie 200 across and 100 down from (500, 250)
    assert Box(690, 340, 20, 20).is_centred((1000, 500), 0.2)
    assert not Box(691, 340, 20, 20).is_centred((1000, 500), 0.2)
    assert not Box(690, 341, 20, 20).is_centred((1000, 500), 0.2)
    assert Box(290, 140, 20, 20).is_centred((1000, 500), 0.2)
    assert not Box(289, 140, 20, 20).is_centred((1000, 500), 0.2)


@given(PLACES, PLACES, SIDES, SIDES, SIDES, SIDES)
def test_a_clipped_box_holds_exactly_the_pixels_of_the_box_that_are_in_the_picture(x, y, w, h, width, height):
    left, top, across, down = Box(x, y, w, h).clipped((width, height))
    assert set(range(left, left + across)) == set(range(x, x + w)) & set(range(width))
    assert set(range(top, top + down)) == set(range(y, y + h)) & set(range(height))


@given(PLACES, PLACES, SIDES, SIDES, st.tuples(SIDES, SIDES), st.integers(1, 8))
def test_in_a_larger_picture_a_box_is_as_much_larger_and_back_the_same(x, y, w, h, size, factor):
    larger = (size[0] * factor, size[1] * factor)
    assert Box(x, y, w, h).scaled(size, larger) == (x * factor, y * factor, w * factor, h * factor)
    assert Box(x * factor, y * factor, w * factor, h * factor).scaled(larger, size) == (x, y, w, h)
