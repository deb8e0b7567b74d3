"""Without ``scale_factor`` the search is coarse to fine; what it finds is what an explicit factor's search finds."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import footage
from tests.conftest import SAMPLE
from tests.pictures import CENTRED, portrait
from video_common import limits
from video_common.schema import Box, Options, Result, TimelineFace, TimelineFrame
from video_emotions.faces import FaceFinder
from video_emotions.requests import VideoRequest
from video_emotions.search import SMALLEST_FACE


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
    fast = analyzed(pipeline, clip, 3, None)
    scale = min(1.0, limits.DEFAULT_LONG_SIDE / max(fast.video.width, fast.video.height))
    exact = analyzed(pipeline, clip, 3, scale)
    # Then on at least 99 of 100 frames the same emotion dominates as surely, of a face at the same place, or of none
    pairs = [(_largest(one), _largest(other)) for one, other in zip(fast.timeline, exact.timeline, strict=True)]
    agree = [one == other or (one and other and _agree(one, other)) for one, other in pairs]
    assert sum(map(bool, agree)) >= 0.99 * len(pairs)
    assert (fast.frames_with_face > 0.4 * len(pairs)) is (clip.stem != "no_face")
    assert fast.average_confidence_score == pytest.approx(exact.average_confidence_score, abs=0.02)


def _largest(frame: TimelineFrame) -> TimelineFace | None:
    return max(frame.faces, key=lambda face: face.box.width * face.box.height, default=None)


def _agree(one: TimelineFace, other: TimelineFace) -> bool:
    emotion = one.dominant_emotion
    difference = abs(getattr(one.probabilities, emotion) - getattr(other.probabilities, emotion))
    return emotion == other.dominant_emotion and difference <= 0.02 and _overlap(one.box, other.box) >= 0.9


def _overlap(one: Box, other: Box) -> float:
    """Return intersection over union."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(0, across) * max(0, down)
    return both / (one.width * one.height + other.width * other.height - both)


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
