"""template.yaml and samconfig.toml as a whole, and the functions: what `sam validate --lint` does not see."""

import copy
import re
import shlex
from collections.abc import Callable
from graphlib import CycleError
from typing import Any

import pytest
from pydantic import BaseModel

from tests.template_info import (
    FUNCTIONS,
    HOOK,
    IMAGE_FUNCTIONS,
    RESOURCES,
    ROOT,
    SAMCONFIG,
    TEMPLATE,
    of_type,
    order_of_creation,
    properties,
    references,
    resolve,
    role_of,
)
from video_common import limits
from video_emotions.settings import Settings as AnalyzeSettings
from video_jobs.settings import DeadLetterSettings, PreTrafficSettings
from video_jobs.settings import Settings as JobsSettings

GATEWAY_SECONDS = 29
NEW_ACCOUNT_MEGABYTES = 3008
NEW_ACCOUNT_EXECUTIONS = 10
LAMBDA_TMP_MEGABYTES = 10_240
ENVIRONMENTS = ["default", "staging", "prod"]


def test_one_image_two_functions_and_a_zip():
    assert set(of_type("AWS::Serverless::Function")) == {*FUNCTIONS, HOOK}
    api, uploads = (RESOURCES[name] for name in IMAGE_FUNCTIONS)
    assert api["Metadata"] == uploads["Metadata"]
    assert api["Metadata"] == {
        "Dockerfile": "functions/analyze/Dockerfile",
        "DockerContext": ".",
        "DockerTag": "analyze",
        "DockerBuildArgs": {
            "BASE_IMAGE": {"Ref": "BaseImage"},
            "EMOTION_MODEL": {"Ref": "EmotionModel"},
            "ENGINES": {"Ref": "Engines"},
            "DETECTORS": {"Ref": "Detectors"},
        },
    }
    for name in IMAGE_FUNCTIONS:
        assert properties(name)["PackageType"] == "Image"
        assert properties(name)["ImageConfig"] == {"Command": ["video_emotions.handler.handler"]}
    for name in FUNCTIONS:
        assert properties(name)["Architectures"] == ["x86_64"]
        assert properties(name)["Tracing"] == "Active"


def test_the_zip_is_small_and_shares_the_layer():
    jobs, layer = properties("Jobs"), properties("CommonLayer")
    assert (jobs["PackageType"], jobs["Handler"]) == ("Zip", "video_jobs.handler.handler")
    assert (jobs["MemorySize"], jobs["Timeout"]) == (512, 10)
    assert jobs["Layers"] == [{"Ref": "CommonLayer"}]
    assert [jobs["Runtime"]] == layer["CompatibleRuntimes"]
    assert layer["PublishLambdaVersion"] is True  # AutoPublishAliasAllProperties does not look into layers
    # And so are the function for dead letters and the one for deployments, which are the same zip
    for name, handler in (("GiveUp", "video_jobs.dead_letters.handler"), (HOOK, "video_jobs.pre_traffic.handler")):
        other = properties(name)
        assert other["Handler"] == handler
        for key in ("PackageType", "CodeUri", "Runtime", "Layers", "MemorySize"):
            assert other[key] == jobs[key]
        assert f"\nbuild-{name}: build-Jobs\n" in (ROOT / other["CodeUri"] / "Makefile").read_text(encoding="utf-8")
        assert RESOURCES[name]["Metadata"] == RESOURCES["Jobs"]["Metadata"]
    # The image's Python
    assert resolve({"Ref": "BaseImage"}).endswith(jobs["Runtime"].replace("python", "python:"))
    # And each is built by make, with the target that SAM calls
    for name, folder in (("Jobs", jobs["CodeUri"]), ("CommonLayer", layer["ContentUri"])):
        assert RESOURCES[name]["Metadata"] == {"BuildMethod": "makefile"}
        makefile = (ROOT / folder / "Makefile").read_text(encoding="utf-8")
        assert f"\nbuild-{name}:\n" in makefile
    assert f"--python-version {jobs['Runtime'].removeprefix('python')} " in (
        ROOT / jobs["CodeUri"] / "Makefile"
    ).read_text(encoding="utf-8")


def test_the_zip_has_the_images_versions_and_nothing_heavy():
    def locked(path: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+==[^ ]+) ", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))

    zipped = locked("functions/jobs/requirements.txt")
    assert zipped <= locked("requirements/runtime.txt")
    assert {item.split("==")[0] for item in zipped} == {
        "annotated-types",
        "aws-lambda-powertools",
        "jmespath",
        "pydantic",
        "pydantic-core",
        "typing-extensions",
        "typing-inspection",
    }


def test_each_function_has_its_own_role_and_logs():
    everyone = [*FUNCTIONS, HOOK]
    assert len({role_of(name) for name in everyone}) == len(everyone)
    assert len({properties(name)["LoggingConfig"]["LogGroup"]["Ref"] for name in everyone}) == len(everyone)


def test_functions_end_before_the_gateway_gives_up():
    assert properties("AnalyzeApi")["Timeout"] < GATEWAY_SECONDS
    assert properties("Jobs")["Timeout"] < GATEWAY_SECONDS
    assert properties("AnalyzeUploads")["Timeout"] == 900


def test_tmp_holds_the_largest_video():
    api, uploads = (properties(name)["EphemeralStorage"]["Size"] for name in IMAGE_FUNCTIONS)
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
    own = resolve(properties("AnalyzeApi"))
    assert own["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in properties("AnalyzeUploads")
    assert snapstart_problems(own) == []
    # And what must not be is seen
    more: dict[str, Any]
    for more in ({"EphemeralStorage": {"Size": 513}}, {"ProvisionedConcurrencyConfig": {}}):
        assert len(snapstart_problems({**own, **more})) == 1
    # And it can be turned off
    assert resolve(properties("AnalyzeApi")["SnapStart"], SnapStart="off") == {"ApplyOn": "None"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_change_publishes_a_version_behind_the_alias(name):
    assert (properties(name)["AutoPublishAlias"], properties(name)["AutoPublishAliasAllProperties"]) == ("live", True)


def test_image_arguments_have_the_defaults_of_the_dockerfile():
    dockerfile = (ROOT / "functions/analyze/Dockerfile").read_text(encoding="utf-8")
    declared = dict(re.findall(r"^ARG (\w+)=(\S+)$", dockerfile, re.MULTILINE))
    # But the mirror, which `sam build` finds in the build context
    assert declared.pop("MODEL_MIRROR") == "/build/mirror"
    assert resolve(RESOURCES["AnalyzeApi"]["Metadata"]["DockerBuildArgs"]) == declared


def test_defaults_leave_room_among_the_ten_executions_of_a_new_account():
    defaults = {name: parameter.get("Default") for name, parameter in TEMPLATE["Parameters"].items()}
    (letters,) = properties("GiveUp")["Events"].values()
    others = defaults["MaxConcurrency"] + letters["Properties"]["ScalingConfig"]["MaximumConcurrency"]
    assert defaults["ThrottleBurst"] + others <= NEW_ACCOUNT_EXECUTIONS
    # A request of the sample's length, three seconds on Lambda, fits in as often as it may come
    assert defaults["ThrottleRate"] * 3 + others <= NEW_ACCOUNT_EXECUTIONS


def test_defaults_deploy_on_a_new_account():
    for name in FUNCTIONS:
        assert resolve(properties(name)["MemorySize"]) <= NEW_ACCOUNT_MEGABYTES
        assert "ReservedConcurrentExecutions" not in properties(name)
        assert "ProvisionedConcurrencyConfig" not in properties(name)


def spelled(setting: Any) -> str:
    """Return a setting as the template spells it."""
    if isinstance(setting, bool):
        return str(setting).lower()
    return "" if setting is None else str(setting)


@pytest.mark.parametrize("name", [*FUNCTIONS, HOOK])
def test_environment_is_what_settings_read(name):
    # Given the variables that a function gets
    variables = {key: str(value) for key, value in resolve(properties(name)["Environment"]["Variables"]).items()}
    assert variables.pop("PARAMETERS_SET")  # nobody reads it: see operations/parameters.py
    # When the function starts
    readers: dict[str, Callable[[dict[str, str]], BaseModel]] = {
        "Jobs": JobsSettings.from_environment,
        "GiveUp": DeadLetterSettings.from_environment,
        HOOK: PreTrafficSettings.from_environment,
    }
    settings = readers.get(name, AnalyzeSettings.from_environment)(variables)
    # Then each of them is a setting, and arrives
    arrived = settings.model_dump(mode="json")
    assert {key: spelled(arrived.get(key.lower())) for key in variables} == variables


def test_a_function_knows_what_it_works_with_and_no_more():
    known = {name: resolve(properties(name)["Environment"]["Variables"]) for name in FUNCTIONS}
    shared = {"UPLOADS_BUCKET", "RESULTS_BUCKET", "JOBS_TABLE", "RESULTS_EXPIRE_DAYS"}
    model = {"EMOTION_MODEL", "EMOTION_ENGINE", "FACE_DETECTOR", "MODELS_DIR"}
    place = {"STACK", "ENVIRONMENT", "PARAMETERS_SET"}
    assert {name: set(variables) - place for name, variables in known.items()} == {
        "AnalyzeApi": model | {"CORS_ALLOW_ORIGIN"},
        "Jobs": shared | {"CORS_ALLOW_ORIGIN", "OPERATOR", "PAGE"},
        "AnalyzeUploads": model
        | shared
        | {"IDEMPOTENCY_TABLE", "QUEUE_URL", "JOB_ID_SECRET_ARN", "DELETE_VIDEOS_AFTER_ANALYSIS"}
        | {"STATE_MACHINE_ARN", "PARKED_URL", "LONG_SECONDS", "MAX_SEGMENTS"},
        "GiveUp": shared | {"PARKED_URL", "JOB_ID_SECRET_ARN"},
    }
    assert {key: known["GiveUp"][key] for key in shared} == {key: known["Jobs"][key] for key in shared}
    secret = resolve({"Ref": "JobIdSecret"})
    assert {known[name]["JOB_ID_SECRET_ARN"] for name in ("GiveUp", "AnalyzeUploads")} == {secret}
    parked = resolve({"Ref": "UploadsParked"})
    assert {known[name]["PARKED_URL"] for name in ("GiveUp", "AnalyzeUploads")} == {parked}
    assert {key: known["Jobs"][key] for key in shared} == {key: known["AnalyzeUploads"][key] for key in shared}
    assert known["Jobs"]["UPLOADS_BUCKET"] == resolve({"Ref": "UploadsBucket"})
    assert known["Jobs"]["RESULTS_BUCKET"] == resolve({"Ref": "ResultsBucket"})
    assert known["Jobs"]["RESULTS_EXPIRE_DAYS"] == resolve({"Ref": "ResultsExpireDays"})


def test_the_license_question_stands_where_the_default_is_chosen():
    assert TEMPLATE["Parameters"]["EmotionModel"]["Default"] == "deepface"
    for text in (TEMPLATE["Description"], TEMPLATE["Parameters"]["EmotionModel"]["Description"]):
        assert "license" in text
        assert "commercial use" in text
    assert "commercial use" in (ROOT / "docs/deploy.md").read_text(encoding="utf-8")


def test_no_circular_dependency():
    # `sam validate --lint` sees no circle through an API: it looks before SAM has turned the events round.
    order = order_of_creation(RESOURCES)
    assert sorted(order) == sorted(RESOURCES)
    # S3 refuses a notification to a queue that does not let it.
    assert order.index("UploadsQueuePolicy") < order.index("UploadsBucket")


@pytest.mark.parametrize(
    "mistake",
    [
        lambda all_: all_["UploadsQueuePolicy"]["Properties"].update(X={"Fn::GetAtt": ["UploadsBucket", "Arn"]}),
        lambda all_: all_["UploadsDeadLetters"]["Properties"].update(X={"Fn::Sub": "${UploadsQueue.Arn}"}),
        lambda all_: all_["UploadsQueue"].update(DependsOn="UploadsBucketPolicy"),
        lambda all_: all_["AnalyzeApi"]["Properties"].update(X={"Fn::GetAtt": ["Api", "RootResourceId"]}),
        lambda all_: all_["Jobs"]["Properties"].update(X={"Ref": "Api.Stage"}),
    ],
    ids=["bucket", "queue", "DependsOn", "API", "stage"],
)
def test_a_circular_dependency_would_be_seen(mistake):
    resources = copy.deepcopy(RESOURCES)
    mistake(resources)
    with pytest.raises(CycleError):
        order_of_creation(resources)


def test_every_parameter_is_described_and_used():
    used = references(RESOURCES) | references(TEMPLATE["Globals"]) | references(TEMPLATE["Conditions"])
    for name, parameter in TEMPLATE["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name
        assert name in used, name


def test_outputs_tell_what_a_user_needs():
    outputs = TEMPLATE["Outputs"]
    assert [name for name, output in outputs.items() if not output["Description"]] == []
    stage = RESOURCES["Api"]["Properties"]["StageName"]
    assert resolve(outputs["ApiUrl"]["Value"]).endswith(f".amazonaws.com/{stage}")
    assert {name: output["Value"]["Ref"] for name, output in outputs.items() if name != "ApiUrl"} == {
        "ApiKeyId": "ApiKey",
        "UploadsBucketName": "UploadsBucket",
        "ResultsBucketName": "ResultsBucket",
        "JobsTableName": "JobsTable",
        "UploadsQueueUrl": "UploadsQueue",
        "ParkedUrl": "UploadsParked",
        "DeadLettersUrl": "UploadsDeadLetters",
    }
    for name, output in outputs.items():
        assert output.get("Condition") == RESOURCES.get(name.removesuffix("Id"), {}).get("Condition")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_samconfig_fits_the_template(environment):
    commands = SAMCONFIG[environment]
    deploy = commands["deploy"]["parameters"]
    overrides = dict(item.split("=", 1) for item in shlex.split(deploy.get("parameter_overrides", "")))
    assert [name for name in overrides if name not in TEMPLATE["Parameters"]] == []
    assert f'environment="{environment}"' in deploy["tags"]
    assert commands["validate"]["parameters"] == {"lint": True}


def test_environments_do_not_share_a_stack():
    stacks = [SAMCONFIG[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS]
    assert len(set(stacks)) == 3


def test_local_api_listens_where_the_flask_app_did():
    assert SAMCONFIG["default"]["local_start_api"]["parameters"]["port"] == 5000
