"""Uploaded objects, as S3's events name them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

from aws_lambda_powertools.utilities.data_classes.s3_event import S3Event, S3EventRecord

from video_common.errors import UnsupportedEvent
from video_common.job import comparable, is_asked_for

_REDRIVEN: Final = "redriven"
_FAILURE: Final = "failure"
"""Two members of the message beside S3's own."""


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
    put_at : int
        Seconds since 1970, by S3's clock.
    is_redriven : bool
        Somebody sent the message again after the job was given up.
    failure : str or None
        The name of the failure of an execution for which the message was parked. None: the message is S3's own.
    """

    source: S3Object
    size: int
    etag: str
    sequencer: str
    put_at: int
    is_redriven: bool = False
    failure: str | None = None

    @property
    def revives_since(self) -> int | None:
        """The time for `JobStore.begin`: a job that was deleted before it begins again. None: it stays deleted.

        A file that is put into the bucket after its job was deleted is a new file. What somebody uploads with the form
        of a deleted job is not.
        """
        return None if is_asked_for(self.source.key) else self.put_at


def as_message(upload: Upload, failure: str) -> str:
    """Return an upload as the notification that S3 sent of it, with the name of a failure."""
    version = {"versionId": upload.source.version_id} if upload.source.version_id else {}
    told = {"size": upload.size, "eTag": upload.etag, "sequencer": upload.sequencer, **version}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": datetime.fromtimestamp(upload.put_at, UTC).isoformat(),
        "s3": {"bucket": {"name": upload.source.bucket}, "object": {"key": quote_plus(upload.source.key), **told}},
    }
    return json.dumps({"Records": [record], _FAILURE: failure})


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

    An empty object is none either: S3's console and other tools put one where they show a folder.

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
        is_redriven, failure = event.get(_REDRIVEN) is True, event.get(_FAILURE)
        uploads = [_upload(record) for record in records if record.s3.get_object.get("size") != 0]
        return [replace(upload, is_redriven=is_redriven, failure=failure) for upload in uploads]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnsupportedEvent("The event is no S3 notification.") from error


def _upload(record: S3EventRecord) -> Upload:
    told = record.s3.get_object
    # S3 sends the key URL-encoded, a space as +.
    source = S3Object(record.s3.bucket.name, unquote_plus(told.key), told.version_id)
    put_at = datetime.fromisoformat(record.event_time).timestamp()
    # Stores that only speak S3's protocol may send no sequencer; their events are in the order of their times.
    sequencer = told.get("sequencer") or f"{round(put_at * 1000):X}"
    size, etag = int(told.get("size") or 0), str(told.get("eTag") or "")
    return Upload(source, size, etag, comparable(sequencer), int(put_at))
