"""What a child sends, as facts and pictures. A file that controls its child can make it send anything.

So each number is checked against its possible values, and against earlier numbers. A number that does not fit is
an error of the file.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from video_common import limits
from video_emotions.boxes import Size
from video_emotions.child_errors import crashed
from video_emotions.facts import Frame, PlanFacts, SegmentFacts, VideoInfo

_LARGEST: Final = 2**63 - 1
"""Larger numbers cannot be divided as floats, and no file has any."""
_Count = Annotated[int, Field(ge=0, le=_LARGEST)]
_Side = Annotated[int, Field(ge=1, le=_LARGEST)]


@dataclass(frozen=True, slots=True)
class _FrameFacts:
    index: _Count
    time_ms: _Count
    own_size: tuple[_Side, _Side]
    planned: _Count
    next_ms: _Count | None
    sizes: Annotated[list[tuple[_Side, _Side]], Field(min_length=1, max_length=len(limits.DEFAULT_LONG_SIDES))]


_VIDEO: Final = TypeAdapter(VideoInfo)
_PLAN: Final = TypeAdapter(PlanFacts)
_SEGMENT: Final = TypeAdapter(SegmentFacts)
_FRAME: Final = TypeAdapter(_FrameFacts)


class Answers:
    """The answers of one child, in the order in which they come.

    Raises
    ------
    DecoderCrashed
        From each method: our own child never sends that.
    """

    def __init__(self) -> None:
        self._frame_count = self._wanted = 0
        self._segments = self._in_segments = self._slice_bytes = 0
        self._last: Frame | None = None

    def video(self, message: dict[str, Any]) -> tuple[VideoInfo, PlanFacts]:
        """Return the facts of a file that was read as a whole, and of the plan."""
        return self._facts(message, is_whole=True)

    def surveyed(self, message: dict[str, Any]) -> tuple[VideoInfo, PlanFacts]:
        """Return the facts of a file of which only the index was read, and of the plan."""
        return self._facts(message, is_whole=False)

    def expect(self, frame_count: int, wanted: int) -> None:
        """Say how many pictures the video has, and how many of them come: a child that reads a slice does not."""
        self._frame_count, self._wanted = frame_count, wanted

    def _facts(self, message: dict[str, Any], *, is_whole: bool) -> tuple[VideoInfo, PlanFacts]:
        with _no_nonsense():
            info, plan = _VIDEO.validate_python(message["video"]), _PLAN.validate_python(message["plan"])
            _check(_is_a_video(info, is_whole) and _is_a_plan(plan, info))
        self._frame_count, self._wanted = info.frame_count, plan.frames_wanted
        return info, plan

    def segment(self, message: dict[str, Any], part: bytearray) -> tuple[SegmentFacts, bytes]:
        """Return the next segment and its slice. Together they have no more pictures than the plan."""
        with _no_nonsense():
            facts = _SEGMENT.validate_python(message["segment"])
            self._segments += 1
            self._in_segments += facts.frames
            self._slice_bytes += len(part)
            is_too_much = self._segments > limits.MAX_SEGMENTS or self._slice_bytes > limits.MAX_SLICES_BYTES
            _check(_is_a_segment(facts) and self._in_segments <= self._wanted and not is_too_much)
        return facts, bytes(part)

    def frame(self, message: dict[str, Any], pixels: bytearray) -> Frame:
        """Return the next picture."""
        with _no_nonsense():
            facts = _FRAME.validate_python(message["frame"])
            images = tuple(_images(pixels, facts.sizes))
            frame = Frame(facts.index, facts.time_ms, images, facts.own_size, facts.planned, facts.next_ms)
            _check(self._can_follow(frame))
        self._last = frame
        return frame

    def _can_follow(self, frame: Frame) -> bool:
        last = self._last
        index, planned, time_ms = (last.index, last.planned, last.time_ms) if last else (-1, 0, 0)
        return (
            index < frame.index < self._frame_count
            and planned < frame.planned <= self._wanted
            and time_ms <= frame.time_ms
            and (frame.next_ms is None or frame.time_ms <= frame.next_ms)
        )


def _is_a_video(info: VideoInfo, is_whole: bool) -> bool:
    digest_fits = re.fullmatch("[0-9a-f]{64}", info.sha256 or "") is not None if is_whole else info.sha256 is None
    return (
        info.codec.isascii()
        and min(info.width, info.height) >= 1
        and info.width * info.height <= limits.MAX_PIXELS
        and info.rotation in {0, 90, 180, 270}
        and 0 <= info.frame_rate < math.inf
        and 0 <= info.duration_ms <= _LARGEST
        and 0 <= info.size_bytes <= _LARGEST
        and digest_fits
        and info.frame_count <= (limits.MAX_FRAMES if is_whole else limits.MAX_JOB_FRAMES)
    )


def _is_a_plan(plan: PlanFacts, info: VideoInfo) -> bool:
    return (
        1 <= plan.frames_wanted <= min(plan.pictures, limits.MAX_SAMPLED_FRAMES)
        and plan.pictures <= info.frame_count
        and (plan.until_ms is None or 0 <= plan.until_ms <= _LARGEST)
        and 1 <= len(plan.scales) <= len(limits.DEFAULT_LONG_SIDES)
        and all(0 < scale <= 1 for scale in plan.scales)
    )


def _is_a_segment(facts: SegmentFacts) -> bool:
    is_in_order = 0 <= facts.start_ms <= facts.end_ms <= _LARGEST
    return facts.frames >= 1 and is_in_order and 0 <= facts.seconds <= facts.most_seconds < math.inf


def _images(pixels: bytearray, sizes: list[Size]) -> Iterator[NDArray[np.uint8]]:
    start = 0
    for width, height in sizes:
        end = start + 3 * width * height
        yield np.frombuffer(memoryview(pixels)[start:end], np.uint8).reshape(height, width, 3)
        start = end
    _check(start == len(pixels))


def _check(holds: bool) -> None:
    if not holds:
        raise ValueError("an answer that cannot be")


@contextmanager
def _no_nonsense() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise crashed() from error
