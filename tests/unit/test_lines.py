"""A line at the start and at the end of each try of a job, so that one that was cut off can be followed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.fakes_aws import MemoryQueue
from tests.job_callers import ANN, Callers
from tests.job_world import Lost, id_of
from tests.logged import logged as collected
from video_common.errors import NotAVideo, StorageUnavailable
from video_common.telemetry import Outcome, entry


@pytest.fixture
def world() -> Callers:
    return Callers()


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return the lines that were logged since the last call."""
    with collected() as text:

        def read() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in text.getvalue().splitlines()]
            text.truncate(0)
            text.seek(0)
            return lines

        yield read


def tries(lines: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Return outcome and code of each try, and check that each has both lines."""
    ours = [line for line in lines if line["message"] in {"job started", "job ended"}]
    for start, end in zip(ours[::2], ours[1::2], strict=True):
        assert (start["message"], end["message"]) == ("job started", "job ended")
        names = ("job_id", "bucket", "key_digest")
        assert [start[name] for name in names] == [end[name] for name in names]
        assert end["milliseconds"] >= 0
    return [(end["outcome"], end.get("code")) for end in ours[1::2]]


def deliver(world: Callers, key: str, content: bytes = b"video", version: int = 1) -> None:
    world.queue.send(world.put(key, content, version))
    world.run()


def test_each_outcome_has_its_name(world, logged):
    deliver(world, "a")
    assert tries(logged()) == [("succeeded", None)]
    deliver(world, "a")
    assert tries(logged()) == [("repeated", None)]
    deliver(world, "a", b"no video", 3)
    assert tries(logged()) == [("rejected", "not_a_video")]
    deliver(world, "a", b"video", 2)
    assert tries(logged()) == [("superseded", None)]


def test_a_try_that_fails_says_with_what(world, logged):
    world.store.faults.planned["metadata", "a"] = [StorageUnavailable("down")]
    deliver(world, "a")
    assert tries(logged()) == [("failed", "storage_unavailable"), ("succeeded", None)]
    world.pipeline.during = lambda content: 1 / 0
    world.queue.send(world.put("b", b"video"))
    world.deliver()
    assert tries(logged()) == [("failed", "internal_error")]


def test_a_duplicate_waits(world, logged):
    world.queue.send(world.put("a", b"video"))
    world.queue.send(world.put("a", b"video"))
    duplicates: list[list[str]] = []
    world.pipeline.during = lambda content: duplicates.append(world.deliver())
    world.deliver()
    inner_and_outer = [line for line in logged() if line["message"] == "job ended"]
    assert [line["outcome"] for line in inner_and_outer] == ["deferred", "succeeded"]


def test_a_deleted_job_is_left_alone(world, logged):
    job_id = world.ask(ANN)
    world.call(ANN, "DELETE", job_id)
    world.upload(job_id)
    assert tries(logged()) == [("deleted", None)]


def test_a_job_that_is_given_up_says_so(world, logged):
    world.queue.send(world.put("a", b"video"))
    world.queue.dead.append(world.queue.messages.popitem()[1])
    world.give_up()
    assert tries(logged()) == [("failed", "gave_up")]
    world.parked = MemoryQueue(world.clock)


def test_a_digest_names_the_key_as_the_runbook_says(world, logged):
    key = "holiday/clip.mp4"
    deliver(world, key)
    (line, _) = [line for line in logged() if "key_digest" in line]
    # printf %s holiday/clip.mp4 | sha256sum | cut -c1-16
    assert line["key_digest"] == "e262d2cd795376fe"
    assert line["job_id"] == id_of(key)


def test_the_runbook_has_every_outcome():
    runbook = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (row,) = [line for line in runbook.splitlines() if line.startswith("| `outcome`")]
    assert [outcome for outcome in Outcome if f"`{outcome}`" not in row] == []


@pytest.mark.parametrize("error", [Lost(), NotAVideo("no"), KeyError()])
def test_the_end_is_told_on_every_path(logged, error):
    with pytest.raises(type(error)), entry("job", job_id="a"):
        raise error
    start, end = logged()
    assert (start["message"], end["message"], end["outcome"]) == ("job started", "job ended", Outcome.FAILED)
