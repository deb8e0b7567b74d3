"""A child that sends false answers is one error, for each kind of false answer."""

import math
from typing import Any

import pytest

from video_common.errors import DecoderCrashed
from video_emotions.answers import Answers

HUGE = 10**400
VIDEO: dict[str, Any] = {
    "codec": "h264",
    "width": 640,
    "height": 360,
    "rotation": 0,
    "frame_rate": 25.0,
    "duration_ms": 400,
    "size_bytes": 1000,
    "sha256": "0" * 64,
    "frame_count": 10,
}
PLAN: dict[str, Any] = {"frames_wanted": 5, "pictures": 10, "until_ms": None, "scales": [0.5, 1.0]}
FRAME: dict[str, Any] = {
    "index": 2,
    "time_ms": 80,
    "own_size": [640, 360],
    "planned": 2,
    "next_ms": 160,
    "sizes": [[2, 1], [3, 1]],
}
PIXELS = bytearray(range(15))

VIDEO_LIES = [
    *[{name: value} for name in ("width", "height") for value in (0, -1, HUGE, 2**63, None, "wide")],
    {"width": 100_000, "height": 100_000},
    *[{"frame_rate": value} for value in (math.inf, -math.inf, math.nan, -1.0, HUGE)],
    *[{name: value} for name in ("duration_ms", "size_bytes") for value in (-1, HUGE)],
    *[{"rotation": value} for value in (45, -90, HUGE)],
    *[{"sha256": value} for value in ("", "0" * 63, "G" * 64, "0" * 64 + "\n")],
    *[{"codec": value} for value in (None, "\ud800", ["h264"])],
    *[{"frame_count": value} for value in (0, 9, HUGE)],
]
PLAN_LIES = [
    *[{"frames_wanted": value} for value in (0, -1, 11, HUGE)],
    *[{"pictures": value} for value in (4, 11)],
    *[{"until_ms": value} for value in (-1, HUGE)],
    *[{"scales": value} for value in ([], [0.0], [-1.0], [1.5], [math.nan], [math.inf], [0.1, 0.2, 0.3], 1.0)],
]
FRAME_LIES = [
    *[{"index": value} for value in (-1, 10, HUGE, 1.5, math.inf)],
    *[{"time_ms": value} for value in (-1, HUGE, math.nan)],
    *[{"next_ms": value} for value in (79, HUGE)],
    *[{"planned": value} for value in (0, 6, HUGE)],
    *[{"own_size": value} for value in ([0, 1], [1], [HUGE, 1], None)],
    *[{"sizes": value} for value in ([], [[0, 1]], [[5, 1], [5, 1], [-5, 1]], [[5, 1]] * 3, [[1, 1]], [[HUGE, 1]])],
]


def asked() -> Answers:
    answers = Answers()
    answers.video({"video": VIDEO, "plan": PLAN})
    return answers


def test_what_a_child_of_ours_says_is_believed():
    answers = Answers()
    info, plan = answers.video({"video": VIDEO, "plan": PLAN})
    assert (info.size, plan.scales, plan.truncated) == ((640, 360), (0.5, 1.0), False)
    frame = answers.frame({"frame": FRAME}, PIXELS)
    assert [image.tolist() for image in frame.images] == [
        [[[0, 1, 2], [3, 4, 5]]],
        [[[6, 7, 8], [9, 10, 11], [12, 13, 14]]],
    ]
    last = FRAME | {"index": 9, "time_ms": 80, "planned": 5, "next_ms": None}
    assert answers.frame({"frame": last}, PIXELS).next_ms is None


@pytest.mark.parametrize("lie", VIDEO_LIES, ids=str)
def test_a_video_that_cannot_be_is_refused(lie):
    with pytest.raises(DecoderCrashed):
        Answers().video({"video": VIDEO | lie, "plan": PLAN})


@pytest.mark.parametrize("lie", PLAN_LIES, ids=str)
def test_a_plan_that_cannot_be_is_refused(lie):
    with pytest.raises(DecoderCrashed):
        Answers().video({"video": VIDEO, "plan": PLAN | lie})


@pytest.mark.parametrize("lie", FRAME_LIES, ids=str)
def test_a_frame_that_cannot_be_is_refused(lie):
    with pytest.raises(DecoderCrashed):
        asked().frame({"frame": FRAME | lie}, PIXELS)


@pytest.mark.parametrize("lie", [{"index": 2}, {"planned": 2}, {"planned": 1}, {"index": 1}, {"time_ms": 79}], ids=str)
def test_a_frame_before_the_last_one_is_refused(lie):
    answers = asked()
    answers.frame({"frame": FRAME}, PIXELS)
    next_one = FRAME | {"index": 3, "planned": 3}
    with pytest.raises(DecoderCrashed):
        answers.frame({"frame": next_one | lie}, PIXELS)
    answers.frame({"frame": next_one}, PIXELS)


@pytest.mark.parametrize("message", [{}, {"video": None, "plan": None}, {"video": VIDEO}, {"frame": []}])
def test_a_record_without_its_facts_is_refused(message):
    with pytest.raises(DecoderCrashed):
        asked().frame(message, PIXELS)
    with pytest.raises(DecoderCrashed):
        Answers().video(message)


def segment(
    frames: int = 1, start_ms: int = 0, end_ms: int = 0, seconds: float = 1.0, most_seconds: float = 2.0
) -> Any:
    times = {"start_ms": start_ms, "end_ms": end_ms, "seconds": seconds, "most_seconds": most_seconds}
    return {"segment": {"frames": frames, **times}}


def test_segments_together_have_the_pictures_of_the_plan():
    answers = asked()
    assert [answers.segment(segment(frames), bytearray(b"part"))[1] for frames in (2, 3)] == [b"part"] * 2
    with pytest.raises(DecoderCrashed):
        answers.segment(segment(), bytearray())


@pytest.mark.parametrize(
    "lie",
    [
        {"frames": 0},
        {"start_ms": 5},
        {"end_ms": HUGE},
        {"seconds": -1.0},
        {"most_seconds": 0.5},
        {"most_seconds": math.inf},
        {"seconds": math.nan},
    ],
)
def test_a_segment_that_cannot_be_is_an_error_of_the_file(lie):
    with pytest.raises(DecoderCrashed):
        asked().segment(segment(**lie), bytearray())


def test_a_child_cannot_fill_the_memory_with_segments(monkeypatch):
    monkeypatch.setattr("video_common.limits.MAX_SLICES_BYTES", 10)
    monkeypatch.setattr("video_common.limits.MAX_SEGMENTS", 3)
    answers = asked()
    with pytest.raises(DecoderCrashed):
        answers.segment(segment(), bytearray(11))
    answers = asked()
    for _ in range(3):
        answers.segment(segment(), bytearray())
    with pytest.raises(DecoderCrashed):
        answers.segment(segment(), bytearray())
