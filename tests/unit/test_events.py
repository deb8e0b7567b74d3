"""The files in events/: up to date with the clip, and what they claim to be. Replays are elsewhere."""

import base64
import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from events import make_events

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "events").glob("*.json"))
CLIP = ROOT / "tests" / "data" / "sample.mp4"


def load(name: str) -> dict:
    return json.loads((ROOT / "events" / name).read_text(encoding="utf-8"))


def check(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["make_events.py", "--check"])
    return make_events.main()


def test_committed_files_are_what_the_script_makes(monkeypatch, capsys):
    assert check(monkeypatch) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("harm", "culprit"),
    [
        (lambda events: (events / "s3-put.json").unlink(), "s3-put.json"),
        (lambda events: (events / "health-v1.json").write_text("{}\n"), "health-v1.json"),
        (lambda events: (events / "stray.json").write_text("{}\n"), "stray.json"),
    ],
    ids=["missing", "different", "not ours"],
)
def test_check_names_the_file_that_is_wrong(monkeypatch, tmp_path, capsys, harm, culprit):
    # Given events that are up to date
    monkeypatch.setattr(make_events, "EVENTS", tmp_path)
    make_events.write(make_events.make_events(CLIP.read_bytes()), tmp_path)
    assert check(monkeypatch) == 0
    # When one file is not
    harm(tmp_path)
    # Then --check fails, and says which
    assert check(monkeypatch) == 1
    assert f"Not up to date: {culprit}." in capsys.readouterr().err


def test_clip_is_carried_whole():
    clip = CLIP.read_bytes()
    for name in ("clip-raw-v1.json", "clip-raw-v2.json", "unknown-option.json"):
        event = load(name)
        assert event["isBase64Encoded"] is True, name
        assert base64.b64decode(event["body"], validate=True) == clip, name
    assert base64.b64decode(json.loads(load("clip-json-v1.json")["body"])["video"], validate=True) == clip


@pytest.mark.parametrize(
    "path", [path for path in FILES if "multiValueHeaders" in path.read_text()], ids=lambda p: p.name
)
def test_rest_events_say_the_same_in_single_and_multiple_values(path):
    event = load(path.name)
    assert {name: [value] for name, value in event["headers"].items()} == event["multiValueHeaders"]
    single, multiple = event["queryStringParameters"], event["multiValueQueryStringParameters"]
    assert (single and {name: [value] for name, value in single.items()}) == multiple
    assert event["requestContext"]["requestId"]


def test_awkward_key_is_spelled_as_s3_spells_it():
    # Given the key of an object as its owner knows it
    key = make_events.AWKWARD_KEY
    # When S3 puts it into an event
    spelled = load("s3-key-encoded.json")["Records"][0]["s3"]["object"]["key"]
    # Then it is plain ASCII in which + is a space, and only decoding it exactly once gives it back
    assert spelled.isascii()
    assert " " not in spelled
    assert [part for part in ("+", "%2B", "%25", "%C3%A9") if part not in spelled] == []
    assert unquote_plus(spelled) == key
    assert unquote_plus(unquote_plus(spelled)) != key


def test_two_records_are_two_objects():
    objects = [record["s3"]["object"] for record in load("s3-put-two.json")["Records"]]
    assert len({record["key"] for record in objects}) == 2
    assert {record["size"] for record in objects} == {CLIP.stat().st_size}
