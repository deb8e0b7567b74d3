"""Without ``scale_factor`` the smallest faces are not looked for; what is found is what it would be with one."""

import cv2
import numpy as np
import pytest

from tests.conftest import SAMPLE
from tests.pictures import CENTRED, portrait
from video_common.schema import Options, TimelineFrame
from video_emotions.faces import SMALLEST_FACE, FaceFinder
from video_emotions.requests import VideoRequest


def test_what_votes_is_what_votes_at_the_same_explicit_scale(pipeline):
    # Given the sample, whose longer side is the default's: a factor of 1 is the same size
    def frames(scale: float | None) -> list[TimelineFrame]:
        options = Options(frame_interval=5, scale_factor=scale, include="timeline")
        return pipeline.analyze(VideoRequest(SAMPLE.read_bytes(), options)).timeline

    pairs = [(one, other) for one, other in zip(frames(None), frames(1.0), strict=True) if one.faces or other.faces]
    # Then in each frame the largest face is there in both, and is the same to the last digit
    assert len(pairs) > 40
    assert [one for one, other in pairs if one != other] == []


@pytest.mark.parametrize(("part", "found"), [(SMALLEST_FACE * 1.3, 1), (SMALLEST_FACE * 0.7, 0)])
def test_the_smallest_face_depends_on_the_pictures_size(part, found):
    # Given a portrait whose face is about 120 pixels wide, shrunk so that it takes that part of a black picture
    side = 480
    small = cv2.resize(portrait(640, 360, CENTRED), None, fx=(size := side * part / 120), fy=size)
    picture = np.zeros((side, side, 3), np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    finder = FaceFinder()
    assert len(finder.find(picture, SMALLEST_FACE)) == found
    assert len(finder.find(picture)) == 1
