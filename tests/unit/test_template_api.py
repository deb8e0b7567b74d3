"""template.yaml: the API, who may call it, and what the gateway itself answers."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from events.aws_shapes import rest_event
from tests.template_info import RESOURCES, TEMPLATE, api_events, properties, resolve
from video_common import errors, limits
from video_common.routes import HEADS, JOB, PREFLIGHTS, ROUTES, sentence
from video_common.schema import JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE, VIDEO_CONTENT_TYPES
from video_jobs.callers import caller_of

GATEWAY_SECONDS = 29
AUTHS = ["api-key", "iam", "cognito"]

# What the gateway itself answers, with AWS's own status where that is neither 400 nor 500.
GATEWAY_STATUSES = {
    "ACCESS_DENIED": 403,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
}

API = RESOURCES["Api"]["Properties"]


def gateway_responses(auth: str) -> dict[str, Any]:
    """Return status, headers and templates of each; SAM and OpenAPI write them differently."""
    found = {
        kind: (item["StatusCode"], item["ResponseParameters"]["Headers"], item["ResponseTemplates"])
        for kind, item in resolve(API["GatewayResponses"], ApiAuth=auth).items()
    }
    for kind, item in resolve(API["DefinitionBody"]["x-amazon-apigateway-gateway-responses"], ApiAuth=auth).items():
        assert kind not in found  # SAM's would win
        headers = {
            key.removeprefix("gatewayresponse.header."): text for key, text in item["responseParameters"].items()
        }
        found[kind] = (int(item["statusCode"]), headers, item["responseTemplates"])
    return found


def detail(kind: str, auth: str = "api-key") -> str:
    return json.loads(gateway_responses(auth)[kind][2][PROBLEM_CONTENT_TYPE])["detail"]


@pytest.mark.parametrize(("auth", "scheme"), [("api-key", "api_key"), ("iam", "AWS_IAM"), ("cognito", "cognito")])
def test_every_route_that_is_not_open_asks_who_calls(auth, scheme):
    # What SAM makes of this, `make template` looks at.
    body = resolve(API["DefinitionBody"], ApiAuth=auth)
    asked = {
        f"{method.upper()} {path}": operation
        for path, operations in body["paths"].items()
        for method, operation in operations.items()
    }
    protected = [route for route in (*ROUTES, *HEADS) if not route.is_open]
    assert asked == {str(route): {"security": [{scheme: []}]} for route in protected}
    assert API["MergeDefinitions"] is True
    assert "Auth" not in API


def test_the_schemes_are_the_gateways():
    schemes = API["DefinitionBody"]["components"]["securitySchemes"]
    assert (schemes["api_key"]["in"], schemes["api_key"]["name"]) == ("header", "x-api-key")
    assert schemes["AWS_IAM"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_a_user_pool_is_asked_where_it_is_meant_and_nowhere_else():
    pool = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbC123"
    written = API["DefinitionBody"]["components"]["securitySchemes"]["cognito"]
    scheme = resolve(written, ApiAuth="cognito", UserPoolArn=pool)
    assert scheme["x-amazon-apigateway-authtype"] == "cognito_user_pools"
    assert scheme["x-amazon-apigateway-authorizer"] == {"type": "cognito_user_pools", "providerARNs": [pool]}
    # An authorizer without a pool would fail the deployment
    assert [resolve(written, ApiAuth=auth) for auth in ("api-key", "iam")] == [None, None]
    parameter = TEMPLATE["Parameters"]["UserPoolArn"]
    assert re.fullmatch(parameter["AllowedPattern"], pool)
    assert not re.fullmatch(parameter["AllowedPattern"], "eu-central-1_AbC123")
    (rule,) = [rule for rule in TEMPLATE["Rules"].values() if "UserPoolArn" in str(rule["Assertions"])]
    assert resolve(rule["RuleCondition"], ApiAuth="cognito")
    assert not resolve(rule["Assertions"][0]["Assert"], ApiAuth="cognito")


def test_the_operator_is_named_as_callers_are_and_in_no_other_way():
    pattern = TEMPLATE["Parameters"]["Operator"]["AllowedPattern"]
    account, role = "arn:aws:iam::123456789012", "arn:aws:sts::123456789012:assumed-role/Operations"
    events = [rest_event("GET", "/jobs/0") for _ in range(4)]
    for event, arn in zip(events, (f"{account}:user/people/ann", f"{account}:root", f"{role}/a-session"), strict=False):
        event["requestContext"]["identity"]["userArn"] = arn
    events[3]["requestContext"]["identity"]["apiKeyId"] = "a1b2c3d4e5"
    callers = [caller_of(event) for event in events]
    assert f"iam:{role}" in callers
    for name in (*callers, "cognito:8d0e5f2c-6a3b-4c1d-9e7f-0a1b2c3d4e5f", ""):
        assert re.fullmatch(pattern, name), name
    # A name that no caller ever has would hide the jobs of dropped files from everybody
    for name in (f"iam:{account}:role/Operations", f"iam:{role}/a-session", role, "anonymous", "key:"):
        assert not re.fullmatch(pattern, name), name


@pytest.mark.parametrize("name", ["ApiKey", "UsagePlan", "UsagePlanKey"])
def test_keys_are_made_where_they_are_asked_for(name):
    assert RESOURCES[name]["Condition"] == "WithApiKey"


def test_the_key_is_in_a_plan_with_rate_burst_and_quota():
    plan = properties("UsagePlan")
    (stage,) = plan["ApiStages"]
    assert (stage["ApiId"], stage["Stage"]) == ({"Ref": "Api"}, {"Ref": "Api.Stage"})
    assert resolve(plan["Throttle"]) == {"RateLimit": 2, "BurstLimit": 5}
    assert resolve(plan["Quota"]) == {"Limit": 10_000, "Period": "DAY"}
    assert properties("UsagePlanKey") == {
        "KeyId": {"Ref": "ApiKey"},
        "KeyType": "API_KEY",
        "UsagePlanId": {"Ref": "UsagePlan"},
    }


def test_looking_at_jobs_has_a_limit_of_its_own():
    poll = {"RateLimit": 5, "BurstLimit": 5}
    # For each key
    (stage,) = properties("UsagePlan")["ApiStages"]
    assert resolve(stage["Throttle"]) == {f"{JOB.path}/{JOB.method}": poll}
    # And for all callers together
    rest, jobs = resolve(API["MethodSettings"])
    assert (rest["HttpMethod"], rest["ResourcePath"], rest["ThrottlingRateLimit"]) == ("*", "/*", 2)
    assert (jobs["HttpMethod"], jobs["ResourcePath"]) == (JOB.method, "/" + JOB.path.replace("/", "~1"))
    assert (jobs["ThrottlingRateLimit"], jobs["ThrottlingBurstLimit"]) == (5, 5)


def test_a_changed_parameter_reaches_the_stage():
    # ApiAuth is not in the text that SAM hashes.
    assert API["AlwaysDeploy"] is True


def test_a_page_may_send_what_callers_have_to():
    allowed = set(API["Cors"]["AllowHeaders"].strip("'").split(","))
    assert allowed == {"Content-Type", "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "x-api-key"}
    methods = API["Cors"]["AllowMethods"].strip("'").split(",")
    assert methods == sorted({route.method for route in (*ROUTES, *HEADS, *PREFLIGHTS)})
    # And the gateway answers its question without credentials: SAM adds the method, and nothing here asks for any
    assert [item for item in API["DefinitionBody"]["paths"].values() if "options" in item] == []


@pytest.mark.parametrize("content_type", VIDEO_CONTENT_TYPES)
def test_each_video_type_is_listed_literally_as_binary(content_type):
    assert content_type in API["BinaryMediaTypes"]


def test_no_binary_type_matches_json():
    assert [pattern for pattern in API["BinaryMediaTypes"] if fnmatchcase(JSON_CONTENT_TYPE, pattern)] == []


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("kind", gateway_responses("api-key"))
def test_gateway_answers_in_the_form_of_our_errors(kind, auth):
    # Given the gateway's own answer of a kind
    status, headers, templates = gateway_responses(auth)[kind]
    (media_type,) = templates
    # When the gateway fills in the request id
    text = templates[media_type].replace("$context.requestId", "request-1")
    problem = json.loads(text)
    # Then it is problem+json, for pages of other origins too, and nothing is left that the gateway could fill in
    assert media_type == PROBLEM_CONTENT_TYPE
    assert headers["Content-Type"] == f"'{PROBLEM_CONTENT_TYPE}'"
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    assert "$" not in text
    # And it has the members of errors.py, in their order, each with a value, and a status that is true
    assert list(problem) == list(errors.VideoEmotionsError("").problem(""))
    assert problem["type"] == f"urn:video-emotions:problem:{problem['code']}"
    assert problem["status"] == status
    assert problem["request_id"] == "request-1"
    assert all(problem.values())


@pytest.mark.parametrize("auth", AUTHS)
def test_gateway_and_function_mean_the_same_by_the_same_code(auth):
    # Given the codes of the error tree; a branch, which is never raised, has that of the root
    ours: dict[str, tuple[str, int]] = {}
    todo = [errors.VideoEmotionsError]
    while todo:
        error = todo.pop()
        ours.setdefault(error.code, (error.title, int(error.status)))
        todo += error.__subclasses__()
    # And those of the gateway
    texts = [template for _, _, templates in gateway_responses(auth).values() for template in templates.values()]
    theirs = {problem["code"]: (problem["title"], problem["status"]) for problem in map(json.loads, texts)}
    # Then a code that both have has one title and one status
    shared = ours.keys() & theirs.keys()
    assert {code: theirs[code] for code in shared} == {code: ours[code] for code in shared}
    assert {"not_found", "video_too_large", "unsupported_media_type", "internal_error"} <= shared


@pytest.mark.parametrize("auth", AUTHS)
def test_every_gateway_status_has_a_response_of_its_family(auth):
    found = gateway_responses(auth)
    assert GATEWAY_STATUSES.keys() <= found.keys()
    for kind, status in GATEWAY_STATUSES.items():
        assert found[kind][0] // 100 == status // 100, kind


def test_a_missing_token_is_an_unknown_route_unless_requests_are_signed():
    kind = "MISSING_AUTHENTICATION_TOKEN"
    assert {auth: gateway_responses(auth)[kind][0] for auth in AUTHS} == {"api-key": 404, "iam": 403, "cognito": 404}


def test_gateway_details_tell_the_promised_numbers():
    assert f"{limits.MAX_POST_VIDEO_BYTES:,} bytes" in detail("REQUEST_TOO_LARGE")
    assert f"{limits.MAX_UPLOAD_VIDEO_BYTES:,} bytes" in detail("REQUEST_TOO_LARGE")
    assert f"{GATEWAY_SECONDS} seconds" in detail("INTEGRATION_TIMEOUT")


@pytest.mark.parametrize("auth", AUTHS)
def test_who_asks_for_an_unknown_route_is_told_the_routes(auth):
    assert [str(route) for route in ROUTES if str(route) not in sentence()] == []
    assert {str(route) for route in ROUTES} <= api_events().keys()
    assert sentence() in detail("MISSING_AUTHENTICATION_TOKEN", auth)
    assert sentence() in detail("RESOURCE_NOT_FOUND", auth)
