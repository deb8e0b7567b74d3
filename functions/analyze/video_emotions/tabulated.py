"""The packets of a progressive MP4 or MOV without reading them, where its tables and its first packets suffice."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_emotions.bitstream import always_starts
from video_emotions.decoder import Video
from video_emotions.packets import PACKET, listed
from video_emotions.sample_tables import SampleTables
from video_emotions.sniffing import Family, family_of
from video_emotions.tables import content
from video_emotions.units import opens_group

_KEYFRAMES: Final = 8
"""Keyframes that are looked at, evenly from all of the file: an encoder opens groups everywhere or nowhere."""
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
        None where only reading the packets can tell.

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
    for packet in islice(video.packets(), limits.MAX_UNREADABLE_START):
        first.append(packet)
        if video.first is not None:
            break
    packets = tables.packets(index, first[0]) if first else None
    read = np.fromiter(listed(first), PACKET)
    if packets is None or len(packets) < len(read) or (packets[: len(read)] != read).any():
        return None
    video.is_edited = bool(index["is_discarded"].any())
    video.is_cut_off |= bool((tables.positions + tables.sizes > size).any())
    with _aside(file):
        video.has_open_groups = _opens_groups(video, file, packets)
    return packets


def _opens_groups(video: Video, file: BinaryIO, packets: NDArray[np.void]) -> bool:
    """Report what `opens_group` says of a few keyframes."""
    keyframes = packets["position"][packets["is_keyframe"]]
    opens = opens_group(video.codec, video.extradata)
    if video.codec != "h264" or not len(keyframes):
        return opens(memoryview(b""), False)
    chosen = keyframes[np.unique(np.linspace(0, len(keyframes) - 1, _KEYFRAMES).astype(int))]
    heads = (memoryview(content(file, int(position), _HEAD_BYTES)) for position in chosen)
    return not packets["is_keyframe"][0] or any(opens(head, True) for head in heads)


@contextmanager
def _aside(file: BinaryIO) -> Iterator[int]:
    """Read a file that FFmpeg reads too, and leave it where it was. The block gets the size of the file."""
    place = file.tell()
    try:
        yield file.seek(0, io.SEEK_END)
    finally:
        file.seek(place)
