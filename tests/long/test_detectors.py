"""Detectors behind one promise: YuNet's faces, a toy's, and what the Result says of them."""

from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from testbed import footage
from testbed.pictures import CENTRED, portrait
from tests.conftest import SAMPLE
from tests.template_info import TEMPLATE
from video_common.errors import InvalidOption, ModelUnavailable
from video_common.result import DetectorFacts
from video_common.schema import DetectorName, Options
from video_emotions.boxes import Box
from video_emotions.faces.crops import tilt
from video_emotions.faces.detector import Detection
from video_emotions.faces.finder import DETECTORS, FaceFinder, find_faces
from video_emotions.faces.yunet import YuNet
from video_emotions.pipeline import Pipeline
from video_emotions.video_request import VideoRequest


@pytest.fixture(scope="module")
def yunet(yunet_path, models_dir) -> YuNet:
    return YuNet.load(models_dir)


def analyzed(pipeline: Pipeline, clip=SAMPLE, **options):
    return pipeline.analyze(VideoRequest(clip.read_bytes(), Options(include="timeline", **options)))


def test_a_toy_detector_takes_part(settings, model):
    class Toy:
        facts = DetectorFacts(name="toy", weights_sha256="0" * 64)
        smallest_face = sure_face = 100

        def detect(self, image):
            height, width = image.shape[:2]
            yield Detection(Box(width // 4, height // 4, width // 2, height // 2), score=0.5)

    finder = FaceFinder(settings.models_dir, detectors={**DETECTORS, "yunet": lambda _: Toy()})
    result = analyzed(Pipeline(settings, model, finder), detector="yunet")
    assert (result.settings.detector, result.settings.smallest_face_px) == ("toy", 100)
    assert result.detector.name == "toy"
    assert result.frames_with_face == result.total_frames_analyzed == 12
    assert {(face.box.width, face.detection_score) for seen in result.timeline for face in seen.faces} == {(320, 0.5)}


def test_yunets_faces_have_scores_and_landmarks_and_haars_have_none(pipeline, yunet):
    found, plain = analyzed(pipeline, detector="yunet"), analyzed(pipeline)
    assert [len(seen.faces) for seen in found.timeline] == [len(seen.faces) for seen in plain.timeline]
    assert found.overall_dominant_emotion == plain.overall_dominant_emotion
    assert (found.settings.detector, found.detector) == ("yunet", yunet.facts)
    assert (plain.settings.detector, plain.detector.name) == ("haar", "haar")
    for seen, other in zip(found.timeline, plain.timeline, strict=True):
        for face, twin in zip(seen.faces, other.faces, strict=True):
            assert 0.6 < face.detection_score <= 1
            assert (twin.detection_score, twin.landmarks) == (None, None)
            points = face.landmarks
            # The person's right eye is on the left of the picture, the eyes are above the nose, the mouth is below
            assert points.right_eye.x < points.nose.x < points.left_eye.x
            assert max(points.right_eye.y, points.left_eye.y) < points.nose.y
            assert points.nose.y < min(points.right_mouth.y, points.left_mouth.y)
            assert face.box.x < points.nose.x < face.box.x + face.box.width


@pytest.mark.parametrize("angle", [-45, -30, -15, 0, 15, 30, 45])
def test_a_rolled_head_is_found_and_turned_the_right_way(yunet, angle):
    turn = cv2.getRotationMatrix2D((320, 180), angle, 1)
    picture = cv2.warpAffine(portrait(640, 360, CENTRED), turn, (640, 360), borderMode=cv2.BORDER_REFLECT)
    (found,) = yunet.detect(picture)
    assert found.box.overlap(Box(260, 115, 120, 130)) > 0.5
    # OpenCV counts counter-clockwise, the eyes clockwise. The network's points show less than the real roll.
    assert angle == 0 or 0 < -tilt(found.eyes) * np.sign(angle) < abs(angle)


@pytest.mark.parametrize("side", [40, 80, 160, 320, 480, 640, 1000])
def test_faces_of_any_size_are_found_once(yunet, side):
    # Given a face of about so many pixels, which fills most of the picture
    around = portrait(960, 540, CENTRED)[120:420, 330:630]  # the face takes about 180 of 300 pixels
    (face,) = yunet.detect(cv2.resize(around, (side * 5 // 3, side * 5 // 3), interpolation=cv2.INTER_AREA))
    assert face.box.height == pytest.approx(side, rel=0.35)
    assert face.box.x + face.box.width / 2 == pytest.approx(side * 5 / 6, rel=0.2)


def test_threads_and_sizes_that_change_give_what_one_alone_gives(yunet):
    sizes = [(640, 360), (360, 640), (320, 180), (1280, 720), (641, 363)] * 4
    pictures = [portrait(*size, CENTRED) for size in sizes]
    alone = [[found.box for found in yunet.detect(picture)] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda picture: [found.box for found in yunet.detect(picture)], pictures)) == alone
    assert all(len(boxes) == 1 for boxes in alone)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
@example(580, 32, 0)
@example(320, 32, 1)
@example(1, 1, 2)
def test_a_picture_of_any_shape_gives_the_same_faces_whatever_came_before(yunet_path, width, height, seed):
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    fresh = YuNet(yunet_path, "")
    first = list(fresh.detect(noise))
    for other in (portrait(64, 36, CENTRED), portrait(640, 360, CENTRED)):
        list(fresh.detect(other))
        assert list(fresh.detect(noise)) == first
    for face in find_faces(noise, fresh.detect(noise)):
        assert face.box.width > 0
        assert face.box.height > 0
        assert 0 <= (face.score or 0) <= 1


def test_a_face_outside_the_picture_is_none():
    boxes = Box(700, 10, 40, 40), Box(-40, 10, 40, 40), Box(630, 10, 40, 40)
    (face,) = find_faces(np.zeros((360, 640, 3), np.uint8), map(Detection, boxes))
    assert face.box == Box(630, 10, 10, 40)


@pytest.mark.parametrize("detector", ["haar", "yunet"])
def test_a_clip_without_faces_has_none(pipeline, yunet, detector):
    (clip,) = [path for path in footage.CLIPS if path.stem == "no_face"]
    result = analyzed(pipeline, clip, detector=detector, frame_interval=5)
    assert result.frames_with_face == 0
    assert "No face was found" in result.advice[0]
    assert ("detector=yunet" in result.advice[0]) is (detector == "haar")


def test_a_missing_network_is_an_error_of_ours_and_haar_still_works(settings, model, tmp_path):
    finder = FaceFinder(tmp_path)
    (reason,) = finder.load_all()
    assert reason.startswith("yunet: ")
    pipeline = Pipeline(settings, model, finder)
    with pytest.raises(InvalidOption, match="this deployment has no yunet"):
        analyzed(pipeline, detector="yunet")
    assert analyzed(pipeline).frames_with_face == 9
    (clip,) = [path for path in footage.CLIPS if path.stem == "no_face"]
    assert "yunet" not in analyzed(pipeline, clip).advice[0]
    with pytest.raises(ModelUnavailable):
        FaceFinder(tmp_path, "yunet").load_all()


def test_a_damaged_network_is_refused_at_the_start(yunet_path, tmp_path):
    damaged = tmp_path / "detectors" / yunet_path.name
    damaged.parent.mkdir()
    damaged.write_bytes(yunet_path.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelUnavailable, match="sha256"):
        FaceFinder(tmp_path, "yunet").load_all()


def test_what_finds_the_faces_is_in_the_identity(pipeline, settings, model):
    pipeline.finder.load_all()
    other = Pipeline(settings, model, FaceFinder(settings.models_dir, "yunet"))
    assert pipeline.identity["detectors"]["default"] == "haar"
    assert len(pipeline.identity["detectors"]["haar"]) == 64
    assert pipeline.identity != other.identity


def test_the_names_of_detectors_are_the_same_everywhere():
    names = set(get_args(DetectorName))
    assert names == set(DETECTORS)
    assert names == set(TEMPLATE["Parameters"]["FaceDetector"]["AllowedValues"])
