"""Step 5: the sampled pictures.  file -> VideoInfo, Plan, Frame(index, time_ms, image).

`read` is the one call that touches a stranger's bytes: it opens, probes, plans, decodes and shrinks. It runs in a child
process (`child`), which `reader.Reader` starts for the pipeline.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from heapq import heappop, heappush
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_emotions.boxes import Size
from video_emotions.decoder import open_video
from video_emotions.display import Depth
from video_emotions.facts import Frame, VideoInfo
from video_emotions.packets import PacketIndex, Stretch, StretchNotFound
from video_emotions.picture import Picture
from video_emotions.plan import Plan, Scaling, Wanted, plan, refuse_too_many_pixels, scales_for
from video_emotions.probe import probe
from video_emotions.remote_file import Source
from video_emotions.slices import Slice

_NEVER = int(np.iinfo(np.int64).min)
_MOST_WAITING = 8
"""Early frames. At the largest size that is analyzed, each one takes 25 MB."""


def _silent() -> None:
    """Do nothing: nobody waits for a sign of progress."""


def read(
    path: Path, options: Wanted, threads: int, beat: Callable[[], None] = _silent
) -> tuple[VideoInfo, Plan, Generator[Frame]]:
    """Examine a file, plan what to sample, and sample it.

    Parameters
    ----------
    path : Path
    options : Wanted
    threads : int
        Decoder threads.
    beat : callable
        Called at each packet and each decoded picture, as a sign of progress.

    Returns
    -------
    VideoInfo
    Plan
    generator of Frame
        Decodes as it is iterated. Closing it closes the file.

    Raises
    ------
    VideoError, InvalidOption
        The file or the options are refused. The generator raises them too, for pictures that grow midway.
    """
    info, index = probe(path, threads, beat)
    chosen = plan(info, index, options)
    return info, chosen, sample(path, index, options, chosen, threads, beat)


def sample_slice(
    source: Source, part: Slice, options: Scaling, threads: int, beat: Callable[[], None] = _silent
) -> Generator[Frame]:
    """Decode a slice of a video, and yield its sampled pictures as `sample` yields them for the whole video."""
    for frame in sample(source, part.index, options, part.chosen, threads, beat):
        yield replace(frame, index=int(part.numbers[frame.index]))


def sample(
    source: Source,
    index: PacketIndex,
    options: Scaling,
    chosen: Plan,
    threads: int,
    beat: Callable[[], None] = _silent,
) -> Generator[Frame]:
    """Decode a file, or the stretch that the index describes, and yield the planned pictures in presentation order.

    Pictures that fail to decode, in whole or in part, are left out. Only what the planned pictures need is decoded. If
    one of them or its keyframe is missing or damaged, the decoder starts over and decodes everything in one thread.
    """
    wanted = deque(chosen.indices.tolist())
    uses = index.uses_of_packets(chosen.indices) if chosen.is_found_by_time(index) else None

    def frames(stretch: Stretch | None, *, again: bool = False) -> Generator[Frame]:
        stops = not again and not index.has_open_groups
        with open_video(source, 1 if again else threads, index.first_aspect, stop_at_damage=stops) as video:
            pictures = video.pictures(None if again else uses, stretch)
            for place, picture in _decode(pictures, index, wanted, None if again else uses, beat):
                yield _frame(place, picture, index, options, chosen)

    stretch = index.stretch
    try:
        yield from _first_ones(frames(stretch), wanted)
    except StretchNotFound:
        stretch = stretch and replace(stretch, by_counting=True)
        yield from _first_ones(frames(stretch), wanted)
    if wanted:
        # What begins with a picture that the container calls a keyframe, and that is none, may need all before it.
        if stretch is not None and not _begins_with_keyframe(source, stretch, index.first_aspect):
            stretch = Stretch(0, stretch.first + stretch.count)
        with closing(frames(stretch, again=True)) as rest:
            yield from in_order(rest, len(chosen.indices) - len(wanted))


def _begins_with_keyframe(source: Source, stretch: Stretch, first_aspect: Fraction) -> bool:
    """Report whether the decoder takes the beginning of a stretch for a keyframe, and finds it whole."""
    with open_video(source, 1, first_aspect) as video, closing(video.pictures(None, replace(stretch, count=1))) as got:
        return any(picture.is_keyframe and not picture.is_corrupt for picture in got)


def _first_ones(frames: Generator[Frame], wanted: deque[int]) -> Generator[Frame]:
    """Yield frames as long as they are those that are wanted next, and take them out of these."""
    with closing(frames):
        for frame in frames:
            if frame.index != wanted[0]:
                return
            wanted.popleft()
            yield frame


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


def _decode(
    pictures: Generator[Picture],
    index: PacketIndex,
    wanted: Iterable[int],
    uses: NDArray[np.int8] | None,
    beat: Callable[[], None],
) -> Generator[tuple[int, Picture]]:
    remaining = set(wanted)
    by_time = index.has_presentation_times or uses is not None
    needs_keyframe_of = np.maximum.accumulate(np.where(index.is_keyframe, index.pts, _NEVER))
    place_of: dict[int, int] = {}
    for place in sorted(remaining) if by_time else ():
        place_of.setdefault(int(index.pts[place]), place)
    last = max(remaining)
    with closing(pictures):
        keyframe = _NEVER
        for count, picture in enumerate(pictures):
            beat()
            if picture.is_keyframe:
                keyframe = picture.pts
                if (picture.pts > index.pts[last]) if by_time else (count > last):
                    return  # what is still missing lies before this keyframe, so it cannot come
            found = place_of.get(picture.pts) if by_time else count
            if found in remaining and not picture.is_corrupt:
                if uses is not None and keyframe < needs_keyframe_of[found]:
                    return  # its keyframe did not come, or is none: the picture may need what was left out
                remaining.remove(found)
                yield found, picture
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
