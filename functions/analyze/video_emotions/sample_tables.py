"""The packets of a progressive MP4 or MOV, from the tables in its header alone.

The container's index, as FFmpeg makes it from the tables, has the packets in order, with edit lists applied: when each
is decoded, and where it is. The tables add when each is shown and for how long.
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import TooManyFrames
from video_emotions.packets import PACKET, Packet
from video_emotions.tables import boxes, columns, content

Numbers = NDArray[np.int64]
_FRAGMENTS: Final = {b"moof", b"mvex", b"sidx"}
_ENTRY_NAMES: Final = {
    b"avc1",
    b"hvc1",
    b"hev1",
    b"av01",
    b"mp4v",
    b"jpeg",
    b"mjpa",
    b"s263",
    b"apch",
    b"apcn",
    b"apcs",
}
"""Sample entries whose parameters stand in the header. ``apco`` and ``ap4h`` are in no clip of the tests."""


@dataclass(frozen=True, slots=True)
class _Track:
    """Where a track's boxes are: the start and the end of their content, by name."""

    boxes: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def id(self, file: BinaryIO) -> int:
        """Return the track's number (ISO/IEC 14496-12, 8.3.2)."""
        start, _ = self.boxes.get(b"tkhd", (0, 0))
        head = content(file, start, 24)
        if len(head) < 24:
            return -1
        return int(struct.unpack_from(">I", head, 20 if head[0] else 12)[0])


@dataclass(frozen=True, slots=True, eq=False)
class SampleTables:
    """What the tables of a track say of each sample, in the order of the file.

    Attributes
    ----------
    positions, sizes : NDArray of int64, shape (samples,)
        In bytes.
    offsets, durations : NDArray of int64, shape (samples,)
        From decoding to showing, and from one decoding to the next, in the track's units.
    """

    positions: Numbers
    sizes: Numbers
    offsets: Numbers
    durations: Numbers

    @classmethod
    def of(cls, file: BinaryIO, size: int, track_id: int) -> Self | None:
        """Read the tables of a track.

        Returns
        -------
        SampleTables or None
            None where tables do not describe the whole track: a fragmented file, several sample descriptions, encrypted
            samples, or kinds of samples whose parameters are inside them.

        Raises
        ------
        TooManyFrames
        """
        track: dict[bytes, tuple[int, int]] | None = None
        tracks: list[_Track] = []
        for kind, start, end in boxes(file, size):
            if kind in _FRAGMENTS:
                return None
            if kind == b"trak":
                tracks.append(_Track())
            elif tracks:
                tracks[-1].boxes.setdefault(kind, (start, end))
        track = next((track.boxes for track in tracks if track.id(file) == track_id), None)
        if track is None or not {b"stsd", b"stts", b"stsc", b"stsz"} <= set(track) or _hides(file, *track[b"stsd"]):
            return None
        sizes = _sizes(file, *track[b"stsz"])
        positions = _positions(file, track, sizes)
        if positions is None:
            return None
        durations = _run_lengths(file, track, b"stts", len(sizes))
        offsets = _run_lengths(file, track, b"ctts", len(sizes))
        return cls(positions, sizes, offsets.astype(np.int32).astype(np.int64), durations)

    def packets(self, index: NDArray[np.void], first: Packet) -> NDArray[np.void] | None:
        """Return the packets that are shown, as an array of `PACKET`.

        Parameters
        ----------
        index : NDArray of `av_packets.ENTRY`
            The container's own.
        first : Packet
            The first one that is shown, as it was read.

        Returns
        -------
        NDArray of `PACKET` or None
            None where the index and the tables do not fit together.
        """
        order = np.argsort(self.positions, kind="stable")
        ascending = self.positions[order]
        found = np.searchsorted(ascending, index["position"])
        shown = ~index["is_discarded"]
        if (
            not len(index)
            or not shown.any()
            or (np.diff(ascending) <= 0).any()  # two samples in one place: which one does the index mean?
            or found.max() >= len(ascending)
            or (ascending[found] != index["position"]).any()
        ):
            return None
        index, sample = index[shown], order[found[shown]]
        if (
            first.pts is None
            or first.dts is None
            or (first.dts, first.position) != (index["dts"][0], index["position"][0])
        ):
            return None
        packets = np.zeros(len(index), PACKET)
        # FFmpeg moves decoding times, so that no picture is shown before it is decoded.
        packets["stamp"] = index["dts"] + self.offsets[sample] + (first.pts - first.dts - self.offsets[sample[0]])
        packets["dts"], packets["position"] = index["dts"], index["position"]
        packets["duration"] = self.durations[sample]
        packets["is_keyframe"] = index["is_keyframe"]
        packets["starts_picture"] = True
        return packets if (packets["duration"] > 0).all() else None


def _hides(file: BinaryIO, start: int, end: int) -> bool:
    """Report whether the sample description leaves open what its samples hold."""
    head = content(file, start, min(end - start, 16))
    return len(head) < 16 or head[4:8] != b"\0\0\0\1" or head[12:16] not in _ENTRY_NAMES


def _sizes(file: BinaryIO, start: int, end: int) -> Numbers:
    """Return the size of each sample (8.7.3)."""
    same, count = struct.unpack(">II", content(file, start + 4, 8).ljust(8, b"\0"))
    _refuse_many(count)
    if same:
        return np.full(count, same, np.int64)
    return np.frombuffer(content(file, start + 12, min(4 * count, end - start - 12) // 4 * 4), ">u4").astype(np.int64)


def _positions(file: BinaryIO, track: dict[bytes, tuple[int, int]], sizes: Numbers) -> Numbers | None:
    """Return where each sample begins (8.7.4, 8.7.5), or None where the tables contradict each other."""
    if b"co64" in track:
        start, end = track[b"co64"]
        chunks = np.frombuffer(content(file, start + 8, (end - start - 8) // 8 * 8), ">u8").astype(np.int64)
    elif b"stco" in track:
        chunks = columns(file, *track[b"stco"], b"stco")[:, 0].astype(np.int64)
    else:
        return None
    runs = columns(file, *track[b"stsc"], b"stsc").astype(np.int64)
    lengths = np.diff(np.append(runs[:, 0], len(chunks) + 1))
    if not len(runs) or runs[0, 0] != 1 or (lengths < 0).any():
        return None
    per_chunk = np.repeat(runs[:, 1], lengths)
    if per_chunk.sum() != len(sizes):
        return None
    begins = np.concatenate(([0], np.cumsum(sizes)))
    first_in_chunk = np.concatenate(([0], np.cumsum(per_chunk)[:-1]))
    return np.asarray(np.repeat(chunks - begins[first_in_chunk], per_chunk) + begins[:-1], np.int64)


def _run_lengths(file: BinaryIO, track: dict[bytes, tuple[int, int]], kind: bytes, count: int) -> Numbers:
    """Return the second number of each entry as often as the first one says; 0 for what the table leaves out."""
    if kind not in track:
        return np.zeros(count, np.int64)
    entries = columns(file, *track[kind], kind).astype(np.int64)
    _refuse_many(int(entries[:, 0].sum()))
    values = np.repeat(entries[:, 1], entries[:, 0])[:count]
    return np.pad(values, (0, count - len(values)))


def _refuse_many(count: int) -> None:
    if count > limits.MAX_JOB_FRAMES:
        raise TooManyFrames(f"A video may have {limits.MAX_JOB_FRAMES:,} frames. Cut it into parts.")
