"""``make image-lifecycle``: let ECR delete a stack's old images.

``sam deploy --resolve-image-repos`` makes the repositories, in a stack of its own, before the stack that uses them. So
no parameter of our template can reach them.
"""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, Final

FUNCTIONS: Final = ("AnalyzeApi", "AnalyzeUploads")
"""Those with an image."""

KEEP: Final = 5


def policy(keep: int) -> str:
    """Return ECR's lifecycle policy that keeps so many images, the newest ones."""
    rule = {
        "rulePriority": 1,
        "description": f"Keep the newest {keep} images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": keep},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})


def keep_newest(stack: str, keep: int, aws: Callable[[str], Any], say: Callable[[str], None] = print) -> None:
    """Give the repositories of a stack's images a lifecycle policy.

    Parameters
    ----------
    stack : str
    keep : int
        Images in each repository. The one in use is the newest.
    aws : callable
        Returns boto3's client of a service.
    say : callable
    """
    for name in FUNCTIONS:
        detail = aws("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=name)
        function = detail["StackResourceDetail"]["PhysicalResourceId"]
        image: str = aws("lambda").get_function(FunctionName=function)["Code"]["ImageUri"]
        repository = image.split("/", 1)[1].split("@", maxsplit=1)[0].split(":", maxsplit=1)[0]
        aws("ecr").put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=policy(keep))
        say(f"{repository}: ECR keeps the newest {keep} images.")


def main() -> int:
    """Set the policies; exit status 1 if a call fails."""
    parser = argparse.ArgumentParser(prog="make image-lifecycle", description=__doc__)
    parser.add_argument("--stack", required=True, help="make's STACK")
    parser.add_argument(
        "--keep", type=int, default=KEEP, help=f"make's KEEP: how many images to keep, {KEEP} by default"
    )
    chosen = parser.parse_args()
    if not chosen.stack:
        parser.error("name the stack: make image-lifecycle STACK=name")
    if chosen.keep < 1:
        parser.error("--keep must be 1 or more: the newest image is in use")
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        keep_newest(chosen.stack, chosen.keep, boto3.client)
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
