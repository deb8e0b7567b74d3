"""What each route is for, in words, and what it accepts and answers. A new route needs an entry here."""

from dataclasses import dataclass
from typing import Any, Final

from video_common import limits
from video_common.routes import HEALTH, JOB, OPENAPI, PROCESS_FRAME, UPLOADS, Route
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES


@dataclass(frozen=True, slots=True)
class Operation:
    """The words and the models of a route.

    Attributes
    ----------
    name : str
        The operation's id.
    summary, description : str
    answer : str or None
        The schema of its answer. None: any JSON object.
    body : dict
        The request's content by content type.
    is_body_required, has_options : bool
    """

    name: str
    summary: str
    description: str
    answer: str | None
    body: dict[str, Any]
    is_body_required: bool = False
    has_options: bool = False


def _json(schema: str) -> dict[str, Any]:
    return {JSON_CONTENT_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


OPERATIONS: Final[dict[Route, Operation]] = {
    HEALTH: Operation(
        "health",
        "Check that the service runs",
        "Returns the version of the service and the emotion model of the deployment.",
        "Health",
        {},
    ),
    PROCESS_FRAME: Operation(
        "process_frame",
        "Analyze a small video",
        f"Send the file's bytes as the body, or the file in base64 as JSON. The file has at most "
        f"{limits.MAX_POST_VIDEO_BYTES:,} bytes; use `POST /uploads` for larger ones. The answer comes within "
        f"{limits.API_SECONDS} seconds. If the time is too short for the whole video, the result is `truncated`. Give "
        "each option once, in the query string or in the JSON.",
        "Result",
        {**{name: {} for name in VIDEO_CONTENT_TYPES}, **_json("VideoInJson")},
        is_body_required=True,
        has_options=True,
    ),
    UPLOADS: Operation(
        "ask_for_upload",
        "Ask for the upload of a large video",
        "Returns a job, and a form that uploads the file to the storage. The analysis starts after the upload. Poll "
        "`GET /jobs/{job_id}` for the result. Give each option once, in the query string or in the JSON.",
        "UploadAnswer",
        _json("UploadRequest"),
        has_options=True,
    ),
    JOB: Operation(
        "get_job",
        "Get the state and the result of a job",
        f"Wait a few seconds between two requests. A result of more than {limits.MAX_INLINE_RESULT_BYTES:,} bytes has "
        "a `result_url` instead of `result`.",
        "JobAnswer",
        {},
    ),
    OPENAPI: Operation("get_openapi", "Get this description", "Returns this OpenAPI document.", None, {}),
}

PATH_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "job_id": {"description": "From the answer of `POST /uploads`.", "schema": {"type": "string"}},
}
