"""The state machine's document: what it calls, what it tries again, and what it leaves to the job's end."""

from typing import Any

import pytest

from tests.state_machine import definition
from video_common import errors, limits

SEGMENTS, MERGE = definition()["States"]["Segments"], definition()["States"]["Merge"]
SEGMENT = SEGMENTS["ItemProcessor"]["States"]["Segment"]


def test_segments_then_the_merge_and_nothing_catches():
    assert definition()["StartAt"] == "Segments"
    assert (SEGMENTS["Next"], MERGE["End"]) == ("Merge", True)
    # A Catch would end a failed execution as a success, and a redrive would start there.
    assert all("Catch" not in state for state in (SEGMENTS, SEGMENT, MERGE))
    assert definition()["TimeoutSeconds"] == limits.EXECUTION_SECONDS


def test_each_segment_is_an_execution_that_may_take_the_time_of_a_function():
    assert SEGMENTS["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    for state in (SEGMENT, MERGE):
        assert state["TimeoutSeconds"] > limits.WORKER_SECONDS


def test_no_failure_is_tolerated_and_nothing_large_stays_in_the_state():
    assert SEGMENTS["ToleratedFailurePercentage"] == 0
    assert SEGMENTS["MaxConcurrencyPath"] == "$.max_segments"
    assert SEGMENTS["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert SEGMENTS["ResultWriter"]["Parameters"] == {"Bucket.$": "$.bucket", "Prefix.$": "$.work"}
    assert SEGMENTS["ResultPath"] is None


@pytest.mark.parametrize("state", [SEGMENT, MERGE])
def test_only_what_may_pass_is_tried_again_after_growing_random_waits(state):
    named = [name for retry in state["Retry"] for name in retry["ErrorEquals"]]
    assert len(named) == len(set(named))
    assert not {"States.ALL", "States.TaskFailed"} & set(named)
    ours = {name for name in named if "." not in name}
    transient = {"StorageUnavailable", "JobsUnavailable"}
    assert transient <= {kind.__name__ for kind in errors.TransientError.__subclasses__()}
    assert ours == transient | ({"DecoderUnavailable"} if state is SEGMENT else {"EventsUnavailable"})
    assert set(named) - ours == {
        *("Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException"),
        *("Lambda.SdkClientException", "Lambda.Unknown", "Lambda.ClientExecutionTimeoutException"),
        *("Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"),
    }
    for retry in state["Retry"]:
        assert (retry["JitterStrategy"], retry["BackoffRate"]) == ("FULL", 2)
        assert retry["MaxAttempts"] >= 2


def test_a_list_that_could_not_be_read_is_read_again_and_no_segment_is_analyzed_twice_for_it():
    (retry,) = SEGMENTS["Retry"]
    assert (retry["ErrorEquals"], retry["JitterStrategy"]) == (["States.ItemReaderFailed"], "FULL")


def test_the_version_that_planned_does_the_rest():
    assert SEGMENT["Parameters"] == {"FunctionName.$": "$.function", "Payload.$": "$"}
    given: dict[str, Any] = MERGE["Parameters"]
    assert given["FunctionName.$"] == "$.function"
    assert {**given["Payload"], "task": "segment", "segment.$": "$$.Map.Item.Value.segment"} == SEGMENTS["ItemSelector"]
