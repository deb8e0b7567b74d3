"""The decoder: the only module that knows PyAV (FFmpeg's libraries).

A stranger's file must not make FFmpeg open anything else: ``format_whitelist`` admits real containers only (without it
a text file of FFmpeg's ``concat`` or HLS syntax is opened and followed, whatever its name says).
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import NotAVideo
from video_emotions.boxes import Size
from video_emotions.display import Orientation, PixelAspects, shown_size
from video_emotions.memory import threads_for
from video_emotions.packets import Packet, Use

CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mjpeg", "mpeg4")
"""Codecs whose decoding is tested; FFmpeg's hundreds of others are attack surface."""
DECODER_NAMES = {"libdav1d": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}
"""FFmpeg's decoders that are named after a library, and the codec that people know."""
_USUAL_BITS = 12
"""Of a pixel, 4:2:0, where the file does not say."""
OPEN_OPTIONS = {
    "format_whitelist": "mov,matroska,webm,avi",
    "protocol_whitelist": "file",
    "codec_whitelist": ",".join((*CODECS, *DECODER_NAMES)),  # opening a file decodes the beginning of its tracks
}


class Picture:
    """One decoded picture, which is converted on request.

    Attributes
    ----------
    pts : int
        Presentation time in time base units.
    is_keyframe : bool
        The decoder's judgement.
    orientation : Orientation
    aspect : Fraction
        Width of a stored pixel divided by its height.
    """

    def __init__(self, frame: Any, orientation: Orientation, aspects: PixelAspects) -> None:
        self._frame = frame
        self.pts: int = frame.pts if frame.pts is not None else frame.dts
        self.is_keyframe = bool(frame.key_frame)
        self.orientation = orientation
        self.aspect = aspects.at(self.pts)

    @property
    def is_corrupt(self) -> bool:
        """True where the decoder had to invent a part of the picture."""
        return bool(self._frame.is_corrupt)

    @property
    def size(self) -> Size:
        """Width and height of the upright picture in square pixels."""
        return shown_size((self._frame.width, self._frame.height), self.aspect, self.orientation)

    def bgr(self) -> NDArray[np.uint8]:
        """Return the upright picture in its stored pixels: uint8, (height, width, 3), BGR, as ``cv2.VideoCapture``."""
        return self.orientation.upright(self._frame.to_ndarray(format="bgr24"))


class Video:
    """An opened file's best video stream. Make it with `open_video`.

    Attributes
    ----------
    first : Picture or None
        Once `packets` came to its end. None if ``limits.MAX_UNREADABLE_START`` packets give no picture.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self._container = container
        self._stream = stream
        self._orientation: Orientation | None = None
        self._aspects = PixelAspects(stream.sample_aspect_ratio)
        self._keyframe_pts: int | None = None
        self.first: Picture | None = None

    @property
    def codec(self) -> str:
        """The codec's common name in lower case, e.g. ``h264``."""
        name = str(self._stream.codec_context.name)
        return DECODER_NAMES.get(name, name)

    @property
    def is_avi(self) -> bool:
        """True for AVI, which stores when pictures are decoded and not when they are shown."""
        return str(self._container.format.name) == "avi"

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
        """Frames a second as the container claims; 0.0 where it does not say."""
        return float(self._stream.average_rate or 0)

    def packets(self) -> Iterator[Packet]:
        """Yield every coded picture in the order of the file; nothing is decoded but what comes up to the first one.

        Packets that an edit list leaves out are left out here too: the decoder does not give their pictures either.
        """
        try:
            for place, packet in enumerate(self._container.demux(self._stream)):
                if self.first is None and place < limits.MAX_UNREADABLE_START:
                    self.first = next(self._decoded(packet if packet.size else None), None)
                if _has_picture(packet):
                    yield Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, packet.is_corrupt)
        except av.error.FFmpegError as error:
            _raise_if_no_memory(error)
            raise NotAVideo("The file's container is damaged. Export the video again and send that file.") from error

    def pictures(self, uses: NDArray[np.int8] | None = None) -> Generator[Picture]:
        """Yield decoded pictures in presentation order; what cannot be decoded is left out.

        A stream that breaks off ends the iteration: whoever knows which pictures were wanted counts what is missing.

        Parameters
        ----------
        uses : NDArray of int8, shape (packets,), optional
            A `Use` for each packet of `packets`, in that order. Without it everything is decoded. With it, only the
            pictures of `Use.PICTURE` are sure to come; others may.
        """
        codec, place, running = self._stream.codec_context, -1, False
        for packet in self._until_it_breaks_off():
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
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def _until_it_breaks_off(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                _raise_if_no_memory(error)
                return
            if packet.size:
                yield packet

    def _decoded(self, packet: Any) -> Iterator[Picture]:
        """Yield what the decoder gives for a packet; None asks for what it still holds."""
        codec = self._stream.codec_context
        if packet is not None and packet.is_keyframe:
            self._keyframe_pts = packet.pts
        try:
            frames = codec.decode(packet)
        except av.error.FFmpegError as error:
            _raise_if_no_memory(error)
            return  # a damaged picture (the next ones may well decode), or drained already
        if frames:
            self._aspects.read(codec.sample_aspect_ratio, self._keyframe_pts)
        for frame in frames:
            if self._orientation is None:
                self._orientation = _orientation(frame)
            yield Picture(frame, self._orientation, self._aspects)


def _raise_if_no_memory(error: Exception) -> None:
    """Raise an error again that says nothing about the file."""
    if isinstance(error, MemoryError):
        raise error


def _has_picture(packet: Any) -> bool:
    """Report whether a packet's picture is shown. Packets that an edit list leaves out give none."""
    return bool(packet.size) and not packet.is_discard


def _orientation(frame: Any) -> Orientation:
    """Read the display matrix, which the container gives to every frame.

    Reading it from ``frame.side_data`` would put the frame into a cycle of references, and so keep it in memory.
    """
    matrix = cast("Any", SideDataContainer)(frame).get(SideData.DISPLAYMATRIX)
    return Orientation.of_matrix(None if matrix is None else bytes(matrix))


@contextmanager
def open_video(path: Path, threads: int) -> Iterator[Video]:
    """Open a file's best video stream for one pass, over its packets or its pictures.

    Parameters
    ----------
    path : Path
        A local file; its name is not looked at.
    threads : int
        Decoder threads.

    Raises
    ------
    NotAVideo
        The file is none of the admitted containers, or holds no video stream.
    DecoderOutOfMemory
        The process has no room for pictures of that size.
    """
    try:
        container: Any = av.open(str(path), options=OPEN_OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        _raise_if_no_memory(error)
        raise NotAVideo("The file cannot be opened as MP4, MOV, WebM, MKV or AVI.") from error
    with container:
        stream = container.streams.best("video")
        if stream is None or stream.codec_context is None or stream.disposition & Disposition.attached_pic:
            raise NotAVideo("The file holds no moving pictures. Send a file with a video track.")
        stream.thread_type = "AUTO"
        codec = stream.codec_context
        bits = codec.format.padded_bits_per_pixel if codec.format else _USUAL_BITS
        codec.thread_count = threads_for((codec.width, codec.height), bits, threads)
        codec.options = {"max_pixels": str(limits.MAX_PIXELS)}
        yield Video(container, stream)
