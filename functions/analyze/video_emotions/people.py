"""Sums for each person: what the Report and the Result say about a track. Pure: no files, no clock, no libraries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from video_common.schema import EMOTION_LABELS

Counts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PersonSums:
    """Sums over the frames that show one track; ``a + b`` is that of both.

    Attributes
    ----------
    track : int
    first_ms, last_ms : int
    frames, eye_contacts : int
    votes : tuple of int
        Frames by dominant emotion, in label order.
    """

    track: int
    first_ms: int
    last_ms: int
    frames: int
    eye_contacts: int
    votes: Counts

    @classmethod
    def of(cls, track: int, time_ms: int, dominant: int, *, contact: bool) -> Self:
        """Return the sums over one frame, whose face has that dominant emotion."""
        votes = tuple(int(place == dominant) for place in range(len(EMOTION_LABELS)))
        return cls(track, time_ms, time_ms, 1, int(contact), votes)

    def __add__(self, other: Self) -> "PersonSums":
        return PersonSums(
            self.track,
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
            self.frames + other.frames,
            self.eye_contacts + other.eye_contacts,
            added(self.votes, other.votes),
        )


class People:
    """The people of a Report while it is made.

    Parameters
    ----------
    sums : iterable of PersonSums
        Several of the same track are added.
    """

    def __init__(self, sums: Iterable[PersonSums] = ()) -> None:
        self._sums: dict[int, PersonSums] = {}
        for person in sums:
            self.add(person)

    def add(self, person: PersonSums) -> None:
        """Add sums of a track, known or not."""
        known = self._sums.get(person.track)
        self._sums[person.track] = known + person if known else person

    @property
    def by_track(self) -> tuple[PersonSums, ...]:
        """All people, in the order of their numbers."""
        return tuple(self._sums[track] for track in sorted(self._sums))


def added(left: Counts, right: Counts) -> Counts:
    """Return the sums place by place."""
    return tuple(a + b for a, b in zip(left, right, strict=True))
