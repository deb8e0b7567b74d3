"""Step 9: Report -> Result."""

from video_common import limits
from video_common.result import (
    AnalysisSettings,
    Box,
    DetectorFacts,
    FaceLandmarks,
    ModelFacts,
    Place,
    Result,
    TimelineFace,
    TimelineFrame,
    VideoFacts,
)
from video_common.schema import EMOTION_LABELS
from video_common.shares import EmotionIntervals, Emotions, Interval, Person
from video_emotions.aggregate import Observation, Report, ScoredFace
from video_emotions.facts import VideoInfo
from video_emotions.interval import contact_interval, vote_intervals


def build_result(
    report: Report,
    info: VideoInfo,
    settings: AnalysisSettings,
    detector: DetectorFacts,
    model: ModelFacts,
    timings_ms: dict[str, float],
) -> Result:
    """Turn the sums of a Report into the Result's percents and means; without votes all of them are 0.0."""
    votes = report.votes
    voting = sum(votes)
    units = voting * limits.PROBABILITY_UNITS
    with_timeline, people = settings.wants_timeline, _people(report) if settings.wants_people else None
    contact = contact_interval(report.contacts)
    return Result(
        average_emotion_scores=_emotions([_ratio(100 * count, voting) for count in votes]),
        overall_dominant_emotion=EMOTION_LABELS[votes.index(max(votes))] if voting else None,
        total_frames_analyzed=report.frames_analyzed,
        average_confidence_score=_ratio(report.confidence_sum, units),
        eye_contact_score=_ratio(100 * report.eye_contacts, report.frames_analyzed),
        frames_with_face=report.frames_with_face,
        frames_unreadable=report.frames_unreadable,
        truncated=report.truncated,
        mean_emotion_probabilities=_emotions([_ratio(total, units) for total in report.probability_sums]),
        video=VideoFacts(
            duration_ms=info.duration_ms,
            width=info.width,
            height=info.height,
            codec=info.codec,
            frame_rate=info.frame_rate,
            rotation=info.rotation,
            bytes=info.size_bytes,
            sha256=info.sha256,
        ),
        settings=settings,
        model=model,
        timings_ms=timings_ms,
        timeline=[timeline_frame(seen) for seen in report.timeline] if with_timeline else None,
        timeline_truncated=False if with_timeline else None,
        detector=detector,
        faces_left_out=report.faces_left_out,
        analyzed_until_ms=report.analyzed_until_ms,
        average_emotion_scores_interval=_emotion_intervals(report),
        eye_contact_score_interval=_interval(contact) if contact else None,
        people=people,
        people_left_out=None if people is None else len(report.people) - len(people),
    )


def timeline_frame(seen: Observation) -> TimelineFrame:
    """Return a frame as the timeline of a Result has it."""
    return TimelineFrame(
        index=seen.index,
        time_ms=seen.time_ms,
        eye_contact=seen.eye_contact,
        faces=[_timeline_face(face) for face in seen.faces],
    )


def _timeline_face(face: ScoredFace) -> TimelineFace:
    points = face.landmarks and zip(FaceLandmarks.model_fields, face.landmarks, strict=True)
    return TimelineFace(
        box=Box(**face.box._asdict()),
        detected=face.detected,
        dominant_emotion=EMOTION_LABELS[face.dominant],
        probabilities=_emotions([score / limits.PROBABILITY_UNITS for score in face.scores]),
        detection_score=face.detection_score,
        landmarks=FaceLandmarks(**{name: Place(x=x, y=y) for name, (x, y) in points}) if points else None,
        track=face.track,
    )


def _people(report: Report) -> list[Person]:
    longest = sorted(report.people, key=lambda person: -person.frames)[: limits.MAX_PEOPLE]
    return [
        Person(
            track=person.track,
            first_ms=person.first_ms,
            last_ms=person.last_ms,
            frames=person.frames,
            average_emotion_scores=_emotions([_ratio(100 * votes, person.frames) for votes in person.votes]),
            eye_contact_score=_ratio(100 * person.eye_contacts, person.frames),
        )
        for person in sorted(longest, key=lambda person: person.track)
    ]


def _emotion_intervals(report: Report) -> EmotionIntervals | None:
    found = vote_intervals(report.ballots, len(EMOTION_LABELS))
    if found is None:
        return None
    return EmotionIntervals(**dict(zip(EMOTION_LABELS, map(_interval, found), strict=True)))


def _interval(parts: tuple[float, float]) -> Interval:
    # Processors round the sums behind these numbers in different ways. Six digits are equal everywhere.
    low, high = (round(100 * part, 6) for part in parts)
    return Interval(low=low, high=high)


def _emotions(values: list[float]) -> Emotions:
    return Emotions(**dict(zip(EMOTION_LABELS, values, strict=True)))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
