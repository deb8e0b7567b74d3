"""Events as AWS makes them, with defaults for tests, and the context that comes with them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aws_lambda_powertools.utilities.typing as powertools

from events import aws_shapes


class LambdaContext(powertools.LambdaContext):
    """What a handler learns from Lambda about the invocation."""

    def __init__(self) -> None:
        self._function_name = "analyze"
        self._function_version = "7"
        self._memory_limit_in_mb = 3008
        self._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:analyze"
        self._aws_request_id = "11111111-2222-3333-4444-555555555555"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 28_000


def rest_event(
    body: bytes | str | None,
    *,
    content_type: str | None = "application/octet-stream",
    query: Mapping[str, list[str]] | None = None,
    method: str = "POST",
    path: str = "/process-frame",
) -> dict[str, Any]:
    """Make a REST API (v1) event as the gateway does: bytes arrive as base64."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return aws_shapes.rest_event(method, path, body, headers, urlencode(query or {}, doseq=True), "request-1")


def json_event(members: Mapping[str, Any] | str, **arguments: Any) -> dict[str, Any]:
    """Make a REST API event with a JSON body."""
    text = members if isinstance(members, str) else json.dumps(members)
    return rest_event(text, content_type="application/json", **arguments)


def s3_event(*keys: str, name: str = "ObjectCreated:Put", **arguments: Any) -> dict[str, Any]:
    """Make an S3 notification of some keys, which are spelled as S3 spells them (URL-encoded)."""
    described = {"bucket": "uploads", "size": 1000, "etag": "0" * 32, "sequencer": "0055AED6DCD90281E5", **arguments}
    return {"Records": [{**aws_shapes.s3_record(key, **described), "eventName": name} for key in keys]}


def sqs_event(*bodies: dict[str, Any], receives: int = 1) -> dict[str, Any]:
    """Make what Lambda delivers of a queue; message N has the id and the receipt ``N``."""
    return {"Records": [sqs_record(str(number), json.dumps(body), receives) for number, body in enumerate(bodies)]}


def sqs_record(message_id: str, body: str, receives: int) -> dict[str, Any]:
    """Make one message as Lambda delivers it."""
    return aws_shapes.sqs_record(body, message_id, message_id, {"ApproximateReceiveCount": str(receives)})
