"""What Lambda's event source mapping does: a queue's messages go to a function, and what it handled is deleted."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from events.aws_shapes import Event, sqs_record
from local.processes import ProcessError

logger = logging.getLogger(__name__)

Invoke = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Pump:
    """A queue, and the function that it is read for.

    Attributes
    ----------
    sqs : client of boto3's
    queue_url : str
    invoke : callable
        Takes the event, returns the function's answer; raises ProcessError where the function failed as a whole.
    batch_size : int
    """

    sqs: Any
    queue_url: str
    invoke: Invoke
    batch_size: int = 1

    def step(self, wait_seconds: int = 0) -> int:
        """Deliver one batch; return how many messages were in it.

        Messages that the function reports as failed stay in the queue, or the whole batch if the function fails. They
        come again when they are visible.
        """
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=self.batch_size,
            WaitTimeSeconds=wait_seconds,
            AttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            return 0
        try:
            answer = self.invoke({"Records": [_record(message) for message in received]})
        except ProcessError as error:
            logger.warning("The function failed, its messages will come again: %s", error)
            return len(received)
        failed = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", [])}
        for message in received:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return len(received)

    def left(self) -> int:
        """Return how many messages are in the queue, seen or unseen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)


def _record(message: dict[str, Any]) -> Event:
    return sqs_record(message["Body"], message["MessageId"], message["ReceiptHandle"], message.get("Attributes"))
