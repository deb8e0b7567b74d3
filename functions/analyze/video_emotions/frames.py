"""Step 5: the sampled pictures.  file -> VideoInfo, Plan, Frame(index, time_ms, image).

`read` is the one call that touches untrusted bytes: it opens, probes, plans, decodes and shrinks. It runs in a child
process (`child`), which `reader.Reader` starts for the pipeline.
"""

from collections.abc import Generator, Iterable
from contextlib import closing
from heapq import heappop, heappush
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_emotions.boxes import Size
from video_emotions.decoder import Video, open_video
from video_emotions.display import Depth
from video_emotions.facts import Frame, VideoInfo
from video_emotions.packets import PacketIndex
from video_emotions.picture import Picture
from video_emotions.plan import Indices, Plan, Scaling, Wanted, plan, refuse_too_many_pixels, scales_for
from video_emotions.probe import probe
from video_emotions.progress import Beat, silent

_NEVER = int(np.iinfo(np.int64).min)
_MOST_WAITING = 8
"""Early frames. At the largest size that is analyzed, each one takes 25 MB."""


def read(path: Path, options: Wanted, threads: int, beat: Beat = silent) -> tuple[VideoInfo, Plan, Generator[Frame]]:
    """Examine a file, plan what to sample, and sample it.

    Parameters
    ----------
    path : Path
    options : Wanted
    threads : int
        Decoder threads.
    beat : Beat
        Called at each packet of each pass, and while other bytes are read.

    Returns
    -------
    VideoInfo
    Plan
    generator of Frame
        Decodes as it is iterated. Closing it closes the file.

    Raises
    ------
    VideoError, InvalidOption
        The file or the options are rejected. The generator raises them too, for pictures that grow midway.
    """
    info, index = probe(path, threads, beat)
    chosen = plan(info, index, options)
    return info, chosen, sample(path, index, options, chosen, threads, beat)


def sample(
    path: Path,
    index: PacketIndex,
    options: Wanted,
    chosen: Plan,
    threads: int,
    beat: Beat = silent,
) -> Generator[Frame]:
    """Decode a file and yield the planned pictures in presentation order.

    Pictures that fail to decode, in whole or in part, are left out. Only what the planned pictures need is decoded. If
    one of them or its keyframe is missing or damaged, the decoder starts over at the last sure keyframe before it and
    decodes everything from there. For this second pass it uses one thread if something is damaged, or if the video has
    open groups of H.264.
    """
    planned, given = chosen.indices, 0
    is_selective = index.has_presentation_times or chosen.keyframes_only
    uses = index.uses_of_packets(planned) if is_selective else None
    search = _Search(index, beat)
    with open_video(path, threads, index.first_aspect, stop_at_damage=not index.has_open_groups) as video:
        for place, picture in search.selected(video, planned, uses):
            # Of open groups, several threads do not always mark as corrupt what this damages.
            if place != planned[given] or (video.is_torn and index.has_open_groups):
                break
            given += 1
            yield _frame(place, picture, index, options, chosen)
    if not is_selective and not video.is_damaged:
        return  # everything was decoded
    while given < len(planned):
        # Several threads do not always mark half a picture as corrupt. In closed groups, damage stops the decoder.
        threads = 1 if video.is_damaged or index.has_open_groups else threads
        is_damaged = video.is_damaged or video.is_torn
        first = None if is_damaged and index.has_open_groups else int(planned[given])
        with open_video(path, threads, index.first_aspect, stop_at_damage=threads > 1) as video:
            rest = search.every(video, planned[given:], first)
            for frame in in_order((_frame(*found, index, options, chosen) for found in rest), given):
                if threads > 1 and video.is_damaged and frame.planned != given + 1:
                    break
                given = frame.planned
                yield frame
        if threads == 1 or not video.is_damaged:
            return


def in_order(frames: Iterable[Frame], given: int = 0) -> Generator[Frame]:
    """Yield frames in presentation order where the decoder gives some of them early.

    A decoder does so if it does not know how far a stream reorders, or if one picture has a false time. An early frame
    waits, so that it does not cost the frames after it. Only a few frames can wait. A frame that comes after later ones
    were given is left out, like one that cannot be decoded.

    Parameters
    ----------
    frames : iterable of Frame
        Each one once.
    given : int
        How many planned frames, from the first one on, are not expected here.
    """
    waiting: list[tuple[int, Frame]] = []
    for frame in frames:
        if frame.planned > given:
            heappush(waiting, (frame.planned, frame))
        while waiting and (waiting[0][0] == given + 1 or len(waiting) > _MOST_WAITING):
            given, ready = heappop(waiting)
            yield ready
    yield from (frame for _, frame in sorted(waiting))


class _Search:
    """Search for planned pictures among those that a decoder gives.

    Parameters
    ----------
    index : PacketIndex
    beat : Beat
        Called at each packet.
    """

    def __init__(self, index: PacketIndex, beat: Beat) -> None:
        self._index = index
        self._beat = beat
        self._is_keyframe = np.zeros(index.frame_count, np.bool_)
        """Which pictures the decoder gave as keyframes."""

    def selected(self, video: Video, wanted: Indices, uses: NDArray[np.int8] | None) -> Generator[tuple[int, Picture]]:
        """Decode what ``uses`` says, and end where the result could differ from a full decode.

        Parameters
        ----------
        video : Video
        wanted : NDArray of int64
        uses : NDArray of int8, optional
            None: the decoder gives every picture, because they are counted.
        """
        needs_keyframe_of = np.maximum.accumulate(np.where(self._index.is_keyframe, self._index.pts, _NEVER))
        for found, picture, keyframe in self._found(video, wanted, uses, by_time=uses is not None):
            if uses is not None and keyframe < needs_keyframe_of[found]:
                return  # its keyframe is missing or is not one: the picture may need what was left out
            yield found, picture

    def every(self, video: Video, wanted: Indices, first: int | None) -> Generator[tuple[int, Picture]]:
        """Decode everything from the last sure keyframe before the picture ``first`` on, or from the beginning."""
        by_time = self._index.has_presentation_times
        uses = None
        if by_time and first is not None:
            uses = self._index.uses_from_keyframe(first, self._is_keyframe)
        for found, picture, _ in self._found(video, wanted, uses, by_time=by_time):
            yield found, picture

    def _found(
        self, video: Video, wanted: Indices, uses: NDArray[np.int8] | None, *, by_time: bool
    ) -> Generator[tuple[int, Picture, int]]:
        """Yield wanted pictures: the place of each, and when the last keyframe before it was shown."""
        index, remaining = self._index, set(wanted.tolist())
        place_of: dict[int, int] = {}
        for place in wanted.tolist() if by_time else ():
            place_of.setdefault(int(index.pts[place]), place)
        last = int(wanted[-1])
        with closing(video.pictures(uses, self._beat)) as pictures:
            keyframe = _NEVER
            for count, picture in enumerate(pictures):
                if picture.is_keyframe:
                    keyframe = picture.pts
                    place = int(index.pts.searchsorted(keyframe))
                    self._is_keyframe[place : place + 1] |= index.pts[place : place + 1] == keyframe
                    if (picture.pts > index.pts[last]) if by_time else (count > last):
                        return  # the missing frames are before this keyframe, so the decoder will not return them
                found = place_of.get(picture.pts) if by_time else count
                if found is not None and found in remaining and not picture.is_corrupt:
                    yield found, picture, keyframe
                    remaining.remove(found)
                if not remaining:
                    return


def _frame(place: int, picture: Picture, index: PacketIndex, options: Scaling, chosen: Plan) -> Frame:
    whole, size = picture.bgr(), picture.size
    images = tuple(picture.to_sdr(shrink(whole, scale, size)) for scale in scales_for(size, options))
    planned = int(chosen.indices.searchsorted(place)) + 1
    more = chosen.indices[planned : planned + 1]
    next_ms = int(index.times_ms[more[0]]) if len(more) else chosen.until_ms
    return Frame(place, int(index.times_ms[place]), images, size, planned, next_ms)


def shrink(image: NDArray[Depth], scale: float, own_size: Size) -> NDArray[Depth]:
    """Resize a picture bilinearly, as the Flask app did, and stretch its pixels to squares in the same step.

    The default size uses the same interpolation: averaging would move a frame's confidence by more than 0.02 from that
    of the same scale when the caller chooses it.

    Parameters
    ----------
    image : NDArray of uint8 or uint16, shape (height, width, 3)
    scale : float
        Above 0, 1 at most.
    own_size : Size
        Of the picture in square pixels.

    Raises
    ------
    InvalidOption
        At that scale the picture has more than ``limits.MAX_ANALYZED_PIXELS``.
    """
    height, width = image.shape[:2]
    refuse_too_many_pixels(own_size, scale)
    across, down = scale * (own_size[0] / width), scale * (own_size[1] / height)
    if across == down == 1.0:
        return image
    if min(own_size) * scale < limits.MIN_SCALED_SIDE:
        size = tuple(max(limits.MIN_SCALED_SIDE, round(side * scale)) for side in own_size)
        return np.asarray(cv2.resize(image, size), image.dtype)
    # The Flask app passed factors and not a size. OpenCV samples by them even where it rounds the size.
    return np.asarray(cv2.resize(image, None, fx=across, fy=down), image.dtype)
