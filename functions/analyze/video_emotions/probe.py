"""Step 3: is the file safe to decode, and what is in it?  file -> VideoInfo, or the reason why it is refused.

One pass over the packets, without decoding, gives the time and kind of every picture. The plan of what to sample rests
on that pass. It ignores the count that a container claims.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import (
    FrameTooLarge,
    MissingBeginning,
    NotAVideo,
    TooManyFrames,
    TruncatedVideo,
    UndecodableVideo,
    UnsupportedCodec,
    UnusableTimes,
)
from video_emotions.boxes import Size
from video_emotions.containers import Extent, extent
from video_emotions.decoder import Video, open_video
from video_emotions.encryption import encrypted
from video_emotions.facts import VideoInfo
from video_emotions.packet_index import PacketIndex
from video_emotions.packets import PACKET, leave_out_unseen, listed
from video_emotions.progress import Beat, silent
from video_emotions.remedies import CONVERT, EXPORT
from video_emotions.remote_file import RemoteFile, Source, opened
from video_emotions.sniffing import Family, family_of, refuse_other_files
from video_emotions.supported import CODECS
from video_emotions.tables import boxes, content, refuse_false_tables
from video_emotions.tabulated import tabulated

_FRAGMENT_BOXES: Final = {b"styp", b"sidx", b"moof", b"emsg", b"prft"}
_LONGEST: Final = Fraction(limits.MAX_VIDEO_MS, 1000)
"""Seconds; times beyond are errors of the file."""
_PART_BYTES: Final = 2**20
"""Read at once. It takes milliseconds."""

_Way: TypeAlias = Callable[[Video, BinaryIO], NDArray[np.void] | None]
"""Lists the packets of a newly opened video, or returns None if it cannot."""


def probe(path: Path, threads: int, beat: Beat = silent) -> tuple[VideoInfo, PacketIndex]:
    """Examine a file, and read all of it. Only its first pictures are decoded.

    Parameters
    ----------
    path : Path
    threads : int
    beat : Beat
        Called at each packet, and while other bytes are read.

    Raises
    ------
    VideoError
        Any leaf, with what to do.
    """
    info, index = _examined(path, threads, beat, lambda video, _: _demuxed(video, limits.MAX_FRAMES, beat))
    return replace(info, sha256=_sha256(path, beat)), index


def survey(source: Source, threads: int, beat: Beat = silent) -> tuple[VideoInfo, PacketIndex]:
    """Examine a file as `probe` does, and read no more of it than that needs.

    Of a progressive MP4 or MOV that is the header. All other files are read once. The SHA-256 stays unknown.
    """
    if isinstance(source, RemoteFile):
        source.largest_block = limits.INDEX_RANGE_BYTES
        _keep_header(source)

    def demuxed(video: Video, _: BinaryIO) -> NDArray[np.void]:
        if isinstance(source, RemoteFile):
            source.largest_block = limits.RANGE_BYTES
        return _demuxed(video, limits.MAX_JOB_FRAMES, beat)

    try:
        return _examined(source, threads, beat, tabulated, demuxed)
    finally:
        if isinstance(source, RemoteFile):
            source.keep(0, 0)


def _examined(source: Source, threads: int, beat: Beat, *ways: _Way) -> tuple[VideoInfo, PacketIndex]:
    """Examine a file, whose packets the first of these ways that can do it lists."""
    with opened(source) as file:
        refuse_other_files(file)
        reach, size_bytes = extent(file), file.seek(0, io.SEEK_END)
        _refuse_incomplete(reach, size_bytes)
        refuse_false_tables(file, beat)
        for packets_of in ways:
            with open_video(source, threads) as video:
                _refuse_unsupported(video)
                found = packets_of(video, file)
                time_base, start, nominal_rate = video.time_base, video.start, video.nominal_rate
                first_aspect = video.aspects.first or Fraction(0)
            if found is not None:
                break
    packets = np.empty(0, PACKET) if found is None else found
    first_picture = video.first
    if not len(packets) and not video.is_cut_off:
        raise UndecodableVideo(f"The video stream is empty. {EXPORT}")
    if video.is_encrypted:
        raise encrypted()
    if video.is_cut_off:
        raise TruncatedVideo("The file ends before its last picture. Send the whole file.")
    if first_picture is None:
        raise UndecodableVideo(f"The first pictures cannot be decoded. {EXPORT}")
    _refuse_large(first_picture.size)
    _refuse_unusable_times(packets, time_base, start)
    leave_out_unseen(packets, video.shown_pts)
    if not packets["starts_picture"].any():
        raise UndecodableVideo(f"The first pictures cannot be decoded. {EXPORT}")
    index = PacketIndex.of(packets, time_base, start, stores_decoding_times=video.is_avi)
    index = replace(index, first_aspect=first_aspect)
    span = int(index.pts[-1] - index.pts[0]) * time_base
    last_duration = index.last_duration * time_base
    if not 0 < last_duration <= _LONGEST:
        last_duration = span / max(index.frame_count - 1, 1)
    width, height = first_picture.size
    info = VideoInfo(
        codec=video.codec,
        width=width,
        height=height,
        rotation=first_picture.orientation.rotation,
        frame_rate=round(float((index.frame_count - 1) / span), 3) if span else nominal_rate,
        duration_ms=round((span + last_duration) * 1000),
        size_bytes=size_bytes,
        sha256=None,
        frame_count=index.frame_count,
    )
    return info, index


def _demuxed(video: Video, most: int, beat: Beat) -> NDArray[np.void]:
    """Read all packets of a video.

    Raises
    ------
    TooManyFrames
    """
    packets = np.fromiter(listed(islice(video.packets(beat), most + 1)), PACKET)
    if len(packets) > most:
        raise TooManyFrames(f"A video may have {most:,} frames. Cut it into parts.")
    return packets


def _keep_header(file: RemoteFile) -> None:
    """Keep an MP4's header in memory, which FFmpeg reads after us."""
    with opened(file) as readable:
        size = readable.seek(0, io.SEEK_END)
        if family_of(content(readable, 0, 16)) is not Family.MP4:
            return
        for kind, start, end in islice(boxes(readable, size), limits.MAX_BOXES):
            if kind == b"moov":
                if end - start <= limits.MAX_HEADER_BYTES:
                    file.keep(start, end)
                return


def _refuse_incomplete(reach: Extent, size_bytes: int) -> None:
    """Reject a file of which the end is missing, or the beginning, or the index of an MP4.

    Raises
    ------
    TruncatedVideo, MissingBeginning, NotAVideo
    """
    if reach.boxes and b"moov" not in reach.boxes:
        if reach.boxes & _FRAGMENT_BOXES:
            raise MissingBeginning(
                "The file is a later part of an MP4 stream: its beginning is missing. "
                "Put the initialization segment and all parts together, then send them as one file."
            )
        if b"meta" in reach.boxes:
            raise NotAVideo("The file is a still picture (HEIC or AVIF). Send a video.")
        if b"mdat" in reach.boxes and not reach.is_cut_off:
            raise TruncatedVideo(
                "The MP4 has no index (its moov box): the recording or the transfer ended early. "
                "Send the whole file. If the recorder never finished it, repair it with the recorder's own tool."
            )
    if reach.is_cut_off:
        raise TruncatedVideo(f"The file should have {reach.declared} bytes and has {size_bytes}. Send the whole file.")


def _refuse_unusable_times(packets: NDArray[np.void], time_base: Fraction, start: Fraction | None) -> None:
    lowest, highest = (int(bound(packets["stamp"])) * time_base for bound in (np.min, np.max))
    if highest - min(lowest, lowest if start is None else start) > _LONGEST:
        raise UnusableTimes(f"The times of the pictures are more than eleven days apart. {EXPORT}")


def _refuse_unsupported(video: Video) -> None:
    if video.codec not in CODECS:
        raise UnsupportedCodec(f"Video in {video.codec} is not supported; these are: {', '.join(CODECS)}. {CONVERT}")
    _refuse_large(video.size)


def _refuse_large(size: Size) -> None:
    """Reject pictures above the pixel limit.

    Raises
    ------
    FrameTooLarge
    """
    width, height = size
    if width * height > limits.MAX_PIXELS:
        raise FrameTooLarge(
            f"Frames of {width} x {height} pixels are over the limit of {limits.MAX_PIXELS} pixels. "
            "Scale the video down."
        )


def _sha256(path: Path, beat: Beat) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            digest.update(part)
            beat()
    return digest.hexdigest()
