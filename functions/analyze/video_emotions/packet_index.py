"""A video's pictures in presentation order, and which packets each of them needs. Pure."""

import math
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from video_emotions.packets import Stretch

_FITS: Final = 2**62
"""Numbers below it do not overflow 64 bits."""


class Use(IntEnum):
    """Why a packet is decoded."""

    NONE = 0
    REFERENCE = 1
    PICTURE = 2


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
    has_open_groups : bool
        Pictures may refer to pictures before their keyframe, or before the file, here or elsewhere in the video.
    dts, positions : NDArray of int64, shape (frames,), optional
        Of each picture's first packet, in the order of the file: when it is decoded, and its place in bytes (-1: the
        container does not say).
    stretch : Stretch or None
        Where the packets are. None: these are all packets of the file.
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
            is_open=np.logical_or.reduceat(packets["opens_group"], np.concatenate(([0], starts[1:])))[order],
            has_open_groups=bool(packets["opens_group"].any()),
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
        return self._of_packets(self._uses_of_pictures(indices))

    def uses_from_keyframe(self, picture: int, is_given: NDArray[np.bool_]) -> NDArray[np.int8] | None:
        """Return the uses that decode everything from the last sure keyframe that ``picture`` follows.

        A container can mark a picture as a keyframe that is not one. A sure keyframe is one for the decoder too, and no
        picture refers across it.

        Parameters
        ----------
        picture : int
            The first wanted picture, as a position in presentation order.
        is_given : NDArray of bool, shape (frames,)
            Which pictures the decoder gave as keyframes.

        Returns
        -------
        NDArray of int8, shape (packets,), or None
            None: there is no such keyframe. The picture may need everything from the beginning of the file on.
        """
        is_sure = self.is_keyframe & is_given
        if self.is_open is not None:
            is_sure &= ~self.is_open
        sure = np.flatnonzero(is_sure[self.file_order])
        needed = int(np.flatnonzero(self._uses_of_pictures(np.array([picture])))[0])
        before = sure[sure <= needed]
        if not len(before):
            return None
        uses = np.full(self.frame_count, Use.PICTURE, dtype=np.int8)
        uses[: before[-1]] = Use.NONE
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


def _milliseconds(pts: NDArray[np.int64], time_base: Fraction, first: Fraction) -> NDArray[np.int64]:
    """Return ``(pts * time_base - first) * 1000``, rounded exactly, a half to the even number.

    Python's fractions would need 10 s for the pictures of six hours.
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
