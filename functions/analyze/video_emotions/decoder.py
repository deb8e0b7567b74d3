"""The decoder: with `av_frames` the only module that knows PyAV (FFmpeg's libraries)."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import NotAVideo
from video_emotions.av_frames import FirstField, orientation_of
from video_emotions.bitstream import picture_starts
from video_emotions.boxes import Size
from video_emotions.display import Orientation, PixelAspects
from video_emotions.memory import raise_if_short, threads_for
from video_emotions.packets import Packet, Use
from video_emotions.picture import Picture
from video_emotions.progress import Beat, silent
from video_emotions.remedies import EXPORT
from video_emotions.supported import DECODER_NAMES, OPEN_OPTIONS
from video_emotions.units import opens_group

_USUAL_BITS = 12
"""Bits of a pixel in 4:2:0, if the file does not say."""


class Video:
    """An opened file's best video stream. Make it with `open_video`.

    Attributes
    ----------
    aspects : PixelAspects
    first : Picture or None
        After `packets` has ended. None if ``limits.MAX_UNREADABLE_START`` packets give no picture.
    shown_pts : list of int
        When the first pictures are shown. One is enough for a file that begins with a keyframe and has no edit list.
    is_edited, is_encrypted, is_cut_off : bool
        After `packets` has ended. Edited: an edit list leaves packets out. Cut off: packets that the file lists are
        missing, in whole or in part.
    is_damaged, is_torn : bool
        Damaged: a picture so far could not be decoded, in whole or in part. Torn: the container reports that data of a
        packet so far are missing, as a transport stream does.
    """

    def __init__(self, container: Any, stream: Any, first_aspect: Fraction | None, *, stop_at_damage: bool) -> None:
        self._container, self._stream = container, stream
        self._stops_at_damage = stop_at_damage
        self._format = str(container.format.name)
        self._orientation: Orientation | None = None
        self.aspects = PixelAspects(stream.sample_aspect_ratio, first_aspect)
        self._pts, self._first_field = 0, FirstField()
        self.first: Picture | None = None
        self.shown_pts: list[int] = []
        self.is_encrypted = "enc_key_id" in stream.metadata
        self.is_edited = self.is_cut_off = self.is_damaged = self.is_torn = False

    @property
    def codec(self) -> str:
        """The codec's common name in lower case, e.g. ``h264``."""
        name = str(self._stream.codec_context.name)
        return DECODER_NAMES.get(name, name)

    @property
    def is_avi(self) -> bool:
        """True for AVI, which stores when pictures are decoded and not when they are shown."""
        return self._format == "avi"

    @property
    def size(self) -> Size:
        """Width and height in pixels as stored: not turned upright, not in square pixels."""
        return self._stream.codec_context.width, self._stream.codec_context.height

    @property
    def time_base(self) -> Fraction:
        """Seconds in one unit of ``pts``."""
        return Fraction(self._stream.time_base)

    @property
    def start(self) -> Fraction | None:
        """Seconds at which the whole file begins, or None if it does not say."""
        start = self._container.start_time
        return None if start is None else Fraction(start, av.time_base)

    @property
    def nominal_rate(self) -> float:
        """Frames a second as the container claims. 0.0 if it does not say, or if the claim is impossible."""
        rate = float(self._stream.average_rate or 0)
        return rate if 0 < rate <= limits.MAX_FRAME_RATE else 0.0

    def packets(self, beat: Beat = silent) -> Iterator[Packet]:
        """Yield every coded picture in the order of the file. Only the packets up to the first picture are decoded.

        Packets that an edit list leaves out are left out here too: the decoder does not give their pictures either.

        Parameters
        ----------
        beat : Beat
            Called at each packet of the stream.
        """
        extradata = bytes(self._stream.codec_context.extradata or b"")
        starts, opens = picture_starts(self.codec, extradata), opens_group(self.codec, extradata)
        place, looks = -1, 0
        try:
            for place, packet in enumerate(self._container.demux(self._stream)):
                beat()
                if not looks and _has_picture(packet):
                    looks = 1 if packet.is_keyframe and not self.is_edited else limits.LOOK_WITHOUT_KEYFRAME
                if place < limits.MAX_UNREADABLE_START and len(self.shown_pts) < (looks or 1):
                    for picture in self._decoded(packet if packet.size else None):
                        self.first = self.first or picture
                        self.shown_pts.append(picture.pts)
                self.is_edited |= packet.is_discard
                self.is_encrypted |= packet.has_sidedata("encryption_info")
                if _has_picture(packet):
                    # A transport stream also marks a packet after a disturbance, and may end anywhere.
                    self.is_cut_off |= packet.is_corrupt and self._format != "mpegts"
                    answers = (asks(memoryview(packet), packet.is_keyframe) for asks in (starts, opens))
                    yield Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, *answers)
        except av.error.FFmpegError as error:
            raise_if_short(error)
            raise NotAVideo(f"The container is damaged. {EXPORT}") from error
        self.is_cut_off |= self._format.startswith("mov") and place < len(self._stream.index_entries)

    def pictures(self, uses: NDArray[np.int8] | None = None, beat: Beat = silent) -> Generator[Picture]:
        """Yield decoded pictures in presentation order. Pictures that cannot be decoded are left out.

        A stream that breaks off ends the iteration. So does damage, if `open_video` was told to stop at it.

        Parameters
        ----------
        uses : NDArray of int8, shape (packets,), optional
            A `Use` for each packet of `packets`, in that order. Without it everything is decoded. With it, only the
            pictures of `Use.PICTURE` are sure to come; others may.
        beat : Beat
            Called at each packet of the stream, including packets that are not decoded.
        """
        codec, place, running = self._stream.codec_context, -1, False
        for packet in self._until_it_breaks_off():
            beat()
            if uses is not None and _has_picture(packet):
                place += 1
                use = uses[place] if place < len(uses) else Use.NONE
                # Not if it brings the parameters of all that follows: a second sample description of an MP4.
                if use == Use.NONE and not packet.has_sidedata("new_extradata"):
                    if running:  # what follows begins at a keyframe, and must not refer to what came before the gap
                        yield from self._decoded(None)
                        codec.flush_buffers()
                        running = False
                    continue
                # Between two wanted pictures what no other picture refers to need not be decoded.
                codec.skip_frame = "DEFAULT" if use == Use.PICTURE else "NONREF"
            running = True
            self.is_torn |= packet.is_corrupt
            yield from self._decoded(packet)
        yield from self._decoded(None)

    @property
    def _has_stopped(self) -> bool:
        return self._stops_at_damage and self.is_damaged

    def _until_it_breaks_off(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while not self._has_stopped:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                raise_if_short(error)
                return
            if packet.size:
                yield packet

    def _decoded(self, packet: Any) -> Iterator[Picture]:
        """Yield what the decoder gives for a packet; None asks for what it still holds."""
        if self._has_stopped:
            return
        codec = self._stream.codec_context
        try:
            frames = codec.decode(packet)
        except av.error.FFmpegError as error:
            raise_if_short(error)
            self.is_damaged |= not isinstance(error, av.error.EOFError)
            return  # a damaged picture (the next ones may well decode), or drained already
        own_aspect = codec.sample_aspect_ratio if frames else None
        for frame in frames:
            self.is_damaged |= bool(frame.is_corrupt)
            if self._has_stopped:
                return
            if self._orientation is None:
                self._orientation = orientation_of(frame)
            # A picture without a time gets that of the one before, as its packet did.
            self._pts = next((time for time in (frame.pts, frame.dts) if time is not None), self._pts)
            # HEVC codes fields as pictures of their own.
            field = self._first_field if frame.interlaced_frame and self.codec != "hevc" else None
            aspect = self.aspects.of_next(own_aspect, is_keyframe=bool(frame.key_frame))
            yield Picture(frame, self._pts, self._orientation, aspect, field)


def _has_picture(packet: Any) -> bool:
    """Report whether a packet's picture is shown. Packets that an edit list leaves out give none."""
    return bool(packet.size) and not packet.is_discard


@contextmanager
def open_video(
    path: Path, threads: int, first_aspect: Fraction | None = None, *, stop_at_damage: bool = False
) -> Iterator[Video]:
    """Open a file's best video stream for one pass, over its packets or its pictures.

    Parameters
    ----------
    path : Path
        A local file; its name is not looked at.
    threads : int
        Decoder threads. VP8 has one: with more, FFmpeg may decode damaged pictures in another way, and reports nothing.
    first_aspect : Fraction, optional
        The pixel aspect of the stream's first picture, from an earlier pass: see `PixelAspects`.
    stop_at_damage : bool
        End `Video.pictures` at the first damaged picture. Several threads decode different pixels of a damaged video
        each time, and mark different pictures as corrupt. One thread gives the same pictures each time.

    Raises
    ------
    NotAVideo
        The file is none of the admitted containers, or holds no video stream.
    DecoderOutOfMemory
        The process has no room for pictures of that size.
    """
    try:
        container: Any = av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise_if_short(error)
        raise NotAVideo(f"The file cannot be opened. {EXPORT}") from error
    with container:
        stream = container.streams.best("video")
        if stream is None or stream.codec_context is None or stream.disposition & Disposition.attached_pic:
            raise NotAVideo("The file holds no moving pictures. Send a file with a video track.")
        stream.thread_type = "AUTO"
        codec = stream.codec_context
        bits = codec.format.padded_bits_per_pixel if codec.format else _USUAL_BITS
        codec.thread_count = threads_for((codec.width, codec.height), bits, 1 if codec.name == "vp8" else threads)
        codec.options = {"max_pixels": str(limits.MAX_PIXELS)} | ({"err_detect": "explode"} if stop_at_damage else {})
        yield Video(container, stream, first_aspect, stop_at_damage=stop_at_damage)
