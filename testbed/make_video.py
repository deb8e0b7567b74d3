"""Generate videos whose truth is known: `write_video` codes pictures (see `testbed.pictures`) as the caller says.

Pictures are streamed: a clip of an hour needs no more memory than one of a second.

Examples
--------
A clip of a phone that was held upright, with every frame's number in it::

    write_video("phone.mp4", numbered(portraits(360, 640, [CENTRED] * 90)), codec="hevc", rotation=270)

A screen recording of variable frame rate::

    write_video("screen.webm", numbered(flat(640, 360, 4)), codec="vp9", times_ms=[0, 40, 1000, 1033])
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph

from testbed.pictures import Picture
from testbed.silence import Silence

os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder writes to standard error directly, past FFmpeg's log


@dataclass(frozen=True, slots=True)
class Codec:
    """How a codec is written: fast, and well enough for a frame's number to be read."""

    encoder: str
    containers: tuple[str, ...]
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)


_PLAIN: Final = {"b": "3M", "qmin": "3"}
_VPX: Final = {"deadline": "good", "cpu-used": "5", "crf": "20", "b": "4M", "threads": "1"}
"""One thread: libvpx's threads wait for each other in busy loops, which on a loaded machine has gone on for ever."""

CODECS: Final[Mapping[str, Codec]] = {
    "h264": Codec("libx264", ("mp4", "mov", "mkv", "avi", "ts", "flv"), options={"preset": "veryfast"}),
    "hevc": Codec("libx265", ("mp4", "mov", "mkv", "ts"), options={"preset": "ultrafast"}),
    "vp8": Codec("libvpx", ("webm", "mkv", "avi"), options=_VPX),
    "vp9": Codec("libvpx-vp9", ("mp4", "webm", "mkv", "avi"), options=_VPX),
    "mjpeg": Codec("mjpeg", ("mp4", "mov", "mkv", "avi"), "yuvj420p", _PLAIN),
    "mpeg4": Codec("mpeg4", ("mp4", "mov", "mkv", "avi"), options=_PLAIN),
    "msmpeg4v2": Codec("msmpeg4v2", ("avi",), options=_PLAIN),
    "msmpeg4v3": Codec("msmpeg4", ("avi",), options=_PLAIN),
    "prores": Codec("prores_ks", ("mov",), "yuv422p10le"),
    "av1": Codec("libsvtav1", ("mp4", "webm", "mkv", "avi"), options={"preset": "11", "crf": "35"}),
}

MATRIX: Final[tuple[tuple[str, str], ...]] = tuple(
    (name, container) for name, codec in CODECS.items() for container in codec.containers
)
"""Every codec with every container that FFmpeg writes it to."""

KEEPS_TIMES: Final = ("mp4", "mov", "mkv", "webm")
"""Containers that store when each frame is shown. AVI has a constant frame rate, and no order but that of decoding.
MPEG-TS and FLV store times, but begin elsewhere or have only one unit."""

KEEPS_ROTATION: Final = ("mp4", "mov", "mkv", "webm")


def write_video(
    path: Path | str,
    pictures: Iterable[Picture],
    *,
    codec: str = "h264",
    fps: int | Fraction = 30,
    times_ms: Iterable[float] | None = None,
    time_base: Fraction | None = None,
    keyint: int | None = None,
    b_frames: int | None = None,
    open_gop: bool = False,
    rotation: int = 0,
    audio_ms: tuple[int, int] | None = None,
    audio_first: bool = False,
    fragmented: bool = False,
    faststart: bool = False,
    aspect: Fraction | None = None,
    first_field: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write `pictures` as a video; the container follows from the name.

    Parameters
    ----------
    path : Path or str
        Its suffix is one of ``CODECS[codec].containers``.
    pictures : iterable of Picture
        Upright, at least one, all of one even size.
    codec : str
        A key of `CODECS`.
    fps : int or Fraction
        Frame rate; with `times_ms` only what the file claims.
    times_ms : iterable of float, optional
        When each picture is shown: variable frame rate, or a start that is not 0.
    time_base : Fraction, optional
        Unit of the times. By default 1 / `fps`, with `times_ms` a millisecond; phones use 1 / 90000.
    keyint : int, optional
        Frames from one keyframe to the next at most.
    b_frames : int, optional
        B-frames in a row; by default what the encoder likes, in AVI none.
    open_gop : bool
        H.264 and HEVC: let B-frames before a keyframe (in presentation order) need the frames before it.
    rotation : int
        0, 90, 180 or 270 degrees counter-clockwise. Pixels are stored turned the other way, and the container asks
        players to turn them by this: what a phone does. ``av.VideoFrame.rotation`` reads 90, 180 or -180, and -90.
    audio_ms : tuple of int, optional
        Start and end of a track of silence.
    audio_first : bool
        The silence is stream 0.
    fragmented, faststart : bool
        MP4 and MOV: an index with each keyframe's fragment (as browsers record); the index before the pictures.
    aspect : Fraction, optional
        Width of a stored pixel divided by its height, in the stream and in the container.
    first_field : str, optional
        ``top`` or ``bottom``: the pictures are interlaced, and these rows show the earlier moment.
    options : mapping, optional
        FFmpeg's options of the encoder, over those chosen here; ``x264-params`` and the like are added to ours.

    Returns
    -------
    Path
        `path`.
    """
    path = Path(path)
    chosen, container_name = CODECS[codec], path.suffix.removeprefix(".")
    if container_name not in chosen.containers:
        message = f"{codec} does not go into {container_name}"
        raise ValueError(message)
    if rotation and (rotation not in {90, 180, 270} or container_name not in KEEPS_TIMES):
        message = f"{container_name} cannot ask for a rotation of {rotation}"
        raise ValueError(message)
    stored = (np.ascontiguousarray(np.rot90(picture, -rotation // 90)) for picture in pictures)
    first = next(stored)
    unit = time_base or (Fraction(1, 1000) if times_ms is not None else 1 / Fraction(fps))
    seconds = (Fraction(ms) / 1000 for ms in times_ms) if times_ms is not None else (n / Fraction(fps) for n in count())
    if b_frames is None and container_name == "avi" and codec in {"h264", "mpeg4"}:
        b_frames = 0

    interlaced = {"flags": "+ildct+ilme"} if first_field else {}
    movflags = "+frag_keyframe+empty_moov+default_base_moof" * fragmented + "+faststart" * faststart
    with _own_priority(), av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as container:
        audio = Silence(container, container_name, *audio_ms) if audio_ms and audio_first else None
        stream: Any = container.add_stream(
            chosen.encoder,
            rate=fps,
            options=_encoder_options(codec, keyint, b_frames, {**interlaced, **(options or {})}, open_gop=open_gop),
        )
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = chosen.pix_fmt
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        stream.time_base = stream.codec_context.time_base = unit
        if rotation:
            stream.set_display_rotation(rotation)
        if audio_ms and not audio_first:
            audio = Silence(container, container_name, *audio_ms)
        for picture, time in zip(chain([first], stored), seconds, strict=times_ms is not None):
            frame = _frame(picture, chosen.pix_fmt, first_field)
            frame.pts, frame.time_base = round(time / unit), unit
            if audio:
                audio.write_until(time)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio:
            audio.finish()
    return path


def pad_to(path: Path, size: int) -> Path:
    """Append an MP4 ``free`` box so that the file has exactly `size` bytes; the padding takes no room on the disk."""
    room = size - path.stat().st_size
    if not 8 <= room < 2**32:
        message = f"A free box cannot have {room} bytes"
        raise ValueError(message)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(room.to_bytes(4, "big") + b"free")
        file.truncate(size)
    return path


def cut(path: Path, fraction: float) -> Path:
    """Write the first part of a file beside it, as a broken transfer leaves it, and return its path."""
    whole = path.read_bytes()
    part = path.with_stem(f"{path.stem}-cut{round(100 * fraction)}")
    part.write_bytes(whole[: int(len(whole) * fraction)])
    return part


def _encoder_options(
    codec: str, keyint: int | None, b_frames: int | None, wanted: Mapping[str, str], *, open_gop: bool
) -> dict[str, str]:
    """Return FFmpeg's options: the codec's, those for the order of keyframes and B-frames, the caller's."""
    options = dict(CODECS[codec].options)
    if keyint is not None:
        options["g"] = str(keyint)
    if b_frames is not None:
        options["bf"] = str(b_frames)
    if codec == "h264":
        options["x264-params"] = f"open-gop={open_gop:d}"
    elif codec == "hevc":
        # A test's standard error is for the test.
        options["x265-params"] = f"open-gop={open_gop:d}:log-level=error"
    for name, value in wanted.items():
        options[name] = f"{options[name]}:{value}" if name.endswith("-params") and name in options else value
    return options


def _frame(picture: Picture, pix_fmt: str, first_field: str | None) -> Any:
    """Return a frame for the encoder. FFmpeg's filter marks it as two fields, because PyAV cannot do that."""
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    if first_field is None:
        return frame
    frame = frame.reformat(format=pix_fmt)
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1))
    mark = graph.add("setfield", {"top": "tff", "bottom": "bff"}[first_field])
    graph.link_nodes(source, mark, graph.add("buffersink")).configure()
    graph.push(frame)
    return graph.pull()


@contextmanager
def _own_priority() -> Iterator[None]:
    """Undo what the AV1 encoder does as root: its caller's thread becomes a real-time one, and so do its children."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)
