"""Steps 3 to 5 from outside: file -> VideoInfo, PlanFacts, Frame(index, time_ms, image), by a process of its own.

A stranger's file is read by C code, which may crash, hang, or take all memory. Each file has a child process (`child`)
that reads nothing else. Whatever becomes of it, the caller gets one error, and the next file gets another child.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from pydantic import PositiveInt, TypeAdapter

from video_common import limits
from video_common.aws.large_files import Ranges
from video_common.errors import DecoderUnavailable
from video_common.schema import Options
from video_emotions.child_process import COMMAND, ChildProcess, crashed
from video_emotions.facts import Frame, PlanFacts, SegmentFacts, VideoInfo

_VIDEO: Final = TypeAdapter(VideoInfo)
_PLAN: Final = TypeAdapter(PlanFacts)
_SEGMENT: Final = TypeAdapter(SegmentFacts)
_SIZES: Final = TypeAdapter(list[tuple[PositiveInt, PositiveInt]])


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
    """

    def __init__(
        self,
        memory_bytes: int = limits.DECODER_MEMORY_BYTES,
        command: Sequence[str] = COMMAND,
        silent_seconds: float = limits.DECODER_SILENT_SECONDS,
    ) -> None:
        self._memory_bytes = memory_bytes
        self._command = command
        self._silent_seconds = silent_seconds
        self._spares: list[ChildProcess] = []

    def prepare(self) -> None:
        """Start a spare child if none waits, and do not wait for it."""
        if not self._spares:
            self._spares.append(ChildProcess(self._command, self._silent_seconds))

    def read(
        self, path: Path, options: Options, threads: int, seconds: float = math.inf
    ) -> tuple[VideoInfo, PlanFacts, Generator[Frame]]:
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
        generator of Frame
            The child decodes ahead as far as the pipe holds. Closing the generator ends the child.

        Raises
        ------
        VideoError, InvalidOption
            The file or the options are refused, or the child did not live to the end. The generator raises them too.
        DecoderUnavailable
            No child starts.
        """
        child = self._asked(path, options, threads, seconds)
        try:
            info, chosen = _video(child)
        except BaseException:
            self._end(child)
            raise
        return info, chosen, self._frames(child)

    def segments(
        self, source: Path | Ranges, options: Options, threads: int, wanted: Segmenting, seconds: float = math.inf
    ) -> tuple[VideoInfo, PlanFacts, Generator[tuple[SegmentFacts, bytes]]]:
        """Examine a file, plan what to sample, and cut the plan into segments. Of an MP4 only the header is read.

        Returns
        -------
        VideoInfo
        PlanFacts
        generator of SegmentFacts and bytes
            Each segment, and its slice for `read_slice`. Closing the generator ends the child.

        Raises
        ------
        VideoError, InvalidOption, DecoderUnavailable, StorageUnavailable
        """
        child = self._asked(source, options, threads, seconds, segments=wanted._asdict())
        try:
            info, chosen = _video(child)
        except BaseException:
            self._end(child)
            raise
        return info, chosen, self._slices(child)

    def read_slice(
        self, source: Path | Ranges, part: bytes, options: Options, threads: int, seconds: float = math.inf
    ) -> Generator[Frame]:
        """Sample a slice of a file, which `segments` gave.

        Raises
        ------
        VideoError, DecoderUnavailable, StorageUnavailable
        """
        child = self._asked(source, options, threads, seconds, part, slice=True)
        return self._frames(child)

    def _asked(
        self, source: Path | Ranges, options: Options, threads: int, seconds: float, raw: bytes = b"", **more: Any
    ) -> ChildProcess:
        """Start a child with a request."""
        child = self._child()
        request = {
            **_named(source),
            "options": options.model_dump(mode="json"),
            "threads": threads,
            "memory_bytes": self._memory_bytes,
            "cpu_seconds": limits.DECODER_CPU_SECONDS * threads,
            **more,
        }
        try:
            child.ask(request, seconds, raw, None if isinstance(source, Path) else source)
        except BaseException:
            self._end(child)
            raise
        return child

    def _slices(self, child: ChildProcess) -> Generator[tuple[SegmentFacts, bytes]]:
        try:
            while True:
                message, part = child.answer("segment", "end")
                if "end" in message:
                    return
                with _no_nonsense():
                    facts = _SEGMENT.validate_python(message["segment"])
                yield facts, bytes(part)
        finally:
            self._end(child)

    def _frames(self, child: ChildProcess) -> Generator[Frame]:
        try:
            while True:
                message, pixels = child.answer("frame", "end")
                if "end" in message:
                    return
                with _no_nonsense():
                    frame = _frame(message["frame"], pixels)
                yield frame
        finally:
            self._end(child)

    def _child(self) -> ChildProcess:
        try:
            spare = self._spares.pop()
        except IndexError:
            return ChildProcess(self._command, self._silent_seconds)
        return spare if spare.is_alive else ChildProcess(self._command, self._silent_seconds)

    def _end(self, child: ChildProcess) -> None:
        child.end()
        with suppress(DecoderUnavailable):  # the next request reports it, if it still holds then
            self.prepare()


def _named(source: Path | Ranges) -> dict[str, Any]:
    """Return how a child knows a file: by its path, or by its size, so that it asks for ranges."""
    return {"path": str(source.absolute())} if isinstance(source, Path) else {"size": source.size}


def _video(child: ChildProcess) -> tuple[VideoInfo, PlanFacts]:
    message, _ = child.answer("video")
    with _no_nonsense():
        return _VIDEO.validate_python(message["video"]), _PLAN.validate_python(message["plan"])


@contextmanager
def _no_nonsense() -> Iterator[None]:
    """Reject what no child of ours answers: a file that took its child over may make it say anything."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise crashed() from error


def _frame(facts: dict[str, Any], pixels: bytearray) -> Frame:
    sizes = _SIZES.validate_python([facts["own_size"], *facts["sizes"]])
    images, start = [], 0
    for width, height in sizes[1:]:
        end = start + 3 * width * height
        images.append(np.frombuffer(memoryview(pixels)[start:end], np.uint8).reshape(height, width, 3))
        start = end
    if not images or start != len(pixels):
        raise ValueError("a frame of another size than it says")
    next_ms = None if facts["next_ms"] is None else int(facts["next_ms"])
    return Frame(int(facts["index"]), int(facts["time_ms"]), tuple(images), sizes[0], int(facts["planned"]), next_ms)
