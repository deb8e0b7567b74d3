"""Steps 3 to 5 from outside: file -> VideoInfo, PlanFacts, Frame(index, time_ms, image), by a process of its own.

C code reads an untrusted file, and can crash, hang, or use all memory. Each file has a child process (`child`)
that reads nothing else. If the child fails in any way, the caller gets one error, and the next file gets another child.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from video_common import limits
from video_common.aws.large_files import Ranges
from video_common.errors import DecoderUnavailable, TooLong
from video_common.schema import Options
from video_common.telemetry import logger
from video_emotions.answers import Answers
from video_emotions.child_process import COMMAND, ChildProcess
from video_emotions.facts import PlanFacts, VideoInfo
from video_emotions.records import Frames, Records, Segments

_Records = TypeVar("_Records", bound=Records[Any])
_Facts = TypeVar("_Facts")


class Segmenting(NamedTuple):
    """How a plan is cut.

    Attributes
    ----------
    seconds : float
        Processor time that a segment should take.
    at_least : int
        Segments, if the video has keyframes for so many.
    """

    seconds: float = limits.SEGMENT_SECONDS
    at_least: int = 1


class Request(NamedTuple):
    """What a child is asked for.

    Attributes
    ----------
    source : Path or Ranges
        The file. A child opens a path. It asks for ranges, which this process fetches.
    options : Options
    threads : int
        Decoder threads.
    deadline : float
        The child is ended then, by `time.monotonic`.
    """

    source: Path | Ranges
    options: Options
    threads: int
    deadline: float


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
    ) -> tuple[VideoInfo, PlanFacts, Frames]:
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

        Raises
        ------
        VideoError, InvalidOption
            The file or the options are rejected, or the child ended early. `Frames` raises them too.
        DecoderUnavailable
            No child starts.
        """
        wanted = Request(path, options, threads, time.monotonic() + seconds)
        frames, (info, plan) = self._begun(Frames, wanted, {}, Answers.video)
        return info, plan, frames

    def segments(
        self, source: Path | Ranges, options: Options, threads: int, wanted: Segmenting, seconds: float = math.inf
    ) -> tuple[VideoInfo, PlanFacts, Segments]:
        """Examine a file, plan what to sample, and cut the plan into segments. Of an MP4 only the header is read.

        Returns
        -------
        VideoInfo
        PlanFacts
        Segments

        Raises
        ------
        VideoError, InvalidOption, DecoderUnavailable, StorageUnavailable
            `Segments` raises them too.
        """
        request = Request(source, options, threads, time.monotonic() + seconds)
        segments, (info, plan) = self._begun(Segments, request, {"segments": wanted._asdict()}, Answers.surveyed)
        return info, plan, segments

    def read_slice(
        self,
        source: Path | Ranges,
        part: bytes,
        sizes: tuple[int, int],
        options: Options,
        threads: int,
        seconds: float = math.inf,
    ) -> Frames:
        """Sample a slice of a file, which `segments` gave.

        Parameters
        ----------
        source : Path or Ranges
        part : bytes
        sizes : tuple of int
            Pictures of the whole video, and sampled pictures of the slice.
        options : Options
        threads : int
        seconds : float

        Raises
        ------
        VideoError, DecoderUnavailable, StorageUnavailable
            `Frames` raises them too.
        """
        request = Request(source, options, threads, time.monotonic() + seconds)
        frames, _ = self._begun(Frames, request, {"slice": True}, lambda answers, _: answers.expect(*sizes), part)
        return frames

    def _begun(
        self,
        kind: type[_Records],
        wanted: Request,
        task: dict[str, Any],
        first: Callable[[Answers, dict[str, Any]], _Facts],
        raw: bytes = b"",
    ) -> tuple[_Records, _Facts]:
        """Start a child with a request, and return what it sends, and the facts in its first answer."""
        try:
            return self._ask(kind, wanted, task, first, raw)
        except DecoderUnavailable as ended:
            # Something ended the spare child while it waited, such as the kernel to free memory. The next one is new.
            try:
                return self._ask(kind, wanted, task, first, raw)
            except TooLong:
                raise ended from None  # the first child used up the time, not the video

    def _ask(
        self,
        kind: type[_Records],
        wanted: Request,
        task: dict[str, Any],
        first: Callable[[Answers, dict[str, Any]], _Facts],
        raw: bytes,
    ) -> tuple[_Records, _Facts]:
        try:
            child = self._spares.pop()
        except IndexError:
            child = ChildProcess(self._command, self._silent_seconds)
        records = kind(child, Answers(), self._prepare_next)
        source = wanted.source
        request = {
            # A child knows a file by its path, or by its size, so that it asks for ranges.
            **({"path": str(source.absolute())} if isinstance(source, Path) else {"size": source.size}),
            "options": wanted.options.model_dump(mode="json"),
            "threads": wanted.threads,
            "memory_bytes": self._memory_bytes,
            "cpu_seconds": self._cpu_seconds * wanted.threads,
            **task,
        }
        try:
            child.ask(request, wanted.deadline, raw, None if isinstance(source, Path) else source)
            facts = first(records.answers, child.answer("slice" if "slice" in task else "video")[0])
        except BaseException:
            records.close()
            raise
        if child.refused != self._refused:  # the same for every child: log it once
            self._refused = child.refused
            logger.warning("this platform refuses to confine the decoder", refused=self._refused)
        return records, facts

    def _prepare_next(self) -> None:
        with suppress(DecoderUnavailable):  # the next request reports it, if it still holds then
            self.prepare()
