"""What a child sends one by one: sampled pictures, or segments. The child ends with the last one."""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, Generic, TypeVar

from video_emotions.answers import Answers
from video_emotions.child_process import ChildProcess
from video_emotions.facts import Frame, SegmentFacts

Item = TypeVar("Item")


class Records(Iterator[Item], Generic[Item]):
    """An iterator over records. The child ends after the last one, after an error, or with `close`.

    Parameters
    ----------
    child : ChildProcess
        It has its request, and has sent its first answer.
    answers : Answers
    prepare : callable
        Called when the child has ended.
    """

    name: str

    def __init__(self, child: ChildProcess, answers: Answers, prepare: Callable[[], None]) -> None:
        self._child = child
        self._prepare = prepare
        self._is_over = False
        self._in_use = Lock()
        self.answers = answers

    def item(self, message: dict[str, Any], raw: bytearray) -> Item:
        """Return a record that has a member ``name``."""
        raise NotImplementedError

    def __next__(self) -> Item:
        with self._in_use:
            if self._is_over:
                raise StopIteration
            try:
                message, raw = self._child.answer(self.name, "end")
                if "end" not in message:
                    return self.item(message, raw)
            except BaseException:
                self._finish()
                raise
            self._finish()
            raise StopIteration

    def close(self) -> None:
        """End the child, even before the first record. Another thread that waits for a record gets an error."""
        self._child.kill()
        with self._in_use:
            self._finish()

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._child.end()
            self._prepare()


class Frames(Records[Frame]):
    """The sampled pictures. The child decodes ahead as far as the pipe holds."""

    name = "frame"

    def item(self, message: dict[str, Any], raw: bytearray) -> Frame:
        """Return the next picture."""
        return self.answers.frame(message, raw)


class Segments(Records[tuple[SegmentFacts, bytes]]):
    """The segments of a plan: the size of each, and its slice for `Reader.read_slice`."""

    name = "segment"

    def item(self, message: dict[str, Any], raw: bytearray) -> tuple[SegmentFacts, bytes]:
        """Return the next segment."""
        return self.answers.segment(message, raw)
