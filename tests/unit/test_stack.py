"""`make smoke STACK=name` finds a stack, or says why it cannot ask it."""

from typing import Any, Self

import pytest

from operations.stack import Http, StackError, deployed
from tests.template_info import TEMPLATE

OUTPUTS = {name: f"https://{name.lower()}" for name in TEMPLATE["Outputs"]}


class Aws:
    """The services that are asked, of one stack."""

    region_name = "eu-west-1"

    def __init__(self, outputs: dict[str, str], **parameters: str) -> None:
        self.stack: dict[str, Any] = {}  # CloudFormation leaves out what a stack does not have
        if outputs:
            self.stack["Outputs"] = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        if parameters:
            self.stack["Parameters"] = [
                {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
            ]

    def __call__(self, _service: str) -> Self:
        return self

    @property
    def meta(self) -> Self:
        return self

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [self.stack]}

    def get_api_key(self, **asked: Any) -> dict[str, str]:
        assert asked == {"apiKey": OUTPUTS["ApiKeyId"], "includeValue": True}
        return {"value": "the key"}


@pytest.mark.parametrize(
    ("auth", "headers", "region"),
    [("api-key", {"x-api-key": "the key"}, ""), ("iam", {}, "eu-west-1"), ("cognito", {"Authorization": "t"}, "")],
)
def test_a_stack_is_asked_with_the_credentials_that_it_wants(auth, headers, region):
    stack = deployed("s", "t", Aws(OUTPUTS, ApiAuth=auth))
    assert stack.send == Http(OUTPUTS["ApiUrl"], headers, region)
    assert stack.parked_url == OUTPUTS["ParkedUrl"]


@pytest.mark.parametrize(
    ("aws", "said"),
    [
        (Aws({}), "The stack s has no ApiAuth. Check its name"),
        (Aws(OUTPUTS), "The stack s has no ApiAuth. Check its name"),
        (Aws({"ApiUrl": "https://a"}, ApiAuth="iam"), "The stack s has no UploadsBucketName. Check its name"),
        (Aws(OUTPUTS, ApiAuth="cognito"), "The stack s has ApiAuth=cognito. Add TOKEN="),
    ],
)
def test_another_stack_and_a_missing_token_are_told(aws, said):
    with pytest.raises(StackError, match=said):
        deployed("s", "", aws)
