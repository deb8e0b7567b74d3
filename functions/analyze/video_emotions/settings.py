"""The settings of a deployment. This is the only module that reads the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from video_common import limits
from video_common.errors import ConfigurationError
from video_common.schema import DetectorName, Engine


class Settings(BaseModel):
    """One frozen value for the life of the process.

    Attributes
    ----------
    emotion_model : str
        A name of the model manifest.
    emotion_engine : Engine
        What runs it. No other engine is imported.
    face_detector : str
        Which detector finds the faces where a request names none.
    models_dir : Path
        Where the weights were baked; it is DeepFace's ``DEEPFACE_HOME``.
    work_dir : Path
        Where a request's file is written. Only one process may use it: before each request it removes there what an
        earlier one left.
    threads : int
        Threads for decoding and TensorFlow, and frames in progress at the same time (the seed's ``max_workers``). 0:
        one for each CPU.
    centre_tolerance : float
        Eye contact: how far a face's center may be from the frame's, as a part of its width and height.
    uploads_bucket, results_bucket : str or None
        Where uploaded videos are, and where their results go; needed for uploads only, as the next four.
    jobs_table, idempotency_table : str or None
        DynamoDB tables of jobs and of handled events.
    queue_url : str or None
        The SQS queue that S3's events come through.
    job_id_secret_arn : str or None
        The secret in Secrets Manager with which job ids of dropped files are made.
    state_machine_arn : str or None
        The state machine that analyzes long videos. None: an upload has the time of one function.
    parked_url : str or None
        The SQS queue for uploads whose execution failed; needed with ``state_machine_arn``.
    long_seconds : int
        Uploads whose analysis should take more seconds of processor time are analyzed in segments.
    max_segments : int
        Segments of a video that are analyzed at the same time, at most.
    delete_videos_after_analysis : bool
        Delete an uploaded video once its result is kept.
    results_expire_days : int
        Days that a result is kept, and the job with it.
    aws_lambda_function_memory_size : int
        Megabytes; Lambda sets it. Elsewhere it is what the template asks for.
    cors_allow_origin : str
        The ``Access-Control-Allow-Origin`` of answers.
    stack, environment : str
        What this deployment is called; metrics have both as dimensions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    emotion_model: str = "deepface"
    emotion_engine: Engine = Engine.ONNX
    face_detector: DetectorName = "haar"
    models_dir: Path = Path("/opt/models")
    work_dir: Path = Path("/tmp")  # noqa: S108 - the only directory that a Lambda function can write
    threads: Annotated[int, Field(ge=0, le=64)] = 0
    centre_tolerance: Annotated[float, Field(gt=0, le=0.5)] = limits.CENTRE_TOLERANCE
    uploads_bucket: str | None = None
    results_bucket: str | None = None
    jobs_table: str | None = None
    idempotency_table: str | None = None
    queue_url: str | None = None
    job_id_secret_arn: str | None = None
    state_machine_arn: str | None = None
    parked_url: str | None = None
    long_seconds: Annotated[int, Field(ge=0)] = limits.LONG_SECONDS
    max_segments: Annotated[int, Field(ge=1)] = 2
    delete_videos_after_analysis: bool = False
    results_expire_days: Annotated[int, Field(ge=1)] = 30
    aws_lambda_function_memory_size: Annotated[int, Field(ge=512)] = limits.MEMORY_MB
    cors_allow_origin: str = "*"
    stack: str = "local"
    environment: str = "local"

    @model_validator(mode="after")
    def _results_never_trigger(self) -> Self:
        if self.results_bucket is not None and self.results_bucket == self.uploads_bucket:
            message = "RESULTS_BUCKET and UPLOADS_BUCKET must differ: a result in the uploads bucket would be analyzed"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _failed_executions_are_parked(self) -> Self:
        if self.state_machine_arn is not None and self.parked_url is None:
            message = "STATE_MACHINE_ARN needs PARKED_URL: an upload whose execution failed could not be retried"
            raise ValueError(message)
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read each setting from the variable of its name in upper case; empty counts as not set.

        Raises
        ------
        ConfigurationError
            Naming each variable that is wrong.
        """
        values = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, problem['loc'])).upper() or 'environment'}: {problem['msg']}"
                for problem in error.errors()
            )
            raise ConfigurationError(f"Wrong settings. {wrong}") from error

    @property
    def worker_threads(self) -> int:
        """The number of threads to use, 1 or more."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def power(self) -> float:
        """How fast the function is beside one with ``limits.MEMORY_MB``: Lambda gives processors with the memory."""
        return self.aws_lambda_function_memory_size / limits.MEMORY_MB

    @property
    def decoder_memory_bytes(self) -> int:
        """The part of the function's memory for the process that decodes."""
        return self.aws_lambda_function_memory_size * limits.DECODER_MEMORY_BYTES // limits.MEMORY_MB
