"""The decoder: with `av_frames` and `av_packets` the only module that knows PyAV (FFmpeg's libraries).

A stranger's file must not make FFmpeg open anything else: ``format_whitelist`` admits real containers only (without it
a text file of FFmpeg's ``concat`` or HLS syntax is opened and followed, whatever its name says).
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Discard, Disposition
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import NotAVideo
from video_emotions.av_frames import FirstField, orientation_of
from video_emotions.av_packets import entries_of, has_picture, packet_of, places, raise_if_no_memory
from video_emotions.bitstream import picture_starts
from video_emotions.boxes import Size
from video_emotions.display import Orientation, PixelAspects
from video_emotions.memory import threads_for
from video_emotions.packets import Packet, Stretch, Use
from video_emotions.picture import Picture
from video_emotions.remote_file import RemoteFile, Source
from video_emotions.supported import DECODER_NAMES, OPEN_OPTIONS
from video_emotions.units import opens_group

_USUAL_BITS = 12
"""Of a pixel, 4:2:0, where the file does not say."""


class Video:
    """An opened file's best video stream. Make it with `open_video`.

    Attributes
    ----------
    aspects : PixelAspects
    first : Picture or None
        Once `packets` came to its end. None if ``limits.MAX_UNREADABLE_START`` packets give no picture.
    is_edited : bool
        Once `packets` came to its end: an edit list leaves packets out.
    has_open_groups, is_encrypted, is_cut_off : bool
        Once `packets` came to its end. Open groups: see `opens_group`. Cut off: packets that the file lists are
        missing, in whole or in part.
    """

    def __init__(self, container: Any, stream: Any, first_aspect: Fraction | None, *, stop_at_damage: bool) -> None:
        self._container = container
        self._stream = stream
        self._stops_at_damage, self._has_stopped = stop_at_damage, False
        self._format = str(container.format.name)
        self._orientation: Orientation | None = None
        self.aspects = PixelAspects(stream.sample_aspect_ratio, first_aspect)
        self._pts = 0
        self._first_field = FirstField()
        self.first: Picture | None = None
        self.is_edited = False
        self.has_open_groups = False
        self.is_encrypted = "enc_key_id" in stream.metadata
        self.is_cut_off = False

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
        """Seconds at which the file as a whole begins, or None where it does not say."""
        start = self._container.start_time
        return None if start is None else Fraction(start, av.time_base)

    @property
    def nominal_rate(self) -> float:
        """Frames a second as the container claims; 0.0 where it does not say, or where that cannot be."""
        rate = float(self._stream.average_rate or 0)
        return rate if 0 < rate <= limits.MAX_FRAME_RATE else 0.0

    def packets(self) -> Iterator[Packet]:
        """Yield every coded picture in the order of the file; nothing is decoded but what comes up to the first one.

        Packets that an edit list leaves out are left out here too: the decoder does not give their pictures either.
        """
        starts, opens = picture_starts(self.codec, self.extradata), opens_group(self.codec, self.extradata)
        place = -1
        try:
            for place, packet in enumerate(self._container.demux(self._stream)):
                if self.first is None and place < limits.MAX_UNREADABLE_START:
                    self.first = next(self._decoded(packet if packet.size else None), None)
                self.is_edited |= packet.is_discard
                self.is_encrypted |= packet.has_sidedata("encryption_info")
                if has_picture(packet):
                    # A transport stream also marks a packet after a disturbance, and may end anywhere.
                    self.is_cut_off |= packet.is_corrupt and self._format != "mpegts"
                    begins = starts(memoryview(packet), packet.is_keyframe)
                    self.has_open_groups |= opens(memoryview(packet), packet.is_keyframe)
                    yield packet_of(packet, begins)
        except av.error.FFmpegError as error:
            raise_if_no_memory(error)
            raise NotAVideo("The container is damaged. Export the video again, then send the new file.") from error
        self.is_cut_off |= self._format.startswith("mov") and place < len(self._stream.index_entries)

    @property
    def track_id(self) -> int:
        """The track's number in an MP4."""
        return int(self._stream.id)

    @property
    def extradata(self) -> bytes:
        """The codec's parameters as the container stores them."""
        return bytes(self._stream.codec_context.extradata or b"")

    def index(self) -> NDArray[np.void]:
        """Return what the container's index says of the packets: see `av_packets.ENTRY`."""
        return entries_of(self._stream)

    def pictures(self, uses: NDArray[np.int8] | None = None, stretch: Stretch | None = None) -> Generator[Picture]:
        """Yield decoded pictures in presentation order; what cannot be decoded is left out.

        A stream that breaks off ends the iteration, and so does damage where `open_video` was asked to stop at it. The
        caller knows which pictures were wanted, and counts what is missing.

        Parameters
        ----------
        uses : NDArray of int8, shape (packets,), optional
            A `Use` for each packet of `packets`, in that order. Without it everything is decoded. With it, only the
            pictures of `Use.PICTURE` are sure to come; others may.
        stretch : Stretch, optional
            Only these packets are decoded, and ``uses`` is theirs.

        Raises
        ------
        StretchNotFound
        """
        codec, running = self._stream.codec_context, False
        begins_later = stretch is not None and stretch.first > 0
        for place, packet in places(self._container, self._stream, stretch):
            if self._has_stopped:
                return
            is_before = place < 0 and begins_later
            if is_before or (uses is not None and has_picture(packet)):
                use = uses[place] if uses is not None and 0 <= place < len(uses) else Use.NONE
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
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def _decoded(self, packet: Any) -> Iterator[Picture]:
        """Yield what the decoder gives for a packet; None asks for what it still holds."""
        if self._has_stopped:
            return
        codec = self._stream.codec_context
        try:
            frames = codec.decode(packet)
        except av.error.FFmpegError as error:
            raise_if_no_memory(error)
            self._has_stopped = self._stops_at_damage and not isinstance(error, av.error.EOFError)
            return  # a damaged picture (the next ones may well decode), or drained already
        own_aspect = codec.sample_aspect_ratio if frames else None
        for frame in frames:
            self._has_stopped |= self._stops_at_damage and bool(frame.is_corrupt)
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


@contextmanager
def open_video(
    source: Source, threads: int, first_aspect: Fraction | None = None, *, stop_at_damage: bool = False
) -> Iterator[Video]:
    """Open a file's best video stream for one pass, over its packets or its pictures.

    Parameters
    ----------
    source : Source
        The name of a file on this machine is not looked at.
    threads : int
        Decoder threads.
    first_aspect : Fraction, optional
        The pixel aspect of the stream's first picture, from an earlier pass: see `PixelAspects`.
    stop_at_damage : bool
        End `Video.pictures` where a picture is damaged. Of a damaged video, several threads decode other pixels each
        time, and mark another picture as corrupt. One thread gives the same pictures each time.

    Raises
    ------
    NotAVideo
        The file is none of the admitted containers, or holds no video stream.
    DecoderOutOfMemory
        The process has no room for pictures of that size.
    """
    try:
        if isinstance(source, RemoteFile):
            source.seek(0)
        file: Any = source if isinstance(source, RemoteFile) else str(source)
        container: Any = av.open(file, options=OPEN_OPTIONS, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise_if_no_memory(error)
        raise NotAVideo("The file cannot be opened. Export the video again, then send the new file.") from error
    with container:
        stream = container.streams.best("video")
        if stream is None or stream.codec_context is None or stream.disposition & Disposition.attached_pic:
            raise NotAVideo("The file holds no moving pictures. Send a file with a video track.")
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        stream.thread_type = "AUTO"
        codec = stream.codec_context
        bits = codec.format.padded_bits_per_pixel if codec.format else _USUAL_BITS
        codec.thread_count = threads_for((codec.width, codec.height), bits, threads)
        codec.options = {"max_pixels": str(limits.MAX_PIXELS)} | ({"err_detect": "explode"} if stop_at_damage else {})
        yield Video(container, stream, first_aspect, stop_at_damage=stop_at_damage)
