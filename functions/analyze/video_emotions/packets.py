"""What a file's packets say, before anything is decoded: when each picture is shown, and what it needs. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture: when it is shown and for how long (in time base units), and whether it stands alone."""

    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    is_corrupt: bool


class Use(IntEnum):
    """Why a packet is decoded."""

    NONE = 0
    REFERENCE = 1
    PICTURE = 2


PACKET = np.dtype([("stamp", np.int64), ("duration", np.int64), ("is_keyframe", np.bool_), ("is_corrupt", np.bool_)])
"""A packet in 18 bytes, with times in time base units: a long video has a million packets."""


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
        For each packet, in the order of the file, its picture's position in presentation order.
    has_presentation_times : bool
        False where the container stores decoding times only (AVI). There a picture is identified by counting.
    first_aspect : Fraction
        The pixel aspect that the stream gives for its first picture, 0 where it gives none.
    last_duration : int
        How long the last picture is shown, in time base units; 0 where the file does not say.
    """

    pts: NDArray[np.int64]
    times_ms: NDArray[np.int64]
    is_keyframe: NDArray[np.bool_]
    file_order: NDArray[np.int64]
    has_presentation_times: bool
    first_aspect: Fraction = Fraction(0)
    last_duration: int = 0

    @classmethod
    def of(
        cls, packets: NDArray[np.void], time_base: Fraction, start: Fraction | None, *, stores_decoding_times: bool
    ) -> Self:
        """Index packets that are listed in the order of the file.

        Parameters
        ----------
        packets : NDArray of `PACKET`, shape (frames,)
            At least one.
        time_base : Fraction
            Seconds in one unit of the packets' times.
        start : Fraction or None
            Seconds at which the file begins. None: at its first picture.
        stores_decoding_times : bool
            The container does not store when pictures are shown.
        """
        order = np.argsort(packets["stamp"], kind="stable")
        shown = packets[order]
        pts = shown["stamp"]
        first = start if start is not None and not stores_decoding_times else int(pts[0]) * time_base
        times_ms = np.fromiter((round((int(stamp) * time_base - first) * 1000) for stamp in pts), np.int64, len(pts))
        return cls(
            pts=pts,
            times_ms=times_ms,
            is_keyframe=shown["is_keyframe"],
            file_order=np.argsort(order),
            has_presentation_times=not stores_decoding_times and len(np.unique(pts)) == len(pts),
            last_duration=int(shown["duration"][-1]),
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
        return uses


def listed(packets: Iterable[Packet]) -> Iterator[tuple[int, int, bool, bool]]:
    """Yield the fields of `PACKET`. Where a file stores no time for a picture, its position serves as its time."""
    stamp = -1
    for packet in packets:
        stamp = next((time for time in (packet.pts, packet.dts) if time is not None), stamp + 1)
        yield stamp, packet.duration, packet.is_keyframe, packet.is_corrupt
