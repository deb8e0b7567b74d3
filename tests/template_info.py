"""template.yaml and samconfig.toml, read, and what CloudFormation does to them. Nothing here needs SAM or AWS."""

import re
import tomllib
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": "ap-southeast-2",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "Emotions-Of-A-Team",  # a stack's name may have capitals, a bucket's may not
    "AWS::StackId": "arn:aws:cloudformation:ap-southeast-2:123456789012:stack/Emotions-Of-A-Team/"
    "0f9d8c7b-6a5e-11f1-9c3b-0a1b2c3d4e5f",
    "AWS::NoValue": None,
}
SEPARATE = ("Events", "DeploymentPreference")
"""Properties of a function that SAM makes resources of their own of."""


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
IMAGE_FUNCTIONS = ["AnalyzeApi", "AnalyzeUploads"]
ZIP_FUNCTIONS = ["Jobs", "GiveUp"]
FUNCTIONS = ["AnalyzeApi", "AnalyzeUploads", *ZIP_FUNCTIONS]
HOOK = "PreTraffic"
"""The function that tries the others' new versions. It has no alarms: what it fails for is not deployed."""
BUCKETS = ["UploadsBucket", "ResultsBucket"]
QUEUES = ["UploadsQueue", "UploadsDeadLetters", "UploadsParked"]
TABLES = ["JobsTable", "IdempotencyTable"]


def of_type(name: str) -> list[str]:
    return [logical_id for logical_id, resource in RESOURCES.items() if resource["Type"] == name]


def properties(logical_id: str) -> dict[str, Any]:
    own = RESOURCES[logical_id]["Properties"]
    if RESOURCES[logical_id]["Type"] != "AWS::Serverless::Function":
        return own
    everyone = TEMPLATE["Globals"]["Function"]
    variables = {**everyone["Environment"]["Variables"], **own["Environment"]["Variables"]}
    return {**everyone, **own, "Environment": {"Variables": variables}}


def resolve(value: Any, **parameters: Any) -> Any:
    """Do what CloudFormation does to intrinsic functions; parameters that are not given are at their defaults."""
    if isinstance(value, list):
        return [resolve(item, **parameters) for item in value]
    if not isinstance(value, dict):
        return value
    name, argument = next(iter(value.items()), ("", None))
    if name in INTRINSICS:
        return INTRINSICS[name](argument, parameters)
    return {key: resolve(item, **parameters) for key, item in value.items()}


def _ref(name: str, parameters: dict[str, Any]) -> Any:
    if name in PSEUDO_PARAMETERS:
        return PSEUDO_PARAMETERS[name]
    if name in RESOURCES:
        own = RESOURCES[name]["Properties"]
        return resolve(own.get("BucketName", own.get("QueueName", name)))
    return parameters.get(name, TEMPLATE["Parameters"].get(name, {}).get("Default", name))


def _get_att(argument: list[str], parameters: dict[str, Any]) -> str:
    name, attribute = argument
    known = _ref(name, parameters)
    if name in BUCKETS and attribute == "Arn":
        return f"arn:aws:s3:::{known}"
    if name in QUEUES and attribute == "Arn":
        return f"arn:aws:sqs:ap-southeast-2:123456789012:{known}"
    return f"{name}.{attribute}"


def _sub(argument: Any, parameters: dict[str, Any]) -> str:
    text, local = argument if isinstance(argument, list) else (argument, {})

    def fill_in(found: re.Match[str]) -> str:
        name = found[1]
        if name in local:
            return str(resolve(local[name], **parameters))
        return _get_att(name.split(".", 1), parameters) if "." in name else str(_ref(name, parameters))

    return re.sub(r"\$\{([^!}]+)\}", fill_in, text)


def condition(name: str, **parameters: Any) -> bool:
    return resolve(TEMPLATE["Conditions"][name], **parameters)


def _and(argument: list[Any], parameters: dict[str, Any]) -> bool:
    return all(
        condition(item["Condition"], **parameters) if "Condition" in item else resolve(item, **parameters)
        for item in argument
    )


def _if(argument: list[Any], parameters: dict[str, Any]) -> Any:
    name, then, otherwise = argument
    return resolve(then if condition(name, **parameters) else otherwise, **parameters)


def _find(argument: list[Any], parameters: dict[str, Any]) -> Any:
    found = TEMPLATE["Mappings"]
    for key in resolve(argument, **parameters):
        found = found[key]
    return found


INTRINSICS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::And": _and,
    "Fn::If": _if,
    "Fn::FindInMap": _find,
    "Fn::Equals": lambda argument, given: len({str(resolve(item, **given)) for item in argument}) == 1,
    "Fn::Not": lambda argument, given: not resolve(argument[0], **given),
    "Fn::Select": lambda argument, given: resolve(argument[1], **given)[int(argument[0])],
    "Fn::Join": lambda argument, given: str(argument[0]).join(map(str, resolve(argument[1], **given))),
    "Fn::Split": lambda argument, given: resolve(argument[1], **given).split(argument[0]),
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
            found.add(item.split(".")[0])
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
        visible = {name: item for name, item in resource["Properties"].items() if name not in SEPARATE}
        needs[logical_id] = references(visible) | set([depends_on] if isinstance(depends_on, str) else depends_on)
    for logical_id, resource in resources.items():
        for event in resource["Properties"].get("Events", {}).values():
            # SAM turns an event round: the API's routes, or a bucket's notification, come to name the function. Of a
            # queue's it makes a resource that names both.
            source = event["Properties"].get("RestApiId") or event["Properties"].get("Bucket")
            if source:
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


def api_events() -> dict[str, str]:
    """Return the logical id of the function that answers each route."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": name
        for name in FUNCTIONS
        for event in properties(name)["Events"].values()
        if event["Type"] == "Api"
    }


def role_of(function: str) -> str:
    return properties(function)["Role"]["Fn::GetAtt"][0]
