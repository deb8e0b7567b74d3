"""`make redrive`: parked uploads go back, and it says what it did. Botocore checks each request and each answer."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from operations.redrive import WAIT_SECONDS, RedriveError, find_queues, redrive
from tests.fakes import s3_event
from tests.template_info import ROOT, TEMPLATE
from video_common.upload import as_message, as_redriven, uploads_in_message

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/parked"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/uploads"


def stubbed(service: str) -> tuple:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


def counted(stubber: Stubber, count: int, hidden: int = 0) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = {"Attributes": dict(zip(names, (str(count), str(hidden)), strict=True))}
    stubber.add_response("get_queue_attributes", answer, {"QueueUrl": URL, "AttributeNames": names})


def receives(stubber: Stubber, *bodies: str) -> None:
    messages = [{"Body": body, "ReceiptHandle": f"receipt of {body}", "MessageId": body} for body in bodies]
    wanted = {"QueueUrl": URL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": WAIT_SECONDS}
    stubber.add_response("receive_message", {"Messages": messages} if messages else {}, wanted)


def moves(stubber: Stubber, body: str) -> None:
    """Expect that a message is sent before it is deleted."""
    stubber.add_response("send_message", {"MessageId": "m"}, {"QueueUrl": QUEUE, "MessageBody": body})
    stubber.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": f"receipt of {body}"})


def test_moves_all_and_tells_how_many():
    sqs, stubber = stubbed("sqs")
    counted(stubber, 3, hidden=1)
    receives(stubber, "a", "b")
    for body in ("a", "b"):
        moves(stubber, body)
    receives(stubber, "c")
    moves(stubber, "c")
    receives(stubber)
    said: list[str] = []
    assert redrive(URL, QUEUE, sqs, said.append) == 3
    stubber.assert_no_pending_responses()
    assert "3 parked uploads, and 1 that another receiver has" in said[0]
    assert "Moved 3." in said[1]


@pytest.mark.parametrize("key", ["uploads/ab", "a film+1.mp4", "Grüße/100 %/\u200b.mp4"])
@pytest.mark.parametrize("version", [None, "v1"])
def test_a_parked_upload_is_the_one_that_s3_told_of(key, version):
    event = s3_event(quote_plus(key), bucket="b", size=5, etag="e", sequencer="1f", version_id=version)
    (upload,) = uploads_in_message(json.dumps(event))
    assert (upload.source.key, upload.source.version_id) == (key, version)
    (parked,) = uploads_in_message(as_message(upload, "a failure"))
    assert parked == replace(upload, failure="a failure")
    (redriven,) = uploads_in_message(as_redriven(as_message(upload, "a failure")))
    assert redriven == replace(upload, failure="a failure", is_redriven=True)


def test_says_that_there_is_nothing():
    sqs, stubber = stubbed("sqs")
    counted(stubber, 0)
    receives(stubber)
    said: list[str] = []
    assert redrive(URL, QUEUE, sqs, said.append) == 0
    assert said == [f"{URL}: 0 parked uploads", "Nothing was moved."]


def test_a_message_that_cannot_be_sent_stays_parked():
    sqs, stubber = stubbed("sqs")
    counted(stubber, 1)
    receives(stubber, "a")
    stubber.add_client_error("send_message", "AccessDenied")
    # Deleting it would be a call that the stub does not expect
    with pytest.raises(ClientError, match="AccessDenied"):
        redrive(URL, QUEUE, sqs, lambda _: None)
    stubber.assert_no_pending_responses()


def described(outputs: list[dict]) -> tuple[str, str]:
    cloudformation, stubber = stubbed("cloudformation")
    stack = {"StackName": "s", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "s"})
    return find_queues("s", cloudformation)


def output_of(queue: str) -> str:
    (name,) = (name for name, output in TEMPLATE["Outputs"].items() if output["Value"] == {"Ref": queue})
    return name


def test_the_stack_tells_where():
    outputs = [
        {"OutputKey": output_of("UploadsQueue"), "OutputValue": QUEUE},
        {"OutputKey": output_of("UploadsParked"), "OutputValue": URL},
    ]
    assert described(outputs) == (URL, QUEUE)


@pytest.mark.parametrize("name", ["ParkedUrl", "UploadsQueueUrl"])
def test_another_stack_is_refused(name):
    others = {"ApiUrl", "ParkedUrl", "UploadsQueueUrl"} - {name}
    with pytest.raises(RedriveError, match=name):
        described([{"OutputKey": other, "OutputValue": URL} for other in others])


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "--stack --queue-url is required"),
        # Nobody listens there.
        (["--queue-url", "http://127.0.0.1:9/parked", "--to", "http://127.0.0.1:9/queue"], 1, "Could not connect"),
        (["--queue-url", "http://127.0.0.1:9/parked"], 2, "--queue-url and --to belong together"),
        (["--stack", "s", "--to", "http://127.0.0.1:9/queue"], 2, "--queue-url and --to belong together"),
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
