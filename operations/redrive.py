"""``make redrive``: send dead letters back to the queue that they came from, and wait until they are there.

With the credentials and the region of the AWS CLI; ``AWS_ENDPOINT_URL`` leads elsewhere, as always with boto3.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, Final

OUTPUT: Final = "DeadLettersUrl"
"""The stack's output with the address."""

MOVE_SECONDS: Final = 300
"""How long to wait for the end of a move; SQS goes on without us."""


class RedriveError(RuntimeError):
    """What kept dead letters where they are."""


def find_queue(stack: str, cloudformation: Any) -> str:
    """Return the address of a stack's dead letters.

    Raises
    ------
    RedriveError
        The stack has none.
    """
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs: dict[str, str] = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
    if OUTPUT not in outputs:
        raise RedriveError(f"The stack {stack} has no output {OUTPUT}: it is none of ours, or of an older version.")
    return outputs[OUTPUT]


def redrive(
    queue_url: str, sqs: Any, say: Callable[[str], None] = print, wait: Callable[[float], None] = time.sleep
) -> int:
    """Move what is in a queue of dead letters back, and return how many messages there were by SQS's count.

    Raises
    ------
    RedriveError
        The move did not come to its end.
    """
    names = ["QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    arn, count, hidden = attributes["QueueArn"], int(attributes[names[1]]), int(attributes[names[2]])
    say(f"{queue_url}: {count} dead letters" + (f", and {hidden} that somebody is looking at" if hidden else ""))
    if not count:
        say("Nothing was moved.")
        return 0
    # Without a destination each goes to where it came from.
    sqs.start_message_move_task(SourceArn=arn)
    for _ in range(MOVE_SECONDS):
        # The list may not have the task yet.
        task = next(iter(sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"]), {"Status": "RUNNING"})
        moved = task.get("ApproximateNumberOfMessagesMoved", 0)
        if task["Status"] == "COMPLETED":
            say(f"Moved {moved}. Each has four tries again.")
            return count
        if task["Status"] != "RUNNING":
            reason = task.get("FailureReason", "no reason given")
            raise RedriveError(f"The move ended as {task['Status']} after {moved} messages: {reason}")
        wait(1)
    raise RedriveError(f"After {MOVE_SECONDS} s SQS is still moving; {moved} are done. Look again later.")


def main() -> int:
    """Redrive; exit status 1 if it did not come to its end, 2 if nothing says where."""
    parser = argparse.ArgumentParser(prog="make redrive", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", help="make's STACK: the stack whose dead letters are meant")
    where.add_argument("--queue-url", help="make's QUEUE_URL: the address of the queue of dead letters")
    chosen = parser.parse_args()
    import boto3
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        url = chosen.queue_url or find_queue(chosen.stack, boto3.client("cloudformation"))
        redrive(url, boto3.client("sqs"))
    except (RedriveError, Boto3Error, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
