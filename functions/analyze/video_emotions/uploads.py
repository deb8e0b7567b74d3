"""S3 notifications: every created object is analysed, and its answer is written to the results bucket. Entry point."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.data_classes import S3Event
from aws_lambda_powertools.utilities.data_classes.s3_event import S3EventRecord

from video_common.aws.interfaces import ObjectStore
from video_common.errors import ConfigurationError, ServiceError, UnsupportedEvent, VideoEmotionsError
from video_common.schema import JSON_CONTENT_TYPE, PROBLEM_CONTENT_TYPE
from video_emotions import requests, responses
from video_emotions.pipeline import Pipeline
from video_emotions.telemetry import logger


@dataclass(frozen=True)
class Uploads:
    """Analyses the objects of S3 events. A result lies at the object's key with ``.json`` appended."""

    pipeline: Pipeline
    store: ObjectStore

    def handle(self, event: dict[str, Any], request_id: str) -> dict[str, Any]:
        """Take every record of an event.

        Returns
        -------
        dict
            ``{"results": ["<bucket>/<key>", ...]}``: what was written, in the order of the records.

        Raises
        ------
        Exception
            After all records were tried: what one of them failed with, so that Lambda delivers the event again.
        ConfigurationError
            RESULTS_BUCKET is not set.
        """
        if event.get("Event") == "s3:TestEvent":
            logger.info("S3 confirmed that it can send notifications here")
            return {"results": []}
        written, failed = [], None
        for record in S3Event(event).records:
            try:
                written.append(self._take(record, request_id))
            except Exception as error:  # the other records must not wait for this one's next delivery
                logger.exception("a record failed")
                failed = error
        if failed is not None:
            raise failed
        return {"results": written}

    def _take(self, record: S3EventRecord, request_id: str) -> str:
        settings = self.pipeline.settings
        results_bucket = settings.results_bucket
        if results_bucket is None:
            raise ConfigurationError("RESULTS_BUCKET is not set: there is nowhere to put a result.")
        if record.s3.bucket.name != settings.uploads_bucket:
            raise ConfigurationError("The event is of another bucket than UPLOADS_BUCKET. Mend the notification.")
        if not record.event_name.removeprefix("s3:").startswith("ObjectCreated:"):
            raise UnsupportedEvent("Only ObjectCreated events are handled. Mend the bucket's notification.")
        key = f"{requests.object_key(record)}.json"
        try:
            result = self.pipeline.analyze(requests.from_s3(record))
            body, content_type = responses.result_json(result), JSON_CONTENT_TYPE
        except ServiceError:
            raise
        except VideoEmotionsError as error:
            logger.info(error.detail, code=error.code)
            body, content_type = responses.problem_json(error, request_id), PROBLEM_CONTENT_TYPE
        self.store.put(results_bucket, key, body, content_type)
        return f"{results_bucket}/{key}"
