"""Step 8: Report -> Result."""

from video_common import limits
from video_common.schema import (
    EMOTION_LABELS,
    AnalysisSettings,
    Box,
    Emotions,
    ModelFacts,
    Options,
    Result,
    TimelineFace,
    TimelineFrame,
    VideoFacts,
)
from video_emotions.aggregate import Observation, Report, ScoredFace
from video_emotions.probe import VideoInfo


def build_result(
    report: Report,
    info: VideoInfo,
    options: Options,
    centre_tolerance: float,
    model: ModelFacts,
    timings_ms: dict[str, float],
) -> Result:
    """Turn the sums of a Report into the Result's percents and means; without votes all of them are 0.0."""
    voting = sum(report.votes)
    units = voting * limits.PROBABILITY_UNITS
    return Result(
        average_emotion_scores=_emotions([_ratio(100 * votes, voting) for votes in report.votes]),
        overall_dominant_emotion=EMOTION_LABELS[report.votes.index(max(report.votes))] if voting else None,
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
        settings=AnalysisSettings(
            frame_interval=options.frame_interval,
            scale_factor=options.scale_factor,
            faceless_frames=options.faceless_frames,
            sampling=options.sampling,
            centre_tolerance=centre_tolerance,
        ),
        model=model,
        timings_ms=timings_ms,
        timeline=[_timeline_frame(seen) for seen in report.timeline] if options.include == "timeline" else None,
        timeline_truncated=False if options.include == "timeline" else None,
    )


def _timeline_frame(seen: Observation) -> TimelineFrame:
    return TimelineFrame(
        index=seen.index,
        time_ms=seen.time_ms,
        eye_contact=seen.eye_contact,
        faces=[_timeline_face(face) for face in seen.faces],
    )


def _timeline_face(face: ScoredFace) -> TimelineFace:
    x, y, width, height = face.box
    return TimelineFace(
        box=Box(x=x, y=y, width=width, height=height),
        detected=face.detected,
        dominant_emotion=EMOTION_LABELS[face.dominant],
        probabilities=_emotions([score / limits.PROBABILITY_UNITS for score in face.scores]),
    )


def _emotions(values: list[float]) -> Emotions:
    return Emotions(**dict(zip(EMOTION_LABELS, values, strict=True)))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
