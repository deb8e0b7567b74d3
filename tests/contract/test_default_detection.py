"""Without ``scale_factor`` the search is DeepFace's too, at a size that the service chooses."""

import cv2
import numpy as np
import pytest

from testbed import footage
from testbed.pictures import CENTRED, portrait
from tests.conftest import SAMPLE
from video_common.schema import Options
from video_emotions.faces.haar import Haar
from video_emotions.plan import scale_for
from video_emotions.video_request import VideoRequest


@pytest.mark.parametrize("clip", [SAMPLE, *footage.CLIPS], ids=lambda path: path.stem)
def test_the_default_is_to_the_last_digit_the_same_explicit_scale(pipeline, clip):
    def analyzed(scale: float | None):
        options = Options(frame_interval=10, scale_factor=scale, include="timeline")
        return pipeline.analyze(VideoRequest(clip.read_bytes(), options))

    chosen = analyzed(None)
    explicit = analyzed(scale_for((chosen.video.width, chosen.video.height), Options()))
    assert chosen.timeline == explicit.timeline
    assert any(seen.faces for seen in chosen.timeline) is (clip.stem != "no_face")


@pytest.mark.parametrize("side", [42, 60, 100])
def test_faces_are_found_down_to_a_little_more_than_the_cascades_window(side):
    # Given a portrait whose face is about 120 pixels wide, shrunk to that size and put into a black picture
    small = cv2.resize(portrait(640, 360, CENTRED), None, fx=side / 120, fy=side / 120, interpolation=cv2.INTER_AREA)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    (face,) = Haar().detect(picture)
    assert face.box.width == pytest.approx(side, rel=0.3)
    assert face.box.width >= Haar.smallest_face
