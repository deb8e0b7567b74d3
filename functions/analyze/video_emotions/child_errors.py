"""What the end of a child, or its report, means: one error each."""

from typing import Any

from video_common.errors import (
    DecoderCrashed,
    DecoderExited,
    DecoderHung,
    DecoderOutOfMemory,
    DecoderUnavailable,
    InvalidOption,
    TooLong,
    VideoEmotionsError,
    VideoError,
)
from video_common.telemetry import logger
from video_emotions.remedies import CONVERT


def told(message: dict[str, Any]) -> VideoEmotionsError:
    """Return the error that the child reports, if it is one about files: the file may control the child."""
    if message.get("no_memory"):
        return out_of_memory()
    try:
        error = _error_of(str(message["error"]), str(message["detail"]))
        error.detail.encode()  # half a character cannot be sent to a caller
    except (KeyError, ValueError):
        logger.error("a decoder failed", bug=message.get("bug"))
        return crashed()
    return error if isinstance(error, VideoError | InvalidOption) else crashed()


def _error_of(code: str, detail: str) -> VideoEmotionsError:
    """Make an error of a child.

    Raises
    ------
    ValueError
        No leaf has this code.
    """
    kinds = [VideoEmotionsError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        if kind.code == code and not kind.__subclasses__():
            return kind(detail)
    raise ValueError(f"no error has the code {code!r}")


def unavailable() -> DecoderUnavailable:
    """Return the error for a child that ends, or stops, before it opens the file."""
    return DecoderUnavailable("The decoder does not start. Send the video again.")


def too_long() -> TooLong:
    """Return the error for a child that does not answer in time."""
    return TooLong("The time ended before the video was decoded.")  # callers add what was reached, and what to do


def out_of_memory() -> DecoderOutOfMemory:
    """Return the error for a child without the memory that it needs."""
    return DecoderOutOfMemory(
        "The pictures need more memory than the decoder has. Scale the video down, then send the new file."
    )


def crashed() -> DecoderCrashed:
    """Return the error for a child that ends by a signal, or breaks the protocol."""
    return DecoderCrashed(f"The decoder failed at a part of the video. {CONVERT}")


def exited() -> DecoderExited:
    """Return the error for a child that ends without an answer."""
    return DecoderExited(f"The decoder ended in the middle of the video. {CONVERT}")


def hung() -> DecoderHung:
    """Return the error for a child that is silent for too long."""
    return DecoderHung(f"The decoder stopped at a part of the video. {CONVERT}")
