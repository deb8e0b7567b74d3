"""Uploaded objects, by SQS or straight from S3: each event is handled once. Entry point: parse, call, map."""

from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common import limits
from video_common.aws.interfaces import Queue
from video_common.errors import GaveUp, JobInProgress, JobsUnavailable, TransientError
from video_common.metrics import Metric, meter
from video_common.telemetry import Entry, Outcome, code_of, entry, job_facts, logger
from video_common.upload import Upload, uploads_in, uploads_in_message
from video_emotions.long_videos import version_of
from video_emotions.outcomes import count
from video_emotions.worker import Worker

_DAY: Final = 24 * 60 * 60
MARGIN_SECONDS: Final = 5
"""Between the last moment at which another worker can be alive and the next look."""


class Uploads:
    """Hands uploads to the worker, each version of an object once, however often its event comes.

    An event is identified by bucket, key, version or entity tag, sequencer, and what shapes the numbers: model,
    detectors and settings. A message that was parked because an execution failed has the name of the failure too: the
    upload was handled before, when the execution started.
    """

    def __init__(self, worker: Worker, queue: Queue, persistence: BasePersistenceLayer) -> None:
        self._worker = worker
        self._queue = queue
        self._config = IdempotencyConfig(hash_function="sha256", expires_after_seconds=limits.DELIVERY_DAYS * _DAY)

        @idempotent_function(
            data_keyword_argument="identity",
            persistence_store=persistence,
            config=self._config,
            key_prefix="upload",  # and not the function's name: another version of it handles no event again
        )
        def once(*, identity: dict[str, Any], process: Callable[[], dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG001
            return process()

        self._once = once

    def handle_s3(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Take an event straight from S3.

        Returns
        -------
        dict
            ``{"jobs": [{"job_id", "status"}, ...]}`` in the order of the records.

        Raises
        ------
        Exception
            The error of a record, after all records were tried, so that Lambda delivers the event again.
        """
        self._config.register_lambda_context(context)
        return {"jobs": self._take_all(uploads_in(event), context)}

    def handle_queue(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Take a batch of SQS messages, each with an event of S3's.

        Returns
        -------
        dict
            ``{"batchItemFailures": [...]}``: the messages that have to come again.
        """
        self._config.register_lambda_context(context)

        def take(record: SQSRecord) -> list[dict[str, Any]]:
            try:
                return self._take_message(record, context)
            except JobInProgress:
                raise  # a duplicate waits: nothing failed
            except Exception as error:
                meter.fail(code_of(error))
                raise

        # If all messages of a batch fail, they are reported one by one too: the function did its work.
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(event, take, processor, context))

    def _take_message(self, record: SQSRecord, context: LambdaContext) -> list[dict[str, Any]]:
        receives = int(record.attributes.approximate_receive_count or 1)
        if receives == 1:
            meter.add(Metric.QUEUE_WAIT, max(0, self._worker.now() * 1000 - int(record.attributes.sent_timestamp)))
        try:
            return self._take_all(uploads_in_message(record.body), context)
        except JobInProgress:
            # The worker that has the job began earlier, so its time is over before the time of this invocation is.
            seconds = context.get_remaining_time_in_millis() // 1000 + MARGIN_SECONDS
            if receives >= limits.MAX_RECEIVES:
                # On its last delivery the message would become a dead letter, although the job can still succeed.
                self._queue.send_again(record.body, seconds)
                return []
            self._defer(record, seconds)
            raise
        except GaveUp:
            self._defer(record, 0)  # no delivery that is left can help, and the job waits for its end
            raise
        except TransientError:
            self._defer(record, limits.RETRY_SECONDS * 2 ** (receives - 1))
            raise

    def _take_all(self, uploads: list[Upload], context: LambdaContext) -> list[dict[str, Any]]:
        done: list[dict[str, Any]] = []
        failed: Exception | None = None
        for upload in uploads:
            try:
                done.append(self._take(upload, context))
            except JobInProgress as error:
                failed = failed or error
            except Exception as error:  # the other records must not wait for this one's next delivery
                logger.exception("a record failed")
                failed = error
        if failed is not None:
            raise failed
        return done

    def _take(self, upload: Upload, context: LambdaContext) -> dict[str, Any]:
        source = upload.source
        with entry("job", **job_facts(self._worker.job_id(upload), source.bucket, source.key)) as line:
            line.ends(Outcome.REPEATED)
            return self._take_once(upload, context, line)

    def _take_once(self, upload: Upload, context: LambdaContext, line: Entry) -> dict[str, Any]:
        def process() -> dict[str, Any]:
            seconds_left = context.get_remaining_time_in_millis() / 1000
            done = self._worker.process(upload, context.aws_request_id, seconds_left, version_of(context))
            count(done, line)
            return done

        source = upload.source
        identity = {
            "bucket": source.bucket,
            "key": source.key,
            "version": source.version_id or upload.etag,
            "sequencer": upload.sequencer,
            **({"failure": upload.failure} if upload.failure else {}),
            **self._worker.pipeline.identity,
        }
        try:
            outcome: dict[str, Any] = self._once(identity=identity, process=process)
        except IdempotencyAlreadyInProgressError as error:
            raise JobInProgress("Another worker has the job.") from error
        except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError) as error:
            raise JobsUnavailable("Whether the event was handled could not be read or written.") from error
        return outcome

    def _defer(self, record: SQSRecord, seconds: int) -> None:
        """Delay the message. If that fails too, the queue delivers it after its own delay."""
        try:
            self._queue.defer(record.receipt_handle, seconds)
        except TransientError:
            logger.warning("a message could not be deferred", exc_info=True)
