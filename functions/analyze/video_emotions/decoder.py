"""The decoder. It and the modules ``av_*`` are the only ones that know PyAV (FFmpeg's libraries)."""

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
from video_emotions.av_packets import has_picture, packet_of, places
from video_emotions.av_stream import Stream
from video_emotions.bitstream import picture_starts
from video_emotions.display import Orientation, PixelAspects
from video_emotions.memory import raise_if_short, threads_for
from video_emotions.packet_index import Use
from video_emotions.packets import Packet, Stretch
from video_emotions.picture import Picture
from video_emotions.progress import Beat, silent
from video_emotions.remedies import EXPORT
from video_emotions.remote_file import RemoteFile, Source
from video_emotions.supported import OPEN_OPTIONS
from video_emotions.units import opens_group

_USUAL_BITS = 12
"""Bits of a pixel in 4:2:0, if the file does not say."""


class Video(Stream):
    """An opened file's best video stream, and its pictures. Make it with `open_video`.

    Attributes
    ----------
    aspects : PixelAspects
    first : Picture or None
        After `packets` has ended. None if ``limits.MAX_UNREADABLE_START`` packets give no picture.
    shown_pts : list of int
        When the first pictures are shown. One is enough for a file that begins with a keyframe and has no edit list.
    has_looked : bool
        `packets` decodes no more of its packets: ``first`` and ``shown_pts`` are complete.
    is_edited, is_encrypted, is_cut_off : bool
        After `packets` has ended. Edited: an edit list leaves packets out. Cut off: packets that the file lists are
        missing, in whole or in part.
    is_damaged, is_torn : bool
        Damaged: a picture so far could not be decoded, in whole or in part. Torn: the container says of a packet so far
        that data are missing, as a transport stream does.
    """

    def __init__(self, container: Any, stream: Any, first_aspect: Fraction | None, *, stop_at_damage: bool) -> None:
        super().__init__(container, stream)
        self._stops_at_damage = stop_at_damage
        self._orientation: Orientation | None = None
        self.aspects = PixelAspects(stream.sample_aspect_ratio, first_aspect)
        self._pts, self._first_field = 0, FirstField()
        self.first: Picture | None = None
        self.shown_pts: list[int] = []
        self.has_looked = False
        self.is_encrypted = "enc_key_id" in stream.metadata
        self.is_edited = self.is_cut_off = self.is_damaged = self.is_torn = False

    def packets(self, beat: Beat = silent) -> Iterator[Packet]:
        """Yield every coded picture in the order of the file. Only the packets up to the first picture are decoded.

        Packets that an edit list leaves out are left out here too: the decoder does not give their pictures either.

        Parameters
        ----------
        beat : Beat
            Called at each packet of the stream.
        """
        starts, opens = picture_starts(self.codec, self.extradata), opens_group(self.codec, self.extradata)
        place, looks = -1, 0
        try:
            for place, packet in enumerate(self._container.demux(self._stream)):
                beat()
                if not looks and has_picture(packet):
                    looks = 1 if packet.is_keyframe and not self.is_edited else limits.LOOK_WITHOUT_KEYFRAME
                self.has_looked = place >= limits.MAX_UNREADABLE_START or len(self.shown_pts) >= (looks or 1)
                if not self.has_looked:
                    for picture in self._decoded(packet if packet.size else None):
                        self.first = self.first or picture
                        self.shown_pts.append(picture.pts)
                self.is_edited |= packet.is_discard
                self.is_encrypted |= packet.has_sidedata("encryption_info")
                if has_picture(packet):
                    # A transport stream also marks a packet after a disturbance, and may end anywhere.
                    self.is_cut_off |= packet.is_corrupt and self._format != "mpegts"
                    answers = (asks(memoryview(packet), packet.is_keyframe) for asks in (starts, opens))
                    yield packet_of(packet, *answers)
        except av.error.FFmpegError as error:
            raise_if_short(error)
            raise NotAVideo(f"The container is damaged. {EXPORT}") from error
        self.is_cut_off |= self._format.startswith("mov") and place < len(self._stream.index_entries)

    def pictures(
        self, uses: NDArray[np.int8] | None = None, beat: Beat = silent, stretch: Stretch | None = None
    ) -> Generator[Picture]:
        """Yield decoded pictures in presentation order. Pictures that cannot be decoded are left out.

        A stream that breaks off ends the iteration. So does damage, if `open_video` was told to stop at it.

        Parameters
        ----------
        uses : NDArray of int8, shape (packets,), optional
            A `Use` for each packet of `packets`, in that order. Without it everything is decoded. With it, only the
            pictures of `Use.PICTURE` are sure to come; others may.
        beat : Beat
            Called at each packet of the stream, including packets that are not decoded.
        stretch : Stretch, optional
            Only these packets are decoded, and ``uses`` is theirs.

        Raises
        ------
        StretchNotFound
        """
        codec, running = self._stream.codec_context, False
        begins_later = stretch is not None and stretch.first > 0
        for place, packet in places(self._container, self._stream, stretch):
            beat()
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
            self.is_torn |= packet.is_corrupt
            yield from self._decoded(packet)
        yield from self._decoded(None)

    @property
    def _has_stopped(self) -> bool:
        return self._stops_at_damage and self.is_damaged

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
        if isinstance(source, RemoteFile):
            source.seek(0)
        file: Any = source if isinstance(source, RemoteFile) else str(source)
        container: Any = av.open(file, options=OPEN_OPTIONS, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise_if_short(error)
        raise NotAVideo(f"The file cannot be opened. {EXPORT}") from error
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
        codec.thread_count = threads_for((codec.width, codec.height), bits, 1 if codec.name == "vp8" else threads)
        codec.options = {"max_pixels": str(limits.MAX_PIXELS)} | ({"err_detect": "explode"} if stop_at_damage else {})
        yield Video(container, stream, first_aspect, stop_at_damage=stop_at_damage)
