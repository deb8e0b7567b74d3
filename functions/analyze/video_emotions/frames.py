"""Step 4: which pictures are wanted, and those pictures.  file + VideoInfo -> Frame(index, time_ms, image)."""

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import InvalidOption
from video_common.schema import Options, Sampling
from video_emotions.decoder import Picture, Use, open_video
from video_emotions.probe import VideoInfo

_NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A sampled picture at the size at which it is analysed.

    Attributes
    ----------
    index : int
        Its place in presentation order, counted over all pictures, unreadable ones included.
    time_ms : int
        Presentation time, milliseconds from the start of the file.
    image : NDArray of uint8, shape (height, width, 3)
        BGR, upright.
    own_size : tuple of int
        Width and height before shrinking, in pixels.
    """

    index: int
    time_ms: int
    image: NDArray[np.uint8]
    own_size: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The pictures to analyse.

    Attributes
    ----------
    indices : NDArray of int64
        In presentation order, ascending, without repetition; at most ``limits.MAX_SAMPLED_FRAMES``.
    truncated : bool
        That limit left some out.
    keyframes_only : bool
        All of them are keyframes.
    """

    indices: NDArray[np.int64]
    truncated: bool
    keyframes_only: bool


def plan(info: VideoInfo, options: Options) -> Plan:
    """Choose the pictures to analyse.

    Returns
    -------
    Plan
        `exact`: every ``frame_interval``-th from the first. `keyframes`: the keyframe nearest in time to each of those
        (of two that are equally near, the earlier one), each once; in a video without one as `exact`.
    """
    wanted = np.arange(0, info.frame_count, options.frame_interval, dtype=np.int64)
    keyframes = np.flatnonzero(info.is_keyframe)
    keyframes_only = options.sampling is Sampling.KEYFRAMES and len(keyframes) > 0
    if keyframes_only:
        wanted = np.unique(keyframes[_nearest(info.times_ms[keyframes], info.times_ms[wanted])])
    return Plan(wanted[: limits.MAX_SAMPLED_FRAMES], len(wanted) > limits.MAX_SAMPLED_FRAMES, keyframes_only)


def _nearest(times: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each wanted time the place of the nearest of the ascending ``times``."""
    after = np.clip(np.searchsorted(times, wanted), 0, len(times) - 1)
    before = np.clip(after - 1, 0, None)
    return np.where(np.abs(wanted - times[before]) <= np.abs(times[after] - wanted), before, after)


def uses_of_packets(info: VideoInfo, indices: NDArray[np.int64]) -> NDArray[np.int8]:
    """Tell what each packet has to be decoded for, so that the pictures ``indices`` are as if all had been decoded.

    A picture needs everything from the keyframe before it on, in the order of the file. If it is shown before that
    keyframe (an open GOP's leading picture) it also refers to pictures before it, and needs the keyframe before that.
    Where a file begins between keyframes (an edit list or a cutter did that), all from its beginning on is needed.

    Returns
    -------
    NDArray of int8, shape (packets,)
        A `Use` for each packet in the order of the file.
    """
    shown_at, count = info.file_order, info.frame_count
    places = np.argsort(shown_at)[indices]
    keyframes = np.flatnonzero(info.is_keyframe[shown_at])
    if len(keyframes) == 0 or keyframes[0] > 0:
        keyframes = np.insert(keyframes, 0, 0)
    before = np.searchsorted(keyframes, places, side="right") - 1
    leading = shown_at[places] < shown_at[keyframes[before]]
    starts = keyframes[np.clip(before - leading, 0, None)]
    changes = np.zeros(count + 1, dtype=np.int64)
    np.add.at(changes, starts, 1)
    np.add.at(changes, places + 1, -1)
    uses = np.where(np.cumsum(changes[:-1]) > 0, Use.REFERENCE, Use.NONE).astype(np.int8)
    uses[places] = Use.PICTURE
    return uses


def sample(path: Path, info: VideoInfo, options: Options, plan: Plan, threads: int) -> Generator[Frame]:
    """Decode a file and yield the wanted pictures that can be read, as the decoder gives them: in presentation order.

    A picture whose decoding failed, in whole or in part, is not yielded. Early exit closes the file. Only what the
    wanted pictures need is decoded; should one of them not come that way, or not its keyframe, what remains is looked
    for once more with everything decoded.
    """
    wanted = deque(plan.indices.tolist())
    if info.has_presentation_times or plan.keyframes_only:
        for index, picture in _decode(path, info, wanted, uses_of_packets(info, plan.indices), threads):
            if index != wanted[0]:
                break
            wanted.popleft()
            yield _frame(index, picture, info, options)
    for index, picture in _decode(path, info, wanted, None, threads) if wanted else ():
        yield _frame(index, picture, info, options)


def _decode(
    path: Path, info: VideoInfo, wanted: Iterable[int], uses: NDArray[np.int8] | None, threads: int
) -> Generator[tuple[int, Picture]]:
    remaining = set(wanted)
    by_time = info.has_presentation_times or uses is not None
    needs_keyframe_of = np.maximum.accumulate(np.where(info.is_keyframe, info.pts, _NEVER))
    index_of: dict[int, int] = {}
    for index in sorted(remaining) if by_time else ():
        index_of.setdefault(int(info.pts[index]), index)
    with open_video(path, threads) as video, closing(video.pictures(uses)) as pictures:
        keyframe = _NEVER
        for count, picture in enumerate(pictures):
            if picture.is_keyframe:
                keyframe = picture.pts
            place = index_of.get(picture.pts) if by_time else count
            if place in remaining and not picture.is_corrupt:
                if uses is not None and keyframe < needs_keyframe_of[place]:
                    return  # that keyframe is none, or did not come: the picture may need what was left out
                remaining.remove(place)
                yield place, picture
            if not remaining:
                return


def _frame(index: int, picture: Picture, info: VideoInfo, options: Options) -> Frame:
    scale = options.scale_factor if options.scale_factor is not None else default_scale(picture.size)
    return Frame(index, int(info.times_ms[index]), shrink(picture.bgr(), scale), picture.size)


def default_scale(size: tuple[int, int]) -> float:
    """Return the factor for a picture of that width and height where no ``scale_factor`` is given, 1.0 at most.

    The longer side comes to ``limits.DEFAULT_LONG_SIDE`` pixels.
    """
    return min(1.0, limits.DEFAULT_LONG_SIDE / max(size))


def shrink(image: NDArray[np.uint8], scale_factor: float) -> NDArray[np.uint8]:
    """Resize a picture bilinearly, as the seed did.

    Where nobody chose the scale, too: averaging, while converting or after it, would move a frame's confidence by more
    than 0.02 from that of the same scale when it is chosen.

    Parameters
    ----------
    image : NDArray of uint8, shape (height, width, 3)
    scale_factor : float
        Above 0, 1 at most.

    Raises
    ------
    InvalidOption
        At that factor the picture has more than ``limits.MAX_ANALYZED_PIXELS``.
    """
    height, width = image.shape[:2]
    if width * height * scale_factor * scale_factor > limits.MAX_ANALYZED_PIXELS:
        largest = (limits.MAX_ANALYZED_PIXELS / (width * height)) ** 0.5
        raise InvalidOption(
            f"'scale_factor': {width} x {height} pixels can be analysed at {largest:.2f} at most. "
            "Give a smaller one, or none to have the size chosen."
        )
    if scale_factor == 1.0:
        return image
    if min(height, width) * scale_factor < limits.MIN_SCALED_SIDE:
        size = (max(limits.MIN_SCALED_SIDE, round(side * scale_factor)) for side in (width, height))
        return np.asarray(cv2.resize(image, tuple(size)), np.uint8)
    # Factors and not a size, as the seed did: OpenCV samples by them even where the size had to be rounded.
    return np.asarray(cv2.resize(image, None, fx=scale_factor, fy=scale_factor), np.uint8)
