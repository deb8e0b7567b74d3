"""What schemathesis cannot know from the description. It runs in .checks, so it imports nothing of the project."""

import base64
import json
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode

ROOT = Path(__file__).parents[2]
CLIP = (ROOT / "tests" / "data" / "inputs" / "laced-keyframe-without-time.webm").read_bytes()
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))

FEWEST_PARTS = 6
"""Of a file that is uploaded in parts: over 100 MB, in parts of 16 MiB. A file of more bytes has more of them."""

for content_type, content in DOCUMENT["paths"]["/process-frame"]["post"]["requestBody"]["content"].items():
    if not content:  # the bytes of a file, for which JSON Schema has no words
        schemathesis.openapi.media_type(content_type, strategies.just(CLIP))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Make a valid request valid in all its parts: schemathesis makes the query and the body independently."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    query, body = case.query or {}, case.body if isinstance(case.body, dict) else {}
    if "video" in body:
        body["video"] = base64.b64encode(CLIP).decode()
    if not str(body.get("file_name")).isprintable():  # patterns of JSON Schema know no such characters
        body.pop("file_name")
    if isinstance(body.get("first"), int | float):
        body["first"] = min(body["first"], FEWEST_PARTS)
    for name in body:
        query.pop(name, None)
    for options in (query, body):
        _agree(options, {**query, **body})


def _agree(options: dict[str, Any], all_of_them: dict[str, Any]) -> None:
    """Remove the options that contradict others, or the clip."""
    if all_of_them.get("interval_ms") is not None:
        options.pop("frame_interval", None)
    options.pop("start_ms", None)
