"""The search is OpenCV's own, level by level: what it finds is what one call of ``detectMultiScale3`` finds."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.pictures import CENTRED, portrait
from video_emotions.faces.haar import Haar, load_cascade
from video_emotions.faces.sweep import _passing, sweep

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
    """Return a gray picture of four faces and four halves of faces, 640 x 360."""
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
def test_the_sweep_finds_exactly_what_one_call_finds_and_in_its_order(crowd, width, height, zoom, squeeze, light, flip):
    part = crowd[360 - height :, 640 - width :]
    picture = cv2.resize(part, None, fx=zoom, fy=zoom * squeeze) if min(part.shape) > 3 else part
    picture = cv2.convertScaleAbs(cv2.flip(picture, 1) if flip else picture, beta=light)
    assert sweep(CASCADE, picture) == as_deepface_calls_it(picture)


@given(st.integers(1, 60), st.integers(1, 60))
@settings(deadline=None)
def test_noise_and_pictures_smaller_than_the_window_have_no_faces(width, height):
    noise = np.random.default_rng(0).integers(0, 255, (height, width), np.uint8)
    assert sweep(CASCADE, noise) == as_deepface_calls_it(noise) == []


def test_a_part_smaller_than_the_window_has_no_windows_of_another_size(crowd):
    sides = [12, 18, 23]
    parts = [crowd[y : y + side, x : x + 28] for side in sides for y in range(0, 330, 7) for x in range(0, 600, 7)]
    assert not any(len(_passing(CASCADE, np.ascontiguousarray(part), dense=True)) for part in parts)


def test_all_of_a_crowd_are_found_largest_first(crowd):
    found = list(Haar().detect(cv2.cvtColor(crowd, cv2.COLOR_GRAY2BGR)))
    assert len(found) >= 4
    assert sorted(face.box for face in found) == sorted(sweep(CASCADE, crowd))
    assert [face.box.area for face in found] == sorted((face.box.area for face in found), reverse=True)


def test_threads_that_share_a_detector_find_what_one_alone_finds(crowd):
    # Given pictures of two sizes, so that each needs new classifiers
    pictures = [cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) for picture in (crowd, crowd[:, :300])] * 8
    detector = Haar()
    alone = [[face.box for face in detector.detect(picture)] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        shared = pool.map(lambda picture: [face.box for face in detector.detect(picture)], pictures)
        assert list(shared) == alone
    assert len({len(boxes) for boxes in alone}) == 2
