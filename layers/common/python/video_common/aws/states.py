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
        """See `StateMachine.start`.

        An execution that succeeded has ended its job. If the job is to begin again all the same, somebody redrove the
        execution by hand after the job was given up.
        """
        states = client("stepfunctions")
        with failures(JobsUnavailable("The analysis of a long video could not be started. Try again.")):
            latest: dict[str, Any] = {}
            for attempt in count(1):
                tried = name if attempt == 1 else f"{name}-attempt-{attempt}"
                told = self._told(tried)
                if told is None:
                    break
                if told["status"] in {"RUNNING", "PENDING_REDRIVE"}:
                    return
                latest = told
            if goes_on and latest.get("redriveStatus") == "REDRIVABLE":
                states.redrive_execution(executionArn=latest["executionArn"])
                return
            try:
                states.start_execution(stateMachineArn=self._arn, name=tried, input=json.dumps(given))
            except states.exceptions.ExecutionAlreadyExists:
                return  # another worker was faster

    def _told(self, name: str) -> dict[str, Any] | None:
        """Return what Step Functions knows of an execution. None: there is none of that name."""
        states = client("stepfunctions")
        try:
            told: dict[str, Any] = states.describe_execution(
                executionArn=f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
            )
        except states.exceptions.ExecutionDoesNotExist:
            return None
        return told
