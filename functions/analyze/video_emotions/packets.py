"""What a file's packets say, before anything is decoded: when each picture is shown, and what it needs. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Final, Self

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
    """

    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    starts_picture: bool = True
    opens_group: bool = False


class Use(IntEnum):
    """Why a packet is decoded."""

    NONE = 0
    REFERENCE = 1
    PICTURE = 2


PACKET = np.dtype(
    [
        ("stamp", np.int64),
        ("duration", np.int64),
        ("is_keyframe", np.bool_),
        ("starts_picture", np.bool_),
        ("opens_group", np.bool_),
    ]
)
"""A packet in 19 bytes, with times in time base units: a long video has a million packets."""


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
    is_open : NDArray of bool, shape (frames,), optional
        Keyframes across which pictures may refer to others, and a first picture that refers to others before the file.
        Default: there are none.
    """

    pts: NDArray[np.int64]
    times_ms: NDArray[np.int64]
    is_keyframe: NDArray[np.bool_]
    file_order: NDArray[np.int64]
    has_presentation_times: bool
    first_aspect: Fraction = Fraction(0)
    last_duration: int = 0
    packet_counts: NDArray[np.int64] | None = None
    is_open: NDArray[np.bool_] | None = None

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
        times_ms = np.fromiter((round((int(stamp) * time_base - first) * 1000) for stamp in pts), np.int64, len(pts))
        return cls(
            pts=pts,
            times_ms=times_ms,
            is_keyframe=shown["is_keyframe"],
            file_order=np.argsort(order),
            has_presentation_times=not stores_decoding_times and len(np.unique(pts)) == len(pts),
            last_duration=int(shown["duration"][-1]),
            packet_counts=np.diff(np.concatenate(([0], starts[1:], [len(packets)]))),
            is_open=np.logical_or.reduceat(packets["opens_group"], np.concatenate(([0], starts[1:])))[order],
        )

    @property
    def frame_count(self) -> int:
        """Pictures in the file, readable or not."""
        return len(self.pts)

    @property
    def has_open_groups(self) -> bool:
        """True where pictures may refer to pictures before their keyframe, or before the file."""
        return self.is_open is not None and bool(self.is_open.any())

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
        return self._of_packets(self._uses_of_pictures(indices))

    def uses_from_keyframe(self, picture: int, is_given: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Return the uses that decode everything from the last sure keyframe that ``picture`` follows.

        A container can mark a picture as a keyframe that is not one. A sure keyframe is one for the decoder too, and no
        picture refers across it. Without a sure keyframe everything is decoded.

        Parameters
        ----------
        picture : int
            The first wanted picture, as a position in presentation order.
        is_given : NDArray of bool, shape (frames,)
            Which pictures the decoder gave as keyframes.

        Returns
        -------
        NDArray of int8, shape (packets,)
        """
        is_sure = self.is_keyframe & is_given
        if self.is_open is not None:
            is_sure &= ~self.is_open
        sure = np.flatnonzero(is_sure[self.file_order])
        needed = int(np.flatnonzero(self._uses_of_pictures(np.array([picture])))[0])
        uses = np.full(self.frame_count, Use.PICTURE, dtype=np.int8)
        uses[: max(sure[sure <= needed], default=0)] = Use.NONE
        return self._of_packets(uses)

    def _of_packets(self, uses: NDArray[np.int8]) -> NDArray[np.int8]:
        return uses if self.packet_counts is None else np.repeat(uses, self.packet_counts)

    def _uses_of_pictures(self, indices: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return the use of each picture in the order of the file: see `uses_of_packets`."""
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
        return uses


def listed(packets: Iterable[Packet]) -> Iterator[tuple[int, int, bool, bool, bool]]:
    """Yield the fields of `PACKET`. A packet without a time gets that of the one before, and so no time of its own."""
    stamp = 0
    for packet in packets:
        stamp = next((time for time in (packet.pts, packet.dts) if time is not None), stamp)
        yield stamp, packet.duration, packet.is_keyframe, packet.starts_picture, packet.opens_group


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
