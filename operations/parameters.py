"""``make deploy-parameters``: change parameters of a deployed stack, through the same gradual deployment as code.

SAM publishes a version of a function when the template's text or the code changes, and a parameter's value is neither.
So this command takes the template that is deployed, with its code as it is, puts another word into it, and deploys it
with the new values. All functions get a new version; in prod it is tried first and gets its calls gradually.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

STAMP: Final = re.compile(r"""("?PARAMETERS_SET"?:\s*)[^\n,}]*""")
"""The variable of all functions that is there for this; in YAML or JSON."""


class ParametersError(RuntimeError):
    """Why nothing was deployed."""


def stamped(template: str, word: str) -> str:
    """Return a template in which the stamp is another word.

    Raises
    ------
    ParametersError
        The template has no stamp, or more than one.
    """
    changed, count = STAMP.subn(rf'\g<1>"{word}"', template)
    if count != 1:
        raise ParametersError(
            "The deployed template has no PARAMETERS_SET. Deploy the current version first: sam build && sam deploy."
        )
    return changed


def deployed_template(stack: str, cloudformation: Any) -> str:
    """Return the template of a stack, before SAM's transform, with the addresses of its code."""
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    if not isinstance(body, str):
        raise ParametersError("CloudFormation returned the template in another form than text.")
    return body


def deploy(
    stack: str, parameters: Sequence[str], cloudformation: Any, run: Callable[[list[str]], int], sam: str = "sam"
) -> int:
    """Deploy a stack's own template with other parameters. Those that are not named keep their values.

    Parameters
    ----------
    stack : str
    parameters : sequence of str
        Each ``Name=value``.
    cloudformation : client of boto3's
    run : callable
        Runs a command and returns its exit status.
    sam : str
        The SAM CLI.
    """
    wrong = [text for text in parameters if not re.fullmatch(r"[A-Za-z0-9]+=.*", text)]
    if wrong or not parameters or not stack:
        raise ParametersError(
            "Name the stack, and the parameters to change: make deploy-parameters STACK=name "
            'PARAMETERS="MemorySize=4096"'
        )
    text = stamped(deployed_template(stack, cloudformation), f"parameters {uuid4().hex[:8]}")
    # SAM would take away the tags that it is not told.
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    tags = [f"{tag['Key']}={tag['Value']}" for tag in found.get("Tags", [])]
    options = ["--stack-name", stack, "--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--resolve-image-repos"]
    options += ["--no-confirm-changeset", *(["--tags", *tags] if tags else [])]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "template.yaml")
        path.write_text(text, encoding="utf-8")
        return run([sam, "deploy", "--template-file", str(path), *options, "--parameter-overrides", *parameters])


def main() -> int:
    """Deploy; exit status 1 if nothing was deployed, else that of SAM."""
    parser = argparse.ArgumentParser(prog="make deploy-parameters", description=__doc__)
    parser.add_argument("--stack", required=True, help="make's STACK")
    parser.add_argument("--sam", default="sam", help="the SAM CLI")
    parser.add_argument("parameters", nargs="*", help="make's PARAMETERS: each Name=value")
    chosen = parser.parse_args()
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    def run(command: list[str]) -> int:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - a list, and no shell

    try:
        return deploy(chosen.stack, chosen.parameters, boto3.client("cloudformation"), run, chosen.sam)
    except (ParametersError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
