"""Events in the shapes in which AWS sends them, in full."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

Event = dict[str, Any]

ACCOUNT: Final = "123456789012"
UNSIGNED: Final = ("accountId", "caller", "accessKey", "userArn", "user", "cognitoIdentityId", "cognitoIdentityPoolId")
REGION: Final = "us-east-1"
RESOURCE_ID: Final = {
    "/": "8l2xkd3m5a",
    "/process-frame": "q7w2nc",
    "/uploads": "k3m5a8",
    "/jobs/{job_id}": "w2ncq7",
}
USER_AGENT: Final = "curl/8.14.1"
HOST_ID: Final = "R6damnyg18nY2Rez+yvEmhFgmckFSNK9gXjx/S8n6ZUra+PoZg23KpSn8T2cdlj61J70IGMnzVE="
CALLER: Final = "203.0.113.10"  # of the block that RFC 5737 keeps for examples
EPOCH_MS: Final = 1_796_000_000_000
LOG_TIME: Final = "30/Nov/2026:00:53:20 +0000"  # the same moment as API Gateway spells it,
ISO_TIME: Final = "2026-11-30T00:53:20.000Z"  # and as S3 does
TRACE: Final = f"Root=1-{EPOCH_MS // 1000:08x}-5f1e2d3c4b5a69788796a5b4"


def rest(
    method: str,
    path: str,
    body: str | None = None,
    content_type: str | None = None,
    query: Mapping[str, str] | None = None,
    *,
    is_base64: bool = False,
) -> Event:
    """Make what a REST API sends (payload format 1.0); the stage is the template's."""
    job_id = path.removeprefix("/jobs/")
    resource, parameters = (path, None) if job_id == path else ("/jobs/{job_id}", {"job_id": job_id})
    host = f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com"
    headers = _headers(host, content_type)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "resourceId": RESOURCE_ID[resource],
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "CqGcFHXvIAMFkWg=",
            "requestTime": LOG_TIME,
            "path": f"/v1{path}",
            "accountId": ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": "v1",
            "domainPrefix": "a1b2c3d4e5",
            "requestTimeEpoch": EPOCH_MS,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {**dict.fromkeys(UNSIGNED), "sourceIp": CALLER, "userAgent": USER_AGENT},
            "domainName": host,
            "deploymentId": "d4e5f6",
            "apiId": "a1b2c3d4e5",
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _headers(host: str, content_type: str | None) -> dict[str, str]:
    return {
        "Accept": "*/*",
        **({"Content-Type": content_type} if content_type else {}),
        "Host": host,
        "User-Agent": USER_AGENT,
        "X-Amzn-Trace-Id": TRACE,
        "X-Forwarded-For": CALLER,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }


def http(
    method: str,
    path: str,
    body: str | None = None,
    content_type: str | None = None,
    query: Mapping[str, str] | None = None,
) -> Event:
    """Make what an HTTP API sends (payload format 2.0), which encodes every body that is not text."""
    host = f"f6g7h8i9j0.execute-api.{REGION}.amazonaws.com"
    headers = {name.lower(): value for name, value in _headers(host, content_type).items()}
    headers["content-length"] = str(len(base64.b64decode(body)) if body else 0)
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": headers,
        **({"queryStringParameters": dict(query)} if query else {}),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "f6g7h8i9j0",
            "domainName": host,
            "domainPrefix": "f6g7h8i9j0",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CALLER,
                "userAgent": USER_AGENT,
            },
            "requestId": "CqGdAhWzoAMEJvQ=",
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": LOG_TIME,
            "timeEpoch": EPOCH_MS,
        },
        **({"body": body} if body is not None else {}),
        "isBase64Encoded": body is not None,
    }


def record(bucket_name: str, key: str, clip: bytes) -> Event:
    """Make one record of an S3 notification.

    The key is URL-encoded as S3 does it: a space is a plus. There is no ``versionId``: the template's bucket has no
    versioning, and no store could give out an invented version when the event is replayed.
    """
    bucket = {"name": bucket_name, "arn": f"arn:aws:s3:::{bucket_name}"}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": ISO_TIME,
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLEEXAMPLEEXA"},
        "requestParameters": {"sourceIPAddress": CALLER},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": HOST_ID},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "6f1b7c1e-0d52-4f6b-9a57-3f2a9f0f6c11",
            "bucket": {**bucket, "ownerIdentity": {"principalId": "A1EXAMPLE2EXAM"}},
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": len(clip),
                "eTag": hashlib.md5(clip, usedforsecurity=False).hexdigest(),
                "sequencer": "00674A50B0" + hashlib.sha256(key.encode()).hexdigest()[:8].upper(),
            },
        },
    }


def message(notification: Event) -> Event:
    """Make what Lambda delivers of a queue in which an S3 notification is one message's body."""
    body = json.dumps(notification)
    sent = str(EPOCH_MS)
    return {
        "Records": [
            {
                "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": sent,
                    "SenderId": "AROAEXAMPLEEXAMPLEEXA:S3-PROD-END",
                    "ApproximateFirstReceiveTimestamp": sent,
                },
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:video-emotions-uploads",
                "awsRegion": REGION,
            }
        ]
    }
