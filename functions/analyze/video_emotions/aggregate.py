"""Step 8: observations -> Report. Pure: no files, no clock, no libraries.

Everything in a Report is an integer sum or a list in order, so that the Reports of a video's segments merge to exactly
the whole's Report.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self

from video_common.schema import EMOTION_LABELS
from video_emotions.boxes import Box
from video_emotions.people import Counts, People, PersonSums, added

_ZEROS: Counts = (0,) * len(EMOTION_LABELS)
_BALLOTS: tuple[Counts, ...] = tuple((place,) for place in range(len(EMOTION_LABELS)))
"""One vote for each emotion: 100,000 frames share these seven tuples."""


@dataclass(frozen=True, slots=True)
class ScoredFace:
    """A face and what the model gave for it.

    Attributes
    ----------
    box : Box
        In pixels of the video's own upright picture.
    detected : bool
        False where the whole frame stands in for a face (``faceless_frames=analyze``).
    scores : tuple of int
        Seven probabilities in label order, in units of 1e-6.
    detection_score : float, optional
        The detector's, 0 to 1.
    landmarks : tuple of tuple of int, optional
        x and y of right eye, left eye, nose, right and left corner of the mouth, in the same pixels as the box.
    track : int, optional
        Number of the path that the face is on, see `tracks`.
    eye_contact : bool
        The face's center is near the picture's center.
    """

    box: Box
    detected: bool
    scores: Counts
    detection_score: float | None = None
    landmarks: tuple[tuple[int, int], ...] | None = None
    track: int | None = None
    eye_contact: bool = False

    @property
    def dominant(self) -> int:
        """Place of the largest score; at a tie the first in label order."""
        return self.scores.index(max(self.scores))


@dataclass(frozen=True, slots=True)
class Observation:
    """An analyzed frame.

    Attributes
    ----------
    index, time_ms : int
    eye_contact : bool
        Of the largest face.
    faces : tuple of ScoredFace
        Largest first.
    faces_left_out : int
        Those over the limit of a frame.
    scene : bytes or None
        The picture's thumbnail, if faces are still to be linked: see `cuts.thumbnail`.
    is_cut : bool or None
        The frame before shows another place. None: the two are still to be compared.
    """

    index: int
    time_ms: int
    eye_contact: bool
    faces: tuple[ScoredFace, ...]
    faces_left_out: int = 0
    scene: bytes | None = None
    is_cut: bool | None = None

    @property
    def people(self) -> Iterator[PersonSums]:
        """Sums over this frame, for each face on a track."""
        for face in self.faces:
            if face.track is not None:
                yield PersonSums.of(face.track, self.time_ms, face.dominant, contact=face.eye_contact)


@dataclass(frozen=True, slots=True)
class Report:
    """Sums over observations; ``a + b`` is the Report of both.

    Attributes
    ----------
    frames_analyzed, frames_with_face, frames_unreadable : int
    probability_sums : tuple of int
        Scores of the voting faces, in units of 1e-6.
    confidence_sum : int
        Dominant scores of the voting faces, in units of 1e-6.
    analyzed_until_ms : int or None
        Presentation time of the first sampled frame that is left out. None: none is left out.
    timeline : tuple of Observation
    faces_left_out : int
        Faces over the limit of a frame.
    ballots : tuple of tuple of int
        For each analyzed frame, in order: the dominant emotions of its voting faces, the first one or all of them.
    contacts : tuple of bool
        For each analyzed frame, in order: eye contact.
    people : tuple of PersonSums
        By track. Segments have tracks in common, see `Follower`.
    """

    frames_analyzed: int = 0
    frames_with_face: int = 0
    frames_unreadable: int = 0
    probability_sums: Counts = _ZEROS
    confidence_sum: int = 0
    analyzed_until_ms: int | None = None
    timeline: tuple[Observation, ...] = field(default=(), repr=False)
    faces_left_out: int = 0
    ballots: tuple[Counts, ...] = field(default=(), repr=False)
    contacts: tuple[bool, ...] = field(default=(), repr=False)
    people: tuple[PersonSums, ...] = field(default=(), repr=False)

    @property
    def votes(self) -> Counts:
        """Voting faces by dominant emotion, in label order."""
        counts = Counter(place for ballot in self.ballots for place in ballot)
        return tuple(counts[place] for place in range(len(EMOTION_LABELS)))

    @property
    def eye_contacts(self) -> int:
        """Frames with eye contact."""
        return sum(self.contacts)

    @property
    def truncated(self) -> bool:
        """Report whether sampled frames are left out."""
        return self.analyzed_until_ms is not None

    def cut(self, frames: int, until_ms: int) -> "Report":
        """Return the Report of the first sampled frames only, whose observations are all that this one has.

        Parameters
        ----------
        frames : int
            How many they are, unreadable ones included.
        until_ms : int
            Presentation time of the next one.
        """
        return replace(self, frames_unreadable=frames - self.frames_analyzed, analyzed_until_ms=until_ms)

    def __add__(self, other: Self) -> "Report":
        return Report(
            self.frames_analyzed + other.frames_analyzed,
            self.frames_with_face + other.frames_with_face,
            self.frames_unreadable + other.frames_unreadable,
            added(self.probability_sums, other.probability_sums),
            self.confidence_sum + other.confidence_sum,
            _earlier(self.analyzed_until_ms, other.analyzed_until_ms),
            self.timeline + other.timeline,
            self.faces_left_out + other.faces_left_out,
            self.ballots + other.ballots,
            self.contacts + other.contacts,
            People(self.people + other.people).by_track,
        )


def summarise(
    observations: Iterable[Observation],
    *,
    frames_wanted: int,
    until_ms: int | None = None,
    keep_timeline: bool = False,
    all_vote: bool = False,
) -> Report:
    """Add observations up.

    Parameters
    ----------
    observations : iterable of Observation
        Consumed one by one; only ``keep_timeline`` keeps them.
    frames_wanted : int
        Frames that were asked for; those that did not come are counted as unreadable.
    until_ms : int, optional
        Presentation time of the first frame that a limit leaves out.
    all_vote : bool
        Each face of a frame votes, not only the first one.
    """
    analyzed = with_face = confidence = left_out = 0
    sums = list(_ZEROS)
    timeline, ballots, contacts = [], [], []
    people = People()
    for observation in observations:
        analyzed += 1
        with_face += any(face.detected for face in observation.faces)
        left_out += observation.faces_left_out
        voters = observation.faces if all_vote else observation.faces[:1]
        for face in voters:
            confidence += face.scores[face.dominant]
            sums = [total + score for total, score in zip(sums, face.scores, strict=True)]
        ballots.append(_BALLOTS[voters[0].dominant] if len(voters) == 1 else tuple(face.dominant for face in voters))
        contacts.append(observation.eye_contact)
        for person in observation.people:
            people.add(person)
        if keep_timeline:
            timeline.append(observation)
    return Report(
        analyzed,
        with_face,
        frames_wanted - analyzed,
        tuple(sums),
        confidence,
        until_ms,
        tuple(timeline),
        left_out,
        tuple(ballots),
        tuple(contacts),
        people.by_track,
    )


def _earlier(left: int | None, right: int | None) -> int | None:
    """Return the time of the first gap: after it, the sum of two Reports does not hold."""
    return min((time for time in (left, right) if time is not None), default=None)
