"""Events as AWS sends them, in full. No other module writes their shapes; events/, local/ and tests/ use this one."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote_plus

from video_common import routes

Event = dict[str, Any]

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
USER_AGENT: Final = "curl/8.14.1"
HOST_ID: Final = "R6damnyg18nY2Rez+yvEmhFgmckFSNK9gXjx/S8n6ZUra+PoZg23KpSn8T2cdlj61J70IGMnzVE="
CALLER: Final = "203.0.113.10"  # of the block that RFC 5737 keeps for examples
UNSIGNED: Final = ("accountId", "caller", "accessKey", "userArn", "user", "cognitoIdentityId", "cognitoIdentityPoolId")
EPOCH_MS: Final = 1_796_000_000_000
LOG_TIME: Final = "30/Nov/2026:00:53:20 +0000"  # the same moment as API Gateway spells it,
ISO_TIME: Final = "2026-11-30T00:53:20.000Z"  # and as S3 does
TRACE: Final = f"Root=1-{EPOCH_MS // 1000:08x}-5f1e2d3c4b5a69788796a5b4"


def rest_event(
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
) -> Event:
    """Make the event that a REST API sends (payload format 1.0). The stage is the template's.

    Parameters
    ----------
    method, path : str
    body : bytes, str or None
        Bytes travel as base64, as a body of a binary media type does. Text travels as it is.
    headers : mapping of str to str, optional
        The caller's own headers. The event also has those that every request carries.
    query : str
        The query string.
    request_id : str
    """
    host = f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com"
    resource, parameters = _matched(path)
    sent, values = _headers(host, headers), parse_qs(query, keep_blank_values=True)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: found[-1] for name, found in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": hashlib.sha256(resource.encode()).hexdigest()[:6],
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
            "requestId": request_id,
            "identity": {**dict.fromkeys(UNSIGNED), "sourceIp": CALLER, "userAgent": USER_AGENT},
            "domainName": host,
            "deploymentId": "d4e5f6",
            "apiId": "a1b2c3d4e5",
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def http_event(
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    request_id: str = "CqGdAhWzoAMEJvQ=",
) -> Event:
    """Make the event that an HTTP API sends (payload format 2.0).

    An HTTP API encodes a body as base64, unless the Content-Type is one of text. For the parameters see `rest_event`.
    """
    host = f"f6g7h8i9j0.execute-api.{REGION}.amazonaws.com"
    resource, parameters = _matched(path)
    route_key = f"{method} {resource}"
    values = {name: ",".join(found) for name, found in parse_qs(query, keep_blank_values=True).items()}
    sent = {"content-length": str(len(body or b""))}
    sent |= {name.lower(): value for name, value in _headers(host, headers).items()}
    is_text = sent.get("content-type", "").startswith(("application/json", "text/"))
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent,
        **({"queryStringParameters": values} if values else {}),
        **({"pathParameters": parameters} if parameters else {}),
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
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": LOG_TIME,
            "timeEpoch": EPOCH_MS,
        },
        **({"body": (body if is_text else base64.b64encode(body)).decode(errors="replace")} if body else {}),
        "isBase64Encoded": bool(body) and not is_text,
    }


def _matched(path: str) -> tuple[str, dict[str, str]]:
    found = routes.find(path)
    return (found[0].path, found[1]) if found else (path, {})


def _headers(host: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    return {
        "Accept": "*/*",
        "Host": host,
        "User-Agent": USER_AGENT,
        "X-Amzn-Trace-Id": TRACE,
        "X-Forwarded-For": CALLER,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        **(headers or {}),
    }


def spelled(key: str) -> str:
    """Return an object's key as S3 spells it in events: URL-encoded, a space is a plus."""
    return quote_plus(key, safe="/")


def s3_record(key: str, *, bucket: str, size: int, etag: str, sequencer: str, version_id: str | None = None) -> Event:
    """Make one record of an S3 notification.

    Parameters
    ----------
    key : str
        The key as S3 spells it: see `spelled`.
    bucket : str
    size : int
        Bytes.
    etag, sequencer : str
    version_id : str, optional
        Only a bucket with versioning has one. The template's bucket has none.
    """
    version = {"versionId": version_id} if version_id else {}
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
            "bucket": {
                "name": bucket,
                "arn": f"arn:aws:s3:::{bucket}",
                "ownerIdentity": {"principalId": "A1EXAMPLE2EXAM"},
            },
            "object": {"key": key, "size": size, "eTag": etag, "sequencer": sequencer, **version},
        },
    }


def s3_test_event(bucket: str) -> Event:
    """Make the event that S3 sends once, when a notification is set up."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": ISO_TIME,
        "Bucket": bucket,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": HOST_ID,
    }


def sqs_record(
    body: str,
    message_id: str = "059f36b4-87a3-44ab-83d2-661975830a7d",
    receipt: str = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
    attributes: Mapping[str, str] | None = None,
) -> Event:
    """Make one message of the uploads queue as Lambda delivers it; ``attributes`` replace those of a first delivery."""
    sent = str(EPOCH_MS)
    return {
        "messageId": message_id,
        "receiptHandle": receipt,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent,
            "SenderId": "AROAEXAMPLEEXAMPLEEXA:S3-PROD-END",
            "ApproximateFirstReceiveTimestamp": sent,
            **(attributes or {}),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:video-emotions-uploads",
        "awsRegion": REGION,
    }
