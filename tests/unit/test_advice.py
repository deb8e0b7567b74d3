"""What a caller is told to try."""

from dataclasses import replace

import pytest

from tests.videos_info import SETTINGS, index_of, info_of
from video_common.schema import Options
from video_emotions.advice import advise
from video_emotions.aggregate import Report
from video_emotions.plan import plan

FULL_HD = (1920, 1080)
GOOD = Report(frames_analyzed=20, frames_with_face=20)


def advised(report: Report, *, frames: int = 600, size=FULL_HD, detectors=("haar", "yunet"), **options) -> list[str]:
    chosen = Options(**options)
    settings = SETTINGS.model_copy(update=chosen.model_dump(exclude={"detector"}))
    settings = settings.model_copy(update={"detector": chosen.detector or "haar"})
    info = replace(info_of(frames), width=size[0], height=size[1])
    return advise(report, plan(info, index_of(frames), chosen).facts, size, settings, detectors)


def test_a_good_answer_needs_no_advice():
    assert advised(GOOD) == []


@pytest.mark.parametrize(
    ("options", "said", "unsaid"),
    [
        ({}, ["detector=yunet", "scale_factor=1"], []),
        ({"detectors": ("haar",)}, ["scale_factor=1"], ["yunet"]),
        ({"detector": "yunet"}, ["scale_factor=1"], ["detector=yunet"]),
        ({"scale_factor": 0.1}, ["without scale_factor"], ["scale_factor="]),
        ({"scale_factor": 1.0, "detector": "yunet"}, ["No face was found"], ["try"]),
        ({"size": (7680, 4320)}, ["scale_factor=0.5"], []),
        ({"size": (7680, 4320), "scale_factor": 0.5, "detector": "yunet"}, ["No face was found"], ["try"]),
    ],
)
def test_without_faces_it_names_what_this_deployment_and_this_video_allow(options, said, unsaid):
    (advice,) = advised(Report(frames_analyzed=20), **options)
    assert all(part in advice for part in said)
    assert not any(part in advice for part in unsaid)


def test_few_faces_are_counted():
    (advice,) = advised(Report(frames_analyzed=20, frames_with_face=9))
    assert advice.startswith("A face was found in 9 of 20 analyzed frames")


def test_few_frames_are_named_where_there_are_more():
    few = Report(frames_analyzed=3, frames_with_face=3)
    assert "Only 3 frames were analyzed" in advised(few, frames=90)[0]
    assert "sampling=exact" in advised(few, frames=90, sampling="keyframes")[0]
    # Every picture of the part is sampled: there is no smaller interval
    assert advised(few, frames=3, frame_interval=1) == []
    assert advised(few, frames=90, interval_ms=1, start_ms=33, end_ms=132) == []


def test_many_unreadable_frames_are_named():
    (advice,) = advised(Report(frames_analyzed=20, frames_with_face=20, frames_unreadable=3))
    assert advice.startswith("3 of 23 sampled frames could not be decoded")
