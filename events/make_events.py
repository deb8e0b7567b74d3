"""Make the sample events, one JSON file a case, from the sample clip.

::

    python -m events.make_events            write the files
    python -m events.make_events --check    write nothing; exit status 1 if a file is missing, different or not ours

The same clip always gives the same bytes: no clock, no chance. The events are as AWS sends them, in full, so that each
can be given to `sam local invoke` and is replayed by a test. A case differs from a good request in one thing only.
"""

import argparse
import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from events.aws_shapes import HOST_ID, ISO_TIME, Event, http, message, record, rest

EVENTS: Final = Path(__file__).resolve().parent
CLIP: Final = EVENTS.parent / "tests" / "data" / "sample.mp4"

UPLOADS_BUCKET: Final = "video-emotions-uploads"
KEY: Final = "clips/sample.mp4"
OTHER_KEY: Final = "clips/sample-again.mp4"
AWKWARD_KEY: Final = "my clips/smile + wink 100%2B café 微笑.mp4"
"""Spaces, a plus, a percent sign, letters beyond ASCII; and `%2B`, which a key that is decoded twice loses."""


JOB_ID: Final = "0123456789abcdef0123456789abcdef"


def make_events(clip: bytes) -> dict[str, Event]:
    """Return every sample event by its file's name.

    Parameters
    ----------
    clip : bytes
        A video that the service can analyse.

    Notes
    -----
    Options that are given in a good request have their default values: every good request has the same Result.
    """
    encoded = base64.b64encode(clip).decode()
    return {
        "health-v1.json": rest("GET", "/"),
        "health-v2.json": http("GET", "/"),
        "clip-raw-v1.json": rest("POST", "/process-frame", encoded, "application/octet-stream", is_base64=True),
        "clip-raw-v2.json": http("POST", "/process-frame", encoded, "video/mp4", {"frame_interval": "30"}),
        "clip-json-v1.json": _json({"video": encoded, "frame_interval": 30}),
        "not-base64.json": _json({"video": "This is text, not base64!"}),
        "empty-body.json": rest("POST", "/process-frame", None, "application/octet-stream"),
        "unknown-option.json": rest(
            "POST", "/process-frame", encoded, "application/octet-stream", {"frame_intervall": "10"}, is_base64=True
        ),
        "s3-put.json": {"Records": [record(UPLOADS_BUCKET, KEY, clip)]},
        "s3-put-two.json": {"Records": [record(UPLOADS_BUCKET, KEY, clip), record(UPLOADS_BUCKET, OTHER_KEY, clip)]},
        "s3-key-encoded.json": {"Records": [record(UPLOADS_BUCKET, AWKWARD_KEY, clip)]},
        "sqs-put.json": message({"Records": [record(UPLOADS_BUCKET, KEY, clip)]}),
        "uploads-v1.json": _json({"content_type": "video/mp4", "frame_interval": 10}, "/uploads"),
        "job-v1.json": rest("GET", f"/jobs/{JOB_ID}"),
        # Sent once, when a notification is set up.
        "s3-test-event.json": {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": ISO_TIME,
            "Bucket": UPLOADS_BUCKET,
            "RequestId": "5582815E1AEA5ADF",
            "HostId": HOST_ID,
        },
    }


def outdated(events: Mapping[str, Event], directory: Path) -> list[str]:
    """Return the names of the JSON files of ``directory`` that are missing, different, or none of ``events``."""
    found = {path.name: path.read_bytes() for path in directory.glob("*.json")}
    wanted = {name: _text(event).encode() for name, event in events.items()}
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def write(events: Mapping[str, Event], directory: Path) -> None:
    """Write each event as a file of its name."""
    for name, event in events.items():
        (directory / name).write_text(_text(event), encoding="utf-8")


def main() -> int:
    """Write the events, or with ``--check`` compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is not up to date")
    arguments = parser.parse_args()
    events = make_events(CLIP.read_bytes())
    if not arguments.check:
        write(events, EVENTS)
        return 0
    if wrong := outdated(events, EVENTS):
        sys.stderr.write(f"Not up to date: {', '.join(wrong)}. Run: python -m events.make_events\n")
    return 1 if wrong else 0


def _text(event: Event) -> str:
    return json.dumps(event, indent=2) + "\n"


def _json(members: Event, path: str = "/process-frame") -> Event:
    return rest("POST", path, json.dumps(members), "application/json")


if __name__ == "__main__":
    sys.exit(main())
