"""`make smoke` passes against the local stack, and says what is wrong with deliberately broken ones."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import serve
from local.stack import local_stack
from operations.smoke import Smoke
from operations.stack import Answer, Stack

ALL = [
    "The stack is healthy.",
    "A POST of the sample has its Result.",
    "A file that is no video is refused with a reason.",
    "A request without credentials is refused.",
    "A body that is too large is refused.",
    "An upload becomes a job with its result.",
    "A dead letter ends its job.",
    "A redrive brings it to its result.",
    "A deleted job leaves nothing.",
    "Too many requests at once are refused.",
]
OF_THE_GATEWAY = [ALL[3], ALL[4], ALL[9]]


@pytest.fixture(scope="module")
def stack(models_dir: Path) -> Iterator[Stack]:
    """The whole service in this process, so that a test can break it."""
    before = dict(os.environ)
    os.environ |= {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir)}
    with local_stack(seconds=60) as made:
        yield made
    os.environ.clear()
    os.environ.update(before)


def report(stack: Stack) -> tuple[bool, dict[str, str]]:
    """Return whether the checks passed, and what was said of each."""
    said: list[str] = []
    passed = Smoke(stack, said.append).run()
    found = {}
    for line in said:
        verdict, text = line[:9].strip(), line[9:]
        (name,) = [each for each in ALL if text.startswith(each)]
        found[name] = f"{verdict}{text.removeprefix(name)}"
    assert list(found) == ALL
    return passed, found


def test_a_stack_as_it_is_passes_and_what_only_the_gateway_does_is_said_to_be_not_run(stack):
    passed, found = report(stack)
    assert passed, found
    assert {name for name, verdict in found.items() if verdict == "ok"} == set(ALL) - set(OF_THE_GATEWAY)
    for name in OF_THE_GATEWAY:
        assert found[name].startswith("not run only API Gateway decides")
    # And leaves nothing behind
    buckets = (stack.uploads_bucket, stack.results_bucket)
    assert [stack.s3.list_objects_v2(Bucket=bucket)["KeyCount"] for bucket in buckets] == [0, 0]


def test_a_stack_that_deletes_videos_after_their_analysis_passes_too(stack, monkeypatch):
    from video_emotions.handler import uploads

    assert uploads
    worker = uploads._worker
    settings = worker.pipeline.settings.model_copy(update={"delete_videos_after_analysis": True})
    monkeypatch.setattr(uploads, "_worker", replace(worker, pipeline=replace(worker.pipeline, settings=settings)))
    passed, found = report(stack)
    assert passed, found


def test_a_connection_that_breaks_is_a_failed_check_and_not_the_end(stack):
    def hangs_up(method: str, path: str, *arguments: Any, **more: Any) -> Answer:
        if path == "/process-frame":
            raise ConnectionResetError("the other side hung up")
        return stack.send(method, path, *arguments, **more)

    passed, found = report(replace(stack, send=hangs_up))
    assert not passed
    assert found[ALL[1]] == "FAILED ConnectionResetError: the other side hung up"
    assert found[ALL[8]] == "ok"


class Answers:
    """An API that answers each request in the same way."""

    def __init__(self, status: int, body: str) -> None:
        self.answer = {"statusCode": status, "headers": {}, "body": body}

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        return self.answer


def broken_worker(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": item["messageId"]} for item in event["Records"]]}


def fails(*arguments: Any) -> None:
    raise RuntimeError("broken")


def nothing(*arguments: Any) -> None:
    """Do nothing."""


BROKEN: dict[str, tuple[str, str, Any, str, str]] = {
    "a function that does not start": (
        *("video_emotions.handler", "api", Answers(502, '{"message": "Internal server error"}')),
        *(ALL[0], "FAILED the answer is 502, not 200"),
    ),
    "a detector that finds nobody": (
        *("video_emotions.handler", "api", Answers(200, '{"status": "ok", "frames_with_face": 0}')),
        *(ALL[1], "FAILED the Result of the sample has no frame with a face"),
    ),
    "a worker that does not come to an end": (
        *("video_emotions.handler", "uploads.handle_queue", broken_worker),
        *(ALL[5], "FAILED after 5 s the job is PENDING, not SUCCEEDED"),
    ),
    "dead letters that nobody handles": (
        *("video_jobs.dead_letters", "giving_up", None),
        *(ALL[6], "FAILED after 30 s the job is SUCCEEDED, not FAILED"),
    ),
    "a deletion that deletes nothing": (
        *("video_jobs.service", "Jobs.delete", nothing),
        *(ALL[8], "FAILED the answer is 200, not 410"),
    ),
    "a deletion that leaves the video": (
        *("video_common.aws.s3", "S3ObjectStore.delete", nothing),
        *(ALL[8], "FAILED the video is still in its bucket"),
    ),
    "a deletion that leaves the result": (
        *("video_common.aws.s3", "S3ObjectStore.delete_all", nothing),
        *(ALL[8], "FAILED the result is still in its bucket"),
    ),
}


breaking = pytest.MonkeyPatch()
"""What is broken in the present process: the one of the tests, or the one of the jobs function."""


def break_it(what: str) -> bool:
    """Break it in the present process, and report whether this process has it."""
    module, attribute, broken, *_ = BROKEN[what]
    if module not in sys.modules:
        return False
    owner: Any = sys.modules[module]
    *path, name = attribute.split(".")
    for each in path:
        owner = getattr(owner, each)
    breaking.setattr(owner, name, broken)
    return True


def repair() -> None:
    breaking.undo()


@pytest.fixture(params=BROKEN)
def what(request: pytest.FixtureRequest, stack: Stack) -> Iterator[str]:
    """What is broken, in both processes of the stack, until the test ends."""
    name: str = request.param
    try:
        broken = [break_it(name), serve.jobs.run(break_it, name)]
        assert any(broken)
        yield name
    finally:
        repair()
        serve.jobs.run(repair)


def test_a_broken_stack_fails_and_is_told_what_is_wrong(stack, what):
    *_, check, verdict = BROKEN[what]
    # Before its dead letter, an upload must come to its result, which a busy machine needs a while for.
    patience = {ALL[5]: 5.0, ALL[6]: 30.0}
    passed, found = report(replace(stack, seconds=patience.get(check, stack.seconds)))
    assert not passed
    assert found[check].startswith(verdict), found
    # And what does not need the broken part is still checked
    assert "ok" in found.values()
