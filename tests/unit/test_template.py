"""template.yaml and samconfig.toml: what `sam validate --lint` does not see. Nothing here needs SAM or AWS."""

import copy
import json
import re
import shlex
import tomllib
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

from video_common import errors, limits
from video_common.schema import JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE, VIDEO_CONTENT_TYPES
from video_emotions import telemetry
from video_emotions.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

GATEWAY_SECONDS = 29
NEW_ACCOUNT_MEGABYTES = 3008
LAMBDA_TMP_MEGABYTES = 10_240

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": "ap-southeast-2",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "Emotions-Of-A-Team",  # a stack's name may have capitals, a bucket's may not
    "AWS::StackId": "arn:aws:cloudformation:ap-southeast-2:123456789012:stack/Emotions-Of-A-Team/"
    "0f9d8c7b-6a5e-11f1-9c3b-0a1b2c3d4e5f",
}

# What the gateway answers by itself, with AWS's own status where that is neither 400 nor 500.
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

SEPARATE = ("Events", "DeploymentPreference")

# Actions that may be allowed on every resource, and why.
ANY_RESOURCE = {
    "xray:PutTraceSegments": "X-Ray has no resource for segments",
    "xray:PutTelemetryRecords": "X-Ray has no resource for its daemon's records",
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: ``!Ref X`` becomes ``{"Ref": "X"}``, ``!Sub`` becomes ``Fn::Sub``."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)

TEMPLATE: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
RESOURCES = TEMPLATE["Resources"]
SAMCONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
FUNCTIONS = ["AnalyzeApi", "AnalyzeUploads"]
BUCKETS = ["UploadsBucket", "ResultsBucket"]
GATEWAY_RESPONSES = RESOURCES["Api"]["Properties"]["GatewayResponses"]


def of_type(name: str) -> list[str]:
    return [logical_id for logical_id, resource in RESOURCES.items() if resource["Type"] == name]


def properties(logical_id: str) -> dict[str, Any]:
    own = RESOURCES[logical_id]["Properties"]
    if RESOURCES[logical_id]["Type"] != "AWS::Serverless::Function":
        return own
    everyone = TEMPLATE["Globals"]["Function"]
    variables = {**everyone["Environment"]["Variables"], **own["Environment"]["Variables"]}
    return {**everyone, **own, "Environment": {"Variables": variables}}


def resolve(value: Any) -> Any:
    """Do what CloudFormation does to intrinsic functions, with every parameter at its default."""
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    name, argument = next(iter(value.items()), ("", None))
    return INTRINSICS[name](argument) if name in INTRINSICS else {key: resolve(item) for key, item in value.items()}


def _ref(name: str) -> Any:
    if name in PSEUDO_PARAMETERS:
        return PSEUDO_PARAMETERS[name]
    if name in RESOURCES:
        return resolve(RESOURCES[name]["Properties"].get("BucketName", name))
    return TEMPLATE["Parameters"][name]["Default"]


def _get_att(argument: list[str]) -> str:
    name, attribute = argument
    return f"arn:aws:s3:::{_ref(name)}" if name in BUCKETS and attribute == "Arn" else f"{name}.{attribute}"


def _sub(argument: Any) -> str:
    text, local = argument if isinstance(argument, list) else (argument, {})

    def fill_in(found: re.Match[str]) -> str:
        name = found[1]
        if name in local:
            return str(resolve(local[name]))
        return _get_att(name.split(".", 1)) if "." in name else str(_ref(name))

    return re.sub(r"\$\{([^!}]+)\}", fill_in, text)


INTRINSICS = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Select": lambda argument: resolve(argument[1])[int(argument[0])],
    "Fn::Split": lambda argument: resolve(argument[1]).split(argument[0]),
}


def references(value: Any) -> set[str]:
    """Return the logical ids, of resources and parameters, that a value refers to."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, item in value.items():
        if name == "Ref":
            found.add(item)
        elif name == "Fn::GetAtt":
            found.add(item[0])
        else:
            found |= references(item)
            if name == "Fn::Sub":
                text, local = item if isinstance(item, list) else (item, {})
                found |= {part.split(".")[0] for part in re.findall(r"\$\{([^!}]+)\}", text) if part not in local}
    return {name for name in found if not name.startswith("AWS::")}


def order_of_creation(resources: dict[str, Any]) -> list[str]:
    """Sort resources so that each comes after what it refers to, as CloudFormation must, or raise CycleError."""
    needs: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        depends_on = resource.get("DependsOn", [])
        # SAM makes resources of their own of these two.
        visible = {name: item for name, item in resource["Properties"].items() if name not in SEPARATE}
        needs[logical_id] = references(visible) | set([depends_on] if isinstance(depends_on, str) else depends_on)
    for logical_id, resource in resources.items():
        for event in resource["Properties"].get("Events", {}).values():
            # SAM turns an event round: the API's routes and the bucket's notification come to name the function.
            source = event["Properties"].get("RestApiId") or event["Properties"].get("Bucket")
            needs[source["Ref"]].add(logical_id)
    graph = {logical_id: names & resources.keys() for logical_id, names in needs.items()}
    return list(TopologicalSorter(graph).static_order())


def statements(logical_id: str) -> list[dict[str, Any]]:
    own = properties(logical_id)
    documents = [policy["PolicyDocument"] for policy in own.get("Policies", [])]
    documents += [own["PolicyDocument"]] if "PolicyDocument" in own else []
    found = [statement for document in documents for statement in resolve(document["Statement"])]
    for statement in found:
        for name in ("Action", "Resource"):
            if not isinstance(statement[name], list):
                statement[name] = [statement[name]]
    return found


def role_of(function: str) -> str:
    return properties(function)["Role"]["Fn::GetAtt"][0]


# -- The API ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", VIDEO_CONTENT_TYPES)
def test_each_video_type_is_listed_literally_as_binary(content_type):
    assert content_type in RESOURCES["Api"]["Properties"]["BinaryMediaTypes"]


def test_no_binary_type_matches_json():
    binary = RESOURCES["Api"]["Properties"]["BinaryMediaTypes"]
    assert [pattern for pattern in binary if fnmatchcase(JSON_CONTENT_TYPE, pattern)] == []


@pytest.mark.parametrize("kind", GATEWAY_RESPONSES)
def test_gateway_answers_in_the_form_of_our_errors(kind):
    # Given the gateway's own answer of a kind
    response = GATEWAY_RESPONSES[kind]
    headers = resolve(response["ResponseParameters"]["Headers"])
    (media_type,) = response["ResponseTemplates"]
    # When the gateway fills in the request id
    text = response["ResponseTemplates"][media_type].replace("$context.requestId", "request-1")
    problem = json.loads(text)
    # Then it is problem+json, for pages of other origins too, and nothing is left that the gateway could fill in
    assert media_type == PROBLEM_CONTENT_TYPE
    assert headers["Content-Type"] == f"'{PROBLEM_CONTENT_TYPE}'"
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    assert "$" not in text
    # And it has the members of errors.py, in their order, each with a value, and a status that is true
    assert list(problem) == list(errors.VideoEmotionsError("").problem(""))
    assert problem["type"] == f"urn:video-emotions:problem:{problem['code']}"
    assert problem["status"] == response["StatusCode"]
    assert problem["request_id"] == "request-1"
    assert all(problem.values())


def test_gateway_and_function_mean_the_same_by_the_same_code():
    # Given the codes of the error tree; a branch, which is never raised, has that of the root
    ours: dict[str, tuple[str, int]] = {}
    todo = [errors.VideoEmotionsError]
    while todo:
        error = todo.pop()
        ours.setdefault(error.code, (error.title, int(error.status)))
        todo += error.__subclasses__()
    # And those of the gateway
    texts = [template for response in GATEWAY_RESPONSES.values() for template in response["ResponseTemplates"].values()]
    theirs = {problem["code"]: (problem["title"], problem["status"]) for problem in map(json.loads, texts)}
    # Then a code that both have has one title and one status
    shared = ours.keys() & theirs.keys()
    assert {code: theirs[code] for code in shared} == {code: ours[code] for code in shared}
    assert {"not_found", "video_too_large", "unsupported_media_type", "internal_error"} <= shared


def test_every_gateway_status_has_a_response_of_its_family():
    assert GATEWAY_STATUSES.keys() <= GATEWAY_RESPONSES.keys()
    for kind, status in GATEWAY_STATUSES.items():
        assert GATEWAY_RESPONSES[kind]["StatusCode"] // 100 == status // 100, kind
    # Without authentication a missing token is an unknown route.
    assert "Auth" not in RESOURCES["Api"]["Properties"]
    assert GATEWAY_RESPONSES["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == 404


def test_gateway_details_tell_the_promised_numbers_and_routes():
    def detail(kind: str) -> str:
        return json.loads(GATEWAY_RESPONSES[kind]["ResponseTemplates"][PROBLEM_CONTENT_TYPE])["detail"]

    assert f"{limits.MAX_POST_VIDEO_BYTES:,} bytes" in detail("REQUEST_TOO_LARGE")
    assert f"{GATEWAY_SECONDS} seconds" in detail("INTEGRATION_TIMEOUT")
    events = properties("AnalyzeApi")["Events"].values()
    routes = {f"{event['Properties']['Method']} {event['Properties']['Path']}" for event in events}
    assert routes == {"GET /", "POST /process-frame"}
    assert [route for route in routes if route not in detail("MISSING_AUTHENTICATION_TOKEN")] == []


# -- The functions ----------------------------------------------------------------------------------------------------


def test_one_image_two_functions():
    assert of_type("AWS::Serverless::Function") == FUNCTIONS
    api, uploads = (RESOURCES[name] for name in FUNCTIONS)
    assert api["Metadata"] == uploads["Metadata"]
    assert api["Metadata"] == {
        "Dockerfile": "functions/analyze/Dockerfile",
        "DockerContext": ".",
        "DockerTag": "analyze",
        "DockerBuildArgs": {
            "BASE_IMAGE": {"Ref": "BaseImage"},
            "EMOTION_MODEL": {"Ref": "EmotionModel"},
            "ENGINES": {"Ref": "Engines"},
        },
    }
    for name in FUNCTIONS:
        assert properties(name)["PackageType"] == "Image"
        assert properties(name)["ImageConfig"] == {"Command": ["video_emotions.handler.handler"]}
        assert properties(name)["Architectures"] == ["x86_64"]
        assert properties(name)["Tracing"] == "Active"


def test_each_function_has_its_own_role_and_logs():
    assert len({role_of(name) for name in FUNCTIONS}) == 2
    assert len({properties(name)["LoggingConfig"]["LogGroup"]["Ref"] for name in FUNCTIONS}) == 2


def test_api_function_ends_before_the_gateway_gives_up():
    assert properties("AnalyzeApi")["Timeout"] < GATEWAY_SECONDS
    assert properties("AnalyzeUploads")["Timeout"] == 900


def test_tmp_holds_the_largest_video():
    api, uploads = (properties(name)["EphemeralStorage"]["Size"] for name in FUNCTIONS)
    # 512 is free, and the most that SnapStart allows.
    assert limits.MAX_POST_VIDEO_BYTES < api * 1024**2 <= 512 * 1024**2
    assert limits.MAX_UPLOAD_VIDEO_BYTES < uploads * 1024**2 <= LAMBDA_TMP_MEGABYTES * 1024**2


def snapstart_problems(own: dict[str, Any]) -> list[str]:
    """Tell why AWS would refuse a function's SnapStart; lint does not."""
    if own.get("SnapStart", {}).get("ApplyOn") != "PublishedVersions":
        return []
    wrong = {
        "more than 512 MB of /tmp": own.get("EphemeralStorage", {}).get("Size", 512) > 512,
        "provisioned concurrency": "ProvisionedConcurrencyConfig" in own,
        "no published version": "AutoPublishAlias" not in own,
    }
    return [reason for reason, applies in wrong.items() if applies]


def test_snapstart_where_a_caller_waits():
    assert properties("AnalyzeApi")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in properties("AnalyzeUploads")
    assert snapstart_problems(properties("AnalyzeApi")) == []
    # And what must not be is seen
    for more in ({"EphemeralStorage": {"Size": 513}}, {"ProvisionedConcurrencyConfig": {}}):
        assert len(snapstart_problems({**properties("AnalyzeApi"), **more})) == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_change_publishes_a_version_behind_the_alias(name):
    assert (properties(name)["AutoPublishAlias"], properties(name)["AutoPublishAliasAllProperties"]) == ("live", True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_prod_deploys_gradually(name):
    preference = properties(name)["DeploymentPreference"]
    assert preference["Enabled"] == {"Fn::FindInMap": ["Deployment", {"Ref": "Environment"}, "Gradual"]}
    gradual = {key: value["Gradual"] for key, value in TEMPLATE["Mappings"]["Deployment"].items()}
    assert gradual == {"default": "false", "staging": "false", "prod": "true"}
    assert set(gradual) == set(TEMPLATE["Parameters"]["Environment"]["AllowedValues"])
    # And an alarm that takes a version back exists there, and looks at what the new version does through the alias
    assert preference["Alarms"]
    for condition, reference, otherwise in (item["Fn::If"] for item in preference["Alarms"]):
        assert (condition, otherwise) == ("Gradual", {"Ref": "AWS::NoValue"})
        alarm = reference["Ref"]
        assert RESOURCES[alarm]["Condition"] == "Gradual"
        dimensions = {item["Name"]: item["Value"] for item in properties(alarm)["Dimensions"]}
        assert dimensions == {
            "FunctionName": {"Ref": name},
            "Resource": {"Fn::Sub": f"${{{name}}}:live"},
            "ExecutedVersion": {"Fn::GetAtt": [name, "Version.Version"]},
        }
    # And the watch lasts longer than an invocation
    minutes = int(re.fullmatch(r"Canary10Percent(\d+)Minutes", preference["Type"])[1])
    assert minutes * 60 > properties(name)["Timeout"]


def test_image_arguments_have_the_defaults_of_the_dockerfile():
    dockerfile = (ROOT / "functions/analyze/Dockerfile").read_text(encoding="utf-8")
    declared = dict(re.findall(r"^ARG (\w+)=(\S+)$", dockerfile, re.MULTILINE))
    assert resolve(RESOURCES["AnalyzeApi"]["Metadata"]["DockerBuildArgs"]) == declared


def test_defaults_deploy_on_a_new_account():
    for name in FUNCTIONS:
        assert resolve(properties(name)["MemorySize"]) <= NEW_ACCOUNT_MEGABYTES
        assert "ReservedConcurrentExecutions" not in properties(name)
        assert "ProvisionedConcurrencyConfig" not in properties(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_is_what_settings_read(name):
    # Given the variables that a function gets
    variables = resolve(properties(name)["Environment"]["Variables"])
    powertools = {key: variables.pop(key) for key in list(variables) if key.startswith("POWERTOOLS_")}
    # When the function starts
    settings = Settings.from_environment(variables)
    # Then each of them is a setting, and arrives
    assert [key for key in variables if key.lower() not in Settings.model_fields] == []
    assert (settings.emotion_model, settings.emotion_engine, str(settings.models_dir)) == (
        "deepface",
        "onnx",
        "/opt/models",
    )
    assert powertools == {
        "POWERTOOLS_SERVICE_NAME": telemetry.SERVICE,
        "POWERTOOLS_METRICS_NAMESPACE": telemetry.NAMESPACE,
    }


def test_only_the_uploads_function_knows_buckets():
    api, uploads = (resolve(properties(name)["Environment"]["Variables"]) for name in FUNCTIONS)
    assert [value for value in api if value.endswith("_BUCKET")] == []
    assert api["CORS_ALLOW_ORIGIN"] == "*"
    assert uploads["UPLOADS_BUCKET"] == resolve({"Ref": "UploadsBucket"})
    assert uploads["RESULTS_BUCKET"] == resolve({"Ref": "ResultsBucket"})


# -- Buckets ----------------------------------------------------------------------------------------------------------


def test_results_never_trigger_a_function():
    assert resolve({"Ref": "UploadsBucket"}) != resolve({"Ref": "ResultsBucket"})
    events = [event for name in FUNCTIONS for event in properties(name)["Events"].values() if event["Type"] == "S3"]
    assert [event["Properties"] for event in events] == [
        {"Bucket": {"Ref": "UploadsBucket"}, "Events": "s3:ObjectCreated:*"}
    ]
    assert "NotificationConfiguration" not in properties("ResultsBucket")


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_name_is_legal_whatever_the_stack_is_called(name):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", resolve({"Ref": name}))


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_is_private_encrypted_and_forgets(name):
    bucket = properties(name)
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    days = [
        resolve(rule["ExpirationInDays"])
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if rule["Status"] == "Enabled" and "ExpirationInDays" in rule
    ]
    assert len(days) == 1
    assert days[0] >= 1


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_speaks_tls_only(name):
    (policy,) = [item for item in of_type("AWS::S3::BucketPolicy") if properties(item)["Bucket"] == {"Ref": name}]
    (statement,) = statements(policy)
    arn = resolve({"Fn::GetAtt": [name, "Arn"]})
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", ["s3:*"])
    assert statement["Resource"] == [arn, f"{arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


# -- Permissions and logs ---------------------------------------------------------------------------------------------


def test_nothing_is_allowed_more_widely_than_there_is_a_reason_for():
    allowed = [statement for name in RESOURCES for statement in statements(name) if statement["Effect"] == "Allow"]
    assert allowed
    for statement in allowed:
        assert [action for action in statement["Action"] if "*" in action] == []
        if "*" in statement["Resource"]:
            assert [action for action in statement["Action"] if action not in ANY_RESOURCE] == []


def test_permissions_come_from_the_written_roles_only():
    # SAM would add AWS's managed policies, which allow on every resource.
    for name in FUNCTIONS:
        assert "Policies" not in RESOURCES[name]["Properties"]
        assert "ManagedPolicyArns" not in properties(role_of(name))
        (trust,) = properties(role_of(name))["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_may_do_what_it_does(name):
    # Given what a role allows, action by action
    allowed = {action: item["Resource"] for item in statements(role_of(name)) for action in item["Action"]}
    # Then it writes to its own logs and sends its traces
    own_logs = [f"{properties(name)['LoggingConfig']['LogGroup']['Ref']}.Arn"]
    expected = {
        "logs:CreateLogStream": own_logs,
        "logs:PutLogEvents": own_logs,
        **{action: ["*"] for action in ANY_RESOURCE},
    }
    # And where videos come by upload, it reads them, writes results, and that is all
    if name == "AnalyzeUploads":
        uploads, results = ([f"{resolve({'Fn::GetAtt': [bucket, 'Arn']})}/*"] for bucket in BUCKETS)
        bucket = [uploads[0].removesuffix("/*")]
        expected |= {"s3:GetObject": uploads, "s3:GetObjectVersion": uploads, "s3:ListBucket": bucket}
        expected |= {"s3:PutObject": results}
    assert allowed == expected


def test_every_log_group_forgets():
    groups = of_type("AWS::Logs::LogGroup")
    assert {properties(name)["LoggingConfig"]["LogGroup"]["Ref"] for name in FUNCTIONS} <= set(groups)
    for name in groups:
        assert (
            resolve(properties(name)["RetentionInDays"]) in TEMPLATE["Parameters"]["LogRetentionDays"]["AllowedValues"]
        )


# -- The whole --------------------------------------------------------------------------------------------------------


def test_no_circular_dependency():
    # `sam validate --lint` sees no circle through a bucket: it looks before SAM has turned the events round.
    order = order_of_creation(RESOURCES)
    assert sorted(order) == sorted(RESOURCES)
    # The bucket's notification names the function, so the function is first.
    assert order.index("AnalyzeUploads") < order.index("UploadsBucket")


@pytest.mark.parametrize(
    "mistake",
    [
        lambda all_: all_["AnalyzeUploads"]["Properties"]["Environment"].update(
            Variables={"X": {"Ref": "UploadsBucket"}}
        ),
        lambda all_: all_["AnalyzeUploadsRole"]["Properties"].update(X={"Fn::Sub": "${UploadsBucket.Arn}/*"}),
        lambda all_: all_["AnalyzeUploadsRole"].update(DependsOn="UploadsBucketPolicy"),
        lambda all_: all_["AnalyzeApi"]["Properties"].update(X={"Fn::GetAtt": ["Api", "RootResourceId"]}),
    ],
    ids=["setting", "policy", "DependsOn", "API"],
)
def test_a_circular_dependency_would_be_seen(mistake):
    resources = copy.deepcopy(RESOURCES)
    mistake(resources)
    with pytest.raises(CycleError):
        order_of_creation(resources)


def test_every_parameter_is_described_and_used():
    used = references(RESOURCES) | references(TEMPLATE["Globals"])
    for name, parameter in TEMPLATE["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name
        assert name in used, name


def test_every_output_is_described():
    assert [name for name, output in TEMPLATE["Outputs"].items() if not output["Description"]] == []
    stage = RESOURCES["Api"]["Properties"]["StageName"]
    assert resolve(TEMPLATE["Outputs"]["ApiUrl"]["Value"]).endswith(f".amazonaws.com/{stage}")


@pytest.mark.parametrize("environment", ["default", "staging", "prod"])
def test_samconfig_fits_the_template(environment):
    commands = SAMCONFIG[environment]
    deploy = commands["deploy"]["parameters"]
    overrides = dict(item.split("=", 1) for item in shlex.split(deploy.get("parameter_overrides", "")))
    assert [name for name in overrides if name not in TEMPLATE["Parameters"]] == []
    assert f'environment="{environment}"' in deploy["tags"]
    assert commands["validate"]["parameters"] == {"lint": True}


def test_environments_do_not_share_a_stack():
    stacks = [SAMCONFIG[name]["global"]["parameters"]["stack_name"] for name in ("default", "staging", "prod")]
    assert len(set(stacks)) == 3


def test_local_api_listens_where_the_flask_app_did():
    assert SAMCONFIG["default"]["local_start_api"]["parameters"]["port"] == 5000
