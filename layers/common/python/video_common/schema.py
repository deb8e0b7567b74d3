"""The contract with callers: what they may ask for. What they get is in `result`."""

from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
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
    "video/matroska",
    "video/avi",
    "video/x-m4v",
    "video/3gpp",
    "video/mp2t",
)
JSON_CONTENT_TYPE: Final = "application/json"
PROBLEM_CONTENT_TYPE: Final = "application/problem+json"


def media_type(content_type: str) -> str:
    """Return a content type without its parameters (``; codecs=vp9``), in lower case."""
    return content_type.partition(";")[0].strip().lower()


class Engine(StrEnum):
    """What runs the emotion network."""

    ONNX = "onnx"
    TENSORFLOW = "tensorflow"


DetectorName = Literal["haar", "yunet"]
"""The face detectors; in DeepFace's words ``opencv`` and ``yunet``."""


Format = Literal["json", "csv", "vtt"]
"""What an answer is written in: the whole Result, a table of its timeline, or a subtitle track of its timeline."""


class FacelessFrames(StrEnum):
    """What happens to a sampled frame in which no face is found."""

    SKIP = "skip"
    ANALYZE = "analyze"


class Sampling(StrEnum):
    """Which frames are selected: exactly every Nth, or the keyframe nearest to each of those."""

    EXACT = "exact"
    KEYFRAMES = "keyframes"


class Partial(StrEnum):
    """What happens to an analysis that does not end in time: the result so far, or an error."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Voting(StrEnum):
    """Which faces of a frame count in the shares of emotions."""

    LARGEST = "largest"
    ALL = "all"


class Frozen(BaseModel):
    """An immutable value without unknown members."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AnalysisOptions(Frozen):
    """The options that no setting of the deployment fills in.

    Attributes
    ----------
    frame_interval : int or None
        Analyze every Nth frame in presentation order, beginning with the first one. Not together with
        ``interval_ms``.
    scale_factor : float or None
        The scale of the analysis. Without it the longer side is shrunk to at most 640 pixels, and a frame without a
        face there, or with small ones only, is searched again at 960.
    faceless_frames : FacelessFrames
        ``analyze`` lets a frame without a face vote as a whole (DeepFace's ``enforce_detection=False``).
    sampling : Sampling
        ``exact``: each selected frame. ``keyframes``: the keyframe nearest to it, which is faster.
    include : "timeline", "people", "timeline,people" or None
        Also list every analyzed frame, or the people: faces of neighboring frames that are linked.
    interval_ms : int or None
        Sample by time: the frame shown at each multiple of this number of milliseconds from the start of the video,
        each frame once.
    start_ms, end_ms : int or None
        Analyze a part of the video: the frames whose presentation time is at least ``start_ms`` and below ``end_ms``.
    partial : Partial or None
        If the time is too short for the whole video: ``allow`` returns the result so far, ``refuse`` the error
        ``too_long``. Default: ``allow`` for a POST, ``refuse`` for an upload.
    voting : Voting
        ``all`` lets each face of a frame vote, not only the largest one.
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
    include: Literal["timeline", "people", "timeline,people"] | None = Field(
        default=None, description="timeline, people, or both with a comma between them"
    )
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
    partial: Partial | None = Field(default=None, description="allow or refuse")
    voting: Voting = Field(default=Voting.LARGEST, description="largest or all")

    @property
    def wants_timeline(self) -> bool:
        """Report whether every analyzed frame is listed."""
        return "timeline" in (self.include or "")

    @property
    def wants_people(self) -> bool:
        """Report whether the people are listed."""
        return "people" in (self.include or "")

    @property
    def wants_tracks(self) -> bool:
        """Report whether the answer says which faces of two frames are on one track."""
        return self.include is not None

    @property
    def wants_all_faces(self) -> bool:
        """Report whether all faces of a frame count somewhere, and not only the largest one."""
        return self.include is not None or self.voting is Voting.ALL

    @field_validator("include", mode="before")
    @classmethod
    def _in_either_order(cls, value: Any) -> Any:
        return "timeline,people" if value == "people,timeline" else value

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
        Which detector finds the faces. Default: a setting of the deployment.
    format : str
        Of the answer. ``csv`` and ``vtt`` list the analyzed frames, so they add ``timeline`` to ``include``.
    """

    detector: DetectorName | None = Field(default=None, description="haar or yunet")
    format: Format = Field(default="json", description="json, csv or vtt")

    @model_validator(mode="before")
    @classmethod
    def _tables_have_a_timeline(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("format") in {"csv", "vtt"}:
            return {**values, "include": with_timeline(values.get("include"))}
        return values


def with_timeline(include: Any) -> Any:
    """Return the value of ``include`` that also lists every analyzed frame. Invalid values stay as they are."""
    if include is None:
        return "timeline"
    return "timeline,people" if include == "people" else include
