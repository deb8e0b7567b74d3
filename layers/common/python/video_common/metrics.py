"""What the functions count: the only home of the metrics' names, units and dimensions.

Alarms and the dashboard in ``template.yaml`` name them again; tests compare the two and follow each alarm back to the
code. CloudWatch extracts the metrics from lines on standard output (the embedded metric format, by Powertools).

======================  =============================================================================================
dimensions              of
======================  =============================================================================================
Stack, Environment,     every metric: what one function of one stack does
Function
... and Code            `CODED`: also by the code of the error
... and Version         `VERSIONED`: also by the function's version, so that a deployment judges the new one alone
======================  =============================================================================================

A metric that did not happen has no data point. So alarms treat missing data as good.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.prices import invocation_dollars
from video_common.telemetry import code_of

NAMESPACE: Final = "VideoEmotions"

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class Metric(StrEnum):
    """The name of a metric."""

    REQUESTS = "Requests"
    """Invocations of the function, with any outcome."""
    SUCCEEDED = "Succeeded"
    """Requests and jobs with the answer that was asked for."""
    REJECTED = "Rejected"
    """Requests and jobs that cannot be served as they are: the caller or the video is wrong."""
    FAILURES = "Failures"
    """Requests and tries of a job that failed on our side."""
    GIVEN_UP = "GivenUp"
    """Jobs whose tries all failed."""
    TRUNCATED = "Truncated"
    """Results that leave out sampled frames."""
    QUEUE_WAIT = "QueueWaitMilliseconds"
    """From a message in the queue to the first worker that has it."""
    VIDEOS = "Videos"
    """Videos with a Result; the next five are about those."""
    FRAMES = "Frames"
    FACES = "Faces"
    """Analyzed frames that show at least one face."""
    BYTES = "VideoBytes"
    MINUTES = "VideoMinutes"
    DOLLARS = "EstimatedDollars"
    """Lambda's list price of the invocation; initialization, S3 and the gateway come on top."""
    FILE = "FileMilliseconds"
    """Of an analysis: the steps' own time, and all of it."""
    PROBE = "ProbeMilliseconds"
    READ = "FramesMilliseconds"
    LOOK = "FacesMilliseconds"
    SCORE = "EmotionsMilliseconds"
    TOTAL = "TotalMilliseconds"

    @property
    def unit(self) -> MetricUnit:
        """The unit that CloudWatch shows."""
        if self.endswith("Milliseconds"):
            return MetricUnit.Milliseconds
        if self in {Metric.MINUTES, Metric.DOLLARS}:
            return MetricUnit.NoUnit
        return MetricUnit.Bytes if self is Metric.BYTES else MetricUnit.Count


class Dimension(StrEnum):
    """The name of a dimension."""

    STACK = "Stack"
    ENVIRONMENT = "Environment"
    FUNCTION = "Function"
    CODE = "Code"
    VERSION = "Version"


CODED: Final = frozenset({Metric.REJECTED, Metric.FAILURES})
VERSIONED: Final = frozenset({Metric.FAILURES})
PLACE: Final = (Dimension.STACK, Dimension.ENVIRONMENT, Dimension.FUNCTION)


class Meter:
    """Collects the metrics of one invocation and writes them when it ends, also when it fails."""

    def __init__(self) -> None:
        self._stack = self._environment = self._version = "local"
        self._place: dict[str, str] = dict.fromkeys(PLACE, "local")
        self._emf = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service="")

    def settle(self, stack: str, environment: str) -> None:
        """Set where the function runs, at its start: the names of the stack and of its environment."""
        self._stack, self._environment = stack, environment

    def add(self, metric: Metric, value: float = 1) -> None:
        """Count something that has no code."""
        self._emf.add_metric(metric, metric.unit, value)

    def clear(self) -> None:
        """Forget what is counted. After the hundredth value of a metric Powertools would print it."""
        self._emf.clear_metrics()

    def reject(self, code: str) -> None:
        """Count a request or a job that cannot be served as it is."""
        self._write(Metric.REJECTED, code)

    def fail(self, code: str) -> None:
        """Count a failure on our side, by the code of its error."""
        self._write(Metric.FAILURES, code)

    def invocation(self, handler: Handler) -> Handler:
        """Let a Lambda handler's invocations be counted: each one, what it costs, and what it raises."""

        @wraps(handler)
        def metered(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            began = time.perf_counter()
            self._version = context.function_version
            self._place = {
                Dimension.STACK: self._stack,
                Dimension.ENVIRONMENT: self._environment,
                Dimension.FUNCTION: context.function_name,
            }
            self.clear()
            try:
                return handler(event, context)
            except Exception as error:
                self.fail(code_of(error))
                raise
            finally:
                self.add(Metric.REQUESTS)
                seconds = time.perf_counter() - began
                self.add(Metric.DOLLARS, invocation_dollars(seconds, int(context.memory_limit_in_mb)))
                self._emf.dimension_set.update(self._place)
                self._emf.flush_metrics()

        return metered

    def _write(self, metric: Metric, code: str) -> None:
        """Write a metric that has more dimensions than the others, so in a line of its own."""
        emf = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service="", default_dimensions=self._place)
        if metric in CODED:
            emf.add_dimensions(**{Dimension.CODE: code})
        if metric in VERSIONED:
            emf.add_dimensions(**{Dimension.VERSION: self._version})
        emf.add_metric(metric, metric.unit, 1)
        emf.flush_metrics()


meter = Meter()
"""The process's own, as Powertools' logger is."""
