"""The settings of the functions. This is the only module that reads the environment."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from video_common.errors import ConfigurationError


class BaseSettings(BaseModel):
    """What every function needs: one frozen value for the life of the process.

    Attributes
    ----------
    stack, environment : str
        What this deployment is called; metrics have both as dimensions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str = "local"
    environment: str = "local"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read each setting from the variable of its name in upper case; empty counts as not set.

        Raises
        ------
        ConfigurationError
            Naming each variable that is wrong or missing.
        """
        values = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = "; ".join(f"{problem['loc'][0]!s}: {problem['msg']}" for problem in error.errors())
            raise ConfigurationError(f"Wrong settings. {wrong}") from error


class SharedSettings(BaseSettings):
    """What the functions that know jobs need.

    Attributes
    ----------
    uploads_bucket, results_bucket : str
    jobs_table : str
        The DynamoDB table of jobs.
    results_expire_days : int
        Days that a result is kept, and the job with it.
    """

    uploads_bucket: str
    results_bucket: str
    jobs_table: str
    results_expire_days: Annotated[int, Field(ge=1)] = 30


class Settings(SharedSettings):
    """The settings of the function for HTTP.

    Attributes
    ----------
    cors_allow_origin : str
        The ``Access-Control-Allow-Origin`` of answers.
    page : "on" or "off"
        Whether GET /app answers with the page.
    operator : str or None
        The caller (`video_jobs.callers`) whose the jobs without an owner are. None: they are nobody's.
    """

    cors_allow_origin: str = "*"
    page: Literal["on", "off"] = "on"
    operator: str | None = None


class DeadLetterSettings(SharedSettings):
    """The settings of the function for dead letters.

    Attributes
    ----------
    parked_url : str
        The queue that keeps dead letters until the operator sends them back.
    job_id_secret_arn : str
        The secret in Secrets Manager with which job ids of dropped files are made.
    """

    parked_url: str
    job_id_secret_arn: str


class PreTrafficSettings(BaseSettings):
    """The settings of the function that tries new versions.

    Attributes
    ----------
    analyze_versions : str
        The ARNs of the new versions that analyze, with commas between them.
    jobs_version, give_up_version : str
        The ARNs of the others.
    """

    analyze_versions: str
    jobs_version: str
    give_up_version: str
