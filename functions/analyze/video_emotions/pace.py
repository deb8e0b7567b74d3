"""Frames pass while there is time for them: a deadline cuts between two frames and never through one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Final, TypeVar

from video_common.errors import TooLong
from video_common.schema import Options, Partial
from video_emotions.deadline import Deadline
from video_emotions.facts import Frame

Seen = TypeVar("Seen")

_IN_LINE: Final = 2
"""A new frame may wait for one that is in progress, and then takes its own time."""

_PIXEL_SECONDS: Final = 0.7e-6
"""What the first frames take for each of their pixels, before one is measured: the Haar cascade on two busy vCPUs."""

_ENOUGH_FRAMES: Final = 20
_ENOUGH_TIME: Final = 0.1
"""Frames, and part of the time, after which the pace is known."""

_SURE: Final = 3
"""The rest must need so many times what is left: the start of a video can be its slowest part."""


class Pace:
    """Counts the sampled frames of one video, and ends them when the time is over.

    Parameters
    ----------
    frames_wanted : int
        Sampled frames of the whole video.
    options : Options
        ``partial=refuse`` also ends them early, once it is clear that they cannot all be analyzed in time.
    deadline : Deadline

    Attributes
    ----------
    frames : int
        Sampled frames before the cut, unreadable ones included.
    until_ms : int or None
        Presentation time of the first sampled frame after the cut. None: the time was long enough.
    """

    def __init__(self, frames_wanted: int, options: Options, deadline: Deadline) -> None:
        self._wanted = frames_wanted
        self._refuses_parts = options.partial is Partial.REFUSE
        self._deadline = deadline
        self._first_frame: float | None = None
        self._slowest = 0.0
        self._lock = Lock()
        self.frames = 0
        self._next_ms: int | None = options.start_ms or 0
        self.until_ms: int | None = None

    def admitted(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield frames in presentation order until the deadline is too near for another one."""
        with suppress(TooLong):  # the decoder stops at the deadline too
            for frame in frames:
                takes = self._slowest or _PIXEL_SECONDS * sum(image[..., 0].size for image in frame.images)
                if self._deadline.left <= _IN_LINE * takes or self._is_hopeless():
                    break
                self.frames, self._next_ms = frame.planned, frame.next_ms
                if self._first_frame is None:  # what came before, such as a download, is not the pace
                    self._first_frame = self._deadline.clock()
                yield frame
            else:
                return
        self.until_ms = self._next_ms

    def timed(self, look: Callable[[Frame], Seen]) -> Callable[[Frame], Seen]:
        """Return ``look``, which works in several threads, with its time measured."""

        def run(frame: Frame) -> Seen:
            began = self._deadline.clock()
            seen = look(frame)
            with self._lock:
                self._slowest = max(self._slowest, self._deadline.clock() - began)
            return seen

        return run

    def _is_hopeless(self) -> bool:
        """Report whether the rest would surely fail at the deadline."""
        if not self._refuses_parts or self._first_frame is None or self.frames < _ENOUGH_FRAMES:
            return False
        elapsed, left = self._deadline.clock() - self._first_frame, self._deadline.left
        needed = elapsed / self.frames * (self._wanted - self.frames)
        return elapsed >= _ENOUGH_TIME * (elapsed + left) and needed > _SURE * left
