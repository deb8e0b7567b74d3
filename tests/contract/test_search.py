"""The search is OpenCV's own, level by level: what it finds is what one call of ``detectMultiScale3`` finds."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pictures import CENTRED, portrait
from video_emotions.faces import FaceFinder
from video_emotions.search import _passing, coarse_to_fine, everywhere, load_cascade

CASCADE = load_cascade("haarcascade_frontalface_default.xml")


def as_deepface_calls_it(grey):
    """Return what DeepFace's opencv detector gets: one call, in its border of half the picture's size."""
    height, width = grey.shape
    across, down = int(0.5 * width), int(0.5 * height)
    bordered = cv2.copyMakeBorder(grey, down, down, across, across, cv2.BORDER_CONSTANT, value=0)
    boxes, _, _ = CASCADE.detectMultiScale3(bordered, 1.1, 10, outputRejectLevels=True)
    return [(x - across, y - down, w, h) for x, y, w, h in np.asarray(boxes, int).reshape(-1, 4).tolist()]


@pytest.fixture(scope="module")
def crowd():
    """Return a grey picture of four faces and four halves of faces, 640 x 360."""
    one = cv2.cvtColor(portrait(320, 240, CENTRED), cv2.COLOR_BGR2GRAY)
    return np.ascontiguousarray(np.tile(one, (2, 4))[40:400, 100:740])


@given(
    st.integers(1, 640),
    st.integers(1, 360),
    st.floats(0.3, 2),
    st.floats(0.7, 1.4),
    st.integers(-60, 60),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_everywhere_finds_exactly_what_one_call_finds_and_in_its_order(
    crowd, width, height, zoom, squeeze, light, flip
):
    part = crowd[360 - height :, 640 - width :]
    picture = cv2.resize(part, None, fx=zoom, fy=zoom * squeeze) if min(part.shape) > 3 else part
    picture = cv2.convertScaleAbs(cv2.flip(picture, 1) if flip else picture, beta=light)
    exact = everywhere(CASCADE, picture)
    assert exact == as_deepface_calls_it(picture)
    assert exact or not coarse_to_fine(CASCADE, picture)


@given(st.integers(1, 60), st.integers(1, 60))
@settings(deadline=None)
def test_noise_and_pictures_smaller_than_the_window_have_no_faces(width, height):
    noise = np.random.default_rng(0).integers(0, 255, (height, width), np.uint8)
    assert everywhere(CASCADE, noise) == as_deepface_calls_it(noise)
    assert coarse_to_fine(CASCADE, noise) == []


def test_a_part_smaller_than_the_window_has_no_windows_of_another_size(crowd):
    sides = [12, 18, 23]
    parts = [crowd[y : y + side, x : x + 28] for side in sides for y in range(0, 330, 7) for x in range(0, 600, 7)]
    assert not any(len(_passing(CASCADE, np.ascontiguousarray(part), dense=True)) for part in parts)


def test_coarse_to_fine_finds_all_of_a_crowd(crowd):
    exact, fast = everywhere(CASCADE, crowd), coarse_to_fine(CASCADE, crowd)
    assert len(exact) >= 4
    assert sorted(fast) == sorted(exact)


def test_threads_that_share_a_finder_find_what_one_alone_finds(crowd):
    # Given pictures of two sizes, so that classifiers have to be made anew in between
    pictures = [cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) for picture in (crowd, crowd[:, :300])] * 8
    finder = FaceFinder()
    alone = [[face.box for face in finder.find(picture, exact=True)] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        shared = pool.map(lambda picture: [face.box for face in finder.find(picture, exact=True)], pictures)
        assert list(shared) == alone
    assert len({len(boxes) for boxes in alone}) == 2
