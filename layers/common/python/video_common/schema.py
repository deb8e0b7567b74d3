"""The contract with callers: what they may ask for (`Options`) and what they get (`Result`)."""

from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from video_common import limits

EMOTION_LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven classes, in the order of the models' outputs (DeepFace's ``EMOTION_LABELS``)."""

VIDEO_CONTENT_TYPES: Final = (
    "application/octet-stream",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
    "video/x-msvideo",
)
JSON_CONTENT_TYPE: Final = "application/json"
PROBLEM_CONTENT_TYPE: Final = "application/problem+json"


class Engine(StrEnum):
    """What runs the emotion network."""

    ONNX = "onnx"
    TENSORFLOW = "tensorflow"


class FacelessFrames(StrEnum):
    """What becomes of a sampled frame in which no face is found."""

    SKIP = "skip"
    ANALYZE = "analyze"


class Sampling(StrEnum):
    """Which frames are wanted: every Nth exactly, or the keyframe nearest to each of those."""

    EXACT = "exact"
    KEYFRAMES = "keyframes"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AnalysisOptions(_Frozen):
    """What a caller may ask for, as far as no setting of the deployment fills it in.

    Attributes
    ----------
    frame_interval : int or None
        Every Nth picture in presentation order is analyzed, beginning with the first one. None with ``interval_ms``.
    scale_factor : float or None
        The scale of the analysis. None: the longer side is shrunk to at most ``limits.DEFAULT_LONG_SIDE`` pixels.
    faceless_frames : FacelessFrames
        ``analyze`` lets a frame without a face vote with its whole picture (DeepFace's ``enforce_detection=False``).
    sampling : Sampling
    include : "timeline" or None
        Also list every analyzed frame.
    interval_ms : int or None
        Sample by time: the picture shown at each multiple of so many milliseconds from the part's start, each once.
    start_ms, end_ms : int or None
        Analyze a part of the video: pictures whose presentation time is at least ``start_ms`` and below ``end_ms``.
    """

    frame_interval: int | None = Field(
        default=limits.DEFAULT_FRAME_INTERVAL,
        ge=1,
        le=limits.MAX_FRAME_INTERVAL,
        description=f"a whole number from 1 to {limits.MAX_FRAME_INTERVAL:,}",
    )
    scale_factor: float | None = Field(default=None, gt=0, le=1, description="a number above 0 and up to 1")
    faceless_frames: FacelessFrames = Field(default=FacelessFrames.SKIP, description="skip or analyze")
    sampling: Sampling = Field(default=Sampling.EXACT, description="exact or keyframes")
    include: Literal["timeline"] | None = Field(default=None, description="timeline")
    interval_ms: int | None = Field(
        default=None,
        ge=1,
        le=limits.MAX_VIDEO_MS,
        description=f"a whole number of milliseconds from 1 to {limits.MAX_VIDEO_MS:,}",
    )
    start_ms: int | None = Field(
        default=None,
        ge=0,
        le=limits.MAX_VIDEO_MS,
        description=f"a whole number of milliseconds from 0 to {limits.MAX_VIDEO_MS:,}",
    )
    end_ms: int | None = Field(
        default=None,
        ge=1,
        le=limits.MAX_VIDEO_MS,
        description=f"a whole number of milliseconds from 1 to {limits.MAX_VIDEO_MS:,}",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_time_or_by_count(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        by_time, by_count = values.get("interval_ms"), values.get("frame_interval")
        if by_time is None:
            return {name: value for name, value in values.items() if name != "frame_interval" or value is not None}
        if by_count is not None:
            raise PydanticCustomError(
                "conflict", "'interval_ms' and 'frame_interval' exclude each other. Send only one."
            )
        return {**values, "frame_interval": None}

    @model_validator(mode="after")
    def _part_has_a_length(self) -> Self:
        if self.end_ms is not None and self.end_ms <= (self.start_ms or 0):
            raise PydanticCustomError("conflict", "'end_ms' must be greater than 'start_ms'.")
        return self


class Options(AnalysisOptions):
    """What a caller may ask for.

    Attributes
    ----------
    detector : str or None
        Which detector finds the faces. None: the deployment's default.
    """

    detector: Literal["haar", "yunet"] | None = Field(default=None, description="haar or yunet")


class Emotions(_Frozen):
    """One number for each of the seven labels, in label order."""

    angry: float
    disgust: float
    fear: float
    happy: float
    sad: float
    surprise: float
    neutral: float


class Box(_Frozen):
    """A rectangle in square pixels of the upright video frame at its own size, not at the analyzed one."""

    x: int
    y: int
    width: int
    height: int


class Place(_Frozen):
    """A point in pixels of the upright video frame at its own size."""

    x: int
    y: int


class FaceLandmarks(_Frozen):
    """Five points of a face. Right and left are the person's own."""

    right_eye: Place
    left_eye: Place
    nose: Place
    right_mouth: Place
    left_mouth: Place


class TimelineFace(_Frozen):
    """A face, largest first.

    Attributes
    ----------
    box : Box
    detected : bool
        False where the whole frame stood in for a face (``faceless_frames=analyze``).
    dominant_emotion : str
    probabilities : Emotions
    detection_score : float or None
        The detector's score, 0 to 1. None: the detector gives none.
    landmarks : FaceLandmarks or None
        None: the detector gives none.
    """

    box: Box
    detected: bool
    dominant_emotion: str
    probabilities: Emotions
    detection_score: float | None = None
    landmarks: FaceLandmarks | None = None


class TimelineFrame(_Frozen):
    """An analysed frame: its place in presentation order, its time in milliseconds, what was seen."""

    index: int
    time_ms: int
    eye_contact: bool
    faces: list[TimelineFace]


class VideoFacts(_Frozen):
    """What the file is. Width and height are the upright picture's, in square pixels; ``rotation`` was undone."""

    duration_ms: int
    width: int
    height: int
    codec: str
    frame_rate: float
    rotation: int
    bytes: int
    sha256: str


class AnalysisSettings(AnalysisOptions):
    """The options as they were understood, and the deployment's settings that shape the numbers.

    Attributes
    ----------
    detector : str
    centre_tolerance : float
    smallest_face_px : int
        Side of the smallest face that was searched, in the video's own pixels.
    """

    detector: str
    centre_tolerance: float
    smallest_face_px: int


class DetectorFacts(_Frozen):
    """Which detector found the faces. ``weights_sha256`` is the digest of its cascade or network."""

    name: str
    weights_sha256: str


class ModelFacts(_Frozen):
    """Which network gave the scores. ``weights_sha256`` is the digest of the published weights, on every engine."""

    name: str
    engine: Engine
    weights_sha256: str


class Result(_Frozen):
    """The answer: the seed's five fields first, with the seed's names and meaning, then more.

    Attributes
    ----------
    average_emotion_scores : Emotions
        Percent of the voting frames by dominant emotion: unrounded, sums to 100 within 1e-9, or all 0.0.
    overall_dominant_emotion : str or None
        The largest of them; at a tie the first in label order. None if no frame voted.
    total_frames_analyzed : int
        Frames sampled and decoded.
    average_confidence_score : float
        Mean probability, 0 to 1, of each voting frame's dominant emotion; 0.0 if none voted.
    eye_contact_score : float
        Percent of the analysed frames whose largest face's centre lies within ``centre_tolerance`` of the frame's
        width and height from the frame's centre.
    frames_with_face, frames_unreadable : int
    truncated : bool
        The video went on after the last frame that was looked at.
    mean_emotion_probabilities : Emotions
        Mean probability, 0 to 1, over the voting frames; all 0.0 if none voted.
    timings_ms : dict of str to float
        Milliseconds by step. Steps overlap: `frames` and `faces` report how long the next step waited for them.
    timeline : list of TimelineFrame or None
        Only with ``include=timeline``.
    timeline_truncated : bool or None
        Only with ``include=timeline``: its last frames are left out, since a response cannot carry them.
    detector : DetectorFacts
    advice : list of str or None
        What the caller could try for a better answer; None where there is nothing to advise.
    """

    average_emotion_scores: Emotions
    overall_dominant_emotion: str | None
    total_frames_analyzed: int
    average_confidence_score: float
    eye_contact_score: float
    frames_with_face: int
    frames_unreadable: int
    truncated: bool
    mean_emotion_probabilities: Emotions
    video: VideoFacts
    settings: AnalysisSettings
    model: ModelFacts
    timings_ms: dict[str, float]
    timeline: list[TimelineFrame] | None = None
    timeline_truncated: bool | None = None
    detector: DetectorFacts
    advice: list[str] | None = None
