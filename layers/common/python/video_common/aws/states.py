"""AWS Step Functions behind `StateMachine`."""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from video_common.aws.clients import client, failures
from video_common.errors import JobsUnavailable


class StepFunctions:
    """A Standard state machine."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def start(self, name: str, given: Mapping[str, Any], *, goes_on: bool) -> None:
        """See `StateMachine.start`."""
        states = client("stepfunctions")
        with failures(JobsUnavailable("The analysis of a long video could not be started. Try again.")):
            for attempt in count(1):
                tried = name if attempt == 1 else f"{name}-attempt-{attempt}"
                try:
                    states.start_execution(stateMachineArn=self._arn, name=tried, input=json.dumps(given))
                except states.exceptions.ExecutionAlreadyExists:
                    if self._runs(tried, goes_on):
                        return
                else:
                    return

    def _runs(self, name: str, goes_on: bool) -> bool:
        """Report whether an execution runs. One that failed is redriven, if it may go on and that is possible.

        One that succeeded has ended its job. If the job is to begin again all the same, somebody redrove the execution
        by hand after the job was given up.
        """
        states = client("stepfunctions")
        arn = f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
        told = states.describe_execution(executionArn=arn)
        if told["status"] in {"RUNNING", "PENDING_REDRIVE"}:
            return True
        if not goes_on or told.get("redriveStatus") != "REDRIVABLE":
            return False
        states.redrive_execution(executionArn=arn)
        return True
