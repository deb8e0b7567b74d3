"""Scenes show a face where they say, at the size that was asked for."""

import cv2
import numpy as np
import pytest
from skimage import data

from benchmarks import scenes
from benchmarks.photos import FacePhoto
from benchmarks.scenes import HD, Scene, dark, half_in_shade, mouth_covered, portrait, video_call
from video_emotions.boxes import Box
from video_emotions.faces.haar import Haar

GREEN = np.full((900, 1200, 3), (0, 255, 0), np.uint8)


@pytest.fixture(scope="module")
def photo() -> FacePhoto:
    return FacePhoto("Eileen Collins", np.ascontiguousarray(data.astronaut()[:, :, ::-1]), Box(178, 76, 92, 108), True)


@pytest.mark.parametrize("size", [HD, (640, 360), (360, 640)])
@pytest.mark.parametrize("height", [60, 108, 200])
def test_the_face_is_in_the_middle_as_large_as_it_was_asked_for(photo, height, size):
    scene = portrait(photo, height, GREEN, size)
    (face,) = scene.faces
    assert scene.size == size
    assert face.height == height
    assert face.width == round(92 * height / 108)
    assert face.x + face.width / 2 == pytest.approx(size[0] / 2, abs=1)
    assert face.y + face.height / 2 == pytest.approx(size[1] / 2, abs=1)
    # Given another opinion on where the face is
    zoom = 80 / height
    small = cv2.resize(scene.image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    (seen,) = Haar().detect(np.asarray(small, np.uint8))
    assert seen.box.overlap(face.scaled((height, height), (80, 80))) >= 0.5


def test_the_place_shows_up_to_the_edges_and_the_person_hides_it(photo):
    scene = portrait(photo, 100, GREEN)
    (face,) = scene.faces
    assert (scene.image[:, :800] == GREEN[0, 0]).all()
    inside = scene.image[face.y : face.y + face.height, face.x : face.x + face.width]
    assert not (inside == GREEN[0, 0]).all(axis=2).any()


def test_a_rolled_head_turns_counter_clockwise_around_the_middle_of_its_face(photo):
    upright, rolled = portrait(photo, 100, GREEN), portrait(photo, 100, GREEN, roll=90)
    assert rolled.faces == upright.faces
    turned = np.rot90(upright.image[440:640, 860:1060])
    assert np.abs(turned.astype(int) - rolled.image[440:640, 860:1060]).mean() < 12


def test_a_video_call_has_a_face_in_the_middle_of_each_tile(photo):
    scene = video_call([photo] * 30, [GREEN])
    assert scene.size == HD
    assert len(set(scene.faces)) == 25
    tiles = {(face.x // 384, face.y // 216) for face in scene.faces}
    assert tiles == {(column, row) for column in range(5) for row in range(5)}
    for face in scene.faces:
        assert (face.x % 384 + face.width / 2, face.y % 216 + face.height / 2) == pytest.approx((192, 108), abs=1)


def test_changes_leave_the_face_where_it_is_and_hide_what_they_say():
    scene = Scene(np.full((100, 200, 3), 200, np.uint8), (Box(80, 30, 40, 60),))
    assert (dark(scene).image == 40).all()
    shade = half_in_shade(scene).image
    assert (shade[:, :100] == 60).all()
    assert (shade[:, 100:] == 200).all()
    covered = mouth_covered(scene)
    assert (covered.image[70:90, 80:120] == 128).all()
    assert covered.image[:70].min() == covered.image[90:].min() == 200
    assert covered.faces == scene.faces
    assert (scene.image == 200).all()


def test_a_case_shows_faces_in_every_scene_or_in_none(photo, monkeypatch):
    # Given one person, and a place that is wide enough for a background
    monkeypatch.setattr(scenes, "face_photos", lambda: [photo] * 25)
    monkeypatch.setattr(scenes, "faceless_pictures", lambda: {"grass": np.zeros((810, 1440, 3), np.uint8)})
    monkeypatch.setattr(scenes, "read", lambda *_, **__: (None, None, []))
    monkeypatch.setattr(scenes, "SIZES", (40, 400))
    monkeypatch.setattr(scenes, "PEOPLE", 2)
    made = list(scenes.cases())
    assert [case.name for case in made[:2]] == ["40 px", "400 px"]
    assert [case.is_close_up for case in made[:2]] == [False, True]
    assert len({case.name for case in made}) == len(made) == 14
    assert [case.name for case in made if not case.shows_faces] == ["pictures of nobody", "frames of a sky"]
    assert all(bool(scene.faces) == case.shows_faces for case in made for scene in case.scenes)
