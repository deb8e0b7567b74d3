"""The pump itself: batches, visibility, partial failure, dead letters and their way back."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.cloud import UPLOADS, Cloud, emulated_cloud
from local.processes import ProcessError
from local.pump import Pump


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with emulated_cloud(visibility_seconds=1) as made:
        yield made


class Function:
    """Writes down what it is given, and fails for the bodies in ``failing``, or as a whole."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.failing: set[str] = set()
        self.crashes = 0

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        records = event["Records"]
        self.batches.append([record["body"] for record in records])
        if self.crashes:
            self.crashes -= 1
            raise ProcessError("crash")
        failed = [record["messageId"] for record in records if record["body"] in self.failing]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def pump_of(cloud: Cloud, function: Function, batch_size: int = 1) -> Pump:
    return Pump(cloud.client("sqs"), cloud.queue_url, function, batch_size)


def send(cloud: Cloud, *bodies: str) -> None:
    for body in bodies:
        cloud.client("sqs").send_message(QueueUrl=cloud.queue_url, MessageBody=body)


def test_what_succeeds_is_deleted_and_what_fails_comes_again(cloud):
    function = Function()
    function.failing = {"b"}
    pump = pump_of(cloud, function, batch_size=10)
    send(cloud, "a", "b", "c")
    assert pump.step() == 3
    assert (pump.left(), pump.step()) == (1, 0)  # hidden
    time.sleep(1.1)
    function.failing = set()
    assert pump.step() == 1
    assert function.batches == [["a", "b", "c"], ["b"]]
    assert pump.left() == 0


def test_a_function_that_fails_as_a_whole_gets_all_of_them_again(cloud):
    function = Function()
    function.crashes = 1
    pump = pump_of(cloud, function, batch_size=2)
    send(cloud, "a", "b")
    pump.step()
    assert pump.left() == 2
    time.sleep(1.1)
    pump.step()
    assert pump.left() == 0


def test_after_four_deliveries_a_message_is_a_dead_letter_and_redriving_brings_it_back(cloud):
    function = Function()
    function.failing = {"a"}
    pump, sqs = pump_of(cloud, function), cloud.client("sqs")
    send(cloud, "a")
    for _ in range(5):
        pump.step()
        time.sleep(1.05)
    assert len(function.batches) == 4
    assert Pump(sqs, cloud.dead_letters_url, function).left() == 1
    function.failing = set()
    assert Pump(sqs, cloud.dead_letters_url, function).step() == 1
    assert function.batches[-1] == ["a"]


def test_events_are_shaped_as_lambdas(cloud):
    seen: list[dict[str, Any]] = []
    cloud.client("s3").put_object(Bucket=UPLOADS, Key="a b.mp4", Body=b"x")
    Pump(cloud.client("sqs"), cloud.queue_url, seen.append).step()
    (record,) = seen[0]["Records"]
    assert record["eventSource"] == "aws:sqs"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert json.loads(record["body"])["Records"][0]["s3"]["object"]["key"] == "a+b.mp4"
