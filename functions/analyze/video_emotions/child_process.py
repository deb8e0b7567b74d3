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
from video_common.errors import VideoEmotionsError
from video_common.telemetry import logger
from video_emotions import wire
from video_emotions.child_errors import crashed, exited, hung, out_of_memory, told, too_long, unavailable

COMMAND: Final = (sys.executable, "-s", "-P", "-m", "video_emotions.child")
ENVIRONMENT: Final = {
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    "LD_LIBRARY_PATH": f"{sys.base_exec_prefix}/lib",  # where AWS's Python has its own library
    "OPENBLAS_NUM_THREADS": "1",  # NumPy would start threads and reserve memory for each
}
"""All that a child knows of the parent's environment."""

_END_SECONDS = 5.0
"""A child whose pipe is closed has ended, or ends now."""


class ChildProcess:
    """A child that is starting, waiting for its request, or answering it. It ends with this object at the latest.

    Parameters
    ----------
    command : sequence of str
    silent_seconds : float
        A child that sends nothing for so long is ended.

    Attributes
    ----------
    refused : list of str
        After the first answer: what the platform refuses, see `sandbox`.
    """

    def __init__(self, command: Sequence[str] = COMMAND, silent_seconds: float = limits.DECODER_SILENT_SECONDS) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,  # a terminal's Ctrl-C reaches the parent only, which then ends the child
            )
        except OSError as error:
            raise unavailable() from error
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
        self._is_wanted = True
        self.refused: list[str] = []
        self.end = weakref.finalize(self, _end, self._process)
        """End the child, if it has not ended."""

    def kill(self) -> None:
        """Tell the child to end. Unlike `end`, this is safe while another thread waits for an answer."""
        self._is_wanted = False
        self._process.kill()

    def ask(self, request: dict[str, Any], deadline: float, raw: bytes = b"", source: Ranges | None = None) -> None:
        """Send the request.

        Parameters
        ----------
        request : dict
        deadline : float
            When `answer` ends the child, by `time.monotonic`.
        raw : bytes
            Sent with it.
        source : Ranges, optional
            The file, if the child cannot open it: `answer` fetches what the child asks for.

        Raises
        ------
        DecoderUnavailable
            The child has ended.
        """
        self._deadline = deadline
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
        """Send a range of the file. The child gets bytes of this file only."""
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
            The child rejects the file or the options, or the file made it end.
        DecoderUnavailable
            The child ended, or stopped, before it opened the file.
        """
        while True:
            try:
                message, pixels = wire.receive(self._exactly)
            except EOFError:
                raise self._failure() from None
            except (ValueError, RecursionError) as error:
                raise crashed() from error
            if message.get("ready") and not self._is_ready:
                self._is_ready = True
                self.refused = message.get("refused", [])
            elif any(name in message for name in expected):
                return message, pixels
            elif "range" in message:
                self._serve(message["range"])
            elif not message.get("beat"):
                raise told(message)

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
        if not self._is_ready and seconds >= self._silent_seconds / 2:  # so the video did not take the time
            logger.warning("a decoder was silent before it opened its file")
            raise unavailable()
        if seconds < self._silent_seconds:
            raise too_long()
        raise hung()

    def _failure(self) -> VideoEmotionsError:
        """Return what the end of the child means."""
        try:
            status = self._process.wait(max(0.1, min(_END_SECONDS, self._deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            status = 0
        self.end()
        if not self._is_ready:
            logger.warning("a decoder ended before it opened its file", exit_status=status)
            return unavailable()
        if self._is_wanted:
            logger.warning("a decoder ended before its answer", exit_status=status)
        if status == -signal.SIGKILL:
            return out_of_memory()
        if status == -signal.SIGXCPU:
            return too_long()
        if status < 0:
            return crashed()
        return exited()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()
