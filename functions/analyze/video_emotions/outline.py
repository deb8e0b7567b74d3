"""What the tasks of a segmented analysis pass on: the outline of the plan, and what each segment found."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import zip_longest
from typing import Any, Final

from pydantic import NonNegativeInt, PositiveInt, TypeAdapter, with_config

from video_common.errors import SegmentsDisagree
from video_common.schema import Frozen, Options
from video_emotions.aggregate import Observation, Report
from video_emotions.facts import PlanFacts, SegmentFacts, VideoInfo

_OBSERVATION: Final = TypeAdapter(with_config(ser_json_bytes="base64", val_json_bytes="base64")(Observation))


class Segment(Frozen):
    """A segment, and where its slice is among the slices of the plan: bytes from ``begin`` to before ``end``."""

    facts: SegmentFacts
    begin: NonNegativeInt
    end: PositiveInt


class Outline(Frozen):
    """A plan, without the list of its packets.

    Attributes
    ----------
    video : VideoInfo
    plan : PlanFacts
    options : Options
        As they were given.
    segments : tuple of Segment
        In the order of the video. At least one.
    slices_sha256 : str
        Of all slices.
    pins : dict
        What shapes the numbers: see `Pipeline.identity`. And the version of the code.
    timings_ms : dict of str to float
        Of the plan.
    """

    video: VideoInfo
    plan: PlanFacts
    options: Options
    segments: tuple[Segment, ...]
    slices_sha256: str
    pins: dict[str, Any]
    timings_ms: dict[str, float]

    @property
    def digest(self) -> str:
        """A name for exactly this plan, whenever it was made."""
        return sha256(self.model_dump_json(exclude={"timings_ms"}).encode()).hexdigest()


class Partial(Frozen):
    """What the analysis of one segment found.

    Attributes
    ----------
    outline : str
        The digest of the plan.
    number : int
        Of the segment, from 0.
    report : Report
    timings_ms : dict of str to float
    """

    outline: str
    number: NonNegativeInt
    report: Report
    timings_ms: dict[str, float]

    def to_texts(self) -> tuple[str, str]:
        """Return the sums as JSON, and the timeline as JSON lines: see `observations`."""
        timeline = "".join(f"{_OBSERVATION.dump_json(seen).decode()}\n" for seen in self.report.timeline)
        return self.model_dump_json(exclude={"report": {"timeline"}}), timeline

    @property
    def found(self) -> "Found":
        """The partial with its own timeline."""
        return self, self.report.timeline


Found = tuple[Partial, Iterable[Observation]]
"""A partial, and its timeline, which can be too large for the memory."""


def observations(lines: Iterable[str]) -> Iterator[Observation]:
    """Read a timeline, line by line."""
    return map(_OBSERVATION.validate_json, lines)


def complete(outline: Outline, parts: Iterable[Found]) -> Iterator[Found]:
    """Yield what was found of a plan, and make sure that each segment has its own partial, in order.

    Raises
    ------
    SegmentsDisagree
        One is missing, doubled, of another plan, or has other frames than were planned.
    """
    digest = outline.digest
    for number, (segment, part) in enumerate(zip_longest(outline.segments, parts)):
        if segment is None or part is None or not _is_of(part[0], digest, number, segment):
            raise SegmentsDisagree(f"Segment {number} of the analysis is not what was planned.")
        yield part


def _is_of(partial: Partial, digest: str, number: int, segment: Segment) -> bool:
    report = partial.report
    frames = report.frames_analyzed + report.frames_unreadable
    is_whole = frames == segment.facts.frames and not report.truncated
    return is_whole and (partial.outline, partial.number) == (digest, number)
