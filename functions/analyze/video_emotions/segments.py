"""Where a plan is cut into segments: at keyframes, so that each segment is about the same work. Pure."""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_emotions.boxes import Size
from video_emotions.packet_index import PacketIndex
from video_emotions.plan import Plan


def costs(index: PacketIndex, chosen: Plan, size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many seconds of processor time the sampled pictures take, each with all before it.

    Parameters
    ----------
    index : PacketIndex
    chosen : Plan
    size : Size
        Of the video's pictures.

    Returns
    -------
    NDArray of float64, shape (sampled pictures,)
        Ascending. It counts the pictures that are decoded and those that are analyzed, by their pixels.
    NDArray of float64, shape (sampled pictures,)
        The same if each is searched at all sizes of the plan, as those without a face are.
    """
    uses = index.uses_of_packets(chosen.indices)
    if not chosen.is_found_by_time(index):
        uses = np.ones_like(uses)
    decoded = np.cumsum(uses > 0)
    counts = index.packet_counts if index.packet_counts is not None else np.ones(index.frame_count, np.int64)
    place = np.argsort(index.file_order)[chosen.indices]
    pixels = size[0] * size[1]
    seconds = limits.DECODE_PIXEL_SECONDS * pixels * decoded[np.cumsum(counts)[place] - 1]
    seconds = np.maximum.accumulate(seconds)
    numbers = np.arange(1, len(place) + 1)

    def analyzed(*scales: float) -> NDArray[np.float64]:
        searched = pixels * sum(scale**2 for scale in scales)
        each = limits.ANALYZE_PIXEL_SECONDS * searched + limits.CONVERT_PIXEL_SECONDS * pixels
        return np.asarray(seconds + each * numbers, np.float64)

    return analyzed(chosen.scales[0]), analyzed(*chosen.scales)


def spans(
    index: PacketIndex, chosen: Plan, seconds: NDArray[np.float64], each: float, at_least: int = 1
) -> Iterator[tuple[int, int]]:
    """Cut the sampled pictures of a plan into segments.

    A video whose pictures are not known by their times (AVI, equal times) and one with one keyframe is one segment.

    Parameters
    ----------
    index : PacketIndex
    chosen : Plan
    seconds : NDArray of float64
        See `costs`.
    each : float
        Seconds that a segment should take.
    at_least : int
        Segments, if there are keyframes for so many.

    Yields
    ------
    int, int
        The first sampled picture of a segment, and the one after its last.
    """
    wanted = min(limits.MAX_SEGMENTS, max(at_least, ceil(seconds[-1] / each)))
    cuts = _cuts(index, chosen)
    if len(cuts):
        before = seconds[cuts - 1]
        targets = seconds[-1] * np.arange(1, wanted) / wanted
        after = np.clip(np.searchsorted(before, targets), 0, len(cuts) - 1)
        earlier = np.clip(after - 1, 0, None)
        nearest = np.where(targets - before[earlier] <= before[after] - targets, earlier, after)
        cuts = cuts[np.unique(nearest)]
    bounds = [0, *cuts.tolist(), len(chosen.indices)]
    yield from pairwise(bounds)


def _cuts(index: PacketIndex, chosen: Plan) -> NDArray[np.int64]:
    """Return the sampled pictures before which a plan can be cut: the first ones at or after a keyframe."""
    if not index.has_presentation_times:
        return np.empty(0, np.int64)
    # Pictures that are shown before a keyframe, and decoded after it, belong to the segment before.
    first = np.unique(np.searchsorted(chosen.indices, np.flatnonzero(index.is_keyframe)))
    return first[(first > 0) & (first < len(chosen.indices))]
