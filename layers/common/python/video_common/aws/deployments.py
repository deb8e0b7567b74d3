"""AWS Lambda and CodeDeploy behind `Functions` and `Deployments`: what the check of a new version needs."""

import json
from collections.abc import Mapping
from typing import Any

from video_common.aws.clients import client, failures
from video_common.errors import FunctionFailed


class LambdaFunctions:
    """Other functions of the account."""

    def invoke(self, arn: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """See `Functions.invoke`."""
        with failures(FunctionFailed("The function could not be invoked.")):
            told = client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event).encode())
            text = told["Payload"].read()
        if "FunctionError" in told:
            raise FunctionFailed("The function raised, crashed or ran out of time. Its log says why.")
        answer: dict[str, Any] = json.loads(text)
        return answer


class CodeDeployments:
    """Deployments that wait for a word."""

    def report(self, deployment_id: str, hook_id: str, *, succeeded: bool) -> None:
        """See `Deployments.report`."""
        with failures(FunctionFailed("CodeDeploy did not accept the outcome.")):
            client("codedeploy").put_lifecycle_event_hook_execution_status(
                deploymentId=deployment_id,
                lifecycleEventHookExecutionId=hook_id,
                status="Succeeded" if succeeded else "Failed",
            )
