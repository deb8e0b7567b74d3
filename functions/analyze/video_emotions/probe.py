"""Step 3: is the file safe to decode, and what is in it?  file -> VideoInfo, or the reason why it is refused.

One pass over the packets, without decoding, gives the time and kind of every picture. It is what sampling plans on: the
count that a container claims is not looked at.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import (
    FrameTooLarge,
    NotAVideo,
    TooManyFrames,
    TruncatedVideo,
    UndecodableVideo,
    UnsupportedCodec,
)
from video_emotions.containers import declared_size, is_known_container
from video_emotions.decoder import Packet, Video, open_video

CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mjpeg", "mpeg4")
"""Codecs whose decoding is tested; FFmpeg's hundreds of others are attack surface."""


PACKET = np.dtype([("stamp", np.int64), ("duration", np.int64), ("is_keyframe", np.bool_), ("is_corrupt", np.bool_)])
"""A coded picture, its times in time base units: 18 bytes, where a long video has a million of them."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoInfo:
    """What is known of a video before its pictures are decoded.

    Attributes
    ----------
    codec : str
    width, height : int
        Of the upright picture, in pixels.
    rotation : int
        Degrees clockwise by which the stored picture is turned to be upright: 0, 90, 180 or 270.
    frame_rate : float
        Mean frames a second over the whole video; 0.0 for a single frame whose rate nobody knows.
    duration_ms : int
        From the first picture's start to the last one's end.
    size_bytes : int
    sha256 : str
        Of the file, in hexadecimal.
    pts : NDArray of int64, shape (frames,)
        Presentation time of each picture in the decoder's units, ascending.
    times_ms : NDArray of int64, shape (frames,)
        The same in milliseconds from the start of the file.
    is_keyframe : NDArray of bool, shape (frames,)
    file_order : NDArray of int64, shape (frames,)
        For each packet, in the order of the file, its picture's place in presentation order.
    has_presentation_times : bool
        False where the container stores decoding times only (AVI): then a picture's place is known by counting.
    """

    codec: str
    width: int
    height: int
    rotation: int
    frame_rate: float
    duration_ms: int
    size_bytes: int
    sha256: str
    pts: NDArray[np.int64]
    times_ms: NDArray[np.int64]
    is_keyframe: NDArray[np.bool_]
    file_order: NDArray[np.int64]
    has_presentation_times: bool

    @property
    def frame_count(self) -> int:
        """Pictures in the file, readable or not."""
        return len(self.pts)


def probe(path: Path, threads: int) -> VideoInfo:
    """Look at a file without decoding more than its first picture.

    Raises
    ------
    NotAVideo, TruncatedVideo, UnsupportedCodec, FrameTooLarge, TooManyFrames, UndecodableVideo
    """
    size_bytes = path.stat().st_size
    _refuse_cut_off(path, size_bytes)
    with open_video(path, threads) as video:
        _refuse_unsupported(video)
        packets = np.fromiter(_listed(islice(video.packets(), limits.MAX_FRAMES + 1)), PACKET)
        time_base, start, nominal_rate = video.time_base, video.start, video.nominal_rate
        codec, is_avi, first_picture = video.codec, video.is_avi, video.first
    if not len(packets):
        raise UndecodableVideo("The video stream is empty. Export the video again and send that file.")
    if len(packets) > limits.MAX_FRAMES:
        raise TooManyFrames(f"A video may have {limits.MAX_FRAMES:,} frames. Cut it into parts.")
    if packets["is_corrupt"].any():
        raise TruncatedVideo("The file ends in the middle of a picture. Send the whole file.")
    if first_picture is None:
        raise UndecodableVideo("The video's first pictures cannot be decoded. Export it again and send that file.")
    width, height = first_picture.size
    order = np.argsort(packets["stamp"], kind="stable")
    shown = packets[order]
    pts = shown["stamp"]
    first = start if start is not None and not is_avi else int(pts[0]) * time_base
    times_ms = np.fromiter((round((int(stamp) * time_base - first) * 1000) for stamp in pts), np.int64, len(pts))
    span = int(pts[-1] - pts[0]) * time_base
    last_duration = int(shown["duration"][-1]) * time_base
    if not last_duration and len(pts) > 1:
        last_duration = span / (len(pts) - 1)
    return VideoInfo(
        codec=codec,
        width=width,
        height=height,
        rotation=first_picture.orientation.rotation,
        frame_rate=round(float((len(pts) - 1) / span), 3) if span else nominal_rate,
        duration_ms=round((span + last_duration) * 1000),
        size_bytes=size_bytes,
        sha256=_sha256(path),
        pts=pts,
        times_ms=times_ms,
        is_keyframe=shown["is_keyframe"],
        file_order=np.argsort(order),
        has_presentation_times=not is_avi and len(np.unique(pts)) == len(pts),
    )


def _refuse_cut_off(path: Path, size_bytes: int) -> None:
    if not is_known_container(path):
        raise NotAVideo("The file is none of MP4, MOV, WebM, MKV and AVI. Convert it to MP4 (H.264) and send that.")
    declared = declared_size(path)
    if declared is not None and declared > size_bytes:
        raise TruncatedVideo(f"The file should have {declared} bytes and has {size_bytes}. Send the whole file.")


def _refuse_unsupported(video: Video) -> None:
    if video.codec not in CODECS:
        raise UnsupportedCodec(
            f"Video in {video.codec} is not supported; these are: {', '.join(CODECS)}. Convert it to MP4 (H.264)."
        )
    width, height = video.size
    if width * height > limits.MAX_PIXELS:
        raise FrameTooLarge(
            f"Frames of {width} x {height} pixels are over the limit of {limits.MAX_PIXELS} pixels. "
            "Scale the video down."
        )


def _listed(packets: Iterable[Packet]) -> Iterator[tuple[int, int, bool, bool]]:
    """Yield the fields of `PACKET`; where a file does not say when a picture is shown, its place does."""
    stamp = -1
    for packet in packets:
        stamp = next((time for time in (packet.pts, packet.dts) if time is not None), stamp + 1)
        yield stamp, packet.duration, packet.is_keyframe, packet.is_corrupt


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
