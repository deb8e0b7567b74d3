"""Errors -> texts for people, and exit codes for scripts."""

from enum import IntEnum
from typing import NoReturn

import typer

from video_common.errors import RequestError, VideoEmotionsError, VideoError
from video_emotions_cli.flags import in_flags
from video_emotions_client import ClientError, NotAllowed, Rejected


class ExitCode(IntEnum):
    """What the command ends with.

    =====  =============================================================================
    0      every video has its result
    1      at least one video cannot be analyzed; the others have their results
    2      the command line is wrong; nothing was analyzed
    3      the service, the network, the API key or this installation is not usable
    130    Ctrl-C
    =====  =============================================================================
    """

    OK = 0
    VIDEO = 1
    USAGE = 2
    SERVICE = 3
    STOPPED = 130


class WrongCommandLine(typer.BadParameter):
    """The command line is wrong. Its text stands alone."""

    def format_message(self) -> str:
        """Return the text."""
        return self.message


def usage(text: str) -> NoReturn:
    """End with a text about the command line."""
    raise WrongCommandLine(text)


class NotUsable(Exception):
    """The installation cannot do what was asked for; the text says how to change that."""


_FOR_ALL = {"unreachable", "unexpected_answer", "quota_exceeded"}

EXPECTED = (VideoEmotionsError, ClientError, NotUsable, OSError)
"""What an analysis may raise. Every other error is a bug of the program."""


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code that an error asks for."""
    about_the_video = isinstance(error, VideoError | RequestError | Rejected | OSError)
    return ExitCode.VIDEO if about_the_video else ExitCode.SERVICE


def stops_all(error: BaseException) -> bool:
    """Report whether the next video would fail in the same way."""
    return isinstance(error, NotAllowed | NotUsable) or getattr(error, "code", "") in _FOR_ALL


def told(error: BaseException) -> str:
    """Return what a person reads: what is wrong, and what to do."""
    if isinstance(error, NotAllowed):
        return f"{error.detail} Set the key with --api-key or VIDEO_EMOTIONS_API_KEY. ({error.code})"
    if isinstance(error, VideoEmotionsError | ClientError):
        request_id = getattr(error, "request_id", None)
        return f"{in_flags(error.detail)} ({error.code}{f', request {request_id}' if request_id else ''})"
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}. Check the file and its permissions."
    return str(error)
