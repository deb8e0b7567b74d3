"""`make redrive`: dead letters go back, and it says what it did. Botocore checks each request and each answer."""

import os
import subprocess
import sys

import boto3
import pytest
from botocore.stub import Stubber

from operations.redrive import MOVE_SECONDS, RedriveError, find_queue, redrive
from tests.template_info import ROOT, TEMPLATE

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/dead"
ARN = "arn:aws:sqs:us-east-1:123456789012:dead"


def stubbed(service: str) -> tuple:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


def counted(stubber: Stubber, count: int, hidden: int = 0) -> None:
    names = ["QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = {"Attributes": dict(zip(names, (ARN, str(count), str(hidden)), strict=True))}
    stubber.add_response("get_queue_attributes", answer, {"QueueUrl": URL, "AttributeNames": names})


def moving(stubber: Stubber, *tasks: dict) -> None:
    stubber.add_response("start_message_move_task", {"TaskHandle": "t"}, {"SourceArn": ARN})
    for task in tasks:
        stubber.add_response("list_message_move_tasks", {"Results": [task]}, {"SourceArn": ARN, "MaxResults": 1})


def test_moves_all_and_tells_how_many():
    sqs, stubber = stubbed("sqs")
    counted(stubber, 3, hidden=1)
    running = {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1}
    moving(stubber, running, {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 3})
    said: list[str] = []
    assert redrive(URL, sqs, said.append, lambda _: None) == 3
    stubber.assert_no_pending_responses()
    assert "3 dead letters, and 1 that somebody is looking at" in said[0]
    assert "Moved 3." in said[1]


def test_says_that_there_is_nothing():
    sqs, stubber = stubbed("sqs")
    counted(stubber, 0)
    said: list[str] = []
    assert redrive(URL, sqs, said.append) == 0
    assert said == [f"{URL}: 0 dead letters", "Nothing was moved."]


@pytest.mark.parametrize(
    ("task", "times", "said"),
    [
        ({"Status": "FAILED", "FailureReason": "AccessDenied"}, 1, "AccessDenied"),
        ({"Status": "CANCELLED", "ApproximateNumberOfMessagesMoved": 2}, 1, "after 2 messages"),
        ({"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 2}, MOVE_SECONDS, "still moving"),
    ],
)
def test_a_move_that_does_not_end_well_is_an_error(task, times, said):
    sqs, stubber = stubbed("sqs")
    counted(stubber, 3)
    moving(stubber, *[task] * times)
    with pytest.raises(RedriveError, match=said):
        redrive(URL, sqs, lambda _: None, lambda _: None)


def described(outputs: list[dict]) -> str:
    cloudformation, stubber = stubbed("cloudformation")
    stack = {"StackName": "s", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "s"})
    return find_queue("s", cloudformation)


def test_the_stack_tells_where():
    (name,) = (name for name, output in TEMPLATE["Outputs"].items() if output["Value"] == {"Ref": "UploadsDeadLetters"})
    assert described([{"OutputKey": name, "OutputValue": URL}]) == URL


def test_another_stack_is_refused():
    with pytest.raises(RedriveError, match="DeadLettersUrl"):
        described([{"OutputKey": "ApiUrl", "OutputValue": URL}])


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "--stack --queue-url is required"),
        # Nobody listens there.
        (["--queue-url", "http://127.0.0.1:9/dead"], 1, "Could not connect"),
    ],
)
def test_it_never_does_nothing_in_silence(arguments, status, said):
    variables = {
        **os.environ,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = [sys.executable, "-m", "operations.redrive", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert said in done.stderr
