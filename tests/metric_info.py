"""What the functions write for CloudWatch: each metric with its dimensions, as alarms and the dashboard name them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.fakes import LambdaContext
from tests.template_info import properties, resolve
from video_common.metrics import meter

Dimensions = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Written:
    """A data point's name. Where two of them are equal CloudWatch adds their values up."""

    namespace: str
    metric: str
    dimensions: Dimensions


class Invocation(LambdaContext):
    """An invocation of the published version of a function of the template."""

    def __init__(self, function: str, milliseconds: int = 28_000) -> None:
        super().__init__()
        self._function_name = resolve({"Ref": function})
        self._function_version = resolve({"Fn::GetAtt": [function, "Version.Version"]})
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        return self._milliseconds


def deploy(function: str, **parameters: Any) -> Invocation:
    """Tell the meter what a function's environment says in the template, as its handler does when it starts."""
    variables = resolve(properties(function)["Environment"]["Variables"], **parameters)
    meter.settle(variables["STACK"], variables["ENVIRONMENT"])
    return Invocation(function)


def lines(text: str) -> list[dict[str, Any]]:
    """Return what a function wrote, line by line."""
    return [json.loads(line) for line in text.splitlines()]


def values(text: str) -> dict[Written, list[float]]:
    """Return every metric in what a function wrote, with its values."""
    found: dict[Written, list[float]] = {}
    for line in lines(text):
        for written, value in _in(line):
            found.setdefault(written, []).extend(value)
    return found


def _in(line: dict[str, Any]) -> Iterator[tuple[Written, list[float]]]:
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                yield Written(directive["Namespace"], metric["Name"], dimensions), line[metric["Name"]]
