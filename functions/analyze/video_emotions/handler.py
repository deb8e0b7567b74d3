"""The Lambda entry point: tells API events from S3 events, nothing else.

Importing it is the function's init phase: settings are read, weights verified, the network loaded. What is wrong with a
deployment shows there and not at the first video.
"""

import random
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from snapshot_restore_py import register_after_restore

from video_common.aws.s3 import S3ObjectStore
from video_common.errors import UnsupportedEvent
from video_emotions.api import Api
from video_emotions.emotions import load_model
from video_emotions.pipeline import Pipeline
from video_emotions.settings import Settings
from video_emotions.telemetry import logger, metrics
from video_emotions.uploads import Uploads

settings = Settings.from_environment()
store = S3ObjectStore()
model = load_model(settings.emotion_model, settings.emotion_engine, settings.models_dir, settings.worker_threads)
pipeline = Pipeline(settings, model, store)
api = Api(pipeline)
uploads = Uploads(pipeline, store)
# Each environment of a SnapStart version begins as a copy of one: what they must not share is made anew. Random
# waits (boto3's retries) come from the seed; ids need nothing, they come from the operating system (uuid4).
register_after_restore(store.renew)
register_after_restore(random.seed)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    if "requestContext" in event:
        return api.handle(event, context)
    if "Records" in event or event.get("Event") == "s3:TestEvent":
        return uploads.handle(event, context.aws_request_id)
    raise UnsupportedEvent("The event is neither of API Gateway nor of S3.")
