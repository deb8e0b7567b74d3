"""The contract with callers: what they may ask for (`Options`) and what they get (`Result`)."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Options(_Frozen):
    """What a caller may ask for.

    Attributes
    ----------
    frame_interval : int
        Every Nth frame in presentation order is analysed, the first one included.
    scale_factor : float or None
        Given: the whole analysis runs at that scale, with DeepFace's own detector parameters. None: the longer side
        is shrunk to at most ``limits.DEFAULT_LONG_SIDE`` pixels.
    faceless_frames : FacelessFrames
        ``analyze`` lets a frame without a face vote with its whole picture (DeepFace's ``enforce_detection=False``).
    sampling : Sampling
    include : "timeline" or None
        Also list every analysed frame.
    """

    frame_interval: int = Field(
        default=limits.DEFAULT_FRAME_INTERVAL,
        ge=1,
        le=limits.MAX_FRAME_INTERVAL,
        description=f"a whole number from 1 to {limits.MAX_FRAME_INTERVAL:,}",
    )
    scale_factor: float | None = Field(default=None, gt=0, le=1, description="a number above 0 and up to 1")
    faceless_frames: FacelessFrames = Field(default=FacelessFrames.SKIP, description="skip or analyze")
    sampling: Sampling = Field(default=Sampling.EXACT, description="exact or keyframes")
    include: Literal["timeline"] | None = Field(default=None, description="timeline")


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
    """A rectangle in pixels of the upright video frame at its own size, not at the analysed one."""

    x: int
    y: int
    width: int
    height: int


class TimelineFace(_Frozen):
    """A face, largest first. ``detected`` is false where the whole frame stood in (``faceless_frames=analyze``)."""

    box: Box
    detected: bool
    dominant_emotion: str
    probabilities: Emotions


class TimelineFrame(_Frozen):
    """An analysed frame: its place in presentation order, its time in milliseconds, what was seen."""

    index: int
    time_ms: int
    eye_contact: bool
    faces: list[TimelineFace]


class VideoFacts(_Frozen):
    """What the file is. Width and height are those of the upright picture; ``rotation`` in degrees was undone."""

    duration_ms: int
    width: int
    height: int
    codec: str
    frame_rate: float
    rotation: int
    bytes: int
    sha256: str


class AnalysisSettings(_Frozen):
    """The options as they were understood, and the settings that shape the numbers."""

    frame_interval: int
    scale_factor: float | None
    faceless_frames: FacelessFrames
    sampling: Sampling
    centre_tolerance: float


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
        Milliseconds by step. Steps overlap: of `frames` and `faces` it is what the next step waited for them.
    timeline : list of TimelineFrame or None
        Only with ``include=timeline``.
    timeline_truncated : bool or None
        Only with ``include=timeline``: its last frames are left out, since a response cannot carry them.
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
