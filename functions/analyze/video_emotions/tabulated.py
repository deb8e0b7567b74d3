"""The packets of a progressive MP4 or MOV without reading them, where its tables and its first packets suffice."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from video_emotions.bitstream import always_starts
from video_emotions.decoder import Video
from video_emotions.packets import PACKET, listed
from video_emotions.sample_tables import SampleTables
from video_emotions.sniffing import Family, family_of
from video_emotions.tables import content
from video_emotions.units import opens_group

_KEYFRAMES: Final = 8
"""Keyframes that are read, evenly from all of the file: an encoder opens groups everywhere or nowhere."""
_HEAD_BYTES: Final = 16_384


def tabulated(video: Video, file: BinaryIO) -> NDArray[np.void] | None:
    """Return a video's packets as `Video.packets` would give them, and set what it sets.

    Parameters
    ----------
    video : Video
        Newly opened.
    file : BinaryIO

    Returns
    -------
    NDArray of `PACKET` or None
        None if the packets must be read.

    Raises
    ------
    TooManyFrames
    """
    with _aside(file) as size:
        plain = family_of(content(file, 0, 16)) is Family.MP4 and always_starts(video.codec, video.extradata)
        tables = SampleTables.of(file, size, video.track_id) if plain else None
    if tables is None:
        return None
    index, first = video.index(), []
    for packet in video.packets():
        first.append(packet)
        if video.has_looked:
            break
    packets = tables.packets(index, first[0]) if first else None
    read = np.fromiter(listed(first), PACKET)
    if packets is None:
        return None
    with _aside(file):
        packets["opens_group"] = _open_groups(video, file, packets)
    if len(packets) < len(read) or (packets[: len(read)] != read).any():
        return None
    video.is_edited = bool(index["is_discarded"].any())
    video.is_cut_off |= bool((tables.positions + tables.sizes > size).any())
    return packets


def _open_groups(video: Video, file: BinaryIO, packets: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return what `opens_group` says of each packet, as far as a few keyframes show it."""
    found = np.zeros(len(packets), np.bool_)
    opens = opens_group(video.codec, video.extradata)
    keyframes = np.flatnonzero(packets["is_keyframe"])
    found[0] = opens(memoryview(b""), False) and not packets["is_keyframe"][0]
    if video.codec == "h264" and len(keyframes):
        read = keyframes[np.unique(np.linspace(0, len(keyframes) - 1, _KEYFRAMES).astype(int))]
        places = packets["position"][read].tolist()
        opened = [opens(memoryview(content(file, place, _HEAD_BYTES)), True) for place in places]
        # The first keyframe is closed even where all others are open.
        found[keyframes[1:]] = any(opened)
        found[read] = opened
    return found


@contextmanager
def _aside(file: BinaryIO) -> Iterator[int]:
    """Read a file that FFmpeg reads too, and leave it where it was. The block gets the size of the file."""
    place = file.tell()
    try:
        yield file.seek(0, io.SEEK_END)
    finally:
        file.seek(place)
