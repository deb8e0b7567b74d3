"""Result -> the text that a caller gets. Each format is one function and one entry of `FORMATS`."""

import csv
import io
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from video_common import limits
from video_common.result import FaceLandmarks, Result, TimelineFace, TimelineFrame
from video_common.schema import JSON_CONTENT_TYPE
from video_common.shares import Emotions


@dataclass(frozen=True, slots=True)
class Body:
    """A Result in one of the formats.

    Attributes
    ----------
    text : str
    content_type : str
    """

    text: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the option ``format``.

    Attributes
    ----------
    write : callable
        Yields the text of a Result in parts. The frames are those of its timeline: a long one is on the disk.
    content_type : str
    suffix : str
        The end of a stored result's key, with its dot.
    """

    write: Callable[[Result, Iterable[TimelineFrame]], Iterator[str]]
    content_type: str
    suffix: str


def _json(result: Result, frames: Iterable[TimelineFrame]) -> Iterator[str]:
    absent = {name for name in OPTIONAL_MEMBERS if getattr(result, name) is None}
    if result.timeline is None:
        yield result.model_dump_json(exclude=absent)
        return
    before, after = result.model_copy(update={"timeline": []}).model_dump_json(exclude=absent).split(_NO_FRAMES)
    yield f"{before}{_NO_FRAMES[:-1]}"
    for number, frame in enumerate(frames):
        yield f"{',' if number else ''}{frame.model_dump_json()}"
    yield f"]{after}"


_NO_FRAMES: Final = '"timeline":[]'
"""In JSON no text can hold this: a quotation mark in a text has a backslash before it."""

OPTIONAL_MEMBERS: Final = (
    *("timeline", "timeline_truncated", "advice", "analyzed_until_ms", "source"),
    *("people", "people_left_out"),
)
"""The members that a Result has only where the caller asked for them, or where there is something to say."""

CSV_COLUMNS: Final = (
    *("frame_index", "time_ms", "eye_contact", "face", "detected"),
    *("x", "y", "width", "height", "dominant_emotion"),
    *Emotions.model_fields,
    "detection_score",
    *(f"{name}_{axis}" for name in FaceLandmarks.model_fields for axis in ("x", "y")),
    "track",
)


def _csv(_result: Result, frames: Iterable[TimelineFrame]) -> Iterator[str]:
    """Write a row for each face of each frame (RFC 4180). A frame without a face has a row with empty face columns."""
    yield _row(CSV_COLUMNS)
    for frame in frames:
        start = (frame.index, frame.time_ms, _logical(frame.eye_contact))
        for number, face in enumerate(frame.faces, 1):
            yield _row((*start, number, *_cells(face)))
        if not frame.faces:
            yield _row((*start, *[None] * (len(CSV_COLUMNS) - len(start))))


def _row(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _logical(value: bool) -> str:
    return str(value).upper()  # R reads "true" as text, and pandas reads both as a bool


def _cells(face: TimelineFace) -> tuple[Any, ...]:
    box, points = face.box, face.landmarks
    places = [getattr(points, name) if points else None for name in FaceLandmarks.model_fields]
    return (
        *(_logical(face.detected), box.x, box.y, box.width, box.height, face.dominant_emotion),
        *dict(face.probabilities).values(),
        face.detection_score,
        *(cell for place in places for cell in ((place.x, place.y) if place else (None, None))),
        face.track,
    )


def _vtt(result: Result, frames: Iterable[TimelineFrame]) -> Iterator[str]:
    """Write a WebVTT cue for each span in which the largest face keeps its dominant emotion.

    A frame stands for the time until the next analyzed frame. There is no cue where there is no face.
    """
    yield f"WEBVTT\n\nNOTE\nDetector {result.detector.name}, model {result.model.name}.\n"
    if result.truncated or result.timeline_truncated:
        yield "\nNOTE\nThis track is incomplete: the last part of the video is left out.\n"
    for emotion, spans in groupby(_spans(result, frames), lambda span: _dominant(span[0])):
        count, total, first, last = 0, 0.0, 0, 0
        for frame, end in spans:
            if emotion and end > frame.time_ms:
                first, last = first if count else frame.time_ms, end
                count, total = count + 1, total + getattr(frame.faces[0].probabilities, emotion)
        if count:
            yield f"\n{_timestamp(first)} --> {_timestamp(last)}\n{emotion} {100 * total / count:.0f} %\n"


def _spans(result: Result, frames: Iterable[TimelineFrame]) -> Iterator[tuple[TimelineFrame, int]]:
    """Yield each frame of the timeline with the time in milliseconds up to which it stands for the video."""
    before: TimelineFrame | None = None
    for frame in frames:
        if before is not None:
            yield before, frame.time_ms
        before = frame
    if before is not None:
        known = (result.analyzed_until_ms, result.settings.end_ms, result.video.duration_ms)
        end = 0 if result.timeline_truncated else min(time for time in known if time is not None)
        yield before, max(end, before.time_ms + 1)


def _dominant(frame: TimelineFrame) -> str | None:
    return frame.faces[0].dominant_emotion if frame.faces else None


def _timestamp(time_ms: int) -> str:
    seconds, milliseconds = divmod(max(0, time_ms), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


FORMATS: Final[dict[str, Format]] = {
    "json": Format(_json, JSON_CONTENT_TYPE, ".json"),
    "csv": Format(_csv, "text/csv; charset=utf-8; header=present", ".csv"),
    "vtt": Format(_vtt, "text/vtt; charset=utf-8", ".vtt"),
}


def render(result: Result, name: str) -> Body:
    """Return the whole Result in the format ``name``, a key of `FORMATS`."""
    form = FORMATS[name]
    return Body("".join(form.write(result, result.timeline or ())), form.content_type)


def render_to_fit(result: Result, name: str) -> Body:
    """Return the Result with as many frames of its timeline as a proxy response can carry.

    All formats but CSV say that frames are left out.
    """
    body, timeline = render(result, name), result.timeline
    room = limits.LAMBDA_PAYLOAD_BYTES - limits.RESPONSE_ENVELOPE_BYTES
    if timeline is None or _carried_bytes(body) <= room:
        return body

    def cut(kept: int) -> Body:
        return render(result.model_copy(update={"timeline": timeline[:kept], "timeline_truncated": True}), name)

    fitting = bisect_right(range(len(timeline)), room, key=lambda kept: _carried_bytes(cut(kept)))
    return cut(max(0, fitting - 1))


def _carried_bytes(body: Body) -> int:
    # A proxy response is JSON that has the text as a string, so a quotation mark counts twice.
    return len(json.dumps(body.text).encode())
