"""The Lambda entry point: separates API events from uploads, nothing else.

Importing it is the function's init phase: settings are read, weights verified, the network loaded. What is wrong with a
deployment shows there and not at the first video.
"""

import random
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from snapshot_restore_py import register_after_restore

from video_common.aws import clients
from video_common.aws.s3 import S3ObjectStore
from video_common.errors import ConfigurationError, UnsupportedEvent
from video_common.metrics import meter
from video_common.telemetry import logger
from video_emotions.api import Api
from video_emotions.emotions import load_model
from video_emotions.faces.finder import FaceFinder
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Reader
from video_emotions.sandbox import close_to_others
from video_emotions.settings import Settings
from video_emotions.workspace import remove_leftovers

if TYPE_CHECKING:
    from video_emotions.executions import Executions
    from video_emotions.uploads import Uploads

settings = Settings.from_environment()
meter.settle(settings.stack, settings.environment)
if not close_to_others():
    logger.warning("this platform refuses to close the function to its child processes")
remove_leftovers(settings.work_dir)
reader = Reader(settings.decoder_memory_bytes)
reader.prepare()
store = S3ObjectStore()
model = load_model(settings.emotion_model, settings.emotion_engine, settings.models_dir, settings.worker_threads)
finder = FaceFinder(settings.models_dir, settings.face_detector)
for reason in finder.load_all():
    logger.warning("a detector cannot be used", detector=reason)
pipeline = Pipeline(settings, model, finder, store, reader)
api = Api(pipeline)


def _uploads() -> "tuple[Uploads | None, Executions | None]":
    """Build what handles uploads, if the settings name all that it needs. HTTP-only deployments skip these imports."""
    tables, secret = (settings.jobs_table, settings.idempotency_table), settings.job_id_secret_arn
    if not (tables[0] and tables[1] and settings.queue_url and secret):
        return None, None
    from video_common.aws.dynamodb import DynamoJobStore
    from video_common.aws.eventbridge import DefaultEventBus
    from video_common.aws.idempotency import dynamodb_persistence
    from video_common.aws.secrets import StackSecret
    from video_common.aws.sqs import SqsQueue
    from video_common.aws.states import StepFunctions
    from video_emotions.executions import Executions
    from video_emotions.lengths import Limits
    from video_emotions.long_videos import LongVideos
    from video_emotions.segmented import Segmented
    from video_emotions.uploads import Uploads
    from video_emotions.worker import Worker

    long = parked = None
    if settings.state_machine_arn and settings.results_bucket and settings.parked_url:
        machine = StepFunctions(settings.state_machine_arn)
        lengths = Limits.of(settings.power, settings.long_seconds, settings.max_segments)
        long = LongVideos(Segmented(pipeline), store, machine, settings.results_bucket, lengths)
        parked = SqsQueue(settings.parked_url)
    worker = Worker(pipeline, store, DynamoJobStore(tables[0]), DefaultEventBus(), StackSecret(secret), long=long)
    uploads = Uploads(worker, SqsQueue(settings.queue_url), dynamodb_persistence(tables[1]))
    return uploads, Executions(worker, long, parked) if long and parked else None


uploads, executions = _uploads()
# Each environment of a SnapStart version starts as a copy of one snapshot, so it creates again what environments must
# not share. Random waits (boto3's retries) come from the seed. IDs come from the operating system (uuid4). A spare
# child from the snapshot would have the same memory addresses in each environment.
register_after_restore(clients.renew)
register_after_restore(random.seed)
register_after_restore(reader.renew)


@logger.inject_lambda_context(clear_state=True)
@meter.invocation
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    remove_leftovers(settings.work_dir)
    if "requestContext" in event:
        return api.handle(event, context)
    if executions is not None and (event.get("source") == "aws.states" or "task" in event):
        return executions.handle(event, context)
    if "Records" not in event and event.get("Event") != "s3:TestEvent":
        raise UnsupportedEvent("The event is not from API Gateway, SQS or S3.")
    if uploads is None:
        raise ConfigurationError(
            "This function accepts no uploads: set JOBS_TABLE, IDEMPOTENCY_TABLE, QUEUE_URL and JOB_ID_SECRET_ARN."
        )
    if any(record.get("eventSource") == "aws:sqs" for record in event.get("Records", [])):
        return uploads.handle_queue(event, context)
    return uploads.handle_s3(event, context)
