"""Events as AWS makes them, and the context that comes with them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class LambdaContext:
    """What Lambda tells a handler about the invocation."""

    function_name: str = "analyze"
    memory_limit_in_mb: int = 3008
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:analyze"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
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
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": dict(query) if query else None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/v1{path}",
            "stage": "v1",
            "requestId": "request-1",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "tests"},
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def json_event(members: Mapping[str, Any] | str, **arguments: Any) -> dict[str, Any]:
    """Make a REST API event with a JSON body."""
    text = members if isinstance(members, str) else json.dumps(members)
    return rest_event(text, content_type="application/json", **arguments)


def s3_record(
    key: str,
    *,
    bucket: str = "uploads",
    size: int = 1000,
    name: str = "ObjectCreated:Put",
    sequencer: str = "0055AED6DCD90281E5",
    etag: str = "0" * 32,
    version_id: str | None = None,
) -> dict[str, Any]:
    """Make one record of an S3 notification; ``key`` is spelled as S3 spells it (URL-encoded)."""
    version = {"versionId": version_id} if version_id else {}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": size, "eTag": etag, "sequencer": sequencer, **version},
        },
    }


def s3_event(*keys: str, **arguments: Any) -> dict[str, Any]:
    """Make an S3 notification of some keys."""
    return {"Records": [s3_record(key, **arguments) for key in keys]}


def sqs_event(*bodies: dict[str, Any], receives: int = 1) -> dict[str, Any]:
    """Make what Lambda delivers of a queue; message N has the id and the receipt ``N``."""
    return {"Records": [sqs_record(str(number), json.dumps(body), receives) for number, body in enumerate(bodies)]}


def sqs_record(message_id: str, body: str, receives: int) -> dict[str, Any]:
    """Make one message as Lambda delivers it."""
    return {
        "messageId": message_id,
        "receiptHandle": message_id,
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
        "awsRegion": "us-east-1",
    }
