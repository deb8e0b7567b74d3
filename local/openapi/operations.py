"""What each route is for, in words, and what it accepts and answers. A new route needs an entry here."""

from dataclasses import dataclass
from typing import Any, Final

from video_common import limits
from video_common.routes import (
    COMPLETE,
    DELETE_JOB,
    HEALTH,
    JOB,
    OPENAPI,
    PAGE,
    PARTS,
    PROCESS_FRAME,
    UPLOADS,
    Route,
)
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES


@dataclass(frozen=True, slots=True)
class Operation:
    """The words and the models of a route.

    Attributes
    ----------
    name : str
        The operation's id.
    summary, description : str
    answer : dict
        The answer's content by content type. Empty: the answer is 204.
    body : dict
        The request's content by content type.
    is_body_required, has_options : bool
    """

    name: str
    summary: str
    description: str
    answer: dict[str, Any]
    body: dict[str, Any]
    is_body_required: bool = False
    has_options: bool = False


def _json(schema: str) -> dict[str, Any]:
    return {JSON_CONTENT_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


_TEXT: Final = {"schema": {"type": "string"}}

OPERATIONS: Final[dict[Route, Operation]] = {
    HEALTH: Operation(
        "health",
        "Check that the service runs",
        "Returns the version of the service and the emotion model of the deployment.",
        _json("Health"),
        {},
    ),
    PAGE: Operation(
        "get_page",
        "Open a page to try the service in a browser",
        "Returns HTML. Answers 404 if the deployment has no page (`Page=off`, or an `ApiAuth` other than `api-key`).",
        {"text/html": _TEXT},
        {},
    ),
    PROCESS_FRAME: Operation(
        "process_frame",
        "Analyze a small video",
        f"Send the file's bytes as the body, or the file in base64 as JSON. The file has at most "
        f"{limits.MAX_POST_VIDEO_BYTES:,} bytes; use `POST /uploads` for larger ones. The answer comes within "
        f"{limits.API_SECONDS} seconds. If the time is too short for the whole video, the result is `truncated`. Give "
        "each option once, in the query string or in the JSON. `format` selects the type of the answer.",
        {**_json("Result"), "text/csv": _TEXT, "text/vtt": _TEXT},
        {**{name: {} for name in VIDEO_CONTENT_TYPES}, **_json("VideoInJson")},
        is_body_required=True,
        has_options=True,
    ),
    UPLOADS: Operation(
        "ask_for_upload",
        "Ask for the upload of a large video",
        "Returns a job, and a form that uploads the file to the storage. The analysis starts after the upload. Poll "
        "`GET /jobs/{job_id}` for the result. Give each option once, in the query string or in the JSON. With a `size` "
        f"of more than {limits.MULTIPART_BYTES:,} bytes the answer also has `multipart`, for an upload in parts.",
        _json("UploadAnswer"),
        _json("UploadRequest"),
        has_options=True,
    ),
    PARTS: Operation(
        "get_parts",
        "Get addresses for the parts of a large video",
        "Only for a job whose `POST /uploads` had `multipart`. `PUT` each part of the file to its address. Ask again "
        "when the addresses have expired, or to resume: `uploaded` lists the parts that have arrived.",
        _json("PartsAnswer"),
        _json("PartsRequest"),
    ),
    COMPLETE: Operation(
        "complete_upload",
        "Make one video of the parts",
        "Answers 409 if parts are missing or have another length. The analysis starts afterwards. If the answer is "
        "lost, send the request again: it answers as the first time.",
        _json("CompleteAnswer"),
        {},
    ),
    JOB: Operation(
        "get_job",
        "Get the state and the result of a job",
        "While the job is PENDING or RUNNING, the header `Retry-After` says after how many seconds to ask again. A "
        f"result that is not JSON, or has more than {limits.MAX_INLINE_RESULT_BYTES:,} bytes, has a `result_url` "
        "instead of `result`.",
        _json("JobAnswer"),
        {},
    ),
    DELETE_JOB: Operation(
        "delete_job",
        "Delete a job with its video and its result",
        "Works in every state of the job, also while it runs, and any number of times. From then on `GET` answers 410, "
        f"and 404 after {limits.DELETED_JOB_DAYS} days.",
        {},
        {},
    ),
    OPENAPI: Operation(
        "get_openapi",
        "Get this description",
        "Returns this OpenAPI document.",
        {JSON_CONTENT_TYPE: {"schema": {"type": "object"}}},
        {},
    ),
}

PATH_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "job_id": {"description": "From the answer of `POST /uploads`.", "schema": {"type": "string"}},
}
