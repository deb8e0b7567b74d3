"""Step 4: which pictures are wanted, and those pictures.  file + VideoInfo -> Frame(index, time_ms, image)."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.schema import Options, Sampling
from video_emotions.decoder import open_video
from video_emotions.probe import VideoInfo


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
    scale : float
        Size of ``image`` in relation to the video's own.
    """

    index: int
    time_ms: int
    image: NDArray[np.uint8]
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The pictures to analyse: their indices in presentation order, and whether a limit left some out."""

    indices: NDArray[np.int64]
    truncated: bool


def plan(info: VideoInfo, options: Options) -> Plan:
    """Choose the pictures to analyse.

    Returns
    -------
    Plan
        Ascending indices without repetition, at most ``limits.MAX_SAMPLED_FRAMES``. `exact`: every
        ``frame_interval``-th from the first. `keyframes`: the keyframe nearest in time to each of those (of two that
        are equally near, the earlier one); each counts once.
    """
    wanted = np.arange(0, info.frame_count, options.frame_interval, dtype=np.int64)
    keyframes = np.flatnonzero(info.is_keyframe)
    if options.sampling is Sampling.KEYFRAMES and len(keyframes):
        wanted = np.unique(keyframes[_nearest(info.times_ms[keyframes], info.times_ms[wanted])])
    return Plan(wanted[: limits.MAX_SAMPLED_FRAMES], len(wanted) > limits.MAX_SAMPLED_FRAMES)


def _nearest(times: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each wanted time the place of the nearest of the ascending ``times``."""
    after = np.clip(np.searchsorted(times, wanted), 0, len(times) - 1)
    before = np.clip(after - 1, 0, None)
    return np.where(np.abs(wanted - times[before]) <= np.abs(times[after] - wanted), before, after)


def sample(path: Path, info: VideoInfo, options: Options, plan: Plan, threads: int) -> Generator[Frame]:
    """Decode a file and yield the wanted pictures that can be read, in presentation order.

    A picture whose decoding failed, in whole or in part, is not yielded. Early exit closes the file.
    """
    remaining = set(plan.indices.tolist())
    keyframes_only = options.sampling is Sampling.KEYFRAMES
    by_time = info.has_presentation_times or keyframes_only
    index_of = {int(stamp): index for index, stamp in enumerate(info.pts)} if by_time else {}
    with open_video(path, threads) as video, closing(video.pictures(keyframes_only=keyframes_only)) as pictures:
        for count, picture in enumerate(pictures):
            if not remaining:
                return
            index = index_of.get(picture.pts) if by_time else count
            if index is None or index not in remaining or picture.is_corrupt:
                continue
            remaining.remove(index)
            image, scale = shrink(picture.bgr(), options.scale_factor)
            yield Frame(index, int(info.times_ms[index]), image, scale)


def shrink(image: NDArray[np.uint8], scale_factor: float | None) -> tuple[NDArray[np.uint8], float]:
    """Resize a picture for the analysis.

    Parameters
    ----------
    image : NDArray of uint8, shape (height, width, 3)
    scale_factor : float or None
        Given: bilinear at that factor, as the seed did. None: area averaging down to a longer side of
        ``limits.DEFAULT_LONG_SIDE`` pixels; a smaller picture stays as it is.

    Returns
    -------
    image : NDArray of uint8
    scale : float
        0 < scale <= 1.
    """
    height, width = image.shape[:2]
    scale = scale_factor if scale_factor is not None else min(1.0, limits.DEFAULT_LONG_SIDE / max(height, width))
    if scale == 1.0:
        return image, scale
    if min(height, width) * scale < limits.MIN_SCALED_SIDE:
        side = limits.MIN_SCALED_SIDE
        size = (max(side, round(width * scale)), max(side, round(height * scale)))
        return np.asarray(cv2.resize(image, size), dtype=np.uint8), scale
    interpolation = cv2.INTER_AREA if scale_factor is None else cv2.INTER_LINEAR
    # Factors and not a size, as the seed did: OpenCV samples by them even where the size had to be rounded.
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation), dtype=np.uint8), scale
