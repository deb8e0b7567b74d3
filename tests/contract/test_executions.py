"""A long upload through plan, segments and merge: the job's end, its result, and what fails on the way."""

import dataclasses
import json
from typing import Any

import pytest

from tests.execution_world import JOB, Cloud, Context
from tests.fakes_aws import MemoryPersistence
from tests.moto_machine import MotoMachine, moto_states
from video_common.errors import EventsUnavailable, StorageUnavailable, UnsupportedEvent
from video_common.job import JobStatus
from video_emotions.uploads import Uploads
from video_emotions.workspace import PREFIX

OPTIONS = '{"frame_interval": 5, "include": "timeline"}'


@pytest.mark.parametrize("include", ["timeline", "people"])
def test_a_long_upload_has_the_result_of_a_short_one(pipeline, monkeypatch, world, content, include):
    options = OPTIONS.replace("timeline", include)
    short = Cloud(pipeline, monkeypatch, over_seconds=1e9)
    assert short.upload(content, options)[0]["status"] == "SUCCEEDED"
    assert world.upload(content, options) == [{"job_id": JOB, "status": "STARTED"}]
    told = world.api.look(JOB, "me")
    assert (told["status"], told["progress"]) == ("RUNNING", {"segments_done": 0, "segments": 4})
    execution = world.run()
    assert execution.status == "SUCCEEDED"
    assert execution.calls == [("segment", 0), ("segment", 1), ("segment", 2), ("segment", 3), ("merge", None)]
    whole, merged = short.result(), world.result()
    assert whole["video"].pop("sha256")
    assert merged["video"].pop("sha256") is None
    assert "wall" in merged.pop("timings_ms")
    del whole["timings_ms"]
    assert merged == whole
    assert merged[include]
    assert [event["detail"]["status"] for event in world.bus.events] == ["SUCCEEDED"]
    assert len(world.store.keys("results", "")) == 1


@pytest.mark.parametrize("form", ["csv", "vtt"])
def test_a_table_or_a_track_of_a_long_upload_is_that_of_a_short_one(pipeline, monkeypatch, world, content, form):
    options = json.dumps({"frame_interval": 5, "format": form})
    short = Cloud(pipeline, monkeypatch, over_seconds=1e9)
    short.upload(content, options)
    world.upload(content, options)
    world.run()
    (whole,), (merged,) = (
        [one.store.read("results", key) for key in one.store.keys("results", "")] for one in (short, world)
    )
    assert merged == whole
    assert whole.count("\n") > 5
    assert list(pipeline.settings.work_dir.glob(f"{PREFIX}*")) == []


def test_progress_counts_each_segment_once(world, content):
    world.upload(content, OPTIONS)
    seen = []

    def twice(function: str, event: dict[str, Any]) -> Any:
        done = [world.call(function, event) for _ in range(2 if event["task"] == "segment" else 1)]
        if event["task"] == "segment":
            seen.append(world.api.look(JOB, "me")["progress"]["segments_done"])
        return done[-1]

    world.run(twice)
    assert seen == [1, 2, 3, 4]
    assert world.result()["total_frames_analyzed"] == 8


def test_a_segment_that_fails_twice_changes_nothing(world, content):
    world.upload(content, OPTIONS)
    failures = iter([StorageUnavailable("slow down")] * 2)

    def unsteady(function: str, event: dict[str, Any]) -> Any:
        if event.get("segment") == 2 and (error := next(failures, None)):
            raise error
        return world.call(function, event)

    execution = world.run(unsteady)
    assert execution.calls.count(("segment", 2)) == 3
    assert world.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize(("segment", "code"), [(1, "gave_up"), (3, "gave_up")])
def test_a_segment_that_never_works_fails_the_job_and_leaves_no_result(world, content, segment, code):
    world.upload(content, OPTIONS)
    execution = world.run(world.never(segment=segment))
    job = world.jobs.get(JOB)
    assert execution.calls.count(("segment", segment)) == 9
    assert ("merge", None) not in execution.calls
    assert (job.status, job.error["code"], job.result_key) == (JobStatus.FAILED, code, None)
    assert job.error["detail"].startswith(f"Segment {segment + 1} of 4: ")
    assert [event["detail"]["error"]["code"] for event in world.bus.events] == [code]
    # A late merge changes nothing
    world.call("", {"task": "merge", **execution.given})
    assert world.jobs.get(JOB) == job
    assert len(world.bus.events) == 1


def test_a_fault_of_the_video_is_final_and_names_the_segment(world, content):
    world.upload(content, OPTIONS)
    answers = []

    def answered(function: str, event: dict[str, Any]) -> Any:
        answers.append(world.replaced_at(1)(function, event))
        return answers[-1]

    # An execution that fails sets off alarms, and takes a new version back
    assert world.run(answered).status == "SUCCEEDED"
    fault = {"segment": 1, "frames": 0, "code": "object_missing"}
    nothing = [{"segment": number, "frames": 0} for number in (2, 3)]
    assert answers[1:] == [fault, *nothing, {"job_id": JOB, "status": "FAILED", "code": "object_missing"}]
    job = world.jobs.get(JOB)
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "object_missing")
    assert job.error["detail"].startswith("Segment 2 of 4: ")
    assert [event["detail"]["error"]["code"] for event in world.bus.events] == ["object_missing"]


def test_a_fault_that_could_not_be_announced_is_announced_by_the_next_try(world, content):
    world.upload(content, OPTIONS)
    world.bus.faults.planned["publish", ""] = [EventsUnavailable("throttled")]
    assert world.run(world.replaced_at(1)).status == "SUCCEEDED"
    assert [event["detail"]["error"]["code"] for event in world.bus.events] == ["object_missing"]
    assert world.store.keys("results", "") == []


def test_another_version_of_the_function_refuses_segments(world, content):
    world.upload(content, OPTIONS)
    (execution,) = world.machine.executions.values()
    execution.given["function"] = "arn:aws:lambda:us-east-1:123456789012:function:analyze:8"

    def newer(_function: str, event: dict[str, Any]) -> Any:
        return world.executions.handle(event, Context())

    assert world.run(newer).calls == [("segment", 0)]
    assert world.jobs.get(JOB).error["code"] == "gave_up"


def test_a_newer_upload_wins_over_an_execution_that_is_late(world, content):
    world.upload(content, OPTIONS)
    (old,) = world.machine.executions
    world.upload(content, '{"frame_interval": 10}', version=2)
    world.machine.run(old, world.call, world.store.read)
    assert world.jobs.get(JOB).status is JobStatus.RUNNING
    (new,) = set(world.machine.executions) - {old}
    world.machine.run(new, world.call, world.store.read)
    assert world.result()["settings"]["frame_interval"] == 10
    assert len(world.bus.events) == 1


def test_a_worker_that_is_lost_after_the_start_starts_nothing_else(world, content):
    world.jobs.faults.planned["finish", JOB] = [BaseException("lost")]
    with pytest.raises(BaseException, match="lost"):
        world.upload(content, OPTIONS)
    world.clock.now += 1000
    assert world.upload(content, OPTIONS)[0]["status"] == "STARTED"
    assert len(world.machine.executions) == 1
    world.run()
    assert world.result()["total_frames_analyzed"] == 8


def test_what_is_no_task_is_refused(world):
    for event in ({"task": "segment"}, {"task": "merge", "work": 1}, {"source": "aws.states", "detail": {}}):
        with pytest.raises(UnsupportedEvent):
            world.executions.handle(event, Context())


def test_step_functions_of_moto_executes_the_document(pipeline, monkeypatch, world, content):
    short = Cloud(pipeline, monkeypatch, over_seconds=1e9)
    short.upload(content, OPTIONS)
    calls: list[tuple[str, int | None]] = []
    failures = iter([StorageUnavailable("slow down")])

    def call(function: str, event: dict[str, Any]) -> Any:
        calls.append((event["task"], event.get("segment")))
        if event.get("segment") == 2 and (error := next(failures, None)):
            raise error
        return world.call(function, event)

    with moto_states(call, monkeypatch):
        machine = MotoMachine(world.store.read)
        world.worker = dataclasses.replace(world.worker, long=dataclasses.replace(world.long, machine=machine))
        world.uploads = Uploads(world.worker, world.queue, MemoryPersistence(world.clock))
        assert world.upload(content, OPTIONS) == [{"job_id": JOB, "status": "STARTED"}]
        assert machine.wait() == "SUCCEEDED"
    # moto calls the segments in any order, and the merge last
    assert calls[-1] == ("merge", None)
    assert sorted(segment for _, segment in calls[:-1] if segment is not None) == [0, 1, 2, 2, 3]
    whole, merged = short.result(), world.result()
    for result in (whole, merged):
        del result["timings_ms"], result["video"]["sha256"]
    assert merged == whole
