"""Result -> the text that a caller gets. Each format is one function and one line in `FORMATS`."""

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from video_common import limits
from video_common.result import Result
from video_common.schema import JSON_CONTENT_TYPE


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
    absent = {name for name in _OPTIONAL if getattr(result, name) is None}
    return Body(result.model_dump_json(exclude=absent), JSON_CONTENT_TYPE, ".json")


_OPTIONAL: Final = ("timeline", "timeline_truncated", "advice", "analyzed_until_ms", "people", "people_left_out")
"""The members that a Result has only where the caller asked for them, or where there is something to say."""

FORMATS: Final[dict[str, Callable[[Result], Body]]] = {"json": _json}
"""The formats that `VideoRequest.format` can name."""


def render(result: Result, name: str) -> Body:
    """Return the whole Result in the format ``name``, a key of `FORMATS`."""
    return FORMATS[name](result)


def render_to_fit(result: Result, name: str) -> Body:
    """Return the Result with as many frames of its timeline as a proxy response can carry."""
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
