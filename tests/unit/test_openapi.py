"""The description of the API is up to date and valid. It matches the template, and its examples match its schemas."""

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from local.openapi import recording
from local.openapi.__main__ import DOCUMENT
from local.openapi.document import SECURITY, build, text
from local.openapi.problems import ERRORS, GATEWAY, GATEWAY_BODY, GATEWAY_PROTECTED, IN_A_JOB
from local.openapi.schemas import ANSWERS, read_docstring
from tests.template_info import RESOURCES, resolve
from tests.unit.test_template_api import gateway_responses
from video_common import errors
from video_common.answers import UploadAnswer
from video_common.routes import HEADS, OPENAPI, PAGE, PROCESS_FRAME, ROUTES
from video_common.schema import PROBLEM_CONTENT_TYPE, Options
from video_emotions.rendering import OPTIONAL_MEMBERS

COMMITTED = json.loads(DOCUMENT.read_text(encoding="utf-8"))
SCHEMAS = COMMITTED["components"]["schemas"]


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in COMMITTED["paths"].items()
        for method, operation in methods.items()
    }


def closed(schema: Any) -> Any:
    """Return a schema whose objects allow no member that is not described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    return {"additionalProperties": False, **made} if "properties" in made and "required" in made else made


def check(value: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator({**closed(schema), "components": closed(COMMITTED["components"])}).validate(value)


def test_it_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == text(build(recording.load())), "run: make openapi"


def test_it_is_valid_openapi_3_1():
    assert COMMITTED["openapi"].startswith("3.1.")
    validate(COMMITTED)


def test_a_head_has_the_statuses_of_its_get():
    for route in HEADS:
        get = operations()[str(replace(route, method="GET"))]
        assert operations()[str(route)]["responses"].keys() == get["responses"].keys(), route


def test_it_has_the_routes_of_the_table():
    assert operations().keys() == {str(route) for route in (*ROUTES, *HEADS)}


def test_it_asks_for_the_credentials_that_the_template_asks_for():
    definition = RESOURCES["Api"]["Properties"]["DefinitionBody"]["components"]["securitySchemes"]
    described = {
        name: {key: text for key, text in way.items() if key != "description"} for name, way in SECURITY.items()
    }
    template = resolve(definition, ApiAuth="cognito", UserPoolArn="arn")
    del template["cognito"]["x-amazon-apigateway-authorizer"]  # which pool it is
    assert described == template
    protected = {str(route) for route in (*ROUTES, *HEADS) if not route.is_open}
    assert {name for name, operation in operations().items() if operation["security"]} == protected


def test_each_option_is_a_parameter_with_its_range():
    parameters = {each["name"]: each for each in operations()[str(PROCESS_FRAME)]["parameters"]}
    assert parameters.keys() == Options.model_fields.keys()
    assert all(each["description"] for each in parameters.values())
    assert parameters["frame_interval"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 1_000_000,
        "default": 30,
    }


@pytest.mark.parametrize("model", ANSWERS)
def test_each_member_of_an_answer_is_described_or_has_a_schema_with_words(model):
    about, words = read_docstring(model)
    assert about
    assert words.keys() <= model.model_fields.keys(), "the docstring names a member that does not exist"


def test_members_that_are_sometimes_left_out_are_not_required():
    result = SCHEMAS["Result"]
    assert set(result["properties"]) - set(result["required"]) == set(OPTIONAL_MEMBERS)


def test_every_error_is_a_route_s_or_a_job_s():
    kinds = {errors.VideoEmotionsError, *errors.RequestError.__subclasses__(), *errors.VideoError.__subclasses__()}
    described = {errors.VideoEmotionsError, errors.MethodNotAllowed, *IN_A_JOB}.union(*ERRORS.values())
    assert kinds - described == set()


@pytest.mark.parametrize("auth", ["api-key", "iam", "cognito"])
def test_the_gateway_s_own_answers_are_those_of_the_template(auth):
    answers = (json.loads(templates[PROBLEM_CONTENT_TYPE]) for _, _, templates in gateway_responses(auth).values())
    template = {(each["status"], each["code"], each["title"]) for each in answers if each["code"] != "not_found"}
    tables = (GATEWAY, GATEWAY_PROTECTED, GATEWAY_BODY)
    assert template == {
        (status, code, title) for table in tables for status, titles in table.items() for code, title in titles.items()
    }


def examples() -> list[Any]:
    return [pytest.param(each, id=f"{each.route} {each.name}") for each in recording.load()]


@pytest.mark.parametrize("example", examples())
def test_an_example_matches_its_schema_without_a_member_more(example):
    operation = operations()[example.route]
    response = operation["responses"][str(example.status)]
    if "content" not in response:
        assert example.answer == {}
        return
    content = next(iter(response["content"].values()))
    check(example.answer, content["schema"])
    assert content["examples"][example.name]["value"] == example.answer
    if example.body is not None:
        check(example.body, operation["requestBody"]["content"]["application/json"]["schema"])


def test_each_route_has_an_example_of_success_and_of_each_error_that_a_request_can_cause():
    seen = {(each.route, each.status) for each in recording.load()}
    gateway_only = {401, 403, 429}
    for route in ROUTES:
        if route in {OPENAPI, PAGE}:  # they answer files of the project
            continue
        success = 204 if route.method == "DELETE" else 200
        statuses = {success, *(int(kind.status) for kind in ERRORS[route] if kind.status < 500)} - gateway_only
        assert {status for name, status in seen if name == str(route)} == statuses, route


def test_a_member_that_is_not_described_is_seen():
    answer = next(each.answer for each in recording.load() if each.name == "upload")
    with pytest.raises(Exception, match="unexpected"):
        check({**answer, "surprise": 1}, {"$ref": "#/components/schemas/UploadAnswer"})
    UploadAnswer.model_validate(answer)


def test_the_jobs_function_serves_the_committed_file():
    served = DOCUMENT.parents[1] / "functions" / "jobs" / "video_jobs" / "openapi.json"
    assert served.is_symlink()
    assert served.resolve() == DOCUMENT


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": 404}, "/GET / ok/status"),
        ({"answer": {"status": "down"}}, "/GET / ok/answer/status"),
        ({"answer": {"status": "ok", "more": [1.0]}}, "/GET / ok/answer/more"),
        ({"name": "other"}, "/GET / other"),
    ],
)
def test_an_example_that_is_out_of_date_is_seen(change, place):
    old = recording.Example("ok", "The service runs", "GET /", None, 200, {"status": "ok"})
    found = recording.differences([old], [replace(old, **change)])
    assert any(each.startswith(place) for each in found), found


def test_rounding_is_no_difference_between_examples():
    old = recording.Example("ok", "", "GET /", None, 200, {"scores": [0.5, 33.333]})
    near = replace(old, answer={"scores": [0.5004, 33.34]})
    far = replace(old, answer={"scores": [0.502, 33.333]})
    assert recording.differences([old], [near]) == []
    assert recording.differences([old], [far]) == ["/GET / ok/answer/scores/0: 0.5 -> 0.502"]
