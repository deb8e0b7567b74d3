"""Result -> the text that a caller gets. Each format is one function and one line in `FORMATS`."""

import csv
import io
import json
from bisect import bisect_right
from collections.abc import Callable, Iterator
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
    suffix : str
        The end of a stored result's key, with its dot.
    """

    text: str
    content_type: str
    suffix: str


def _json(result: Result) -> Body:
    absent = {name for name in OPTIONAL_MEMBERS if getattr(result, name) is None}
    return Body(result.model_dump_json(exclude=absent), JSON_CONTENT_TYPE, ".json")


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


def _csv(result: Result) -> Body:
    """Write a row for each face of each frame (RFC 4180). A frame without a face has a row with empty face columns."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for frame in result.timeline or ():
        start = (frame.index, frame.time_ms, _logical(frame.eye_contact))
        for number, face in enumerate(frame.faces, 1):
            writer.writerow((*start, number, *_cells(face)))
        if not frame.faces:
            writer.writerow((*start, *[None] * (len(CSV_COLUMNS) - len(start))))
    return Body(text.getvalue(), "text/csv; charset=utf-8; header=present", ".csv")


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


def _vtt(result: Result) -> Body:
    """Write a WebVTT cue for each span in which the largest face keeps its dominant emotion.

    A frame stands for the time until the next analyzed frame. There is no cue where there is no face.
    """
    blocks = ["WEBVTT", f"NOTE\nDetector {result.detector.name}, model {result.model.name}."]
    if result.truncated or result.timeline_truncated:
        blocks.append("NOTE\nThis track is incomplete: the last part of the video is left out.")
    for emotion, spans in groupby(_spans(result), lambda span: _dominant(span[0])):
        told = [(frame, end) for frame, end in spans if end > frame.time_ms]
        if emotion and told:
            mean = sum(getattr(frame.faces[0].probabilities, emotion) for frame, _ in told) / len(told)
            times = f"{_timestamp(told[0][0].time_ms)} --> {_timestamp(told[-1][1])}"
            blocks.append(f"{times}\n{emotion} {100 * mean:.0f} %")
    return Body("\n\n".join(blocks) + "\n", "text/vtt; charset=utf-8", ".vtt")


def _spans(result: Result) -> Iterator[tuple[TimelineFrame, int]]:
    """Yield each frame of the timeline with the time in milliseconds up to which it stands for the video."""
    timeline = result.timeline or []
    ends = [frame.time_ms for frame in timeline[1:]]
    known = (result.analyzed_until_ms, result.settings.end_ms, result.video.duration_ms)
    end = 0 if result.timeline_truncated else min(time for time in known if time is not None)
    yield from zip(timeline, [*ends, *[max(end, frame.time_ms + 1) for frame in timeline[-1:]]], strict=True)


def _dominant(frame: TimelineFrame) -> str | None:
    return frame.faces[0].dominant_emotion if frame.faces else None


def _timestamp(time_ms: int) -> str:
    seconds, milliseconds = divmod(max(0, time_ms), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


FORMATS: Final[dict[str, Callable[[Result], Body]]] = {"json": _json, "csv": _csv, "vtt": _vtt}
"""The formats of the option ``format``."""


def render(result: Result, name: str) -> Body:
    """Return the whole Result in the format ``name``, a key of `FORMATS`."""
    return FORMATS[name](result)


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
