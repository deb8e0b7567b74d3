"""What breaks callers is found, and what does not is not."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.openapi.__main__ import DOCUMENT, RELEASED
from local.openapi.breaking import breaking_changes, is_allowed

Document = dict[str, Any]
NOW: Document = json.loads(DOCUMENT.read_text(encoding="utf-8"))


def schema(document: Document, name: str) -> Document:
    return document["components"]["schemas"][name]


def process_frame(document: Document) -> Document:
    return document["paths"]["/process-frame"]["post"]


def parameter(document: Document, name: str) -> Document:
    return next(each for each in process_frame(document)["parameters"] if each["name"] == name)


def changed(change: Callable[[Document], Any]) -> Document:
    document = copy.deepcopy(NOW)
    change(document)
    assert document != NOW, "the change changes nothing"
    return document


BREAKING: dict[str, tuple[Callable[[Document], Any], str]] = {
    "path": (lambda d: d["paths"].pop("/uploads"), "POST /uploads: gone"),
    "method": (lambda d: d["paths"]["/"].pop("head"), "HEAD /: gone"),
    "credentials": (
        lambda d: d["paths"]["/"]["get"].update(security=[{"api_key": []}]),
        "GET /: no credentials no longer enough",
    ),
    "one way of credentials": (
        lambda d: process_frame(d)["security"].remove({"AWS_IAM": []}),
        "POST /process-frame: AWS_IAM no longer enough",
    ),
    "parameter": (lambda d: process_frame(d)["parameters"].pop(0), "query frame_interval"),
    "required parameter": (lambda d: parameter(d, "start_ms").update(required=True), "query start_ms: required"),
    "maximum": (lambda d: parameter(d, "frame_interval")["schema"].update(maximum=99), "frame_interval: maximum"),
    "new minimum": (lambda d: parameter(d, "scale_factor")["schema"].update(minimum=0.1), "scale_factor: minimum"),
    "value of a request": (lambda d: schema(d, "Sampling")["enum"].remove("keyframes"), "sampling: list of values"),
    "content type": (lambda d: process_frame(d)["requestBody"]["content"].pop("video/avi"), "body video/avi"),
    "required body": (lambda d: d["paths"]["/uploads"]["post"]["requestBody"].update(required=True), "body: required"),
    "member of a request": (lambda d: schema(d, "VideoInJson")["properties"].pop("partial"), "/partial"),
    "null in a request": (lambda d: schema(d, "VideoInJson")["properties"]["end_ms"]["anyOf"].pop(), "/end_ms: type"),
    "required member of a request": (
        lambda d: schema(d, "UploadRequest").update(required=["content_type"]),
        "required",
    ),
    "pattern": (lambda d: schema(d, "UploadRequest")["properties"]["content_type"].update(pattern="^video/"), "form"),
    "success": (lambda d: process_frame(d)["responses"].pop("200"), "200 application/json: required"),
    "member of an answer": (lambda d: schema(d, "Result")["properties"].pop("advice"), "/advice"),
    "promise of a member": (lambda d: schema(d, "Result")["required"].remove("video"), "/video: required"),
    "type of an answer": (
        lambda d: schema(d, "VideoFacts")["properties"]["width"].update(type="number"),
        "/width: type",
    ),
    "null in an answer": (
        lambda d: schema(d, "VideoFacts")["properties"].update(codec={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "/codec: type",
    ),
    "value of an answer": (
        lambda d: schema(d, "JobAnswer")["properties"]["status"]["enum"].append("PAUSED"),
        "/status: list of values",
    ),
    "list in an answer": (
        lambda d: schema(d, "TimelineFace")["properties"]["box"].update({"$ref": "#/components/schemas/Place"}),
        "/timeline/[]/faces/[]/box/width",
    ),
    "map in an answer": (
        lambda d: schema(d, "Result")["properties"]["timings_ms"].update(additionalProperties={"type": "string"}),
        "/timings_ms/*: type",
    ),
}

HARMLESS: dict[str, Callable[[Document], Any]] = {
    "path": lambda d: d["paths"].update({"/people": {"get": {}}}),
    "option": lambda d: process_frame(d)["parameters"].append(
        {"in": "query", "name": "x", "schema": {"type": "string"}}
    ),
    "member of a request": lambda d: schema(d, "UploadRequest")["properties"].update(x={"type": "string"}),
    "member of an answer": lambda d: schema(d, "Result")["properties"].update(x={"type": "array"}),
    "promise of a member": lambda d: schema(d, "Result")["required"].append("advice"),
    "value of a request": lambda d: parameter(d, "include")["schema"]["enum"].append("x"),
    "wider range": lambda d: parameter(d, "frame_interval")["schema"].pop("maximum"),
    "content type": lambda d: process_frame(d)["requestBody"]["content"].update({"video/ogg": {}}),
    "open route": lambda d: process_frame(d).update(security=[]),
    "problem code": lambda d: process_frame(d)["responses"].pop("422"),
    "words": lambda d: d["info"].update(summary="Other words."),
    "example": lambda d: process_frame(d)["responses"]["200"]["content"]["application/json"].pop("examples"),
}


def test_the_committed_description_breaks_nothing_that_is_released():
    released = json.loads(RELEASED.read_text(encoding="utf-8"))
    assert breaking_changes(released, NOW) == [] or is_allowed(released, NOW)


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_found_at_its_place(name):
    change, place = BREAKING[name]
    found = breaking_changes(NOW, changed(change))
    assert found
    assert any(place in each for each in found), found


@pytest.mark.parametrize("name", HARMLESS)
def test_another_change_is_none(name):
    assert breaking_changes(NOW, changed(HARMLESS[name])) == []


def test_a_major_version_may_break():
    assert not is_allowed(NOW, changed(lambda d: d["info"].update(version="1.9.0")))
    assert is_allowed(NOW, changed(lambda d: d["info"].update(version="2.0.0")))


def test_a_keyword_that_the_comparison_does_not_know_is_an_error():
    with pytest.raises(ValueError, match="oneOf"):
        breaking_changes(NOW, changed(lambda d: schema(d, "Health").update(oneOf=[])))
