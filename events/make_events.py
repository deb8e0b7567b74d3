"""Make the sample events, one JSON file a case, from the sample clip: ``make events``.

The same clip gives the same bytes: no clock, no chance. `sam local invoke --event` accepts each file, and tests replay
all events. A case differs from a good request in one thing only.

``clip-small-v1.json``, beside this module, needs no command: it is committed, and its clip has five frames only.
`tests.make_sample` writes it, and its copy in functions/jobs, with which new versions are tried.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from events.aws_shapes import Event, http_event, rest_event, s3_record, s3_test_event, spelled, sqs_record
from video_common.routes import HEALTH, JOB, PROCESS_FRAME, UPLOADS, Route

ROOT: Final = Path(__file__).resolve().parent.parent
CLIP: Final = ROOT / "tests" / "data" / "sample.mp4"
GENERATED: Final = ROOT / "events" / "generated"

UPLOADS_BUCKET: Final = "video-emotions-uploads"
KEY: Final = "clips/sample.mp4"
OTHER_KEY: Final = "clips/sample-again.mp4"
AWKWARD_KEY: Final = "my clips/smile + wink 100%2B café 微笑.mp4"
"""Spaces, a plus, a percent sign, letters beyond ASCII; and `%2B`, which a key that is decoded twice loses."""

JOB_ID: Final = "0123456789abcdef0123456789abcdef"


def make_events(clip: bytes) -> dict[str, Event]:
    """Return every generated event by its name.

    Parameters
    ----------
    clip : bytes
        A video that the service can analyze.

    Notes
    -----
    Options that are given in a good request have their default values: every good request has the same Result.
    """
    first, second, awkward = (_put(key, clip) for key in (KEY, OTHER_KEY, AWKWARD_KEY))
    video = base64.b64encode(clip).decode()
    return {
        "health-v1": rest_event(HEALTH.method, HEALTH.path),
        "health-v2": http_event(HEALTH.method, HEALTH.path),
        "clip-raw-v1": clip_event(clip),
        "clip-raw-v2": http_event(
            PROCESS_FRAME.method, PROCESS_FRAME.path, clip, {"Content-Type": "video/mp4"}, "frame_interval=30"
        ),
        "clip-json-v1": _json_event(PROCESS_FRAME, {"video": video, "frame_interval": 30}),
        "not-base64": _json_event(PROCESS_FRAME, {"video": "This is text, not base64!"}),
        "empty-body": clip_event(None),
        "unknown-option": clip_event(clip, "frame_intervall=10"),
        "s3-put": {"Records": [first]},
        "s3-put-two": {"Records": [first, second]},
        "s3-key-encoded": {"Records": [awkward]},
        "s3-test-event": s3_test_event(UPLOADS_BUCKET),
        "sqs-put": {"Records": [sqs_record(json.dumps({"Records": [first]}))]},
        "uploads-v1": _json_event(UPLOADS, {"content_type": "video/mp4", "frame_interval": 10}),
        "job-v1": rest_event(JOB.method, JOB.path.format(job_id=JOB_ID)),
    }


def clip_event(clip: bytes | None, query: str = "") -> Event:
    """Return the event of a POST of a clip's bytes.

    Parameters
    ----------
    clip : bytes or None
        None sends no body.
    query : str
        The query string, with the options.
    """
    headers = {"Content-Type": "application/octet-stream"}
    return rest_event(PROCESS_FRAME.method, PROCESS_FRAME.path, clip, headers, query)


def write(events: Mapping[str, Event], directory: Path) -> None:
    """Write each event as a JSON file of its name."""
    directory.mkdir(exist_ok=True)
    for name, event in events.items():
        (directory / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n", encoding="utf-8")


def _json_event(route: Route, members: Event) -> Event:
    return rest_event(route.method, route.path, json.dumps(members), {"Content-Type": "application/json"})


def _put(key: str, clip: bytes) -> Event:
    """Return S3's record of a clip that was put into the uploads bucket."""
    return s3_record(
        spelled(key),
        bucket=UPLOADS_BUCKET,
        size=len(clip),
        etag=hashlib.md5(clip, usedforsecurity=False).hexdigest(),
        sequencer="00674A50B0" + hashlib.sha256(key.encode()).hexdigest()[:8].upper(),
    )


if __name__ == "__main__":
    write(make_events(CLIP.read_bytes()), GENERATED)
    print("Wrote the sample events. Try: sam local invoke AnalyzeApi --event events/generated/clip-raw-v1.json")
