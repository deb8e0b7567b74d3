"""Stand-ins that keep state and fail on demand."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video_common.errors import ObjectMissing, VideoEmotionsError


@dataclass
class LambdaContext:
    """What Lambda tells a handler about the invocation."""

    function_name: str = "analyze"
    memory_limit_in_mb: int = 3008
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:analyze"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return 28_000


@dataclass
class MemoryStore:
    """An `ObjectStore` in memory. ``failures`` maps (operation, key) to the errors of the next calls, in order."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    content_types: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: dict[tuple[str, str], list[VideoEmotionsError]] = field(default_factory=dict)

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        data = self.objects.get((bucket, key))
        if data is None:
            raise ObjectMissing("no such object")
        path.write_bytes(data[: len(data) // 2])
        self._fail("download", key)  # in the middle, as networks do
        path.write_bytes(data)

    def put(self, bucket: str, key: str, body: str, content_type: str) -> None:
        self._fail("put", key)
        self.objects[bucket, key] = body.encode()
        self.content_types[bucket, key] = content_type

    def _fail(self, operation: str, key: str) -> None:
        if errors := self.failures.get((operation, key)):
            raise errors.pop(0)


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


def s3_event(*keys: str, bucket: str = "uploads", size: int = 1000, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """Make an S3 notification; ``keys`` are spelled as S3 spells them (URL-encoded)."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": name,
                "s3": {
                    "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {"key": key, "size": size, "eTag": "0" * 32, "sequencer": "0055AED6DCD90281E5"},
                },
            }
            for key in keys
        ]
    }
