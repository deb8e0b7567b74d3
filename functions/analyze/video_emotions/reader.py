"""Steps 3 to 5 from outside: file -> VideoInfo, PlanFacts, Frame(index, time_ms, image), by a process of its own.

C code reads an untrusted file, and can crash, hang, or use all memory. Each file has a child process (`child`)
that reads nothing else. If the child fails in any way, the caller gets one error, and the next file gets another child.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import PositiveInt, TypeAdapter

from video_common import limits
from video_common.errors import DecoderUnavailable
from video_common.schema import Options
from video_emotions.child_process import COMMAND, ChildProcess, crashed
from video_emotions.facts import Frame, PlanFacts, VideoInfo

_VIDEO: Final = TypeAdapter(VideoInfo)
_PLAN: Final = TypeAdapter(PlanFacts)
_SIZES: Final = TypeAdapter(list[tuple[PositiveInt, PositiveInt]])


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
            The file or the options are rejected, or the child ended early. The generator raises them too.
        DecoderUnavailable
            No child starts.
        """
        child = self._child()
        request = {
            "path": str(path.absolute()),
            "options": options.model_dump(mode="json"),
            "threads": threads,
            "memory_bytes": self._memory_bytes,
            "cpu_seconds": self._cpu_seconds * threads,
        }
        try:
            child.ask(request, seconds)
            message, _ = child.answer("video")
            with _no_nonsense():
                info, chosen = _VIDEO.validate_python(message["video"]), _PLAN.validate_python(message["plan"])
        except BaseException:
            self._end(child)
            raise
        return info, chosen, self._frames(child)

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


@contextmanager
def _no_nonsense() -> Iterator[None]:
    """Reject what our own child never answers: a file that controls its child can make it send anything."""
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
