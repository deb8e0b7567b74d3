"""Steps 3 to 5 from outside: file -> VideoInfo, PlanFacts, Frame(index, time_ms, image), by a process of its own.

C code reads an untrusted file, and can crash, hang, or use all memory. Each file has a child process (`child`)
that reads nothing else. If the child fails in any way, the caller gets one error, and the next file gets another child.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from video_common import limits
from video_common.errors import DecoderUnavailable, TooLong
from video_common.schema import Options
from video_common.telemetry import logger
from video_emotions.answers import Answers
from video_emotions.child_process import COMMAND, ChildProcess
from video_emotions.facts import Frame, PlanFacts, VideoInfo


class Reader:
    """Reads videos, each in a child process of its own. A spare child waits with its imports done.

    Parameters
    ----------
    memory_bytes : int
        What a child may use.
    command : sequence of str
        What is started as the child.
    silent_seconds : float
        A child that sends nothing for so long is ended.
    cpu_seconds : int
        Processor time of a child for each of its decoder threads.
    """

    def __init__(
        self,
        memory_bytes: int = limits.DECODER_MEMORY_BYTES,
        command: Sequence[str] = COMMAND,
        silent_seconds: float = limits.DECODER_SILENT_SECONDS,
        cpu_seconds: int = limits.DECODER_CPU_SECONDS,
    ) -> None:
        self._memory_bytes = memory_bytes
        self._command = command
        self._silent_seconds = silent_seconds
        self._cpu_seconds = cpu_seconds
        self._spares: list[ChildProcess] = []
        self._refused: list[str] = []

    def prepare(self) -> None:
        """Start a spare child if none waits, and do not wait for it."""
        if not self._spares:
            self._spares.append(ChildProcess(self._command, self._silent_seconds))

    def renew(self) -> None:
        """Replace the spare child by one that starts now."""
        while self._spares:
            self._spares.pop().end()
        self.prepare()

    def read(
        self, path: Path, options: Options, threads: int, seconds: float = math.inf
    ) -> tuple[VideoInfo, PlanFacts, "Frames"]:
        """Examine a file, plan what to sample, and sample it.

        Parameters
        ----------
        path : Path
        options : Options
        threads : int
            Decoder threads.
        seconds : float
            The child is ended after so many.

        Returns
        -------
        VideoInfo
        PlanFacts
        Frames
            The child decodes ahead as far as the pipe holds.

        Raises
        ------
        VideoError, InvalidOption
            The file or the options are rejected, or the child ended early. `Frames` raises them too.
        DecoderUnavailable
            No child starts.
        """
        request = {
            "path": str(path.absolute()),
            "options": options.model_dump(mode="json"),
            "threads": threads,
            "memory_bytes": self._memory_bytes,
            "cpu_seconds": self._cpu_seconds * threads,
        }
        deadline = time.monotonic() + seconds
        try:
            return self._ask(request, deadline)
        except DecoderUnavailable as first:
            # Something ended the spare child while it waited, such as the kernel to free memory. The next one is new.
            try:
                return self._ask(request, deadline)
            except TooLong:
                raise first from None  # the first child used up the time, not the video

    def _ask(self, request: dict[str, Any], deadline: float) -> tuple[VideoInfo, PlanFacts, "Frames"]:
        try:
            child = self._spares.pop()
        except IndexError:
            child = ChildProcess(self._command, self._silent_seconds)
        frames = Frames(self, child)
        try:
            child.ask(request, deadline)
            info, plan = frames.answers.video(child.answer("video")[0])
        except BaseException:
            frames.close()
            raise
        if child.refused != self._refused:  # the same for every child: log it once
            self._refused = child.refused
            logger.warning("this platform refuses to confine the decoder", refused=self._refused)
        return info, plan, frames


class Frames(Iterator[Frame]):
    """The sampled pictures that a child sends. The child ends after the last one, after an error, or with `close`."""

    def __init__(self, reader: Reader, child: ChildProcess) -> None:
        self._reader = reader
        self._child = child
        self._is_over = False
        self._in_use = Lock()
        self.answers = Answers()

    def __next__(self) -> Frame:
        with self._in_use:
            if self._is_over:
                raise StopIteration
            try:
                message, pixels = self._child.answer("frame", "end")
                if "end" not in message:
                    return self.answers.frame(message, pixels)
            except BaseException:
                self._finish()
                raise
            self._finish()
            raise StopIteration

    def close(self) -> None:
        """End the child, even before the first picture. Another thread that waits for a picture gets an error."""
        self._child.kill()
        with self._in_use:
            self._finish()

    def _finish(self) -> None:
        """End the child, and start a spare one for the next file."""
        if not self._is_over:
            self._is_over = True
            self._child.end()
            with suppress(DecoderUnavailable):  # the next request reports it, if it still holds then
                self._reader.prepare()
