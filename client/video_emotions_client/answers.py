"""An answer of the service -> a value of the contract, or an error."""

import re
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from video_common.errors import RouteNotFound
from video_emotions_client.errors import ClientError, NotAllowed, Rejected, Unavailable

_KEY: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_BUSY: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


Model = TypeVar("Model", bound=BaseModel)


def parsed(response: httpx.Response, kind: type[Model]) -> Model:
    """Read an answer. Members that a newer service adds are ignored.

    Raises
    ------
    ClientError
        The answer is an error.
    Unavailable
        The answer is of another kind (``unexpected_answer``).
    """
    if response.status_code != HTTPStatus.OK:
        raise error_of(problem_of(response), response)
    try:
        return kind.model_validate_json(response.content, extra="ignore")
    except ValidationError as error:
        raise _unexpected(response) from error


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """Return the problem document of an answer; empty if it has none."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) and "detail" in document else {}


def error_of(problem: dict[str, Any], response: httpx.Response) -> ClientError:
    """Return the error that a problem document describes, in an answer or in a job that FAILED."""
    if not problem or problem.get("code") == RouteNotFound.code:
        return _unexpected(response)
    status = int(problem.get("status", response.status_code))
    kind: type[ClientError] = Rejected
    if status in _KEY:
        kind = NotAllowed
    elif status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = Unavailable
    return kind(str(problem.get("code", f"http_{status}")), str(problem["detail"]), problem.get("request_id"))


def storage_error(response: httpx.Response) -> Unavailable:
    """Return the error for an upload that the storage rejects; S3 answers in XML."""
    found = re.search(r"<Code>(\w+)</Code>", response.text)
    reason = f"{response.status_code} {found[1]}" if found else str(response.status_code)
    return Unavailable("upload_failed", f"The storage rejects the upload ({reason}). Start the upload again.")


def _unexpected(response: httpx.Response) -> Unavailable:
    where = str(response.url).split("?")[0]
    return Unavailable(
        "unexpected_answer",
        f"{where} answers {response.status_code}, but not as this service does. Check the address: `sam deploy` prints "
        "a deployment's, which ends with its stage (…/v1), and `make serve` its own.",
        response.headers.get("x-amzn-RequestId"),
    )
