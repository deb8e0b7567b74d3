"""The Lambda entry point. Importing it is the function's init phase: wrong settings show there."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.aws import clients
from video_common.aws.dynamodb import DynamoJobStore
from video_common.aws.multipart import S3Multipart
from video_common.aws.s3 import S3ObjectStore, S3Signer
from video_common.metrics import meter
from video_common.telemetry import logger
from video_jobs.api import Api
from video_jobs.service import Jobs
from video_jobs.settings import Settings

settings = Settings.from_environment()
meter.settle(settings.stack, settings.environment)
clients.use_timeouts(connect=1, read=2)  # three tries within the function's 10 s
jobs = Jobs(settings, DynamoJobStore(settings.jobs_table), S3ObjectStore(), S3Signer(), S3Multipart())
api = Api(jobs, settings.cors_allow_origin)


@logger.inject_lambda_context(clear_state=True)
@meter.invocation
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API event."""
    return api.handle(event, context)
