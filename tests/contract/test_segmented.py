"""A segmented analysis has the Result of the whole one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.make_video import write_video
from testbed.pictures import CENTRED, TO_THE_LEFT, portraits
from video_common.errors import (
    ObjectMissing,
    OtherVersion,
    SegmentsDisagree,
    StorageUnavailable,
    TooLong,
    TruncatedVideo,
    UndecodableVideo,
)
from video_common.result import Result
from video_common.schema import FacelessFrames, Options, Sampling, Voting
from video_common.schema import Partial as Parts
from video_emotions import pool
from video_emotions.deadline import Deadline
from video_emotions.outline import Outline, Partial, observations
from video_emotions.reader import Reader, Segmenting
from video_emotions.segmented import Segmented
from video_emotions.video_request import VideoRequest

FACES = [CENTRED] * 20 + [None] * 20 + [TO_THE_LEFT] * 15 + [CENTRED] * 5
EACH = Options(frame_interval=2, include="timeline")


class Bytes:
    """A file of which ranges can be had; it fails on demand."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.size = len(self._data)
        self.sent = 0
        self.error: Exception | None = None

    def read(self, start: int, end: int) -> bytes:
        if self.error is not None:
            raise self.error
        self.sent += end - start
        return self._data[start:end]


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_video(path, portraits(320, 180, FACES), keyint=5, b_frames=2, open_gop=True)


@pytest.fixture
def tasks(pipeline) -> Segmented:
    return Segmented(pipeline)


def comparable(result: Result) -> Result:
    """Leave out what is different by contract."""
    video = result.video.model_copy(update={"sha256": None})
    return result.model_copy(update={"timings_ms": {}, "video": video})


def partials(tasks: Segmented, source: Path | Bytes, outline: Outline, slices: bytes) -> list[Partial]:
    parts = [slices[segment.begin : segment.end] for segment in outline.segments]
    return [tasks.analyze(source, outline, number, part) for number, part in enumerate(parts)]


def through_texts(tasks: Segmented, source: Path | Bytes, options: Options, at_least: int) -> tuple[Result, int]:
    """Analyze in segments, whose outline and partials become texts in between. Return how many there were, too."""
    outline, slices = tasks.plan(source, options, Segmenting(at_least=at_least))
    outline = Outline.model_validate_json(outline.model_dump_json())
    texts = [partial.to_texts() for partial in partials(tasks, source, outline, slices)]
    parts = ((Partial.model_validate_json(sums), observations(lines.splitlines())) for sums, lines in texts)
    return tasks.merge(outline, parts, lambda: 1.0), len(texts)


@pytest.mark.parametrize(
    ("options", "at_least"),
    [
        (EACH, 1),
        (EACH, 7),
        (Options(interval_ms=100, start_ms=300, end_ms=1500), 3),
        (Options(sampling=Sampling.KEYFRAMES, frame_interval=1), 4),
        (Options(frame_interval=1, faceless_frames=FacelessFrames.ANALYZE), 2),
        (Options(frame_interval=2, include="people", faceless_frames=FacelessFrames.ANALYZE), 5),
        (Options(frame_interval=2, voting=Voting.ALL), 3),
        (Options(frame_interval=2, format="csv"), 3),
    ],
)
def test_every_field_but_the_times_and_the_digest(tasks, clip, options, at_least):
    whole = tasks.pipeline.analyze(VideoRequest(clip.read_bytes(), options))
    merged, _ = through_texts(tasks, Bytes(clip), options, at_least)
    assert comparable(merged) == comparable(whole)
    assert merged.video.sha256 is None
    assert set(merged.timings_ms) == {*whole.timings_ms, "wall"}


def test_a_file_that_is_fetched_is_read_once(tasks, clip):
    source = Bytes(clip)
    outline, slices = tasks.plan(source, EACH, Segmenting(at_least=4))
    planned, source.sent = source.sent, 0
    partials(tasks, source, outline, slices)
    # Small files are one range, so each task reads all of this one at most.
    assert planned <= source.size + 65_536
    assert source.sent <= len(outline.segments) * (source.size + 65_536)


def test_a_partial_that_is_missing_doubled_or_of_another_plan_does_not_go_unnoticed(tasks, clip):
    outline, slices = tasks.plan(clip, EACH, Segmenting(at_least=4))
    other, _ = tasks.plan(clip, Options(frame_interval=3), Segmenting(at_least=4))
    found = partials(tasks, clip, outline, slices)
    fewer = found[1].model_copy(update={"report": replace(found[1].report, frames_analyzed=1)})
    cut = found[1].model_copy(update={"report": replace(found[1].report, analyzed_until_ms=7)})
    for wrong in (
        found[:-1],
        [],
        found[1:],
        [*found, found[-1]],
        [found[0], found[0], *found[2:]],
        [found[1], found[0], *found[2:]],
        [found[0], fewer, *found[2:]],
        [found[0], cut, *found[2:]],
    ):
        with pytest.raises(SegmentsDisagree):
            tasks.merge(outline, [partial.found for partial in wrong], lambda: 1.0)
    with pytest.raises(SegmentsDisagree):
        tasks.merge(other, [partial.found for partial in found], lambda: 1.0)


def test_a_plan_of_another_version_is_refused(tasks, clip):
    outline, slices = tasks.plan(clip, EACH, Segmenting(at_least=2))
    for pins in ({**outline.pins, "version": "0.9"}, {**outline.pins, "centre_tolerance": 0.5}):
        old = outline.model_copy(update={"pins": pins})
        with pytest.raises(OtherVersion):
            tasks.analyze(clip, old, 0, slices[: outline.segments[0].end])
        with pytest.raises(OtherVersion):
            tasks.merge(old, [], lambda: 1.0)


def test_what_the_store_says_while_a_child_reads_reaches_the_caller(tasks, clip):
    source = Bytes(clip)
    outline, slices = tasks.plan(source, EACH, Segmenting(at_least=2))
    for error in (StorageUnavailable("later"), ObjectMissing("another one")):
        source.error = error
        with pytest.raises(type(error)):
            tasks.plan(source, EACH, Segmenting())
        with pytest.raises(type(error)):
            tasks.analyze(source, outline, 0, slices[: outline.segments[0].end])
    source.error = None
    assert tasks.analyze(source, outline, 0, slices[: outline.segments[0].end]).report.frames_analyzed


def test_a_segment_without_time_and_a_video_without_pictures_fail(tasks, clip, tmp_path):
    outline, slices = tasks.plan(clip, EACH, Segmenting(at_least=2))
    with pytest.raises(TooLong):
        tasks.analyze(clip, outline, 0, slices[: outline.segments[0].end], Deadline(at=-1.0))
    found = partials(tasks, clip, outline, slices)
    nothing = [
        partial.model_copy(
            update={"report": replace(partial.report, frames_analyzed=0, frames_unreadable=segment.facts.frames)}
        )
        for partial, segment in zip(found, outline.segments, strict=True)
    ]
    with pytest.raises(UndecodableVideo):
        tasks.merge(outline, [partial.found for partial in nothing], lambda: 1.0)
    cut_off = tmp_path / "cut.mp4"
    cut_off.write_bytes(clip.read_bytes()[:-2000])
    with pytest.raises(TruncatedVideo):
        tasks.plan(Bytes(cut_off), EACH, Segmenting())


def test_a_plan_that_runs_out_of_time_says_what_helps(tasks, clip):
    with pytest.raises(TooLong) as refused:
        tasks.plan(Bytes(clip), EACH, Segmenting(), Deadline(at=-1.0))
    assert "ffmpeg -i FILE -c copy new.mp4" in refused.value.detail


class Truncated(Reader):
    """Plans more frames than a Result may have."""

    def segments(self, *arguments: Any, **more: Any) -> Any:
        info, plan, parts = super().segments(*arguments, **more)
        return info, replace(plan, until_ms=1), parts


def test_a_plan_of_too_many_frames_is_not_said_to_need_time(tasks, clip):
    planner = replace(tasks, pipeline=replace(tasks.pipeline, reader=Truncated()))
    with pytest.raises(TooLong, match=r"sample more than 100,000 frames"):
        planner.plan(clip, EACH.model_copy(update={"partial": Parts.REFUSE}), Segmenting())


def test_a_pool_of_processes_gives_the_same(tasks, clip):
    told: list[tuple[int, int]] = []
    pipeline = replace(tasks.pipeline, settings=tasks.pipeline.settings.model_copy(update={"threads": 2}))
    result = pool.analyze(pipeline, clip, EACH, lambda done, count: told.append((done, count)), 0.0)
    assert result is not None
    whole = pipeline.analyze(VideoRequest(clip, EACH))
    assert set(result.timings_ms) == {*whole.timings_ms, "wall"}
    assert result.model_copy(update={"timings_ms": {}}) == whole.model_copy(update={"timings_ms": {}})
    assert (told[0], told[-1]) == ((0, 30), (30, 30))
    assert len(told) > 8
    # A short analysis, and one that cannot be cut, are not worth processes, unless nothing else takes so many pictures
    assert pool.analyze(pipeline, clip, EACH, lambda _done, _all: None) is None
    assert pool.analyze(pipeline, clip, Options(end_ms=100), lambda _done, _all: None, 0.0) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("video_common.limits.MAX_FRAMES", 10)
        one = pool.analyze(pipeline, clip, Options(end_ms=100), lambda _done, _all: None)
    assert one is not None
    assert one.total_frames_analyzed == 1
