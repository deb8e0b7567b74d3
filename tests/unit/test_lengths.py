"""Which videos one function has the time for: by the faces that they may not have, by its memory, and by its cuts."""

from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import ROOT
from video_common import limits
from video_common.errors import TooLong
from video_common.schema import Options, Partial
from video_emotions.facts import PlanFacts, SegmentFacts, VideoInfo
from video_emotions.lengths import Limits
from video_emotions.outline import Outline, Segment
from video_emotions.settings import Settings

ANY = Limits(over_seconds=600, max_segments=2)


def outline(*seconds: float, worst: float = 1.0) -> Outline:
    """Make a plan of segments that take so long, and ``worst`` times as long without a face."""
    return Outline(
        video=VideoInfo("h264", 640, 360, 0, 25.0, 1000, 1, None, 100),
        plan=PlanFacts(100, 100, None, (1.0,)),
        options=Options(),
        segments=tuple(Segment(facts=SegmentFacts(1, 0, 0, each, worst * each), begin=0, end=1) for each in seconds),
        slices_sha256="",
        pins={},
        timings_ms={},
    )


@pytest.mark.parametrize(
    ("seconds", "worst", "is_long"),
    [
        ((599,), 1.0, False),
        ((601,), 1.0, True),
        ((300, 301), 1.0, True),
        # 1,200 s are what one function has, and a video without faces takes 3.3 times as long
        ((360,), 3.3, False),
        ((370,), 3.3, True),
        ((300, 100), 3.3, True),
    ],
)
def test_a_video_is_long_if_it_may_not_end_in_one_function(seconds, worst, is_long):
    assert ANY.is_long(outline(*seconds, worst=worst), Options()) is is_long


def test_a_part_of_what_cannot_be_cut_is_analyzed_as_far_as_the_time_goes():
    for endless in (outline(5000), outline(1199, worst=3.3)):
        assert not ANY.is_long(endless, Options(partial=Partial.ALLOW))
        assert ANY.is_long(endless, Options(partial=Partial.REFUSE))
    # What can be cut is analyzed as a whole
    assert ANY.is_long(outline(*[300] * 20), Options(partial=Partial.ALLOW))


def test_a_video_of_more_pictures_than_one_function_accepts_goes_in_segments():
    short = outline(1)
    many = short.model_copy(update={"video": replace(short.video, frame_count=limits.MAX_FRAMES + 1)})
    assert not ANY.is_long(short, Options())
    assert ANY.is_long(many, Options())
    assert ANY.is_long(many, Options(partial=Partial.ALLOW))


def test_what_cannot_end_is_refused_with_what_to_do():
    ANY.refuse_endless(outline(1200, 10))
    with pytest.raises(TooLong) as refused:
        ANY.refuse_endless(outline(10, 1201))
    for part in (
        "about 1201 s",
        "1200 s are possible",
        "larger frame_interval",
        "sampling=keyframes",
        "MP4",
        "partial=allow",
    ):
        assert part in refused.value.detail


def test_a_function_with_other_memory_has_other_limits():
    twice = Limits.of(2.0, 600, 7)
    assert (twice.over_seconds, twice.max_segments) == (600, 7)
    assert twice.most_seconds == 2 * limits.SEGMENT_MOST_SECONDS
    assert twice.segmenting.seconds == 2 * limits.SEGMENT_SECONDS
    settings: dict[str, Any] = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1504"}
    assert Settings.from_environment(settings).power == 0.5
    # The template's own memory is the one that the limits are for
    assert f"Default: {limits.MEMORY_MB}\n" in (ROOT / "template.yaml").read_text()
