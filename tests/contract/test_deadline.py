"""What a caller gets when the time is too short, of a real clip."""

import json
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from events import aws_shapes
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.conftest import SAMPLE
from tests.fakes import LambdaContext, rest_event
from tests.fakes_aws import MemoryStore
from video_common import limits
from video_common.errors import TooLong, UndecodableVideo
from video_common.schema import Options, Partial
from video_common.upload import S3Object
from video_emotions.api import Api
from video_emotions.deadline import Deadline
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Reader
from video_emotions.rendering import render_to_fit
from video_emotions.video_request import VideoRequest

CLIP = SAMPLE.read_bytes()
OPTIONS: dict[str, Any] = {"frame_interval": 30, "include": "timeline"}
OF_THE_REQUEST = {"timings_ms", "settings", "advice", "truncated", "analyzed_until_ms"}


LOOK = 1000.0
"""Seconds: the child process, which knows the real clock only, must not see the end of them."""


class Ticks:
    """A clock that goes on whenever somebody looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += LOOK
        return self.now


def http_event(clip: bytes) -> aws_shapes.Event:
    headers = {"Content-Type": "application/octet-stream"}
    return aws_shapes.http_event("POST", "/process-frame", clip, headers)


def posted(**options) -> VideoRequest:
    return VideoRequest(CLIP, Options(**OPTIONS, **options))


def uploaded(pipeline: Pipeline, **options) -> tuple[Pipeline, VideoRequest]:
    store = MemoryStore({("uploads", "a"): CLIP})
    with_store = Pipeline(pipeline.settings, pipeline.model, pipeline.finder, store)
    return with_store, VideoRequest(S3Object("uploads", "a", None), Options(**OPTIONS, **options))


def after(looks: int) -> Deadline:
    """Return a deadline that comes after so many looks at the clock."""
    return Deadline(looks * LOOK, Ticks())


WAYS: dict[str, dict[str, Any]] = {
    "by count": {"frame_interval": 30},
    "by time": {"interval_ms": 950},
    "keyframes": {"frame_interval": 28, "sampling": "keyframes"},
    "keyframes by time": {"interval_ms": 930, "sampling": "keyframes"},
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give 12 seconds with a keyframe every 25 pictures, of which few begin at a multiple of an interval."""
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    return write_video(path, portraits(320, 180, [CENTRED] * 360), keyint=25).read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("looks", [12, 20, 26])
def test_a_part_is_the_answer_of_the_video_before_its_end(pipeline, clip, looks, way):
    def posted(**part) -> VideoRequest:
        return VideoRequest(clip, Options(**WAYS[way], include="timeline", **part))

    result = pipeline.analyze(posted(), after(looks))
    assert result.truncated
    assert 0 < result.total_frames_analyzed < 12
    assert (result.frames_unreadable, result.timeline_truncated) == (0, False)
    assert result.timeline[-1].time_ms < result.analyzed_until_ms
    # Then the same request with that end has the same numbers
    same = pipeline.analyze(posted(end_ms=result.analyzed_until_ms))
    assert not same.truncated
    assert result.model_dump(exclude=OF_THE_REQUEST) == same.model_dump(exclude=OF_THE_REQUEST)
    # And with it as its start it has the rest
    rest = pipeline.analyze(posted(start_ms=result.analyzed_until_ms))
    assert [*result.timeline, *rest.timeline] == pipeline.analyze(posted()).timeline
    # And the caller is told
    assert f"Send start_ms={result.analyzed_until_ms} for the rest" in result.advice[0]
    assert not any("frames were analyzed" in sentence for sentence in result.advice)
    assert json.loads(render_to_fit(result, "json").text)["analyzed_until_ms"] == result.analyzed_until_ms


def test_a_whole_answer_says_nothing_of_a_part(pipeline):
    result = pipeline.analyze(posted(), after(1000))
    assert (result.truncated, result.analyzed_until_ms) == (False, None)
    assert "analyzed_until_ms" not in json.loads(render_to_fit(result, "json").text)


def test_a_timeline_that_is_cut_for_the_response_leaves_the_numbers(pipeline, monkeypatch):
    result = pipeline.analyze(posted(), after(26))
    body = render_to_fit(result, "json").text
    monkeypatch.setattr(limits, "LAMBDA_PAYLOAD_BYTES", limits.RESPONSE_ENVELOPE_BYTES + len(body) - 300)
    cut = json.loads(render_to_fit(result, "json").text)
    assert (cut["truncated"], cut["timeline_truncated"]) == (True, True)
    assert (cut["analyzed_until_ms"], len(cut["timeline"]) < cut["total_frames_analyzed"]) == (
        result.analyzed_until_ms,
        True,
    )


def test_without_one_frame_there_is_no_answer_but_what_to_do(pipeline):
    with pytest.raises(TooLong, match=r"before the first frame .* larger frame_interval or .*POST /uploads"):
        pipeline.analyze(posted(), after(0))
    assert not list(pipeline.settings.work_dir.iterdir())


def test_who_refuses_a_part_gets_the_error(pipeline):
    with pytest.raises(TooLong, match=r"of 12 sampled frames.*partial=allow gives the result so far"):
        pipeline.analyze(posted(partial=Partial.REFUSE), after(20))


def test_an_upload_refuses_a_part_unless_it_is_asked_for(pipeline):
    with_store, request = uploaded(pipeline)
    with pytest.raises(TooLong, match="more memory"):
        with_store.analyze(request, after(20))
    with_store, request = uploaded(pipeline, partial=Partial.ALLOW)
    assert with_store.analyze(request, after(20)).truncated


def test_the_limit_on_sampled_frames_follows_the_same_option(pipeline):
    # Given a child with a lower limit
    lower = "from video_emotions import child; from video_common import limits; limits.MAX_SAMPLED_FRAMES = 5"
    pipeline = replace(pipeline, reader=Reader(command=[sys.executable, "-c", f"{lower}; child.main()"]))
    result = pipeline.analyze(posted())
    assert (result.total_frames_analyzed, result.truncated, result.analyzed_until_ms) == (5, True, 5000)
    with pytest.raises(TooLong, match="more than 100,000 frames"):
        pipeline.analyze(posted(partial=Partial.REFUSE))


def test_a_limited_number_of_frames_that_cannot_be_read_is_no_lack_of_time(pipeline):
    # Given a child with a lower limit, and a video of which no sampled picture can be decoded
    broken = (
        "from video_emotions import child, frames; from video_common import limits; limits.MAX_SAMPLED_FRAMES = 5\n"
        "whole = frames.read; frames.read = lambda *asked: (*whole(*asked)[:2], iter(()))\nchild.main()"
    )
    pipeline = replace(pipeline, reader=Reader(command=[sys.executable, "-c", broken]))
    with pytest.raises(UndecodableVideo):
        pipeline.analyze(posted())


@pytest.mark.parametrize(("make", "name"), [(rest_event, "requestTimeEpoch"), (http_event, "timeEpoch")])
def test_a_request_that_waited_at_the_gateway_has_less_time(pipeline, make, name):
    # Given a request that arrived 28 seconds ago, and a Lambda that has 28 seconds
    event = make(CLIP)
    event["requestContext"][name] = round((time.time() - 28) * 1000)
    answer = Api(pipeline).handle(event, LambdaContext())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (422, "too_long")
