"""Which face of a frame is which of the frames before: faces are linked by place, size and motion.

No face is compared with another one, and none is recognized: a track is a path through neighboring frames. A path
ends at a scene cut. If its face is missing from a frame, it ends `KEPT_MS` after the face was last seen. Neighboring
frames are linked however far apart they are. Each path is followed by a Kalman filter (Kalman, 1960; as SORT does,
Bewley et al., 2016), in units of the face's own size. A speed is forgotten after a second (an Ornstein-Uhlenbeck
process): who is hidden walks on for a while, or stops. The assignment links as many faces as possible, and of these
assignments it is the one with the least sum of costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from typing import Final, Self

from video_emotions.assignment import assign
from video_emotions.boxes import Box

KEPT_MS: Final = 2_000
"""How long a face may be hidden, as long as its path is known well enough."""

_JITTER: Final = 0.08
"""Deviation of a detected box's center from the face's, in faces."""

_SPEED: Final = 2.0
"""Deviation of a person's speed, in faces per second."""

_REMEMBERED: Final = 1.0
"""Seconds in which a speed fades to a third."""

_GROWTH: Final = 0.2
"""Deviation of the logarithm of a face's size between two frames."""

_HIDDEN: Final = 3.0
"""What it costs to find a hidden face again, so that it takes none from a face that was seen a moment ago. A face is in
the next frame with a chance of 0.97, and reappears with 0.2: twice the difference of the logarithms."""

_FARTHEST: Final = 9.2
"""Squared distance, in squared deviations, up to which a face can be on a path: 99 % of those on it are nearer."""

_MOST_GROWTH: Final = 0.7
"""Most by which the logarithm of a face's size differs on a path: about twice as large."""


@dataclass(frozen=True, slots=True)
class Track:
    """A path. Lengths are in pixels of the video, and variances in squared faces.

    Attributes
    ----------
    number : int
        From 1.
    x, y : float
        Center of the face when it was last seen.
    size : float
        Square root of its area.
    across, down : float
        Speed, in pixels per second.
    variance : tuple of float
        Of a coordinate, of place and speed together, and of a speed. It is the same for x and y.
    seen_ms : int
        When it was last seen.
    """

    number: int
    x: float
    y: float
    size: float
    across: float
    down: float
    variance: tuple[float, float, float]
    seen_ms: int

    @classmethod
    def new(cls, number: int, box: Box, time_ms: int) -> Self:
        """Begin a path."""
        x, y, size = _measured(box)
        return cls(number, x, y, size, 0.0, 0.0, (_JITTER**2, 0.0, _SPEED**2), time_ms)

    def at(self, time_ms: int) -> Self:
        """Return where the path leads by that time, less sure. ``seen_ms`` stays."""
        seconds = (time_ms - self.seen_ms) / 1000
        left = exp(-seconds / _REMEMBERED)
        way = _REMEMBERED * (1 - left)
        place, both, speed = self.variance
        wandered = _REMEMBERED**2 * (2 * seconds / _REMEMBERED - 3 + 4 * left - left**2)
        variance = (
            place + 2 * way * both + way**2 * speed + _SPEED**2 * wandered,
            left * (both + way * speed) + _SPEED**2 * _REMEMBERED * (1 - left) ** 2,
            left**2 * speed + _SPEED**2 * (1 - left**2),
        )
        return replace(
            self,
            x=self.x + way * self.across,
            y=self.y + way * self.down,
            across=left * self.across,
            down=left * self.down,
            variance=variance,
        )

    def cost(self, box: Box, frame_ms: int | None) -> float | None:
        """Return how badly a face fits to the path, which was led to the face's time. None: it cannot be on it.

        ``frame_ms`` is the time of the frame before.
        """
        x, y, size = _measured(box)
        spread, growth = self.variance[0] + _JITTER**2, log(size / self.size)
        distance = ((x - self.x) ** 2 + (y - self.y) ** 2) / self.size**2 / spread
        if distance > _FARTHEST or abs(growth) > _MOST_GROWTH:
            return None
        hidden = 0 if self.seen_ms == frame_ms else _HIDDEN
        return distance + 2 * log(spread) + (growth / _GROWTH) ** 2 + hidden

    def seen(self, box: Box, time_ms: int) -> Self:
        """Return the path, which was led to that time, after a face was seen on it."""
        x, y, size = _measured(box)
        place, both, speed = self.variance
        spread = place + _JITTER**2
        here, faster = place / spread, both / spread
        return replace(
            self,
            x=self.x + here * (x - self.x),
            y=self.y + here * (y - self.y),
            size=sqrt(self.size * size),
            across=self.across + faster * (x - self.x),
            down=self.down + faster * (y - self.y),
            variance=((1 - here) * place, (1 - here) * both, speed - faster * both),
            seen_ms=time_ms,
        )


@dataclass(frozen=True, slots=True)
class Tracks:
    """What is known of the paths between two frames. Handed on, it links the frames of two segments.

    Attributes
    ----------
    live : tuple of Track
        The paths that can go on.
    begun : int
        Paths that began so far.
    frame_ms : int or None
        Time of the last frame.
    """

    live: tuple[Track, ...] = ()
    begun: int = 0
    frame_ms: int | None = None

    def follow(self, time_ms: int, boxes: Sequence[Box], *, is_cut: bool = False) -> tuple["Tracks", tuple[int, ...]]:
        """Link the faces of the next frame.

        Parameters
        ----------
        time_ms : int
        boxes : sequence of Box
            In pixels of the video.
        is_cut : bool
            The frame shows another place than the one before: see `cuts`.

        Returns
        -------
        Tracks
            For the frame after it.
        tuple of int
            Each face's number.
        """
        known = () if is_cut else self.live
        ahead = [track.at(time_ms) for track in known if self._can_go_on(track, time_ms)]
        chosen = assign([[track.cost(box, self.frame_ms) for box in boxes] for track in ahead], len(boxes))
        live, numbers, begun = [], [0] * len(boxes), self.begun
        for track, place in zip(ahead, chosen, strict=True):
            if place is not None:
                numbers[place] = track.number
                live.append(track.seen(boxes[place], time_ms))
        old = {track.number: track for track in known}
        live += [old[track.number] for track, place in zip(ahead, chosen, strict=True) if place is None]
        for place, box in enumerate(boxes):
            if not numbers[place]:
                begun += 1
                numbers[place] = begun
                live.append(Track.new(begun, box, time_ms))
        return Tracks(tuple(live), begun, time_ms), tuple(numbers)

    def _can_go_on(self, track: Track, time_ms: int) -> bool:
        """Report whether a face was on the path in the last frame, however long ago that is, or not long ago."""
        return track.seen_ms == self.frame_ms or time_ms - track.seen_ms <= KEPT_MS


def _measured(box: Box) -> tuple[float, float, float]:
    return box.x + box.width / 2, box.y + box.height / 2, sqrt(max(1, box.area))
