"""The whole document: a pure function of the code and of the recorded examples."""

import json
from http import HTTPStatus
from typing import Any, Final

from local.openapi.operations import OPERATIONS, PATH_PARAMETERS
from local.openapi.problems import Titles, problems
from local.openapi.recording import Example
from local.openapi.schemas import components, parameters
from video_common.api_gateway import RETRY_AFTER
from video_common.routes import JOB, ROUTES, Route
from video_common.schema import JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE
from video_emotions import __version__

SECURITY: Final = {
    "api_key": {
        "type": "apiKey",
        "name": "x-api-key",
        "in": "header",
        "description": "Deployments with `ApiAuth=api-key`, the default.",
    },
    "AWS_IAM": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "Deployments with `ApiAuth=iam`: AWS Signature Version 4.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "cognito": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "Deployments with `ApiAuth=cognito`: an ID token of a user of the pool.",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
    },
}

INFO: Final = {
    "title": "Video emotion API",
    "version": __version__,
    "summary": "A video in; aggregated emotions and eye contact out.",
    "description": (
        "Small videos go to `POST /process-frame`. Larger ones go to the form that `POST /uploads` returns, and "
        "`GET /jobs/{job_id}` returns the result. A job belongs to the caller who asked for it, and does not exist for "
        "others.\n\n"
        "Errors are `application/problem+json` (RFC 9457) with a stable `code`. An unknown path gets 404 `not_found`. "
        "An unsupported method gets 405 `method_not_allowed`, with the supported ones in the header `Allow`. A slash "
        "at the end of a path makes no difference. Ignore members and codes that you do not know: later versions can "
        "add some.\n\n"
        "The scores describe how faces look to a model. They do not show what people feel. Do not decide about people "
        "with these numbers."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
}

SERVERS: Final = [
    {"url": ".", "description": "The deployment that serves this document"},
    {"url": "http://127.0.0.1:5000", "description": "`make serve`, which asks for no credentials"},
]

_TRANSIENT: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_RETRY_AFTER: Final = {"description": "Seconds to wait before the next request.", "schema": {"type": "integer"}}


def build(examples: list[Example]) -> dict[str, Any]:
    """Return the document.

    Raises
    ------
    KeyError
        A route has no entry in `OPERATIONS` or in `problems.ERRORS`.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        own = [example for example in examples if example.route == str(route)]
        operation = _operation(route, own)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
        if "HEAD" in route.methods:
            paths[route.path]["head"] = _head(operation)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": SERVERS,
        "paths": paths,
        "components": {"schemas": components(), "securitySchemes": SECURITY},
    }


def text(document: dict[str, Any]) -> str:
    """Return the document as it is stored."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operation(route: Route, examples: list[Example]) -> dict[str, Any]:
    words = OPERATIONS[route]
    made: dict[str, Any] = {
        "operationId": words.name,
        "summary": words.summary,
        "description": words.description,
        "security": [] if route.is_open else [{name: []} for name in SECURITY],
    }
    asked = [
        {"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name]}
        for name in route.parameters(route.path) or ()
    ]
    asked += parameters() if words.has_options else []
    if asked:
        made["parameters"] = asked
    if words.body:
        content = {name: dict(schema) for name, schema in words.body.items()}
        sent = {each.name: {"summary": each.summary, "value": each.body} for each in examples if each.body is not None}
        if sent:
            content[JSON_CONTENT_TYPE]["examples"] = sent
        made["requestBody"] = {"required": words.is_body_required, "content": content}
    success = HTTPStatus.OK if words.answer else HTTPStatus.NO_CONTENT
    made["responses"] = {str(int(success)): _response("The answer.", words.answer, examples, success)}
    if route == JOB:
        made["responses"]["200"]["headers"] = {
            RETRY_AFTER: {**_RETRY_AFTER, "description": "Unless the job has ended."}
        }
    for status, titles in problems(route).items():
        made["responses"][str(status)] = _problem(status, titles, examples)
    return made


def _problem(status: int, titles: Titles, examples: list[Example]) -> dict[str, Any]:
    words = "\n".join(f"- `{code}`: {title}." for code, title in titles.items())
    schema = {"$ref": "#/components/schemas/Problem", "properties": {"code": {"enum": list(titles)}}}
    made = _response(words, {PROBLEM_CONTENT_TYPE: {"schema": schema}}, examples, status)
    if status in _TRANSIENT:
        made["headers"] = {RETRY_AFTER: _RETRY_AFTER}
    return made


def _response(words: str, media: dict[str, Any], examples: list[Example], status: int) -> dict[str, Any]:
    content = {name: dict(schema) for name, schema in media.items()}
    own = {each.name: {"summary": each.summary, "value": each.answer} for each in examples if each.status == status}
    if own and content:
        next(iter(content.values()))["examples"] = own
    return {"description": words, **({"content": content} if content else {})}


def _head(operation: dict[str, Any]) -> dict[str, Any]:
    answers = {status: {"description": answer["description"]} for status, answer in operation["responses"].items()}
    return {
        **operation,
        "operationId": f"{operation['operationId']}_head",
        "summary": f"{operation['summary']}, without the body",
        "responses": answers,
    }
