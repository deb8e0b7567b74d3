"""Step 5: the sampled pictures.  file -> VideoInfo, Plan, Frame(index, time_ms, image).

`read` is the one call that touches untrusted bytes: it opens, probes, plans, decodes and shrinks. It runs in a child
process (`child`), which `reader.Reader` starts for the pipeline.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from video_emotions.packet_index import PacketIndex
from video_emotions.packets import StretchNotFound
from video_emotions.picture import Picture
from video_emotions.plan import Plan, Scaling, Wanted, plan, refuse_too_many_pixels, scales_for
from video_emotions.probe import probe
from video_emotions.progress import Beat, silent
from video_emotions.remote_file import Source
from video_emotions.search import Search
from video_emotions.slices import Slice

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


def sample_slice(source: Source, part: Slice, options: Scaling, threads: int, beat: Beat = silent) -> Generator[Frame]:
    """Decode a slice of a video, and yield its sampled pictures as `sample` yields them for the whole video."""
    for frame in sample(source, part.index, options, part.chosen, threads, beat):
        yield replace(frame, index=int(part.numbers[frame.index]))


def sample(
    source: Source,
    index: PacketIndex,
    options: Scaling,
    chosen: Plan,
    threads: int,
    beat: Beat = silent,
) -> Generator[Frame]:
    """Decode a file, or the stretch that the index describes, and yield the planned pictures in presentation order.

    Pictures that fail to decode, in whole or in part, are left out. Only what the planned pictures need is decoded. If
    one of them or its keyframe is missing or damaged, the decoder starts over at the last sure keyframe before it and
    decodes everything from there. For this second pass it uses one thread if something is damaged, or if the video has
    open groups of H.264.
    """
    sampling = _Sampling(source, index, options, chosen, threads, beat)
    try:
        yield from sampling.selected()
    except StretchNotFound:
        sampling.stretch = sampling.stretch and replace(sampling.stretch, by_counting=True)
        yield from sampling.selected()
    yield from sampling.rest()


class _Sampling:
    """Decode the planned pictures of a file: in one pass, or in more where that does not give all of them."""

    def __init__(
        self, source: Source, index: PacketIndex, options: Scaling, chosen: Plan, threads: int, beat: Beat
    ) -> None:
        self._source, self._index, self._options, self._chosen = source, index, options, chosen
        self._threads = threads
        self._search = Search(index, beat)
        self._given, self._is_damaged, self._is_torn = 0, False, False
        self.stretch = index.stretch

    def selected(self) -> Generator[Frame]:
        """Decode what the planned pictures need, and yield the first ones: all of them unless something is wrong.

        Raises
        ------
        StretchNotFound
            Before the first picture.
        """
        index, planned = self._index, self._chosen.indices
        uses = index.uses_of_packets(planned) if self._chosen.is_found_by_time(index) else None
        with self._opened(self._threads, stop_at_damage=not index.has_open_groups) as video:
            for place, picture in self._search.selected(video, planned, uses, self.stretch):
                # Of open groups, several threads do not always mark as corrupt what this damages.
                if place != planned[self._given] or (video.is_torn and index.has_open_groups):
                    break
                self._given += 1
                yield self._frame(place, picture)

    def rest(self) -> Generator[Frame]:
        """Decode everything that the other planned pictures may need, and yield them."""
        index, planned, threads = self._index, self._chosen.indices, self._threads
        if not self._chosen.is_found_by_time(index) and not self._is_damaged:
            return  # everything was decoded
        while self._given < len(planned):
            # Several threads do not always mark half a picture as corrupt. In closed groups, damage stops the decoder.
            threads = 1 if self._is_damaged or index.has_open_groups else threads
            is_unsure = (self._is_damaged or self._is_torn) and index.has_open_groups
            first = None if is_unsure else int(planned[self._given])
            with self._opened(threads, stop_at_damage=threads > 1) as video:
                rest = self._search.every(video, planned[self._given :], first, self.stretch)
                for frame in in_order((self._frame(*found) for found in rest), self._given):
                    if threads > 1 and video.is_damaged and frame.planned != self._given + 1:
                        break
                    self._given = frame.planned
                    yield frame
            if threads == 1 or not self._is_damaged:
                return

    @contextmanager
    def _opened(self, threads: int, *, stop_at_damage: bool) -> Iterator[Video]:
        """Open the file for a pass, and keep what the pass found wrong."""
        with open_video(self._source, threads, self._index.first_aspect, stop_at_damage=stop_at_damage) as video:
            yield video
        self._is_damaged, self._is_torn = video.is_damaged, video.is_torn

    def _frame(self, place: int, picture: Picture) -> Frame:
        index, planned = self._index, self._chosen.indices
        whole, size = picture.bgr(), picture.size
        images = tuple(picture.to_sdr(shrink(whole, scale, size)) for scale in scales_for(size, self._options))
        number = int(planned.searchsorted(place)) + 1
        more = planned[number : number + 1]
        next_ms = int(index.times_ms[more[0]]) if len(more) else self._chosen.until_ms
        return Frame(place, int(index.times_ms[place]), images, size, number, next_ms)


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
