"""A long video in segments: plan, analyze each one, merge. The Result is that of `Pipeline.analyze`.

Each method can run in a process of its own, on another machine, and again.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from hashlib import sha256
from operator import add
from pathlib import Path
from typing import Any

import video_emotions
from video_common import limits
from video_common.aws.large_files import Ranges
from video_common.errors import OtherVersion, TooLong
from video_common.result import Result
from video_common.schema import Options
from video_common.schema import Partial as Parts
from video_emotions.aggregate import Observation
from video_emotions.deadline import NEVER, Deadline
from video_emotions.facts import PlanFacts
from video_emotions.follower import Follower
from video_emotions.outline import Found, Outline, Partial, Segment, complete
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Segmenting
from video_emotions.telemetry import WALL, Stopwatch

Keep = Callable[[Observation], object]


@dataclass(frozen=True)
class Segmented:
    """The tasks of a segmented analysis."""

    pipeline: Pipeline

    @property
    def pins(self) -> dict[str, Any]:
        """What must be the same for all segments: code, models and settings."""
        return {"version": video_emotions.__version__, **self.pipeline.identity}

    def plan(
        self, source: Path | Ranges, options: Options, wanted: Segmenting, deadline: Deadline = NEVER
    ) -> tuple[Outline, bytes]:
        """Examine a video, and cut its sampled pictures into segments.

        Parameters
        ----------
        source : Path or Ranges
        options : Options
            As they were given.
        wanted : Segmenting
        deadline : Deadline

        Returns
        -------
        Outline
        bytes
            The slices of all segments: `Segment` says where each one is.

        Raises
        ------
        VideoError, InvalidOption, ServiceError
        """
        watch, slices, segments = Stopwatch(), bytearray(), []
        pipeline = self.pipeline
        pipeline.finder.detector(options.detector)
        with watch.step("probe"), _planned_in_time(deadline):
            threads = pipeline.settings.worker_threads
            info, plan, parts = pipeline.reader.segments(source, options, threads, wanted, deadline.left)
            with closing(parts):
                if plan.truncated and options.partial is Parts.REFUSE:
                    raise TooLong(
                        f"The options sample more than {limits.MAX_SAMPLED_FRAMES:,} frames. "
                        "Use a larger frame_interval or interval_ms."
                    )
                for facts, part in parts:
                    segments.append(Segment(facts=facts, begin=len(slices), end=len(slices) + len(part)))
                    slices += part
        outline = Outline(
            video=info,
            plan=plan,
            options=options,
            segments=tuple(segments),
            slices_sha256=sha256(slices).hexdigest(),
            pins=self.pins,
            timings_ms=watch.milliseconds(),
        )
        return outline, bytes(slices)

    def analyze(
        self, source: Path | Ranges, outline: Outline, number: int, part: bytes, deadline: Deadline = NEVER
    ) -> Partial:
        """Analyze one segment.

        Parameters
        ----------
        source : Path or Ranges
            The same file.
        outline : Outline
        number : int
            Of the segment, from 0.
        part : bytes
            Its slice.
        deadline : Deadline

        Raises
        ------
        OtherVersion
            The plan was made with other code, models or settings.
        TooLong
            The segment does not end in time.
        VideoError, ServiceError
        """
        self._refuse_other_versions(outline)
        watch, options, segment = Stopwatch(), outline.options, outline.segments[number]
        options = options.model_copy(update={"partial": Parts.REFUSE})
        plan = PlanFacts(segment.facts.frames, outline.plan.pictures, None, outline.plan.scales)
        with watch.step("probe"):
            threads = self.pipeline.settings.worker_threads
            sizes = outline.video.frame_count, segment.facts.frames
            frames = self.pipeline.reader.read_slice(source, part, sizes, options, threads, deadline.left)
        with closing(frames):
            report = self.pipeline.report(frames, plan, options, watch, deadline)
        if report.truncated:
            raise TooLong(
                f"A segment of {segment.facts.frames} frames from {segment.facts.start_ms} ms on does not end in time. "
                "Use a larger frame_interval or sampling=keyframes."
            )
        return Partial(outline=outline.digest, number=number, report=report, timings_ms=watch.milliseconds())

    def merge(
        self, outline: Outline, parts: Iterable[Found], wall_ms: Callable[[], float], keep: Keep | None = None
    ) -> Result:
        """Add up what the segments found.

        Parameters
        ----------
        outline : Outline
        parts : iterable of Found
            In the order of the segments, each once.
        wall_ms : callable
            Returns the milliseconds since the plan began. It is called when all parts have come.
        keep : callable, optional
            Gets each frame of a timeline that was asked for, in order, and the Result's timeline is empty. None: the
            Result has them.

        Raises
        ------
        OtherVersion, SegmentsDisagree
        UndecodableVideo
            No frame of any segment was analyzed.
        """
        self._refuse_other_versions(outline)
        timeline: list[Observation] = []
        chosen = (keep or timeline.append) if outline.options.wants_timeline else _leave_out
        timings, reports, follower = dict(outline.timings_ms), [], Follower()
        for partial, frames in complete(outline, parts):
            reports.append(follower.linked(partial.report, frames, chosen))
            timings = {step: spent + partial.timings_ms[step] for step, spent in timings.items()}
        report = reduce(add, reports)
        report = replace(report, timeline=tuple(timeline), analyzed_until_ms=outline.plan.until_ms)
        timings = {step: round(spent, 3) for step, spent in {**timings, WALL: wall_ms()}.items()}
        return self.pipeline.result(report, outline.video, outline.plan, outline.options, timings)

    def _refuse_other_versions(self, outline: Outline) -> None:
        if outline.pins != self.pins:
            raise OtherVersion("The video was planned with another version of the code, the models or the settings.")


@contextmanager
def _planned_in_time(deadline: Deadline) -> Iterator[None]:
    """Say what helps if the time ends before a file's packets are counted: a file without one index is read whole."""
    try:
        yield
    except TooLong as error:
        if deadline.left > 0:
            raise
        raise TooLong(
            "The time ended before all of the file was read. An MP4 with one index is read in seconds: make one with "
            "ffmpeg -i FILE -c copy new.mp4, then send the new file."
        ) from error


def _leave_out(_seen: Observation) -> None:
    """Keep nothing of a frame."""
