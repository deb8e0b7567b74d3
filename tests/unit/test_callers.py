"""Who calls, by what the gateway has checked."""

from typing import Any

import pytest

from events.aws_shapes import http_event, rest_event
from video_jobs.callers import caller_of

KEY_ID, KEY = "a1b2c3d4e5", "the key itself, which is a secret"
USER = "arn:aws:iam::123456789012:user/people/ann"
ROLE = "arn:aws:sts::123456789012:assumed-role/clinic"
SUB = "8d0e5f2c-6a3b-4c1d-9e7f-0a1b2c3d4e5f"


def rest(**context: Any) -> dict[str, Any]:
    """Make an event of a REST API; each argument updates a member of its context."""
    event = rest_event("GET", "/jobs/0")
    for name, value in context.items():
        event["requestContext"][name] = {**event["requestContext"].get(name, {}), **value}
    return event


def http(authorizer: dict[str, Any]) -> dict[str, Any]:
    event = http_event("GET", "/jobs/0")
    event["requestContext"]["authorizer"] = authorizer
    return event


@pytest.mark.parametrize(
    ("event", "caller"),
    [
        (rest(identity={"apiKeyId": KEY_ID, "apiKey": KEY}), f"key:{KEY_ID}"),
        (rest(identity={"userArn": USER, "accessKey": "AKIA"}), f"iam:{USER}"),
        (rest(identity={"userArn": f"{ROLE}/monday"}), f"iam:{ROLE}"),
        (rest(identity={"userArn": f"{ROLE}/tuesday"}), f"iam:{ROLE}"),
        (rest(identity={"userArn": "arn:aws:iam::123456789012:root"}), "iam:arn:aws:iam::123456789012:root"),
        (rest(authorizer={"claims": {"sub": SUB, "email": "ann@example.org"}}), f"cognito:{SUB}"),
        (http({"jwt": {"claims": {"sub": SUB}}}), f"cognito:{SUB}"),
        (http({"iam": {"userArn": f"{ROLE}/monday"}}), f"iam:{ROLE}"),
        (rest(), "anonymous"),
        (http_event("GET", "/jobs/0"), "anonymous"),
    ],
)
def test_a_caller_is_what_the_gateway_says(event, caller):
    assert caller_of(event) == caller
    assert KEY not in caller_of(event)


def test_a_persons_own_credentials_come_before_a_programs():
    identity = {"apiKeyId": KEY_ID, "userArn": USER}
    assert caller_of(rest(identity=identity)) == f"iam:{USER}"
    assert caller_of(rest(identity=identity, authorizer={"claims": {"sub": SUB}})) == f"cognito:{SUB}"


def test_no_header_makes_a_caller():
    event = rest()
    event["headers"] |= {"x-api-key": KEY, "Authorization": f"Bearer {SUB}"}
    assert caller_of(event) == "anonymous"
