"""A Result as one HTML file that needs no network.

The file carries the JavaScript that draws it. The page at GET /app runs the same JavaScript, so there is one renderer:
``renderReport`` in ``web/report/report.js``. ``make web`` builds ``report.html`` from it.
"""

import base64
import html as markup
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

__all__ = ["MAX_VIDEO_BYTES", "html"]

MAX_VIDEO_BYTES: Final = 20_000_000
"""Of a video in a report. Browsers read the whole file before they draw anything, and people send reports by email."""

_PLACE: Final = re.compile(r"\{\{(title|result|video)\}\}")


def html(result: Mapping[str, Any], *, title: str, video: Path | None = None) -> str:
    """Return a Result as a self-contained HTML document.

    Parameters
    ----------
    result : mapping
        A Result, as the service returns it. With a timeline (``include=timeline``) the report draws it.
    title : str
        The document's title and heading, such as the name of the file.
    video : Path or None
        The analyzed file. The document then holds all of it, and shows its pictures with the boxes of the faces.

    Raises
    ------
    OSError
        The video cannot be read.
    ValueError
        The video has more than `MAX_VIDEO_BYTES`.
    """
    parts = {
        "title": markup.escape(title),
        "result": json.dumps(result, allow_nan=False).replace("<", "\\u003c"),
        "video": "" if video is None else _base64(video),
    }
    return _PLACE.sub(lambda place: parts[place[1]], _document())


def _base64(video: Path) -> str:
    if (size := video.stat().st_size) > MAX_VIDEO_BYTES:
        raise ValueError(f"The video has {size:,} bytes. A report can hold {MAX_VIDEO_BYTES:,}. Leave the video out.")
    return base64.b64encode(video.read_bytes()).decode()


@cache
def _document() -> str:
    return (files(__package__) / "report.html").read_text(encoding="utf-8")
