"""The Lambda entry point for dead letters. Importing it is the function's init phase: wrong settings show there."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.aws import clients
from video_common.aws.dynamodb import DynamoJobStore
from video_common.aws.eventbridge import DefaultEventBus
from video_common.aws.secrets import StackSecret
from video_common.aws.sqs import SqsQueue
from video_common.errors import JobInProgress, TransientError
from video_common.metrics import meter
from video_common.telemetry import logger
from video_jobs.giving_up import GivingUp
from video_jobs.settings import DeadLetterSettings

settings = DeadLetterSettings.from_environment()
meter.settle(settings.stack, settings.environment)
clients.use_timeouts(connect=1, read=1)  # three tries of each of five calls within the function's 30 s
giving_up = GivingUp(
    settings,
    DynamoJobStore(settings.jobs_table),
    DefaultEventBus(),
    SqsQueue(settings.parked_url),
    StackSecret(settings.job_id_secret_arn),
)


@logger.inject_lambda_context(clear_state=True)
@meter.invocation
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """End the jobs of dead letters.

    Returns
    -------
    dict
        ``{"batchItemFailures": [...]}``: the messages that have to come again. Any other error is raised, so that the
        alarm counts it; then SQS delivers the message again too.
    """
    failed = []
    for record in event["Records"]:
        try:
            giving_up.handle(record["body"], context.aws_request_id)
        except TransientError as error:
            logger.warning("a dead letter has to come again", exc_info=True)
            if not isinstance(error, JobInProgress):  # a lease that has to end is no failure
                meter.fail(error.code)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
