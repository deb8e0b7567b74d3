"""``make redrive``: send parked uploads back to the queue that they came from.

It uses the credentials and the region of the AWS CLI; ``AWS_ENDPOINT_URL`` leads elsewhere, as always with boto3.

SQS's own message move serves queues of dead letters only. The parked messages were sent by a function, so this command
moves them: receive, send with a mark, delete. Without the mark a message does not begin a job again that was given up.
If the command stops between the last two steps, a message is in both queues. That does no harm, because each upload is
handled once.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any, Final

from video_common.upload import as_redriven

PARKED, UPLOADS = "ParkedUrl", "UploadsQueueUrl"
"""The stack's outputs with the addresses."""

WAIT_SECONDS: Final = 2
"""How long to wait for a message: SQS then asks all of its servers, so that no answer means that none is left."""


class RedriveError(RuntimeError):
    """What kept parked uploads where they are."""


def find_queues(stack: str, cloudformation: Any) -> tuple[str, str]:
    """Return the addresses of a stack's parked uploads, and of its queue.

    Raises
    ------
    RedriveError
        The stack has none.
    """
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs: dict[str, str] = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
    for name in (PARKED, UPLOADS):
        if name not in outputs:
            raise RedriveError(
                f"The stack {stack} has no output {name}. Check its name, or deploy the current version."
            )
    return outputs[PARKED], outputs[UPLOADS]


def redrive(parked_url: str, queue_url: str, sqs: Any, say: Callable[[str], None] = print) -> int:
    """Move all parked messages to the queue, and return how many were moved."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=parked_url, AttributeNames=names)["Attributes"]
    count, hidden = (int(attributes[name]) for name in names)
    say(f"{parked_url}: {count} parked uploads" + (f", and {hidden} that another receiver has" if hidden else ""))
    moved = 0
    while messages := _receive(parked_url, sqs):
        for message in messages:
            sqs.send_message(QueueUrl=queue_url, MessageBody=as_redriven(message["Body"]))
            sqs.delete_message(QueueUrl=parked_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    say(f"Moved {moved}. Each has four tries again." if moved else "Nothing was moved.")
    return moved


def _receive(url: str, sqs: Any) -> list[dict[str, Any]]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS)
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def main() -> int:
    """Redrive; exit status 1 if it failed, 2 if no queue is named."""
    parser = argparse.ArgumentParser(prog="make redrive", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", help="make's STACK: the stack whose parked uploads are meant")
    where.add_argument("--queue-url", help="make's QUEUE_URL: the address of the parked uploads; needs --to")
    parser.add_argument("--to", help="make's TO: the address of the queue that they go to")
    chosen = parser.parse_args()
    if (chosen.queue_url is None) != (chosen.to is None):
        parser.error("--queue-url and --to belong together")
    import boto3
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if chosen.stack:
            parked, queue = find_queues(chosen.stack, boto3.client("cloudformation"))
        else:
            parked, queue = chosen.queue_url, chosen.to
        redrive(parked, queue, boto3.client("sqs"))
    except (RedriveError, Boto3Error, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
