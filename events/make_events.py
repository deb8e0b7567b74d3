"""Make the sample events, one JSON file a case, from the sample clip.

::

    python events/make_events.py            write the files
    python events/make_events.py --check    write nothing; exit status 1 if a file is missing, different or not ours

The same clip always gives the same bytes: no clock, no chance. The events are as AWS sends them, in full, so that each
can be given to `sam local invoke` and is replayed by a test. A case differs from a good request in one thing only.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

EVENTS: Final = Path(__file__).resolve().parent
CLIP: Final = EVENTS.parent / "tests" / "data" / "sample.mp4"

Event = dict[str, Any]

ACCOUNT: Final = "123456789012"
UNSIGNED: Final = ("accountId", "caller", "accessKey", "userArn", "user", "cognitoIdentityId", "cognitoIdentityPoolId")
REGION: Final = "us-east-1"
UPLOADS_BUCKET: Final = "video-emotions-uploads"
RESOURCE_ID: Final = {"/": "8l2xkd3m5a", "/process-frame": "q7w2nc"}
USER_AGENT: Final = "curl/8.14.1"
HOST_ID: Final = "R6damnyg18nY2Rez+yvEmhFgmckFSNK9gXjx/S8n6ZUra+PoZg23KpSn8T2cdlj61J70IGMnzVE="
CALLER: Final = "203.0.113.10"  # of the block that RFC 5737 keeps for examples
EPOCH_MS: Final = 1_796_000_000_000
LOG_TIME: Final = "30/Nov/2026:00:53:20 +0000"  # the same moment as API Gateway spells it,
ISO_TIME: Final = "2026-11-30T00:53:20.000Z"  # and as S3 does
TRACE: Final = f"Root=1-{EPOCH_MS // 1000:08x}-5f1e2d3c4b5a69788796a5b4"

KEY: Final = "clips/sample.mp4"
OTHER_KEY: Final = "clips/sample-again.mp4"
AWKWARD_KEY: Final = "my clips/smile + wink 100%2B café 微笑.mp4"
"""Spaces, a plus, a percent sign, letters beyond ASCII; and `%2B`, which a key that is decoded twice loses."""


def make_events(clip: bytes) -> dict[str, Event]:
    """Return every sample event by its file's name.

    Parameters
    ----------
    clip : bytes
        A video that the service can analyse.

    Notes
    -----
    Options that are given in a good request have their default values: every good request has the same Result.
    """
    encoded = base64.b64encode(clip).decode()
    return {
        "health-v1.json": _rest("GET", "/"),
        "health-v2.json": _http("GET", "/"),
        "clip-raw-v1.json": _rest("POST", "/process-frame", encoded, "application/octet-stream", is_base64=True),
        "clip-raw-v2.json": _http("POST", "/process-frame", encoded, "video/mp4", {"frame_interval": "30"}),
        "clip-json-v1.json": _json({"video": encoded, "frame_interval": 30}),
        "not-base64.json": _json({"video": "This is text, not base64!"}),
        "empty-body.json": _rest("POST", "/process-frame", None, "application/octet-stream"),
        "unknown-option.json": _rest(
            "POST", "/process-frame", encoded, "application/octet-stream", {"frame_intervall": "10"}, is_base64=True
        ),
        "s3-put.json": {"Records": [_record(KEY, clip)]},
        "s3-put-two.json": {"Records": [_record(KEY, clip), _record(OTHER_KEY, clip)]},
        "s3-key-encoded.json": {"Records": [_record(AWKWARD_KEY, clip)]},
        # Sent once, when a notification is set up.
        "s3-test-event.json": {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": ISO_TIME,
            "Bucket": UPLOADS_BUCKET,
            "RequestId": "5582815E1AEA5ADF",
            "HostId": HOST_ID,
        },
    }


def outdated(events: Mapping[str, Event], directory: Path) -> list[str]:
    """Return the names of the JSON files of ``directory`` that are missing, different, or none of ``events``."""
    found = {path.name: path.read_bytes() for path in directory.glob("*.json")}
    wanted = {name: _text(event).encode() for name, event in events.items()}
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def write(events: Mapping[str, Event], directory: Path) -> None:
    """Write each event as a file of its name."""
    for name, event in events.items():
        (directory / name).write_text(_text(event), encoding="utf-8")


def main() -> int:
    """Write the events, or with ``--check`` compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is not up to date")
    arguments = parser.parse_args()
    events = make_events(CLIP.read_bytes())
    if not arguments.check:
        write(events, EVENTS)
        return 0
    if wrong := outdated(events, EVENTS):
        sys.stderr.write(f"Not up to date: {', '.join(wrong)}. Run: python events/make_events.py\n")
    return 1 if wrong else 0


def _text(event: Event) -> str:
    return json.dumps(event, indent=2) + "\n"


def _rest(
    method: str,
    path: str,
    body: str | None = None,
    content_type: str | None = None,
    query: Mapping[str, str] | None = None,
    *,
    is_base64: bool = False,
) -> Event:
    """Make what a REST API sends (payload format 1.0); the stage is the template's."""
    host = f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com"
    headers = _headers(host, content_type)
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": RESOURCE_ID[path],
            "resourcePath": path,
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


def _json(members: Event) -> Event:
    return _rest("POST", "/process-frame", json.dumps(members), "application/json")


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


def _http(
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


def _record(key: str, clip: bytes) -> Event:
    """Make one record of an S3 notification.

    The key is URL-encoded as S3 does it: a space is a plus. There is no ``versionId``: the template's bucket has no
    versioning, and no store could give out an invented version when the event is replayed.
    """
    bucket = {"name": UPLOADS_BUCKET, "arn": f"arn:aws:s3:::{UPLOADS_BUCKET}"}
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


if __name__ == "__main__":
    sys.exit(main())
