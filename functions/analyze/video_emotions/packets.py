"""What a file's packets say, before anything is decoded: when each picture is shown, and what it needs. Pure."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Packet:
    """A coded picture, or a part of one: when it is shown and for how long (in time base units), what it depends on.

    Attributes
    ----------
    starts_picture : bool
        False for a second field, which belongs to the picture before, and for a picture that is never shown.
    position : int
        Its place in the file in bytes, -1 where the container does not say.
    """

    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    starts_picture: bool = True
    position: int = -1


class Use(IntEnum):
    """Why a packet is decoded."""

    NONE = 0
    REFERENCE = 1
    PICTURE = 2


PACKET = np.dtype(
    [
        ("stamp", np.int64),
        ("dts", np.int64),
        ("position", np.int64),
        ("duration", np.int64),
        ("is_keyframe", np.bool_),
        ("starts_picture", np.bool_),
    ]
)
"""A packet in 34 bytes, with times in time base units: a long video has a million packets."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets that follow each other in a file. Only those with a picture that is shown count.

    Attributes
    ----------
    first : int
        How many packets are before it.
    count : int
    dts, stamp, position : int
        Of its first packet: when it is decoded, its time in `PACKET`, and its place in the file.
    by_counting : bool
        Find it from the beginning of the file, because looking for its first packet does not.
    """

    first: int
    count: int
    dts: int = 0
    stamp: int = 0
    position: int = -1
    by_counting: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """The pictures of a video stream, in presentation order.

    Attributes
    ----------
    pts : NDArray of int64, shape (frames,)
        Presentation time of each picture in the decoder's units, ascending.
    times_ms : NDArray of int64, shape (frames,)
        The same in milliseconds from the start of the file.
    is_keyframe : NDArray of bool, shape (frames,)
    file_order : NDArray of int64, shape (frames,)
        For each picture, in the order of the file, its position in presentation order.
    has_presentation_times : bool
        False where the container stores decoding times only (AVI). There a picture is identified by counting.
    first_aspect : Fraction
        The pixel aspect that the stream gives for its first picture, 0 where it gives none.
    last_duration : int
        How long the last picture is shown, in time base units; 0 where the file does not say.
    packet_counts : NDArray of int64, shape (frames,), optional
        For each picture, in the order of the file, how many packets belong to it. Default: one each.
    has_open_groups : bool
        Pictures after a keyframe may refer to pictures before it, or to pictures before the file.
    dts, positions : NDArray of int64, shape (frames,), optional
        Of each picture's first packet, in the order of the file: when it is decoded, and its place in bytes (-1: the
        container does not say).
    stretch : Stretch or None
        Where the packets are. None: they are all of the file's.
    """

    pts: NDArray[np.int64]
    times_ms: NDArray[np.int64]
    is_keyframe: NDArray[np.bool_]
    file_order: NDArray[np.int64]
    has_presentation_times: bool
    first_aspect: Fraction = Fraction(0)
    last_duration: int = 0
    packet_counts: NDArray[np.int64] | None = None
    has_open_groups: bool = False
    dts: NDArray[np.int64] | None = None
    positions: NDArray[np.int64] | None = None
    stretch: Stretch | None = None

    @classmethod
    def of(
        cls, packets: NDArray[np.void], time_base: Fraction, start: Fraction | None, *, stores_decoding_times: bool
    ) -> Self:
        """Index packets that are listed in the order of the file.

        Parameters
        ----------
        packets : NDArray of `PACKET`, shape (packets,)
            At least one of them starts a picture. What stands before the first one that does belongs to it.
        time_base : Fraction
            Seconds in one unit of the packets' times.
        start : Fraction or None
            Seconds at which the file begins. None: at its first picture. No picture's time is negative: a file that
            claims to begin later begins at its first picture, too.
        stores_decoding_times : bool
            The container does not store when pictures are shown.
        """
        starts = np.flatnonzero(packets["starts_picture"])
        pictures = packets[starts]
        order = np.argsort(pictures["stamp"], kind="stable")
        shown = pictures[order]
        pts = shown["stamp"]
        first = int(pts[0]) * time_base
        if start is not None and not stores_decoding_times:
            first = min(first, start)
        return cls(
            pts=pts,
            times_ms=_milliseconds(pts, time_base, first),
            is_keyframe=shown["is_keyframe"],
            file_order=np.argsort(order),
            has_presentation_times=not stores_decoding_times and bool((np.diff(pts) > 0).all()),
            last_duration=int(shown["duration"][-1]),
            packet_counts=np.diff(np.concatenate(([0], starts[1:], [len(packets)]))),
            dts=pictures["dts"],
            positions=pictures["position"],
        )

    @property
    def frame_count(self) -> int:
        """Pictures in the file, readable or not."""
        return len(self.pts)

    def uses_of_packets(self, indices: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return why each packet is decoded, so that the pictures ``indices`` equal those of a full decode.

        A picture needs everything from the previous keyframe on, in the order of the file. A picture that is shown
        before that keyframe (a leading picture of an open GOP) also refers to earlier pictures. So it needs the
        keyframe before that one too. A file that begins between keyframes, after an edit or a cut, is needed from its
        beginning.

        Returns
        -------
        NDArray of int8, shape (packets,)
            A `Use` for each packet in the order of the file.
        """
        shown_at, count = self.file_order, self.frame_count
        places = np.argsort(shown_at)[indices]
        keyframes = np.flatnonzero(self.is_keyframe[shown_at])
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
        return uses if self.packet_counts is None else np.repeat(uses, self.packet_counts)


def _milliseconds(pts: NDArray[np.int64], time_base: Fraction, first: Fraction) -> NDArray[np.int64]:
    """Return ``(pts * time_base - first) * 1000``, rounded exactly, a half to the even number.

    Fractions of Python would take 10 s for the pictures of six hours.
    """
    factor, offset = time_base * 1000, first * 1000
    below = math.lcm(factor.denominator, offset.denominator)
    factor, offset = factor * below, offset * below
    largest = max(abs(int(pts[0])), abs(int(pts[-1]))) * factor + abs(offset)
    # Times that do not fit into 64 bits are rounded one by one.
    numbers = pts if largest < _FITS and below < _FITS else pts.astype(object)
    whole, rest = np.divmod(numbers * int(factor) - int(offset), below)
    ups = (2 * rest > below) | ((2 * rest == below) & (whole % 2 == 1))
    return np.asarray(whole + ups, np.int64)


_FITS: Final = 2**62


class StretchNotFound(Exception):
    """The container's index does not lead to a stretch."""


def listed(packets: Iterable[Packet]) -> Iterator[tuple[int, int, int, int, bool, bool]]:
    """Yield the fields of `PACKET`. A packet without a time gets that of the one before, and so no time of its own."""
    stamp = 0
    for packet in packets:
        stamp = next((time for time in (packet.pts, packet.dts) if time is not None), stamp)
        dts = stamp if packet.dts is None else packet.dts
        yield stamp, dts, packet.position, packet.duration, packet.is_keyframe, packet.starts_picture


def leave_out_unseen(packets: NDArray[np.void], first_shown: int) -> None:
    """Mark the pictures that nobody sees, because they need a keyframe before the file's beginning.

    Parameters
    ----------
    packets : NDArray of `PACKET`, shape (packets,)
        In the order of the file. Their ``starts_picture`` is changed.
    first_shown : int
        When the first picture is shown that the decoder gives, in time base units.
    """
    keyframes = np.flatnonzero(packets["is_keyframe"])
    early = (packets["stamp"] < first_shown) & ~packets["is_keyframe"]
    if len(keyframes):
        early &= (np.arange(len(packets)) < keyframes[0]) | (packets["stamp"] < packets["stamp"][keyframes[0]])
    packets["starts_picture"] &= ~early
