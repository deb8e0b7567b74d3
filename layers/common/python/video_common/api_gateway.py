"""What both functions' routes share: resolvers for both versions of events, answers, problems."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import (
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    CORSConfig,
    Response,
)
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Router
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common import limits, routes
from video_common.errors import InvalidJson, MethodNotAllowed, RouteNotFound, TransientError, VideoEmotionsError
from video_common.job import is_job_id
from video_common.metrics import Metric, meter
from video_common.schema import JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE
from video_common.telemetry import Outcome, entry, logger

CALLERS_HEADERS: Final = ["Content-Type", "x-api-key", "Authorization", "X-Amz-Date", "X-Amz-Security-Token"]
"""What a page of another origin may send."""

RETRY_AFTER: Final = "Retry-After"
"""The header that says after how many seconds a caller can try again."""

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Those that a REST API passes on."""

_GATEWAYS_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]{15}=", re.ASCII)
"""As REST APIs and HTTP APIs make it. A caller can send another one, in the header X-Amzn-RequestId."""

_JSON_SPACE: Final = " \t\r\n"
"""RFC 8259, section 2. `str.strip` takes away more."""

_TRAILING_SLASH: Final = re.compile(r"(?<=.)/$")


def problem_resolvers(
    router: Router, cors_allow_origin: str
) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """Return what answers an event of either version by a router's routes; every error leaves as problem+json.

    An answer to HEAD has the status and the headers of the GET, and no body. A slash at the end of the path makes no
    difference.
    """
    cors = CORSConfig(allow_origin=cors_allow_origin, allow_headers=CALLERS_HEADERS, expose_headers=[RETRY_AFTER])
    rest = _with_problems(APIGatewayRestResolver(cors=cors), router)
    # Powertools ignores a trailing slash in REST events only. What it strips from HTTP events is a pattern of ours.
    http = _with_problems(APIGatewayHttpResolver(cors=cors, strip_prefixes=[_TRAILING_SLASH]), router)

    def resolve(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if event.get("version") == "2.0":
            resolver, method = http, event["requestContext"]["http"]["method"]
        else:
            resolver, method = rest, event["httpMethod"]
        with entry("request", **_facts(event)) as line:
            answered = resolver.resolve(event, context)
            outcome, code = _count(answered)
            line.ends(outcome, code, status=answered["statusCode"])
        return {**answered, "body": ""} if method == "HEAD" else answered

    return resolve


def _facts(event: dict[str, Any]) -> dict[str, Any]:
    """Return what the log says of a request: nothing that its caller made up."""
    asked = event["requestContext"]
    found = routes.find(event.get("rawPath") or event.get("path") or "")
    method = asked.get("http", asked).get("method") or event.get("httpMethod")
    job_id = found[1].get("job_id", "") if found else ""
    return {
        "gateway_request_id": asked["requestId"] if _GATEWAYS_ID.fullmatch(asked["requestId"]) else None,
        "route": found[0].path if found else None,
        "method": method if method in _METHODS else None,
        **({"job_id": job_id} if is_job_id(job_id) else {}),
    }


def _count(answered: dict[str, Any]) -> tuple[Outcome, str | None]:
    """Count a request by what its caller gets, and return the end of its line in the log."""
    if answered["statusCode"] < HTTPStatus.BAD_REQUEST:
        meter.add(Metric.SUCCEEDED)
        return Outcome.SUCCEEDED, None
    code = json.loads(answered["body"])["code"]  # every error is a problem document
    if answered["statusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
        meter.reject(code)
        return Outcome.REJECTED, code
    meter.fail(code)
    return Outcome.FAILED, code


def json_text(event: BaseProxyEvent) -> str:
    """Return a JSON body as text, empty if there is none. The gateway may have encoded it as it does a video.

    Raises
    ------
    InvalidJson
        It is not UTF-8.
    """
    body = event.body or ""
    if not event.is_base64_encoded:
        return str(body).strip(_JSON_SPACE)
    try:
        return base64.b64decode(body, validate=True).decode("utf-8").strip(_JSON_SPACE)
    except ValueError as error:  # binascii.Error and UnicodeDecodeError are both
        raise InvalidJson(
            "The body is not UTF-8 text. Send JSON. A file's bytes go to POST /process-frame with the header "
            "Content-Type: application/octet-stream, or to the form that POST /uploads returns."
        ) from error


def query_of(event: BaseProxyEvent) -> dict[str, list[str]]:
    """Return the query with every value of a repeated name, which a v2 event has in its raw query string only."""
    if raw := event.get("rawQueryString"):
        return parse_qs(raw, keep_blank_values=True)
    multi = event.get("multiValueQueryStringParameters") or {}
    single = event.get("queryStringParameters") or {}
    return {**{name: [value] for name, value in single.items()}, **multi}


def arrived_ms(event: BaseProxyEvent) -> int | None:
    """Return when the request arrived at the gateway, in milliseconds since 1970, if the event says so."""
    context: dict[str, Any] = event["requestContext"]
    return context.get("requestTimeEpoch") or context.get("timeEpoch")


def answer(text: str, content_type: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response[str]:
    """Answer 200 with a text."""
    return Response(status_code=HTTPStatus.OK, content_type=content_type, headers={**headers}, body=text)


def no_content() -> Response[str]:
    """Answer 204: what was asked for is done."""
    return Response(status_code=HTTPStatus.NO_CONTENT, body="")


def json_answer(members: dict[str, Any], headers: Mapping[str, str] = MappingProxyType({})) -> Response[str]:
    """Answer 200 with a JSON object."""
    return answer(json.dumps(members), JSON_CONTENT_TYPE, headers)


def problem(error: VideoEmotionsError, request_id: str, **headers: str) -> Response[str]:
    """Answer an error as RFC 9457 problem+json. If another try may succeed, the answer says after how long."""
    if isinstance(error, TransientError):
        headers[RETRY_AFTER] = str(limits.MIN_POLL_SECONDS)
    body = json.dumps(error.problem(request_id))
    return Response(status_code=error.status, content_type=PROBLEM_CONTENT_TYPE, headers={**headers}, body=body)


def _with_problems(resolver: ApiGatewayResolver, router: Router) -> ApiGatewayResolver:
    resolver.include_router(router)

    def request_id() -> str:
        return str(resolver.current_event["requestContext"]["requestId"])

    @resolver.exception_handler(VideoEmotionsError)
    def known(error: VideoEmotionsError) -> Response[str]:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error(error.detail, code=error.code, exc_info=True)
        return problem(error, request_id())

    @resolver.not_found
    def not_found(_error: Exception) -> Response[str]:
        event = resolver.current_event
        allowed = routes.allowed(event.path)
        # A method in the list is one of the other function's: there is no such route here.
        if not allowed or event.http_method in allowed:
            return problem(RouteNotFound(f"{routes.sentence()} Check the path."), request_id())
        *others, last = (method for method in allowed if method != "OPTIONS")
        useful = f"{', '.join(others)} or {last}" if others else last
        error = MethodNotAllowed(f"This path does not support the request's method. Send {useful} instead.")
        return problem(error, request_id(), Allow=", ".join(allowed))

    @resolver.exception_handler(Exception)
    def unknown(_error: Exception) -> Response[str]:
        logger.exception("unexpected error")
        message = "Something went wrong on our side. Quote the request_id if you report it."
        return problem(VideoEmotionsError(message), request_id())

    return resolver
