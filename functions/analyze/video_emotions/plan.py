"""Step 4: which pictures are analyzed, and at what size.  VideoInfo + PacketIndex + Options -> Plan.  Pure."""

from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import InvalidOption
from video_emotions.boxes import Size
from video_emotions.facts import PlanFacts, VideoInfo
from video_emotions.packet_index import PacketIndex

Indices = NDArray[np.int64]
KEYFRAMES: Final = "keyframes"
"""The value of ``sampling`` for keyframes alone."""


class Scaling(Protocol):
    """What a caller may ask for, as far as it decides at what size pictures are analyzed."""

    @property
    def scale_factor(self) -> float | None:
        """The scale of the analysis, or None."""


class Wanted(Scaling, Protocol):
    """The same for which pictures are analyzed. `video_common.schema.Options` describes each member.

    The process that decodes does not import that module, because Pydantic comes with it.
    """

    @property
    def frame_interval(self) -> int | None:
        """Every Nth picture, or None."""

    @property
    def sampling(self) -> str:
        """``exact`` or ``keyframes``."""

    @property
    def interval_ms(self) -> int | None:
        """Milliseconds between sampled pictures, or None."""

    @property
    def start_ms(self) -> int | None:
        """Where the part begins, or None."""

    @property
    def end_ms(self) -> int | None:
        """Where the part ends, or None."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The pictures to analyze.

    Attributes
    ----------
    indices : NDArray of int64
        Positions in presentation order, ascending, each once; at most ``limits.MAX_SAMPLED_FRAMES``.
    until_ms : int or None
        Presentation time of the first picture that this limit leaves out. None: it leaves none out.
    keyframes_only : bool
        All of them are keyframes.
    pictures : int
        How many the chosen part of the video has.
    scales : tuple of float
        The factors at which a picture of the video's size is analyzed, see `scales_for`.
    """

    indices: Indices
    until_ms: int | None
    keyframes_only: bool
    pictures: int
    scales: tuple[float, ...]

    def is_found_by_time(self, index: PacketIndex) -> bool:
        """Report whether the pictures can be known by their times. Otherwise all up to the last one are decoded."""
        return index.has_presentation_times or self.keyframes_only

    @property
    def facts(self) -> PlanFacts:
        """The plan without the list of its pictures."""
        return PlanFacts(len(self.indices), self.pictures, self.until_ms, self.scales)


def plan(info: VideoInfo, index: PacketIndex, options: Wanted) -> Plan:
    """Choose the pictures to analyze.

    `exact` sampling selects every ``frame_interval``-th picture of the chosen part, beginning with its first one.

    By time and by keyframes, a part has the same samples that the whole video has there, so parts join. ``interval_ms``
    selects the video's first picture and the picture shown at each multiple. `keyframes` selects the keyframe that is
    nearest in time to each picture that `exact` would select in the whole video. If two are equally near, the earlier
    one counts. A part without any of these samples has its first picture, or its first keyframe, instead.

    Raises
    ------
    InvalidOption
        The part holds no picture, or no keyframe for `keyframes`, or the pictures are too large for the
        ``scale_factor``.
    """
    scales = scales_for(info.size, options)
    refuse_too_many_pixels(info.size, max(scales))
    first, end = _part(index.times_ms, options)
    keyframes = np.flatnonzero(index.is_keyframe)
    keyframes_only = options.sampling == KEYFRAMES
    if keyframes_only:
        if not index.is_keyframe[first:end].any():
            raise InvalidOption("'sampling': no keyframe is in this part. Use a larger part, or sampling=exact.")
        wanted = _within(first, end, _keyframes(info, index.times_ms, keyframes, options), keyframes)
    elif options.interval_ms is not None:
        shown = _shown_at_multiples(info, index.times_ms, options.interval_ms)
        wanted = _within(first, end, shown, np.arange(first, end))
    else:
        wanted = np.arange(first, end, options.frame_interval, dtype=np.int64)
    most = limits.MAX_SAMPLED_FRAMES
    return Plan(
        indices=wanted[:most],
        until_ms=int(index.times_ms[wanted[most]]) if len(wanted) > most else None,
        keyframes_only=keyframes_only,
        pictures=end - first,
        scales=scales,
    )


def scales_for(size: Size, options: Scaling) -> tuple[float, ...]:
    """Return the factors at which a picture of that size is analyzed, ascending, 1.0 at most.

    A caller's ``scale_factor`` is the only one. Without it the first is enough for most pictures. The next one is for
    those in which no face is found so far, or only faces smaller than the detector's ``sure_face``.
    """
    if options.scale_factor is not None:
        return (options.scale_factor,)
    return tuple(sorted({min(1.0, side / max(size)) for side in limits.DEFAULT_LONG_SIDES}))


def refuse_too_many_pixels(size: Size, scale: float) -> None:
    """Reject a scale that leaves a picture more than ``limits.MAX_ANALYZED_PIXELS``.

    Raises
    ------
    InvalidOption
        With the largest factor that works.
    """
    pixels = size[0] * size[1]
    if pixels * scale * scale > limits.MAX_ANALYZED_PIXELS:
        raise InvalidOption(
            f"'scale_factor': {size[0]} x {size[1]} pixels can be analyzed at {largest_scale(size):.2f} at most. "
            "Use a smaller one, or leave the option out to have the size chosen."
        )


def largest_scale(size: Size) -> float:
    """Return the largest ``scale_factor`` of two decimals at which a picture of that size can be analyzed."""
    return min(1.0, floor(100 * sqrt(limits.MAX_ANALYZED_PIXELS / (size[0] * size[1]))) / 100)


def smallest_face_px(size: Size, scales: tuple[float, ...], analyzed: int) -> int:
    """Return the side of a face in a picture of that size that takes ``analyzed`` pixels at the largest scale."""
    longer = max(size)
    return ceil(analyzed * longer / max(longer * scales[-1], limits.MIN_SCALED_SIDE))


def _part(times_ms: Indices, options: Wanted) -> tuple[int, int]:
    """Return the first picture of the chosen part and the one after its last."""
    end = len(times_ms) if options.end_ms is None else int(np.searchsorted(times_ms, options.end_ms))
    first = int(np.searchsorted(times_ms, options.start_ms)) if options.start_ms else 0
    if first >= end:
        raise InvalidOption(
            f"'start_ms' and 'end_ms': no picture begins in this part. The first picture begins at {times_ms[0]} ms "
            f"and the last one at {times_ms[-1]} ms. Choose a part in which one begins."
        )
    return first, end


def _keyframes(info: VideoInfo, times_ms: Indices, keyframes: Indices, options: Wanted) -> Indices:
    """Return the keyframes of a video that are nearest to the pictures that `exact` selects in all of it."""
    if options.interval_ms is None:
        exact = np.arange(0, len(times_ms), options.frame_interval, dtype=np.int64)
    else:
        exact = _shown_at_multiples(info, times_ms, options.interval_ms)
    return np.unique(keyframes[_nearest(times_ms[keyframes], times_ms[exact])])


def _shown_at_multiples(info: VideoInfo, times_ms: Indices, interval_ms: int) -> Indices:
    """Return the first picture of a video, and the pictures shown at each multiple of the interval."""
    # A picture is shown until the next one begins. Listing every multiple instead would let a file that claims a
    # duration of years take all memory.
    ends = np.append(times_ms[1:], max(int(times_ms[0]) + info.duration_ms, int(times_ms[-1]) + 1))
    is_shown = -(-times_ms // interval_ms) * interval_ms < ends
    is_shown[0] = True
    return np.flatnonzero(is_shown)


def _within(first: int, end: int, sampled: Indices, candidates: Indices) -> Indices:
    """Return the sampled pictures from ``first`` to before ``end``. If there is none, return the first candidate."""
    inside = sampled[(sampled >= first) & (sampled < end)]
    return inside if len(inside) else candidates[candidates >= first][:1]


def _nearest(times: Indices, wanted: Indices) -> Indices:
    """Return for each wanted time the position of the nearest of the ascending ``times``."""
    after = np.clip(np.searchsorted(times, wanted), 0, len(times) - 1)
    before = np.clip(after - 1, 0, None)
    return np.where(np.abs(wanted - times[before]) <= np.abs(times[after] - wanted), before, after)
