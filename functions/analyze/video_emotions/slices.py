"""A part of a video that can be decoded alone: some of its sampled pictures, and the packets that they need. Pure.

A slice becomes bytes in one process and is read in another. Both are processes that read an untrusted file.
"""

import json
import struct
import zlib
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_emotions.packet_index import PacketIndex
from video_emotions.packets import Stretch
from video_emotions.plan import Plan

Numbers = NDArray[np.int64]

_COLUMNS: Final = ("pts", "times_ms", "is_keyframe", "file_order", "packet_counts", "is_open")
"""Of a `PacketIndex`: one number for each picture."""
_HEAD: Final = struct.Struct(">II")


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Sampled pictures, and the packets that they need.

    Attributes
    ----------
    index : PacketIndex
        Of the pictures in these packets only. Its ``stretch`` says where they are.
    chosen : Plan
        The sampled pictures, as positions in ``index``. ``until_ms`` is the time of the next sampled picture.
    numbers : NDArray of int64, shape (frames,)
        For each picture of ``index`` its position in the whole video.
    """

    index: PacketIndex
    chosen: Plan
    numbers: Numbers

    @classmethod
    def of(cls, index: PacketIndex, chosen: Plan, first: int, end: int) -> Self:
        """Cut the sampled pictures from ``first`` to before ``end`` out of a plan; at least one.

        The pictures equal those that the whole plan gives: `PacketIndex.uses_of_packets` says which packets they need.
        """
        wanted = chosen.indices[first:end]
        counts = index.packet_counts if index.packet_counts is not None else np.ones(index.frame_count, np.int64)
        is_open = index.is_open if index.is_open is not None else np.zeros(index.frame_count, np.bool_)
        ends = np.cumsum(counts)
        used = np.flatnonzero(index.uses_of_packets(wanted))
        # The first and the last picture, in the order of the file, whose packets are used.
        begin, last = np.searchsorted(ends, used[[0, -1]], side="right")
        if not index.has_presentation_times:  # pictures are counted, in the order in which a decoder gives all of them
            begin, last = np.int64(0), np.int64(index.frame_count - 1)
        inside = slice(int(begin), int(last) + 1)
        numbers = np.sort(index.file_order[inside])
        more = chosen.indices[end : end + 1]
        stretch = Stretch(int(ends[begin] - counts[begin]), int(counts[inside].sum()))
        if index.dts is not None and index.positions is not None:
            stamp, dts, position = index.pts[index.file_order[begin]], index.dts[begin], index.positions[begin]
            stretch = replace(stretch, stamp=int(stamp), dts=int(dts), position=int(position))
        part = replace(
            index,
            pts=index.pts[numbers],
            times_ms=index.times_ms[numbers],
            is_keyframe=index.is_keyframe[numbers],
            file_order=np.searchsorted(numbers, index.file_order[inside]),
            packet_counts=counts[inside],
            is_open=is_open[numbers],
            dts=None,
            positions=None,
            stretch=stretch,
        )
        return cls(
            index=part,
            chosen=replace(
                chosen,
                indices=np.searchsorted(numbers, wanted),
                until_ms=int(index.times_ms[more[0]]) if len(more) else chosen.until_ms,
            ),
            numbers=numbers,
        )

    def __bytes__(self) -> bytes:
        """Return the slice as bytes for `of_bytes`: some facts as JSON, and columns of numbers, as differences."""
        index, chosen = self.index, self.chosen
        facts = {
            "index": {
                "has_presentation_times": index.has_presentation_times,
                "first_aspect": [index.first_aspect.numerator, index.first_aspect.denominator],
                "last_duration": index.last_duration,
                "has_open_groups": index.has_open_groups,
            },
            "chosen": {
                "until_ms": chosen.until_ms,
                "keyframes_only": chosen.keyframes_only,
                "pictures": chosen.pictures,
                "scales": chosen.scales,
            },
            "stretch": asdict(index.stretch) if index.stretch else None,
            "frames": index.frame_count,
        }
        text = json.dumps(facts).encode()
        columns = [*(getattr(index, name) for name in _COLUMNS), self.numbers, chosen.indices]
        numbers = np.concatenate([np.diff(column.astype("<i8"), prepend=0) for column in columns])
        packed = zlib.compress(numbers.tobytes(), level=1)
        return _HEAD.pack(len(text), len(numbers)) + text + packed

    @classmethod
    def of_bytes(cls, data: bytes | bytearray) -> Self:
        """Read a slice.

        Raises
        ------
        ValueError
            The bytes are no slice.
        """
        try:
            return cls._of(data)
        except (struct.error, zlib.error, KeyError, TypeError, IndexError) as error:
            raise ValueError("the bytes are no slice") from error

    @classmethod
    def _of(cls, data: bytes | bytearray) -> Self:
        length, count = _HEAD.unpack_from(data)
        facts = json.loads(data[_HEAD.size : _HEAD.size + length])
        frames = int(facts["frames"])
        if count > (len(_COLUMNS) + 2) * limits.MAX_JOB_FRAMES:
            raise ValueError("a slice is too large")
        unpacker = zlib.decompressobj()
        numbers = np.frombuffer(unpacker.decompress(data[_HEAD.size + length :], 8 * count), "<i8").astype(np.int64)
        pts, times_ms, is_keyframe, file_order, packet_counts, is_open, places, indices = _split(numbers, frames)
        index, chosen = facts["index"], facts["chosen"]
        return cls(
            index=PacketIndex(
                pts=pts,
                times_ms=times_ms,
                is_keyframe=is_keyframe != 0,
                file_order=file_order,
                packet_counts=packet_counts,
                is_open=is_open != 0,
                stretch=Stretch(**facts["stretch"]),
                **{**index, "first_aspect": Fraction(*index["first_aspect"])},
            ),
            chosen=Plan(indices=indices, **{**chosen, "scales": tuple(chosen["scales"])}),
            numbers=places,
        )


def _split(numbers: Numbers, frames: int) -> list[Numbers]:
    """Undo the differences: columns of ``frames`` numbers, and the rest as the last one."""
    parts = np.split(numbers, [frames * place for place in range(1, len(_COLUMNS) + 2)])
    return [np.cumsum(part) for part in parts]
