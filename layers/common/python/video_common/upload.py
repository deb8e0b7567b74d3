"""Uploaded objects, as S3's events name them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes.s3_event import S3Event, S3EventRecord

from video_common.errors import UnsupportedEvent
from video_common.job import comparable

_REDRIVEN: Final = "redriven"
"""A member of the message beside S3's own."""


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object in a bucket. ``key`` is the real one, not as the event spells it."""

    bucket: str
    key: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """One created object, as S3's event describes it.

    Attributes
    ----------
    source : S3Object
    size : int
        Bytes.
    etag : str
    sequencer : str
        Larger as text for what was put later under the same key (`video_common.job.comparable`).
    is_redriven : bool
        Somebody sent the message again after the job was given up.
    """

    source: S3Object
    size: int
    etag: str
    sequencer: str
    is_redriven: bool = False


def as_redriven(body: str) -> str:
    """Mark a message, so that it begins a job again that was given up. What is no notification stays as it is."""
    try:
        event = json.loads(body)
    except ValueError:
        return body
    return json.dumps(event | {_REDRIVEN: True}) if isinstance(event, dict) else body


def uploads_in_message(body: str) -> list[Upload]:
    """Read an S3 notification that came through a queue.

    Raises
    ------
    UnsupportedEvent
        The body is not a notification of created objects.
    """
    try:
        event = json.loads(body)
    except ValueError as error:
        raise UnsupportedEvent("The message is not an S3 notification.") from error
    if not isinstance(event, dict):
        raise UnsupportedEvent("The message is not an S3 notification.")
    return uploads_in(event)


def uploads_in(event: Mapping[str, Any]) -> list[Upload]:
    """Read an S3 notification; S3's own test of a new notification has no uploads.

    Raises
    ------
    UnsupportedEvent
        It is not of created objects.
    """
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        records = list(S3Event(dict(event)).records)
        if not all(record.event_name.removeprefix("s3:").startswith("ObjectCreated:") for record in records):
            raise UnsupportedEvent(
                "Only ObjectCreated events are handled. Fix the bucket's notification configuration."
            )
        return [_upload(record, is_redriven=event.get(_REDRIVEN) is True) for record in records]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnsupportedEvent("The event is no S3 notification.") from error


def _upload(record: S3EventRecord, *, is_redriven: bool) -> Upload:
    told = record.s3.get_object
    # S3 sends the key URL-encoded, a space as +.
    source = S3Object(record.s3.bucket.name, unquote_plus(told.key), told.version_id)
    # Stores that only speak S3's protocol may send no sequencer; their events are in the order of their times.
    sequencer = told.get("sequencer") or f"{round(datetime.fromisoformat(record.event_time).timestamp() * 1000):X}"
    return Upload(source, int(told.get("size") or 0), str(told.get("eTag") or ""), comparable(sequencer), is_redriven)
