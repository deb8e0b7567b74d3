"""A copy of a video with boxes and labels. H.264 in MP4, without sound."""

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.result import Result, TimelineFace, TimelineFrame
from video_common.schema import Options
from video_emotions.boxes import Size, size_of
from video_emotions.facts import Frame
from video_emotions.plan import largest_scale
from video_emotions.pool import new_reader
from video_emotions_client.sending import Progress

_COLORS: Final = {
    "angry": (60, 60, 230),
    "disgust": (60, 140, 60),
    "fear": (200, 80, 150),
    "happy": (60, 200, 250),
    "sad": (220, 140, 60),
    "surprise": (60, 140, 250),
    "neutral": (190, 190, 190),
}
"""BGR."""

_MILLISECONDS: Final = Fraction(1, 1000)


def draw(video: Path, result: Result, target: Path, threads: int, progress: Progress) -> None:
    """Write the analyzed part of a video with the faces of each frame of the timeline, until the next one.

    Parameters
    ----------
    video : Path
        It is decoded as for an analysis: by a process of its own, upright, in square pixels.
    result : Result
        With a timeline.
    target : Path
        Replaced only when the whole copy is written.
    threads : int
        Decoder threads.
    progress : callable

    Raises
    ------
    VideoError, OSError
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with av.open(str(unfinished), "w", format="mp4", options={"movflags": "faststart"}) as container:
            _write(container, _pictures(video, result, threads), result, progress)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _pictures(video: Path, result: Result, threads: int) -> Iterator[Frame]:
    """Yield each picture of the analyzed part, at its own size if that is not larger than 4K."""
    end_ms = result.analyzed_until_ms if result.truncated else result.settings.end_ms
    start_ms, more = result.settings.start_ms, True
    scale = largest_scale((result.video.width, result.video.height))
    reader = new_reader(limits.DECODER_MEMORY_BYTES)
    while more:
        options = Options(frame_interval=1, scale_factor=scale, start_ms=start_ms, end_ms=end_ms)
        _, plan, frames = reader.read(video, options, threads)
        with closing(frames):
            yield from frames
        start_ms, more = plan.until_ms, plan.truncated  # a long video takes several turns


def _write(container: Any, pictures: Iterator[Frame], result: Result, progress: Progress) -> None:
    timeline = result.timeline or []
    times = [seen.time_ms for seen in timeline]
    stream: Any = None
    began, last = 0, -1
    for frame in pictures:
        image = np.array(frame.image)
        if (place := bisect_right(times, frame.time_ms)) > 0:
            _mark(image, timeline[place - 1], frame.own_size)
        if stream is None:
            began, size = frame.time_ms, size_of(image)
            stream = _stream(container, size)
        fitted = image if size_of(image) == size else np.asarray(cv2.resize(image, size), np.uint8)
        last = max(last + 1, frame.time_ms - began)
        encoded = av.VideoFrame.from_ndarray(_even(fitted), format="bgr24")
        encoded.pts, encoded.time_base = last, _MILLISECONDS
        container.mux(stream.encode(encoded))
        progress("drawing", frame.time_ms, result.video.duration_ms)
    if stream is not None:
        container.mux(stream.encode(None))


def _stream(container: Any, size: Size) -> Any:
    stream = container.add_stream("libx264", rate=1000, options={"crf": "20", "preset": "veryfast"})
    stream.width, stream.height = (side + side % 2 for side in size)
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = _MILLISECONDS
    return stream


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row and column of a picture with odd sides: H.264 stores colors for every second one."""
    height, width = image.shape[:2]
    return np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8)


def _mark(image: NDArray[np.uint8], seen: TimelineFrame, own_size: Size) -> None:
    """Draw a frame's faces into a picture that may be smaller than the video."""
    factor = image.shape[1] / own_size[0]
    for face in reversed(seen.faces):  # the largest comes last, on top
        _mark_face(image, face, factor)


def _mark_face(image: NDArray[np.uint8], face: TimelineFace, factor: float) -> None:
    box, color = face.box, _COLORS[face.dominant_emotion]
    left, top = round(box.x * factor), round(box.y * factor)
    right, bottom = round((box.x + box.width) * factor), round((box.y + box.height) * factor)
    unit = max(image.shape[:2]) / 1000
    thick = max(1, round(3 * unit))
    cv2.rectangle(image, (left, top), (right, bottom), color, thick)
    label = f"{face.dominant_emotion} {100 * getattr(face.probabilities, face.dominant_emotion):.0f}%"
    font = (cv2.FONT_HERSHEY_SIMPLEX, max(0.35, 0.6 * unit), max(1, round(1.2 * unit)))
    (width, height), below = cv2.getTextSize(label, *font)
    x = max(0, min(left, image.shape[1] - width))
    y = top - below - thick if top - below - thick - height >= 0 else top + height + thick
    cv2.rectangle(image, (x, y - height - thick), (x + width, y + below), color, cv2.FILLED)
    cv2.putText(image, label, (x, y), font[0], font[1], (0, 0, 0), font[2], cv2.LINE_AA)
