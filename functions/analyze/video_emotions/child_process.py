"""A child process that reads one file, seen from its parent: it answers, or it ends, and each end is one error."""

import fcntl
import io
import math
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, cast

from video_common import limits
from video_common.aws.large_files import Ranges
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
    error_of,
)
from video_common.telemetry import logger
from video_emotions import wire

COMMAND: Final = (sys.executable, "-s", "-P", "-m", "video_emotions.child")
ENVIRONMENT: Final = {
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    "LD_LIBRARY_PATH": f"{sys.base_exec_prefix}/lib",  # where AWS's Python has its own library
    "OPENBLAS_NUM_THREADS": "1",  # NumPy would start threads and reserve memory for each
}
"""All that a child knows of the parent's environment."""

_CONVERT = "Convert it to MP4 (H.264), then send the new file."
_END_SECONDS = 5.0
"""A child whose pipe is closed has ended, or ends now."""


class ChildProcess:
    """A child that is starting, waiting for its request, or answering it. It ends with this object at the latest.

    Parameters
    ----------
    command : sequence of str
    silent_seconds : float
        A child that sends nothing for so long is ended.
    """

    def __init__(self, command: Sequence[str] = COMMAND, silent_seconds: float = limits.DECODER_SILENT_SECONDS) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=ENVIRONMENT, cwd="/"
            )
        except OSError as error:
            raise DecoderUnavailable("The decoder does not start. The log has the reason.") from error
        self._requests = cast("io.FileIO", self._process.stdin)
        self._answers = cast("io.FileIO", self._process.stdout)
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # the kernel may keep to its default, which costs 3 ms a picture
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, limits.DECODER_PIPE_BYTES)
        os.set_blocking(self._requests.fileno(), False)
        self._source: Ranges | None = None
        self._silent_seconds = silent_seconds
        self._deadline = math.inf
        self._is_ready = False
        self.end = weakref.finalize(self, _end, self._process)
        """End the child, if it has not ended."""

    @property
    def is_alive(self) -> bool:
        """False for a child that something else has ended while it waited."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], seconds: float, raw: bytes = b"", source: Ranges | None = None) -> None:
        """Send the request.

        Parameters
        ----------
        request : dict
        seconds : float
            After so many, `answer` ends the child.
        raw : bytes
            Sent with it.
        source : Ranges, optional
            The file, if the child cannot open it: `answer` fetches what the child asks for.
        """
        self._deadline = time.monotonic() + seconds
        self._source = source
        self._send(request, raw)

    def _send(self, message: dict[str, Any], raw: bytes) -> None:
        try:
            for part in wire.parts(message, raw):
                left = memoryview(part)
                while left:
                    self._wait(self._requests, select.POLLOUT)
                    with suppress(BlockingIOError):
                        left = left[os.write(self._requests.fileno(), left) :]
        except BrokenPipeError:
            raise self._failure() from None

    def _serve(self, wanted: Any) -> None:
        """Send a range of the file. Whatever the child asks for, it gets bytes of this file only."""
        if self._source is None:
            raise crashed()
        try:
            start, end = map(int, wanted)
        except (TypeError, ValueError, OverflowError) as error:
            raise crashed() from error
        if not (0 <= start < end <= self._source.size and end - start <= limits.RANGE_BYTES):
            raise crashed()
        self._send({"bytes": end - start}, self._source.read(start, end))

    def answer(self, *expected: str) -> tuple[dict[str, Any], bytearray]:
        """Return the child's next record, which has a member of one of the names ``expected``.

        Raises
        ------
        VideoError, InvalidOption
            The child refuses the file or the options, or ended in a way that the file is to blame for.
        DecoderUnavailable
            The child ended before it was asked for anything.
        """
        while True:
            try:
                message, pixels = wire.receive(self._exactly)
            except EOFError:
                raise self._failure() from None
            except (ValueError, RecursionError) as error:
                raise crashed() from error
            if message.get("ready"):
                self._is_ready = True
            elif any(name in message for name in expected):
                return message, pixels
            elif "range" in message:
                self._serve(message["range"])
            elif not message.get("beat"):
                raise _told(message)

    def _exactly(self, count: int) -> bytearray:
        data = bytearray(count)
        left = memoryview(data)
        while left:
            self._wait(self._answers, select.POLLIN)
            got = os.readv(self._answers.fileno(), [left])
            if not got:
                raise EOFError
            left = left[got:]
        return data

    def _wait(self, pipe: io.FileIO, event: int) -> None:
        """Wait until the child has sent something, or has room for something."""
        seconds = min(self._silent_seconds, self._deadline - time.monotonic())
        poll = select.poll()
        poll.register(pipe, event)
        if seconds > 0 and poll.poll(seconds * 1000):
            return
        self.end()
        if seconds < self._silent_seconds:
            raise _too_long()
        raise DecoderHung(f"The decoder stopped at a part of the video. {_CONVERT}")

    def _failure(self) -> VideoEmotionsError:
        """Return what the end of the child means."""
        try:
            status = self._process.wait(max(0.1, min(_END_SECONDS, self._deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            status = 0
        self.end()
        if not self._is_ready:
            logger.error("a decoder ended before its request", exit_status=status)
            return DecoderUnavailable("The decoder does not start. The log has the reason.")
        logger.warning("a decoder ended before its answer", exit_status=status)
        if status == -signal.SIGKILL:
            return _out_of_memory()
        if status == -signal.SIGXCPU:
            return _too_long()
        if status < 0:
            return crashed()
        return DecoderExited(f"The decoder ended in the middle of the video. {_CONVERT}")


def _told(message: dict[str, Any]) -> VideoEmotionsError:
    """Return the error that the child reports, if it is one about files: a stranger may have taken the child over."""
    if message.get("no_memory"):
        return _out_of_memory()
    try:
        error = error_of(str(message["error"]), str(message["detail"]))
    except (KeyError, ValueError):
        logger.error("a decoder failed", bug=message.get("bug"))
        return crashed()
    return error if isinstance(error, VideoError | InvalidOption) else crashed()


def crashed() -> DecoderCrashed:
    """Return the error for a child that does what no child of ours does."""
    return DecoderCrashed(f"The decoder failed at a part of the video. {_CONVERT}")


def _too_long() -> TooLong:
    return TooLong("The time ended before the video was decoded. Use a larger frame_interval, or send a shorter video.")


def _out_of_memory() -> DecoderOutOfMemory:
    return DecoderOutOfMemory(
        "The pictures need more memory than the decoder has. Scale the video down, then send the new file."
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()
