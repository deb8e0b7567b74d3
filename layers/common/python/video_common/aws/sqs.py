"""Amazon SQS behind `Queue`."""

from video_common.aws.clients import client, failures
from video_common.errors import JobsUnavailable


class SqsQueue:
    """The queue whose messages Lambda delivers."""

    def __init__(self, url: str) -> None:
        self._url = url

    def defer(self, receipt: str, seconds: int) -> None:
        """See `Queue.defer`."""
        with failures(JobsUnavailable("The queue did not answer.")):
            client("sqs").change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def send_again(self, body: str, seconds: int) -> None:
        """See `Queue.send_again`."""
        with failures(JobsUnavailable("The queue did not answer.")):
            client("sqs").send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=min(seconds, 900))
