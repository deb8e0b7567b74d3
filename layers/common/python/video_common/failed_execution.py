"""A failed execution whose end nobody could record: Lambda's record of an event that its function did not handle.

::

    execution fails --> EventBridge --> AnalyzeUploads, three tries --> OnFailure: a dead letter --> GiveUp: job's end
"""

import json
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from video_common.upload import Upload

_UPLOAD: Final = TypeAdapter(Upload)


class FailedExecution(NamedTuple):
    """An execution that failed.

    Attributes
    ----------
    upload : Upload
    work : str
        The prefix of what its segments kept.
    failed_at : float
        In seconds since 1970.
    failure : str
        The id of the event.
    """

    upload: Upload
    work: str
    failed_at: float
    failure: str


def failed_execution(body: str) -> FailedExecution | None:
    """Read a dead letter. None: it is not of a failed execution."""
    try:
        event = json.loads(body)["requestPayload"]
        given = json.loads(event["detail"]["input"])
        failed_at = datetime.fromisoformat(event["time"]).timestamp()
        return FailedExecution(
            _UPLOAD.validate_python(given["upload"]), str(given["work"]), failed_at, str(event["id"])
        )
    except (KeyError, TypeError, ValueError, ValidationError):
        return None
