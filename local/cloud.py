"""The AWS services of template.yaml, as moto plays them on loopback: for `make serve` and the tests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boto3

from local.processes import free_ports, listens, started, wait_until
from video_common import limits
from video_common.aws.eventbridge import SOURCE
from video_common.job import job_id_of

UPLOADS, RESULTS = "video-emotions-uploads", "video-emotions-results"
JOBS, HANDLED = "video-emotions-jobs", "video-emotions-handled"
SECRET: Final = "the stack's secret"  # noqa: S105 - of no real stack
DEAD_LETTER_SECONDS: Final = 180
"""The template's visibility timeout of the dead letters."""
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Cloud:
    """Emulated services.

    Attributes
    ----------
    url : str
        Of all services.
    queue_url, dead_letters_url, parked_url, completions_url : str
        The queue of S3's events, its dead letters, those whose jobs were given up, and a queue that gets what is
        published on the event bus.
    secret_arn : str
    """

    url: str
    queue_url: str
    dead_letters_url: str
    parked_url: str
    completions_url: str
    secret_arn: str

    def client(self, service: str) -> Any:
        """Return a client of an emulated service."""
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1")

    @property
    def variables(self) -> dict[str, str]:
        """The functions' variables of the template, and where the emulated services are."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.url,
            "UPLOADS_BUCKET": UPLOADS,
            "RESULTS_BUCKET": RESULTS,
            "JOBS_TABLE": JOBS,
            "IDEMPOTENCY_TABLE": HANDLED,
            "QUEUE_URL": self.queue_url,
            "PARKED_URL": self.parked_url,
            "JOB_ID_SECRET_ARN": self.secret_arn,
            # Nobody has credentials here. So who asks may also ask for what was dropped into the bucket.
            "OPERATOR": "anonymous",
        }


def id_of(key: str) -> str:
    """Return the id of the job of an object's key."""
    return job_id_of(key, SECRET.encode)


@contextmanager
def emulated_cloud(host: str = "127.0.0.1", visibility_seconds: int = 960) -> Iterator[Cloud]:
    """Run moto with buckets, tables and queues as in the template; all of it is gone with the ``with`` block."""
    for name, value in CREDENTIALS.items():
        os.environ.setdefault(name, value)
    # A process of its own: within one, all moto servers share what they store.
    (port,) = free_ports(1, host)
    command = [sys.executable, "-m", "moto.server", "--host", host, "--port", str(port)]
    with started(command, os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: listens((host, port)), process, 60)
        yield _furnished(f"http://{host}:{port}", visibility_seconds)


def _furnished(url: str, visibility_seconds: int) -> Cloud:
    s3, sqs, dynamodb, events, secrets = (
        boto3.client(service, endpoint_url=url, region_name="us-east-1")
        for service in ("s3", "sqs", "dynamodb", "events", "secretsmanager")
    )
    dead_url, dead_arn = _queue(
        sqs, "video-emotions-dead-letters", VisibilityTimeout=str(min(visibility_seconds, DEAD_LETTER_SECONDS))
    )
    parked_url, _ = _queue(sqs, "video-emotions-parked")
    redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": limits.MAX_RECEIVES}
    queue_url, queue_arn = _queue(
        sqs,
        "video-emotions-uploads",
        VisibilityTimeout=str(visibility_seconds),
        RedrivePolicy=json.dumps(redrive),
    )
    completions_url, completions_arn = _queue(sqs, "video-emotions-completions")
    for bucket in (UPLOADS, RESULTS):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=UPLOADS,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    for table, key in ((JOBS, "job_id"), (HANDLED, "id")):
        dynamodb.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    events.put_rule(Name="completions", EventPattern=json.dumps({"source": [SOURCE]}))
    events.put_targets(Rule="completions", Targets=[{"Id": "queue", "Arn": completions_arn}])
    # What S3 says when a notification is set up: the function's tests have it from events/.
    sqs.purge_queue(QueueUrl=queue_url)
    secret_arn = secrets.create_secret(Name="video-emotions", SecretString=SECRET)["ARN"]
    return Cloud(url, queue_url, dead_url, parked_url, completions_url, secret_arn)


def _queue(sqs: Any, name: str, **attributes: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn
