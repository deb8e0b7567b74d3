"""What SAM makes of the template in each environment, with each switch in each position. Runs in .tools.

`sam validate` looks at the defaults only.
"""

import logging
import os
import sys
from typing import Any, Final

from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.engine import ROOT
from video_common.routes import HEADS, OTHER_METHODS, PREFLIGHTS, ROUTES

ENVIRONMENTS = {"default": False, "staging": False, "prod": True}
"""Whether new versions come gradually."""

FUNCTIONS = 4
HOOK: Final[dict[str, Any]] = {"Fn::If": ["Gradual", {"Ref": "PreTraffic"}, {"Ref": "AWS::NoValue"}]}
QUEUES = {"UploadsQueue": "AnalyzeUploads", "UploadsDeadLetters": "GiveUp"}
"""Each queue that feeds a function."""

_WITHOUT_KEY: Final = {"Fn::If": ["WithCognito", [{"cognito": []}], [{"AWS_IAM": []}]]}
PROTECTED: dict[str, Any] = {"Fn::If": ["WithApiKey", [{"api_key": []}], _WITHOUT_KEY]}
METHODS = {str(route): None if route.is_open else PROTECTED for route in (*ROUTES, *HEADS, *PREFLIGHTS, *OTHER_METHODS)}
"""What each method asks of its caller; CloudFormation chooses."""


TURNED_ON: Final = {
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:on-call",
    "DollarsPerDay": "5",
    "Operator": "key:a1b2c3d4e5",
    "UserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbC123",
}
"""A value of each parameter that turns something on and has no list of values. The default turns it off."""


def switches() -> list[dict[str, str]]:
    """Return each value of each parameter that is a switch, one at a time; the first is the defaults."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    listed = {name: item.get("AllowedValues", []) for name, item in template["Parameters"].items()}
    del listed["Environment"], listed["LogRetentionDays"]
    listed |= {name: [value] for name, value in TURNED_ON.items()}
    return [{}, *({name: str(value)} for name, values in listed.items() for value in values)]


def translate(environment: str, **parameters: str) -> dict[str, Any]:
    """Return the resources that CloudFormation is given, by name."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        own = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            own["ContentUri"] = "s3://bucket/layer"
        elif resource["Type"] == "AWS::Serverless::StateMachine":
            own["DefinitionUri"] = "s3://bucket/states"
        elif own.get("PackageType") == "Zip":
            own["CodeUri"] = "s3://bucket/code"
        elif own.get("PackageType") == "Image":
            own["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:tag"
    made = Translator({}, Parser()).translate(template, {"Environment": environment, **parameters})
    resources: dict[str, Any] = made["Resources"]
    return resources


def problems(resources: dict[str, Any], *, gradual: bool) -> list[str]:
    """Return the differences from what the template should become."""
    types = [resource["Type"] for resource in resources.values()]
    groups, aliases = types.count("AWS::CodeDeploy::DeploymentGroup"), types.count("AWS::Lambda::Alias")
    wrong = []
    if groups != (FUNCTIONS if gradual else 0) or aliases != FUNCTIONS:
        wrong.append(f"{groups} deployment groups, {aliases} aliases")
    policies = [resource.get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate") for resource in resources.values()]
    hooks = [policy.get("BeforeAllowTrafficHook") for policy in policies if policy]
    if hooks != ([HOOK] * FUNCTIONS if gradual else []):
        wrong.append(f"new versions are tried by {hooks}")
    methods = {
        f"{'ANY' if method == 'x-amazon-apigateway-any-method' else method.upper()} {path}": operation
        for path, item in resources["Api"]["Properties"]["Body"]["paths"].items()
        for method, operation in item.items()
    }
    asked = {name: operation.get("security") for name, operation in methods.items()}
    if asked != METHODS:
        wrong.append(f"the API's methods are {asked}")
    wrong += [f"{name}: no function" for name in methods if "x-amazon-apigateway-integration" not in methods[name]]
    mappings = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::Lambda::EventSourceMapping"]
    fed = {item["EventSourceArn"]["Fn::GetAtt"][0]: item["FunctionName"] for item in mappings}
    # By the alias: otherwise a queue would feed the unpublished version.
    if fed != {queue: {"Ref": f"{function}Aliaslive"} for queue, function in QUEUES.items()}:
        wrong.append(f"the queues feed {fed}")
    return wrong


def main() -> int:
    """Translate for each environment and switch; exit status 1 if one fails or has differences."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.disable(logging.CRITICAL)
    for environment, gradual in ENVIRONMENTS.items():
        for switch in switches():
            try:
                resources = translate(environment, **switch)
                wrong = problems(resources, gradual=gradual)
            except InvalidDocumentException as error:
                wrong = [error.message, *(cause.message for cause in error.causes)]
            if wrong:
                print(f"{environment} {switch}:", *wrong, sep="\n", file=sys.stderr)
                return 1
        print(
            f"{environment}: {len(resources)} resources with each of {len(switches())} switches, "
            f"new versions come {'gradually' if gradual else 'at once'}."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
