"""Without ``scale_factor`` the search is DeepFace's too, at a size that the service chooses."""

import cv2
import numpy as np
import pytest

from testbed import footage
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portrait
from tests.conftest import SAMPLE
from video_common.result import TimelineFrame
from video_common.schema import Options
from video_emotions.faces.haar import Haar
from video_emotions.plan import scales_for
from video_emotions.video_request import VideoRequest


def chosen_of(frame: tuple[TimelineFrame, ...], scale: float) -> TimelineFrame:
    """The first scale's frame where its largest face is sure, else the next one's where that has a face."""
    seen = frame[0]
    for other in frame[1:]:
        if (not seen.faces or seen.faces[0].box.width * scale < Haar.sure_face) and other.faces:
            seen = other
    return seen


@pytest.mark.parametrize("clip", [SAMPLE, *footage.CLIPS], ids=lambda path: path.stem)
def test_the_default_is_to_the_last_digit_the_same_explicit_scale_and_where_that_is_not_sure_the_next(pipeline, clip):
    def analyzed(scale: float | None):
        options = Options(frame_interval=30, scale_factor=scale, include="timeline")
        return pipeline.analyze(VideoRequest(clip.read_bytes(), options))

    chosen = analyzed(None)
    size = chosen.video.width, chosen.video.height
    at_each_scale = zip(*(analyzed(scale).timeline for scale in scales_for(size, Options())), strict=True)
    expected = [chosen_of(frame, 640 / max(size)) for frame in at_each_scale]
    assert chosen.timeline == expected
    assert any(seen.faces for seen in chosen.timeline) is (clip.stem != "no_face")


@pytest.mark.parametrize(("height", "found"), [(300, True), (110, True), (40, False)])
def test_a_medium_shot_in_full_hd_is_searched_again_at_a_larger_size(tmp_path, pipeline, height, found):
    # Given a face of so many pixels in a large picture of nothing; at 640 pixels only the largest can be found
    small = cv2.resize(
        portrait(640, 360, CENTRED), None, fx=height / 120, fy=height / 120, interpolation=cv2.INTER_AREA
    )
    picture = np.full((1080, 1920, 3), 90, np.uint8)
    picture[200 : 200 + small.shape[0], 100 : 100 + small.shape[1]] = small[:880, :1820]
    path = write_video(tmp_path / "clip.mp4", [picture] * 2)
    result = pipeline.analyze(VideoRequest(path.read_bytes(), Options(frame_interval=1)))
    assert (result.frames_with_face == 2) is found
    assert result.settings.smallest_face_px == 48
    assert ("advice" in result.model_dump(exclude_none=True)) is not found


@pytest.mark.parametrize("side", [42, 60, 100])
def test_faces_are_found_down_to_a_little_more_than_the_cascades_window(side):
    # Given a portrait whose face is about 120 pixels wide, shrunk to that size and put into a black picture
    small = cv2.resize(portrait(640, 360, CENTRED), None, fx=side / 120, fy=side / 120, interpolation=cv2.INTER_AREA)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    (face,) = Haar().detect(picture)
    assert face.box.width == pytest.approx(side, rel=0.3)
    assert face.box.width >= Haar.smallest_face
