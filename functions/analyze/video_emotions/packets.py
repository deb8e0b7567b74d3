"""What a file's packets say, before anything is decoded: when each picture is shown, and what it needs. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_REORDERED: Final = 16
"""Pictures that H.264 and HEVC reorder at most."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A coded picture, or a part of one: when it is shown and for how long (in time base units), what it depends on.

    Attributes
    ----------
    starts_picture : bool
        False for a second field, which belongs to the picture before, and for a picture that is never shown.
    opens_group : bool
        See `units.opens_group`.
    position : int
        Its place in the file in bytes, -1 where the container does not say.
    """

    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    starts_picture: bool = True
    opens_group: bool = False
    position: int = -1


PACKET = np.dtype(
    [
        ("stamp", np.int64),
        ("dts", np.int64),
        ("position", np.int64),
        ("duration", np.int64),
        ("is_keyframe", np.bool_),
        ("starts_picture", np.bool_),
        ("opens_group", np.bool_),
    ]
)
"""A packet in 35 bytes, with times in time base units: a long video has a million packets."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets that follow each other in a file. Only packets whose picture is shown count.

    Attributes
    ----------
    first : int
        How many packets are before it.
    count : int
    dts, stamp, position : int
        Of its first packet: when it is decoded, its time in `PACKET`, and its place in the file.
    by_counting : bool
        Find it from the beginning of the file, because a seek to its first packet does not.
    """

    first: int
    count: int
    dts: int = 0
    stamp: int = 0
    position: int = -1
    by_counting: bool = False

    @property
    def with_all_before(self) -> "Stretch":
        """The packets from the beginning of the file to the end of this stretch."""
        return Stretch(0, self.first + self.count)


class StretchNotFound(Exception):
    """The container's index does not lead to a stretch."""


def listed(packets: Iterable[Packet]) -> Iterator[tuple[int, int, int, int, bool, bool, bool]]:
    """Yield the fields of `PACKET`. A packet without a time gets that of the one before, and so no time of its own."""
    stamp = 0
    for packet in packets:
        stamp = next((time for time in (packet.pts, packet.dts) if time is not None), stamp)
        dts = stamp if packet.dts is None else packet.dts
        yield (
            stamp,
            dts,
            packet.position,
            packet.duration,
            packet.is_keyframe,
            packet.starts_picture,
            packet.opens_group,
        )


def leave_out_unseen(packets: NDArray[np.void], shown: Sequence[int]) -> None:
    """Mark the pictures that no player shows, because they need a keyframe before the file's beginning.

    Parameters
    ----------
    packets : NDArray of `PACKET`, shape (packets,)
        In the order of the file. Their ``starts_picture`` is changed.
    shown : sequence of int
        When the first pictures are shown, in time base units and in the order in which the decoder gives them. At least
        one. Behind an edit list, the decoder may give a picture late.
    """
    is_keyframe, stamps = packets["is_keyframe"] & ~packets["opens_group"], packets["stamp"]
    keyframes = np.flatnonzero(is_keyframe)
    settled = max(shown[: max(1, len(shown) - _REORDERED)])
    early = (stamps < settled) & ~np.isin(stamps, shown) & ~is_keyframe
    if len(keyframes):
        early &= (np.arange(len(packets)) < keyframes[0]) | (packets["stamp"] < packets["stamp"][keyframes[0]])
    packets["starts_picture"] &= ~early
