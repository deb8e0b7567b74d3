"""The log of both functions, and a line at the start and at the end of each request and job.

No line holds what a caller or a file brings along: no name, path, option, header or text of theirs. An object is named
by the digest of its key: ``printf %s KEY | sha256sum | cut -c1-16``.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from aws_lambda_powertools import Logger

from video_common.errors import JobInProgress, VideoEmotionsError

SERVICE: Final = "video-emotions"

logger = Logger(service=SERVICE)


class Outcome(StrEnum):
    """What became of a request, or of a try of a job."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    """The caller or the video is wrong."""
    FAILED = "failed"
    """Our side; another try may follow."""
    REPEATED = "repeated"
    """The event was handled before."""
    SUPERSEDED = "superseded"
    """A later version of the object has come, or nobody needs the segment any more."""
    DELETED = "deleted"
    """The job was deleted."""
    STARTED = "started"
    """The video is long: an execution of the state machine goes on with the job."""
    DEFERRED = "deferred"
    """Another worker has the job."""


@dataclass(slots=True)
class Entry:
    """What the end line will say; ``facts`` come on top of those of the start line. Until `ends` is called: failed."""

    outcome: Outcome
    code: str | None
    facts: dict[str, Any]

    def ends(self, outcome: Outcome, code: str | None = None, **facts: Any) -> None:
        """Set how it ended."""
        self.outcome, self.code = outcome, code
        self.facts |= facts


@contextmanager
def entry(what: str, **facts: Any) -> Iterator[Entry]:
    """Log a line when the block begins, and one when it ends, on every path out of it.

    Lambda's own "Task timed out" has its request's id. So has the start line, in ``function_request_id``.

    Parameters
    ----------
    what : str
        ``request``, ``job`` or ``segment`` of a long video.
    **facts
        Members of both lines.
    """
    logger.info(f"{what} started", **facts)
    began = time.perf_counter()
    made = Entry(Outcome.FAILED, VideoEmotionsError.code, {})
    try:
        yield made
    except JobInProgress as error:
        made.ends(Outcome.DEFERRED, error.code)
        raise
    except Exception as error:
        made.ends(Outcome.FAILED, code_of(error))
        raise
    finally:
        milliseconds = round((time.perf_counter() - began) * 1000, 3)
        told = {"outcome": made.outcome, "code": made.code, "milliseconds": milliseconds}
        logger.info(f"{what} ended", **{**facts, **made.facts, **told})


def job_facts(job_id: str, bucket: str, key: str) -> dict[str, str]:
    """Return what the log says of an object's job."""
    return {"job_id": job_id, "bucket": bucket, "key_digest": sha256(key.encode()).hexdigest()[:16]}


def code_of(error: BaseException) -> str:
    """Return the code of an error; one that is not of the tree is an internal error."""
    return error.code if isinstance(error, VideoEmotionsError) else VideoEmotionsError.code
