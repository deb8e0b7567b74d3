"""Step 3: is the file safe to decode, and what is in it?  file -> VideoInfo, or the reason why it is refused.

One pass over the packets, without decoding, gives the time and kind of every picture. The plan of what to sample rests
on that pass. It ignores the count that a container claims.
"""

import hashlib
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

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
from video_emotions.packets import PACKET, PacketIndex, leave_out_unseen, listed
from video_emotions.progress import Beat, silent
from video_emotions.remedies import CONVERT, EXPORT
from video_emotions.sniffing import refuse_other_files
from video_emotions.supported import CODECS
from video_emotions.tables import refuse_false_tables

_FRAGMENT_BOXES: Final = {b"styp", b"sidx", b"moof", b"emsg", b"prft"}
_LONGEST: Final = Fraction(limits.MAX_VIDEO_MS, 1000)
"""Seconds; times beyond are errors of the file."""
_PART_BYTES: Final = 2**20
"""Read at once. It takes milliseconds."""


def probe(path: Path, threads: int, beat: Beat = silent) -> tuple[VideoInfo, PacketIndex]:
    """Examine a file. Only its first picture is decoded.

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
    refuse_other_files(path)
    size_bytes, reach = path.stat().st_size, extent(path)
    cut_off = TruncatedVideo(f"The file should have {reach.declared} bytes and has {size_bytes}. Send the whole file.")
    _refuse_incomplete(reach, cut_off)
    refuse_false_tables(path, beat)
    with open_video(path, threads) as video:
        _refuse_unsupported(video)
        packets = np.fromiter(listed(islice(video.packets(beat), limits.MAX_FRAMES + 1)), PACKET)
        time_base, start, nominal_rate = video.time_base, video.start, video.nominal_rate
        first_aspect = video.aspects.first or Fraction(0)
    first_picture = video.first
    if not len(packets) and not video.is_cut_off:
        raise UndecodableVideo(f"The video stream is empty. {EXPORT}")
    if len(packets) > limits.MAX_FRAMES:
        raise TooManyFrames(f"A video may have {limits.MAX_FRAMES:,} frames. Cut it into parts.")
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
        sha256=_sha256(path, beat),
        frame_count=index.frame_count,
    )
    return info, index


def _refuse_incomplete(reach: Extent, cut_off: TruncatedVideo) -> None:
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
        raise cut_off


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
