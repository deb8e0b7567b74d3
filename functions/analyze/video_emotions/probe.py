"""Step 3: is the file safe to decode, and what is in it?  file -> VideoInfo, or the reason why it is refused.

One pass over the packets, without decoding, gives the time and kind of every picture. The plan of what to sample rests
on that pass. It ignores the count that a container claims.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from video_common import limits
from video_common.errors import (
    FrameTooLarge,
    NotAVideo,
    TooManyFrames,
    TruncatedVideo,
    UndecodableVideo,
    UnsupportedCodec,
)
from video_emotions.boxes import Size
from video_emotions.containers import declared_size, is_known_container
from video_emotions.decoder import CODECS, Video, open_video
from video_emotions.facts import VideoInfo
from video_emotions.packets import PACKET, Packet, PacketIndex, listed
from video_emotions.tables import refuse_false_tables


def probe(path: Path, threads: int, beat: Callable[[], None] = lambda: None) -> tuple[VideoInfo, PacketIndex]:
    """Examine a file. Only its first picture is decoded.

    Parameters
    ----------
    path : Path
    threads : int
    beat : callable
        Called at each packet.

    Raises
    ------
    NotAVideo, TruncatedVideo, UnsupportedCodec, FrameTooLarge, TooManyFrames, UndecodableVideo
    """
    size_bytes = path.stat().st_size
    _refuse_cut_off(path, size_bytes)
    refuse_false_tables(path)
    with open_video(path, threads) as video:
        _refuse_unsupported(video)
        packets = np.fromiter(listed(_each(islice(video.packets(), limits.MAX_FRAMES + 1), beat)), PACKET)
        time_base, start, nominal_rate = video.time_base, video.start, video.nominal_rate
        codec, is_avi, first_picture = video.codec, video.is_avi, video.first
    if not len(packets):
        raise UndecodableVideo("The video stream is empty. Export the video again, then send the new file.")
    if len(packets) > limits.MAX_FRAMES:
        raise TooManyFrames(f"A video may have {limits.MAX_FRAMES:,} frames. Cut it into parts.")
    if packets["is_corrupt"].any():
        raise TruncatedVideo("The file ends in the middle of a picture. Send the whole file.")
    if first_picture is None:
        raise UndecodableVideo("The first pictures cannot be decoded. Export the video again, then send the new file.")
    _refuse_large(first_picture.size)
    index = PacketIndex.of(packets, time_base, start, stores_decoding_times=is_avi)
    span = int(index.pts[-1] - index.pts[0]) * time_base
    last_duration = index.last_duration * time_base
    if not last_duration and index.frame_count > 1:
        last_duration = span / (index.frame_count - 1)
    width, height = first_picture.size
    info = VideoInfo(
        codec=codec,
        width=width,
        height=height,
        rotation=first_picture.orientation.rotation,
        frame_rate=round(float((index.frame_count - 1) / span), 3) if span else nominal_rate,
        duration_ms=round((span + last_duration) * 1000),
        size_bytes=size_bytes,
        sha256=_sha256(path),
        frame_count=index.frame_count,
    )
    return info, index


def _each(packets: Iterable[Packet], beat: Callable[[], None]) -> Iterator[Packet]:
    for packet in packets:
        beat()
        yield packet


def _refuse_cut_off(path: Path, size_bytes: int) -> None:
    if not is_known_container(path):
        raise NotAVideo(
            "The file is not MP4, MOV, WebM, MKV or AVI. Convert it to MP4 (H.264), then send the new file."
        )
    declared = declared_size(path)
    if declared is not None and declared > size_bytes:
        raise TruncatedVideo(f"The file should have {declared} bytes and has {size_bytes}. Send the whole file.")


def _refuse_unsupported(video: Video) -> None:
    if video.codec not in CODECS:
        raise UnsupportedCodec(
            f"Video in {video.codec} is not supported; these are: {', '.join(CODECS)}. Convert it to MP4 (H.264)."
        )
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
