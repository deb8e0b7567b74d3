"""`make image-lifecycle`: ECR keeps the newest images of a stack. Botocore checks each request and each answer."""

import json
import subprocess
import sys
from typing import Any

import boto3
from botocore.stub import Stubber

from operations.images import FUNCTIONS, keep_newest, policy
from tests.template_info import IMAGE_FUNCTIONS, ROOT

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stack/{}repo:analyze-0123456789ab"


def test_each_repository_of_the_stack_gets_the_policy():
    clients: dict[str, Any] = {}
    stubbers = {}
    for service in ("cloudformation", "lambda", "ecr"):
        clients[service] = boto3.client(
            service,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",  # noqa: S106
        )
        stubbers[service] = Stubber(clients[service])
        stubbers[service].activate()
    for name in FUNCTIONS:
        detail = {
            "PhysicalResourceId": f"prod-{name}-ABC",
            "LogicalResourceId": name,
            "ResourceType": "AWS::Lambda::Function",
            "LastUpdatedTimestamp": 0,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        stubbers["cloudformation"].add_response(
            "describe_stack_resource",
            {"StackResourceDetail": detail},
            {"StackName": "prod", "LogicalResourceId": name},
        )
        stubbers["lambda"].add_response(
            "get_function",
            {"Code": {"ImageUri": IMAGE.format(name.lower())}},
            {"FunctionName": f"prod-{name}-ABC"},
        )
        repository = f"stack/{name.lower()}repo"
        stubbers["ecr"].add_response(
            "put_lifecycle_policy", {}, {"repositoryName": repository, "lifecyclePolicyText": policy(3)}
        )
    said: list[str] = []
    keep_newest("prod", 3, clients.__getitem__, said.append)
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()
    assert said == [f"stack/{name.lower()}repo: ECR keeps the newest 3 images." for name in FUNCTIONS]


def test_the_policy_is_of_the_number_of_images():
    (rule,) = json.loads(policy(5))["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
    assert rule["action"] == {"type": "expire"}


def test_the_functions_are_those_with_an_image():
    assert list(FUNCTIONS) == IMAGE_FUNCTIONS


def test_without_a_stack_it_says_what_to_name():
    command = [sys.executable, "-m", "operations.images", "--stack", ""]  # what make sends without STACK
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "name the stack: make image-lifecycle STACK=name" in done.stderr) == (2, True)
