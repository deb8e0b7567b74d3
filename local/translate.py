"""What SAM makes of the template in each environment; `sam validate` looks at the defaults only. Runs in .tools."""

import logging
import os
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.engine import ROOT

ENVIRONMENTS = {"default": False, "staging": False, "prod": True}
"""Whether new versions come gradually."""


def translate(environment: str) -> dict[str, str]:
    """Return the types of the resources that CloudFormation is given, by name."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:tag"
    made = Translator({}, Parser()).translate(template, {"Environment": environment})
    return {name: resource["Type"] for name, resource in made["Resources"].items()}


def main() -> int:
    """Translate for each environment; exit status 1 if one fails, or deploys otherwise than it should."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.disable(logging.CRITICAL)
    for environment, gradual in ENVIRONMENTS.items():
        try:
            types = list(translate(environment).values())
        except InvalidDocumentException as error:
            print(
                f"{environment}: {error.message}", *(cause.message for cause in error.causes), sep="\n", file=sys.stderr
            )
            return 1
        groups = types.count("AWS::CodeDeploy::DeploymentGroup")
        if groups != (2 if gradual else 0) or types.count("AWS::Lambda::Alias") != 2:
            print(
                f"{environment}: {groups} deployment groups, {types.count('AWS::Lambda::Alias')} aliases",
                file=sys.stderr,
            )
            return 1
        print(f"{environment}: {len(types)} resources, new versions come {'gradually' if gradual else 'at once'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
