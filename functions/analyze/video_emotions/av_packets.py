"""PyAV's packets: from the beginning of a file or from a place in it, and what the container's index says of them."""

from collections.abc import Iterator
from typing import Any

import av.error
import numpy as np
from numpy.typing import NDArray

from video_emotions.memory import raise_if_short
from video_emotions.packets import Packet, Stretch, StretchNotFound

ENTRY = np.dtype(
    [("dts", np.int64), ("position", np.int64), ("is_keyframe", np.bool_), ("is_discarded", np.bool_)],
)
"""What a container's index says of a packet. Discarded: an edit list leaves it out."""


def has_picture(packet: Any) -> bool:
    """Report whether a packet's picture is shown. Packets that an edit list leaves out give none."""
    return bool(packet.size) and not packet.is_discard


def packet_of(packet: Any, starts_picture: bool, opens_group: bool) -> Packet:
    """Return what is kept of a packet."""
    position = -1 if packet.pos is None else packet.pos
    facts = packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe
    return Packet(*facts, starts_picture, opens_group, position)


def until_it_breaks_off(container: Any, stream: Any) -> Iterator[Any]:
    """Yield a stream's packets, as far as the file can be read."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            raise_if_short(error)
            return
        if packet.size:
            yield packet


def places(container: Any, stream: Any, stretch: Stretch | None) -> Iterator[tuple[int, Any]]:
    """Yield a stream's packets up to the end of a stretch, each with its place in the stretch.

    Packets before the stretch have the place -1, and so have those before the first picture of the file. A packet
    without a picture has the place of the one before.

    Raises
    ------
    StretchNotFound
        The container's index does not lead there.
    """
    looks = stretch is not None and stretch.first > 0 and not stretch.by_counting
    if stretch is not None and looks:
        try:
            container.seek(stretch.dts, stream=stream)
        except av.error.FFmpegError as error:
            raise_if_short(error)
            raise StretchNotFound from error
    place, before = -1, 0
    for packet in until_it_breaks_off(container, stream):
        if has_picture(packet):
            if place >= 0 or stretch is None or (_is_first(packet, stretch) if looks else before == stretch.first):
                place += 1
            elif looks and packet.dts is not None and packet.dts > stretch.dts:
                raise StretchNotFound
            before += 1
            if stretch is not None and place == stretch.count:
                return
        yield place, packet
    if looks and place < 0:
        raise StretchNotFound


def _is_first(packet: Any, stretch: Stretch) -> bool:
    stamp = packet.dts if packet.pts is None else packet.pts
    return (stamp, packet.pos) == (stretch.stamp, stretch.position)


def entries_of(stream: Any) -> NDArray[np.void]:
    """Return a container's index of a stream as an array of `ENTRY`, in the order of the file."""
    entries = ((e.timestamp, e.pos, e.is_keyframe, e.is_discard) for e in stream.index_entries)
    return np.fromiter(entries, ENTRY, len(stream.index_entries))
