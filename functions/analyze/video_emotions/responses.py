"""Step 9: Report -> Result, and the Result as the JSON that a caller gets. Errors: video_common.http."""

import json
from bisect import bisect_right
from itertools import accumulate

from video_common import limits
from video_common.schema import (
    EMOTION_LABELS,
    AnalysisSettings,
    Box,
    DetectorFacts,
    Emotions,
    FaceLandmarks,
    ModelFacts,
    Place,
    Result,
    TimelineFace,
    TimelineFrame,
    VideoFacts,
)
from video_emotions.advice import advise
from video_emotions.aggregate import Observation, Report, ScoredFace
from video_emotions.plan import Plan
from video_emotions.probe import VideoInfo


def build_result(
    report: Report,
    info: VideoInfo,
    plan: Plan,
    settings: AnalysisSettings,
    detector: DetectorFacts,
    model: ModelFacts,
    timings_ms: dict[str, float],
) -> Result:
    """Turn the sums of a Report into the Result's percents and means; without votes all of them are 0.0."""
    voting = sum(report.votes)
    units = voting * limits.PROBABILITY_UNITS
    with_timeline = settings.include == "timeline"
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
        settings=settings,
        model=model,
        timings_ms=timings_ms,
        timeline=[_timeline_frame(seen) for seen in report.timeline] if with_timeline else None,
        timeline_truncated=False if with_timeline else None,
        detector=detector,
        advice=advise(report, info, plan.scale, settings) or None,
    )


def result_json(result: Result) -> str:
    """Return the Result as JSON, without the optional fields that it does not have."""
    optional = ("timeline", "timeline_truncated", "advice")
    return result.model_dump_json(exclude={name for name in optional if getattr(result, name) is None})


def fitting_json(result: Result) -> str:
    """Return the Result as JSON that a proxy response can carry: with as many frames of its timeline as fit.

    The response is JSON that has this JSON as a string, so each quotation mark counts twice.
    """
    body = result_json(result)
    room = limits.LAMBDA_PAYLOAD_BYTES - limits.RESPONSE_ENVELOPE_BYTES
    if result.timeline is None or _carried(body) <= room:
        return body
    room -= _carried(result_json(result.model_copy(update={"timeline": [], "timeline_truncated": True})))
    sizes = accumulate(_carried(seen.model_dump_json()) + 1 for seen in result.timeline)
    kept = bisect_right(list(sizes), room)
    return result_json(result.model_copy(update={"timeline": result.timeline[:kept], "timeline_truncated": True}))


def _carried(text: str) -> int:
    return len(json.dumps(text).encode())


def _timeline_frame(seen: Observation) -> TimelineFrame:
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
    )


def _emotions(values: list[float]) -> Emotions:
    return Emotions(**dict(zip(EMOTION_LABELS, values, strict=True)))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
