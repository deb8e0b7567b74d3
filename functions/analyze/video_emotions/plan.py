"""Step 4: which pictures are analyzed, and at what size.  VideoInfo + PacketIndex + Options -> Plan.  Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import InvalidOption
from video_common.schema import AnalysisOptions, Options, Sampling
from video_emotions.boxes import Size
from video_emotions.packets import PacketIndex
from video_emotions.probe import VideoInfo

Indices = NDArray[np.int64]


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
    scale : float
        The factor at which a picture of the video's size is analyzed.
    """

    indices: Indices
    until_ms: int | None
    keyframes_only: bool
    scale: float

    @property
    def truncated(self) -> bool:
        """Report whether the limit leaves some out."""
        return self.until_ms is not None


def plan(info: VideoInfo, index: PacketIndex, options: Options) -> Plan:
    """Choose the pictures to analyze.

    `exact` sampling selects every ``frame_interval``-th picture of the chosen part, beginning with its first one, or
    the picture shown at each multiple of ``interval_ms`` from the part's start. `keyframes` sampling selects the
    keyframe of the part that is nearest in time to each of those, and the earlier one of two that are equally near. A
    part without a keyframe is sampled as `exact`.

    Raises
    ------
    InvalidOption
        The part holds no picture, or the pictures are too large for the ``scale_factor``.
    """
    scale = scale_for(info.size, options)
    refuse_too_many_pixels(info.size, scale)
    first, end = _part(index.times_ms, options)
    wanted = _sampled(info, index.times_ms, first, end, options)
    keyframes = np.flatnonzero(index.is_keyframe[first:end]) + first
    keyframes_only = options.sampling is Sampling.KEYFRAMES and len(keyframes) > 0
    if keyframes_only:
        wanted = np.unique(keyframes[_nearest(index.times_ms[keyframes], index.times_ms[wanted])])
    most = limits.MAX_SAMPLED_FRAMES
    until_ms = int(index.times_ms[wanted[most]]) if len(wanted) > most else None
    return Plan(wanted[:most], until_ms, keyframes_only, scale)


def scale_for(size: Size, options: AnalysisOptions) -> float:
    """Return the factor at which a picture of that size is analyzed, 1.0 at most.

    Without a ``scale_factor`` the longer side becomes at most ``limits.DEFAULT_LONG_SIDE`` pixels.
    """
    return options.scale_factor or min(1.0, limits.DEFAULT_LONG_SIDE / max(size))


def refuse_too_many_pixels(size: Size, scale: float) -> None:
    """Reject a scale that leaves a picture more than ``limits.MAX_ANALYZED_PIXELS``.

    Raises
    ------
    InvalidOption
        With the largest factor that works.
    """
    pixels = size[0] * size[1]
    if pixels * scale * scale > limits.MAX_ANALYZED_PIXELS:
        largest = (limits.MAX_ANALYZED_PIXELS / pixels) ** 0.5
        raise InvalidOption(
            f"'scale_factor': {size[0]} x {size[1]} pixels can be analyzed at {largest:.2f} at most. "
            "Use a smaller one, or leave the option out to have the size chosen."
        )


def _part(times_ms: Indices, options: Options) -> tuple[int, int]:
    """Return the first picture of the chosen part and the one after its last."""
    end = len(times_ms) if options.end_ms is None else int(np.searchsorted(times_ms, options.end_ms))
    first = int(np.searchsorted(times_ms, options.start_ms)) if options.start_ms else 0
    if first >= end:
        raise InvalidOption(
            f"'start_ms' and 'end_ms': the part holds no picture. The video's pictures begin at {times_ms[0]} to "
            f"{times_ms[-1]} ms; choose a part in which at least one begins."
        )
    return first, end


def _sampled(info: VideoInfo, times_ms: Indices, first: int, end: int, options: Options) -> Indices:
    """Return the sampled pictures of the part from ``first`` to before ``end``."""
    if options.interval_ms is None:
        return np.arange(first, end, options.frame_interval, dtype=np.int64)
    # A picture is shown until the next one begins. Listing every multiple instead would let a file that claims a
    # duration of years take all memory.
    begins = times_ms[first:end]
    last_end = int(times_ms[end]) if end < len(times_ms) else int(times_ms[0]) + info.duration_ms
    if options.end_ms is not None:
        last_end = min(last_end, options.end_ms)
    ends = np.append(begins[1:], max(last_end, int(begins[-1]) + 1))
    start = options.start_ms or 0
    multiples = np.clip(-(-(begins - start) // options.interval_ms), 0, None)
    is_shown = start + multiples * options.interval_ms < ends
    is_shown[0] = True
    return first + np.flatnonzero(is_shown)


def _nearest(times: Indices, wanted: Indices) -> Indices:
    """Return for each wanted time the position of the nearest of the ascending ``times``."""
    after = np.clip(np.searchsorted(times, wanted), 0, len(times) - 1)
    before = np.clip(after - 1, 0, None)
    return np.where(np.abs(wanted - times[before]) <= np.abs(times[after] - wanted), before, after)
