"""Without ``scale_factor`` the search is coarse to fine; what it finds is what an explicit factor's search finds."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.agreement import analyses, compare
from tests import footage
from tests.conftest import SAMPLE
from tests.pictures import CENTRED, portrait
from video_common.schema import Options, Result
from video_emotions.faces import FaceFinder
from video_emotions.search import SMALLEST_FACE
from video_emotions.video_request import VideoRequest


def analyzed(pipeline, clip: Path, interval: int, scale: float | None) -> Result:
    options = Options(frame_interval=interval, scale_factor=scale, include="timeline")
    return pipeline.analyze(VideoRequest(clip.read_bytes(), options))


def test_what_votes_on_the_sample_is_what_votes_at_the_same_explicit_scale(pipeline):
    # Given the sample, whose longer side is the default's: a factor of 1 is the same size
    fast, exact = (analyzed(pipeline, SAMPLE, 5, scale).timeline for scale in (None, 1.0))
    pairs = [(one, other) for one, other in zip(fast, exact, strict=True) if one.faces or other.faces]
    # Then in each frame the largest face is there in both, and is the same to the last digit
    assert len(pairs) > 40
    assert [one for one, other in pairs if one != other] == []


@pytest.mark.parametrize("clip", footage.CLIPS, ids=lambda path: path.stem)
def test_what_votes_on_real_clips_is_close_to_what_votes_at_the_same_explicit_scale(pipeline, clip):
    # When every picture is analysed both ways
    one = compare(*analyses(pipeline, clip))
    # Then on 99 of 100 the same emotion dominates, or no face is there; as surely, and at the same place
    allowed = one.pictures / 100
    assert one.lost + one.found + one.other_emotion <= allowed
    assert one.less_sure <= allowed
    assert one.moved == 0
    assert one.mean_difference <= 0.001
    assert (one.faces > 0.4 * one.pictures) is (clip.stem != "no_face")


@pytest.mark.parametrize(("part", "found"), [(SMALLEST_FACE * 1.3, 1), (SMALLEST_FACE * 0.7, 0)])
def test_the_smallest_face_depends_on_the_pictures_size(part, found):
    # Given a portrait whose face is about 120 pixels wide, shrunk so that it takes that part of a black picture
    side = 480
    small = cv2.resize(portrait(640, 360, CENTRED), None, fx=(size := side * part / 120), fy=size)
    picture = np.zeros((side, side, 3), np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    finder = FaceFinder()
    assert len(finder.find(picture, exact=False)) == found
    assert len(finder.find(picture, exact=True)) == 1
