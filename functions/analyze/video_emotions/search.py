"""Planned pictures among those that a decoder gives: found by their times, or by counting."""

from collections.abc import Generator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from video_emotions.decoder import Video
from video_emotions.packet_index import PacketIndex
from video_emotions.packets import Stretch
from video_emotions.picture import Picture
from video_emotions.plan import Indices
from video_emotions.progress import Beat

_NEVER = int(np.iinfo(np.int64).min)


class Search:
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

    def selected(
        self, video: Video, wanted: Indices, uses: NDArray[np.int8] | None, stretch: Stretch | None
    ) -> Generator[tuple[int, Picture]]:
        """Decode what ``uses`` says, and end where the result could differ from a full decode.

        Parameters
        ----------
        video : Video
        wanted : NDArray of int64
        uses : NDArray of int8, optional
            None: the decoder gives every picture, because they are counted.
        stretch : Stretch or None
            Where the packets of the index are.

        Raises
        ------
        StretchNotFound
        """
        needs_keyframe_of = np.maximum.accumulate(np.where(self._index.is_keyframe, self._index.pts, _NEVER))
        for found, picture, keyframe in self._found(video, wanted, uses, stretch, by_time=uses is not None):
            if uses is not None and keyframe < needs_keyframe_of[found]:
                return  # its keyframe is missing or is not one: the picture may need what was left out
            yield found, picture

    def every(
        self, video: Video, wanted: Indices, first: int | None, stretch: Stretch | None
    ) -> Generator[tuple[int, Picture]]:
        """Decode everything from the last sure keyframe before the picture ``first`` on, or from the beginning."""
        by_time = self._index.has_presentation_times
        uses = None
        if by_time and first is not None:
            uses = self._index.uses_from_keyframe(first, self._is_keyframe)
        if uses is None:
            stretch = stretch and stretch.with_all_before
        for found, picture, _ in self._found(video, wanted, uses, stretch, by_time=by_time):
            yield found, picture

    def _found(
        self,
        video: Video,
        wanted: Indices,
        uses: NDArray[np.int8] | None,
        stretch: Stretch | None,
        *,
        by_time: bool,
    ) -> Generator[tuple[int, Picture, int]]:
        """Yield wanted pictures: the place of each, and when the last keyframe before it was shown."""
        index, remaining = self._index, set(wanted.tolist())
        place_of: dict[int, int] = {}
        for place in wanted.tolist() if by_time else ():
            place_of.setdefault(int(index.pts[place]), place)
        last = int(wanted[-1])
        with closing(video.pictures(uses, self._beat, stretch)) as pictures:
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
