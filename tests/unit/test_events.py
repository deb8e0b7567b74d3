"""The sample events: what the command writes, and that they are what they claim to be. Replays are elsewhere."""

import base64
import json
from urllib.parse import unquote_plus

import pytest

from events.aws_shapes import http_event, rest_event
from events.make_events import AWKWARD_KEY, CLIP, clip_event, make_events, write
from tests.conftest import ROOT

EVENTS = make_events(CLIP.read_bytes())


def test_the_command_writes_each_event_as_a_file_and_the_same_bytes_again(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        write(make_events(CLIP.read_bytes()), folder)
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two
    assert {name: json.loads(text) for name, text in one.items()} == {f"{name}.json": EVENTS[name] for name in EVENTS}


def test_one_small_event_is_committed_and_has_the_shape_of_the_others():
    (path,) = (ROOT / "events").glob("*.json")
    event = json.loads(path.read_text(encoding="utf-8"))
    assert event == clip_event(base64.b64decode(event["body"], validate=True))
    assert path.stat().st_size < 10_000


def test_clip_is_carried_whole():
    clip = CLIP.read_bytes()
    for name in ("clip-raw-v1", "clip-raw-v2", "unknown-option"):
        event = EVENTS[name]
        assert event["isBase64Encoded"] is True, name
        assert base64.b64decode(event["body"], validate=True) == clip, name
    assert base64.b64decode(json.loads(EVENTS["clip-json-v1"]["body"])["video"], validate=True) == clip


@pytest.mark.parametrize("name", [name for name, event in EVENTS.items() if "multiValueHeaders" in event])
def test_rest_events_say_the_same_in_single_and_multiple_values(name):
    event = EVENTS[name]
    assert {name: [value] for name, value in event["headers"].items()} == event["multiValueHeaders"]
    single, multiple = event["queryStringParameters"], event["multiValueQueryStringParameters"]
    assert (single and {name: [value] for name, value in single.items()}) == multiple
    assert event["requestContext"]["requestId"]


def test_an_event_names_the_route_and_its_parameters():
    rest, http = (make("GET", "/jobs/ab12") for make in (rest_event, http_event))
    assert (rest["resource"], http["routeKey"]) == ("/jobs/{job_id}", "GET /jobs/{job_id}")
    assert rest["pathParameters"] == http["pathParameters"] == {"job_id": "ab12"}


@pytest.mark.parametrize(
    ("content_type", "body", "is_base64"),
    [("application/json", '{"a": 1}', False), ("text/plain", '{"a": 1}', False), ("video/mp4", "eyJhIjogMX0=", True)],
)
def test_an_http_api_encodes_what_is_not_text(content_type, body, is_base64):
    event = http_event("POST", "/uploads", b'{"a": 1}', {"Content-Type": content_type})
    assert (event["body"], event["isBase64Encoded"]) == (body, is_base64)


def test_awkward_key_is_spelled_as_s3_spells_it():
    # Given the key of an object as its owner knows it
    key = AWKWARD_KEY
    # When S3 puts it into an event
    spelled = EVENTS["s3-key-encoded"]["Records"][0]["s3"]["object"]["key"]
    # Then it is plain ASCII in which + is a space, and only decoding it exactly once gives it back
    assert spelled.isascii()
    assert " " not in spelled
    assert [part for part in ("+", "%2B", "%25", "%C3%A9") if part not in spelled] == []
    assert unquote_plus(spelled) == key
    assert unquote_plus(unquote_plus(spelled)) != key


def test_two_records_are_two_objects():
    objects = [record["s3"]["object"] for record in EVENTS["s3-put-two"]["Records"]]
    assert len({record["key"] for record in objects}) == 2
    assert {record["size"] for record in objects} == {CLIP.stat().st_size}
