"""A long upload whose execution failed: its message is parked once, and a redriven one goes on with the execution."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.execution_world import JOB, KEY, Cloud, Context
from tests.state_machine import Execution, status_event
from video_common import limits
from video_common.errors import (
    EventsUnavailable,
    JobsUnavailable,
    ObjectMissing,
    StorageUnavailable,
    TooLong,
    TransientError,
    UndecodableVideo,
)
from video_common.job import JobStatus
from video_common.upload import Upload, as_message, uploads_in_message
from video_jobs.giving_up import GivingUp
from video_jobs.settings import DeadLetterSettings

OPTIONS = '{"frame_interval": 5, "include": "timeline"}'


def fails(world: Cloud) -> Execution:
    """Let the only execution run while its segment 1 never works."""
    return world.run(world.never(segment=1))


def state(world: Cloud) -> tuple[JobStatus, str | None]:
    job = world.jobs.get(JOB)
    assert job is not None
    return job.status, job.error["code"] if job.error else None


def bodies(world: Cloud) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in world.parked.messages.values()]


def test_a_redriven_upload_goes_on_where_its_execution_failed(pipeline, monkeypatch, world, content):
    whole = Cloud(pipeline, monkeypatch)
    whole.upload(content, OPTIONS)
    whole.run()
    world.upload(content, OPTIONS)
    execution = fails(world)
    assert (state(world), len(bodies(world))) == ((JobStatus.FAILED, "gave_up"), 1)
    # It fails once more after a redrive
    world.redrive()
    assert (state(world), execution.status) == ((JobStatus.RUNNING, None), "RUNNING")
    execution.calls.clear()
    fails(world)
    assert set(execution.calls) == {("segment", 1)}, "what succeeded is not analyzed again"
    assert (state(world), len(bodies(world))) == ((JobStatus.FAILED, "gave_up"), 1)
    # Then the cause is fixed
    world.redrive()
    execution.calls.clear()
    world.run()
    assert execution.calls == [("segment", 1), ("segment", 2), ("segment", 3), ("merge", None)]
    assert (list(world.machine.executions.values()), bodies(world)) == ([execution], [])
    ends = [event["detail"]["status"] for event in world.bus.events]
    assert ends == ["FAILED", "FAILED", "SUCCEEDED"]
    results = [whole.result(), world.result()]
    for result in results:
        del result["timings_ms"]
    assert results[0] == results[1]


def test_an_execution_that_cannot_go_on_is_followed_by_another_attempt(world, content):
    world.machine.redrives = False
    world.upload(content, OPTIONS)
    (first,) = world.machine.executions
    fails(world)
    world.redrive()
    assert list(world.machine.executions) == [first, f"{first}-attempt-2"]
    world.machine.run(f"{first}-attempt-2", world.call, world.store.read)
    assert world.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize("what", ["plan", "function"])
def test_another_plan_or_version_does_not_go_on_with_the_execution(world, content, what, monkeypatch):
    world.upload(content, OPTIONS)
    (first,) = world.machine.executions
    fails(world)
    # When the cause is fixed by a deployment
    version = "arn:aws:lambda:us-east-1:123456789012:function:analyze:8"
    if what == "plan":
        monkeypatch.setattr("video_emotions.__version__", "next")
    else:
        monkeypatch.setattr("video_emotions.uploads.version_of", lambda _: version)
    world.redrive()
    (second,) = set(world.machine.executions) - {first}
    assert world.machine.executions[first].status == "FAILED"
    if what == "function":
        assert world.machine.executions[second].given["function"] == version
        return
    world.machine.run(second, world.call, world.store.read)
    assert world.result()["total_frames_analyzed"] == 8


def test_the_parked_message_is_of_the_same_upload(world, content):
    world.upload(content, OPTIONS)
    (execution,) = world.machine.executions.values()
    fails(world)
    (body,) = bodies(world)
    (upload,) = uploads_in_message(json.dumps(body))
    given = execution.given["upload"]
    assert (upload.source.bucket, upload.source.key) == ("uploads", KEY)
    assert [upload.etag, upload.size, upload.sequencer, upload.put_at] == [
        given[name] for name in ("etag", "size", "sequencer", "put_at")
    ]
    assert (upload.is_redriven, given["failure"]) == (False, None)


def test_a_fault_of_the_video_parks_nothing(world, content):
    world.upload(content, OPTIONS)

    def fails_too(function: str, event: dict[str, Any]) -> Any:
        if event.get("segment") == 2:
            raise StorageUnavailable("never")
        return world.replaced_at(1)(function, event)

    # Also if a segment that ran at the same time failed
    execution = world.run(fails_too)
    assert execution.status == "FAILED"
    assert (state(world), bodies(world)) == ((JobStatus.FAILED, "object_missing"), [])
    world.call("", status_event(execution, "another event"))
    assert bodies(world) == []
    assert world.store.keys("results", "") == [execution.given["work"] + "failure"]


def test_an_event_that_was_handled_changes_nothing(world, content):
    world.upload(content, OPTIONS)
    execution = fails(world)
    event, job = status_event(execution, next(iter(bodies(world)))["failure"]), world.jobs.get(JOB)
    assert world.call("", event)["status"] == "SUPERSEDED"
    assert (world.jobs.get(JOB), len(bodies(world)), len(world.bus.events)) == (job, 1, 1)
    # Nor does it end an execution that goes on
    world.redrive()
    assert world.call("", event)["status"] == "SUPERSEDED"
    assert state(world) == (JobStatus.RUNNING, None)
    world.run()
    assert world.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize("step", ["finish", "publish", "send_again", "mark"])
def test_an_event_that_was_handled_in_part_is_handled_again(world, content, step):
    world.upload(content, OPTIONS)
    (execution,) = world.machine.executions.values()
    event = status_event(execution, "failure")
    unanswered: TransientError = JobsUnavailable("throttled")
    if step == "finish":
        world.jobs.faults.planned["finish", JOB] = [unanswered]
    elif step == "publish":
        world.bus.faults.planned["publish", ""] = [EventsUnavailable("throttled")]
    elif step == "mark":
        world.store.faults.planned["put", execution.given["work"] + "failure"] = [StorageUnavailable("503")]
    else:
        body = as_message(TypeAdapter(Upload).validate_python(execution.given["upload"]), "failure")
        world.parked.faults.planned["send_again", body] = [unanswered]
    with pytest.raises(TransientError):
        world.call("", event)
    assert len(bodies(world)) == (step == "mark")
    # Then the next one does what is left. A message can be parked twice, but it is not lost.
    world.call("", event)
    assert state(world) == (JobStatus.FAILED, "gave_up")
    assert {body["failure"] for body in bodies(world)} == {"failure"}
    assert len(bodies(world)) == (2 if step == "mark" else 1)
    assert world.bus.events[-1]["detail"]["status"] == "FAILED"
    # Two of them begin the job once
    execution.status = "FAILED"
    world.redrive()
    assert (execution.redrives, state(world)) == (1, (JobStatus.RUNNING, None))


def test_a_merge_that_could_not_announce_the_end_is_tried_again(world, content):
    world.upload(content, OPTIONS)
    world.bus.faults.planned["publish", ""] = [EventsUnavailable("throttled")]
    execution = world.run()
    # The state machine's own retry
    assert (execution.status, execution.calls.count(("merge", None))) == ("SUCCEEDED", 2)
    assert state(world) == (JobStatus.SUCCEEDED, None)
    assert [event["detail"]["status"] for event in world.bus.events] == ["SUCCEEDED"]
    assert world.store.keys("results", "work/") == []


def test_an_execution_waits_for_the_worker_that_started_it(world, content):
    # Given a worker that is lost before it records the execution, which comes to its merge first
    world.jobs.faults.planned["finish", JOB] = [BaseException("lost")]
    with pytest.raises(BaseException, match="lost"):
        world.upload(content, OPTIONS)
    waited: list[dict[str, Any]] = []

    def comes_back(function: str, event: dict[str, Any]) -> Any:
        if event["task"] == "merge" and not waited:
            waited.append(event)
            with pytest.raises(JobsUnavailable):
                world.call(function, event)
            world.clock.now += 1000
            assert world.upload(content, OPTIONS)[0]["status"] == "STARTED"
            raise JobsUnavailable("as it was")
        return world.call(function, event)

    assert world.run(comes_back).status == "SUCCEEDED"
    assert world.result()["total_frames_analyzed"] == 8


def test_an_execution_that_somebody_redrove_by_hand_is_no_end_of_the_job(world, content):
    world.upload(content, OPTIONS)
    (first,) = world.machine.executions
    fails(world)
    # When it is redriven in the console, and works
    world.run()
    assert state(world) == (JobStatus.FAILED, "gave_up")
    # Then `make redrive` still begins the job again
    world.redrive()
    (second,) = set(world.machine.executions) - {first}
    world.machine.run(second, world.call, world.store.read)
    assert world.result()["total_frames_analyzed"] == 8


def test_a_deployment_in_between_does_not_hide_a_failure(world, content):
    world.upload(content, OPTIONS)
    # When the function that gets the event has other settings than the one that planned
    settings = world.pipeline.settings.model_copy(update={"centre_tolerance": 0.4})
    newer = replace(world.worker, pipeline=replace(world.pipeline, settings=settings))
    world.executions = replace(world.executions, worker=newer)
    fails(world)
    assert (state(world), len(bodies(world))) == ((JobStatus.FAILED, "gave_up"), 1)


def test_what_segments_keep_of_a_job_that_is_deleted_meanwhile_is_removed(world, content):
    world.upload(content, OPTIONS)
    kept = []

    def deletes(function: str, event: dict[str, Any]) -> Any:
        done = world.call(function, event)
        if event.get("segment") == 1:
            world.api.delete(JOB, "me")
            world.store.objects["results", event["work"] + "partials/00001.json"] = b"written late"
            kept.append(event)
        return done

    world.run(deletes)
    assert kept
    assert state(world)[0] is JobStatus.DELETED
    assert world.store.keys("results", "") == []


def test_a_merge_without_time_is_refused_with_what_to_do(world, content):
    class Late(Context):
        @staticmethod
        def get_remaining_time_in_millis() -> int:
            return 0

    world.upload(content, OPTIONS)
    world.run(lambda _, event: world.executions.handle(event, Late() if event["task"] == "merge" else Context()))
    job = world.jobs.get(JOB)
    assert job is not None
    assert job.error is not None
    assert (job.error["code"], "larger frame_interval" in job.error["detail"]) == ("too_long", True)
    assert world.store.keys("results", "") == []


def test_a_merge_that_never_works_is_not_called_a_segment(world, content):
    world.upload(content, OPTIONS)
    world.run(world.never(task="merge"))
    job = world.jobs.get(JOB)
    assert job is not None
    assert job.error is not None
    assert job.error["detail"].startswith("Joining the segments: Every try")


class Letters:
    """Dead letters about executions, and the function that ends their jobs."""

    def __init__(self, world: Cloud) -> None:
        settings = DeadLetterSettings(
            uploads_bucket="uploads", results_bucket="results", jobs_table="", parked_url="", job_id_secret_arn=""
        )
        self.world = world
        self.giving_up = GivingUp(settings, world.jobs, world.bus, world.parked, lambda: b"secret", world.clock)

    def come(self, execution: Execution, failed_at: float) -> None:
        time = datetime.fromtimestamp(failed_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {**status_event(execution, "failure"), "time": time}
        self.giving_up.handle(json.dumps({"requestPayload": event, "responsePayload": {"errorType": "x"}}), "request")


@pytest.fixture
def failed(world, content) -> Execution:
    """An execution whose failure no function has handled."""
    world.upload(content, OPTIONS)
    (execution,) = world.machine.executions.values()
    execution.status = "FAILED"
    return execution


def test_an_event_that_no_try_handled_ends_the_job_as_a_dead_letter(world, failed):
    letters, before = Letters(world), world.jobs.get(JOB)
    assert before is not None
    world.jobs.jobs[JOB] = before.model_copy(update={"owner": "me", "file_name": "mine.mp4"})
    letters.come(failed, world.clock.now + 500)
    assert (state(world), len(bodies(world))) == ((JobStatus.FAILED, "gave_up"), 1)
    after = world.jobs.get(JOB)
    assert after is not None
    assert (after.owner, after.file_name, after.work) == ("me", "mine.mp4", before.work)
    assert [event["detail"]["status"] for event in world.bus.events] == ["FAILED"]
    # And `make redrive` goes on with the execution
    world.redrive()
    assert (state(world), failed.status) == ((JobStatus.RUNNING, None), "RUNNING")
    world.run()
    assert world.result()["total_frames_analyzed"] == 8


def test_a_dead_letter_that_comes_after_a_redrive_ends_nothing(world, failed):
    letters, failed_at = Letters(world), world.clock.now
    letters.come(failed, failed_at)
    world.clock.now += limits.RETRY_SECONDS  # the soonest
    world.redrive()
    letters.come(failed, failed_at)
    assert (state(world), bodies(world)) == ((JobStatus.RUNNING, None), [])
    world.run()
    letters.come(failed, failed_at)
    assert (state(world), bodies(world)) == ((JobStatus.SUCCEEDED, None), [])


@pytest.mark.parametrize("step", ["finish", "publish", "send_again"])
def test_a_dead_letter_that_was_handled_in_part_is_handled_again(world, failed, step):
    letters = Letters(world)
    if step == "finish":
        world.jobs.faults.planned["finish", JOB] = [JobsUnavailable("throttled")]
    elif step == "publish":
        world.bus.faults.planned["publish", ""] = [EventsUnavailable("throttled")]
    else:
        body = as_message(TypeAdapter(Upload).validate_python(failed.given["upload"]), "failure")
        world.parked.faults.planned["send_again", body] = [JobsUnavailable("throttled")]
    with pytest.raises(TransientError):
        letters.come(failed, world.clock.now)
    assert bodies(world) == []
    letters.come(failed, world.clock.now)
    assert (state(world), len(bodies(world))) == ((JobStatus.FAILED, "gave_up"), 1)
    assert world.bus.events[-1]["detail"]["status"] == "FAILED"


@pytest.mark.parametrize("who", ["function", "dead letter"])
def test_a_failure_waits_for_the_worker_that_started_the_execution(world, content, who):
    world.jobs.faults.planned["finish", JOB] = [BaseException("lost")]
    with pytest.raises(BaseException, match="lost"):
        world.upload(content, OPTIONS)
    (execution,) = world.machine.executions.values()
    come = {
        "function": lambda: world.call("", status_event(execution, "failure")),
        "dead letter": lambda: Letters(world).come(execution, world.clock.now),
    }
    with pytest.raises(JobsUnavailable):
        come[who]()
    assert bodies(world) == []


def test_a_dead_letter_of_a_deleted_job_changes_nothing(world, failed):
    world.api.delete(JOB, "me")
    Letters(world).come(failed, world.clock.now)
    assert (state(world)[0], bodies(world), world.bus.events) == (JobStatus.DELETED, [], [])


def test_the_segments_of_a_deleted_job_are_not_analyzed_and_nobody_is_called(world, content):
    world.upload(content, OPTIONS)
    analyzed = []

    def deletes(function: str, event: dict[str, Any]) -> Any:
        done = world.call(function, event)
        if event["task"] == "segment":
            analyzed.append(done["frames"])
        if event.get("segment") == 0:
            world.api.delete(JOB, "me")
        return done

    # An execution that fails sets off an alarm
    assert world.run(deletes).status == "SUCCEEDED"
    assert analyzed == [2, 0, 0, 0]
    assert world.store.keys("results", "") == []


def test_a_job_that_is_deleted_while_a_segment_reads_the_video_does_not_fail_the_execution(world, content, monkeypatch):
    world.upload(content, OPTIONS)

    def deleted(*_: Any) -> Any:
        world.api.delete(JOB, "me")
        raise ObjectMissing("the video is gone")

    monkeypatch.setattr(type(world.long.tasks), "analyze", deleted)
    assert world.run().status == "SUCCEEDED"
    assert world.store.keys("results", "") == []


def test_a_fault_does_not_outlive_a_deployment(world, content, monkeypatch):
    world.upload(content, OPTIONS)
    (first,) = world.machine.executions
    fails(world)
    # Given a segment that ran on, and found that the memory is too small when the job had ended
    execution = world.machine.executions[first]
    late = {"task": "segment", "segment": 2, **execution.given}
    with monkeypatch.context() as patch:

        def too_small(*_: Any) -> Any:
            raise UndecodableVideo("more memory")

        patch.setattr(type(world.long.tasks), "analyze", too_small)
        assert world.call("", late) == {"segment": 2, "frames": 0, "code": "undecodable_video"}
    # When a function with more memory is deployed, and the upload is sent back
    version = "arn:aws:lambda:us-east-1:123456789012:function:analyze:8"
    monkeypatch.setattr("video_emotions.uploads.version_of", lambda _: version)
    monkeypatch.setattr("video_emotions.executions.version_of", lambda _: version)
    world.redrive()
    (second,) = set(world.machine.executions) - {first}
    world.machine.run(second, lambda _, event: world.executions.handle(event, Context()), world.store.read)
    assert world.result()["total_frames_analyzed"] == 8


def test_a_try_that_found_no_fault_counts(world, content, monkeypatch):
    world.upload(content, OPTIONS)

    def twice(function: str, event: dict[str, Any]) -> Any:
        done = world.call(function, event)
        if event.get("segment") == 1:  # a try that was thought to be lost ends late
            with monkeypatch.context() as patch:

                def late(*_: Any) -> Any:
                    raise TooLong("late")

                patch.setattr(type(world.long.tasks), "analyze", late)
                world.call(function, event)
        return done

    assert world.run(twice).status == "SUCCEEDED"
    assert world.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize("kept", ["slices", "plan.json", "partials/00001.json"])
def test_a_job_that_is_deleted_between_two_reads_does_not_fail_the_execution(world, content, monkeypatch, kept):
    world.upload(content, OPTIONS)

    def deletes(real: Callable[..., Any]) -> Callable[..., Any]:
        def reads(bucket: str, key: str, *more: Any) -> Any:
            if key.endswith(kept) and (job := world.jobs.get(JOB)) and job.status is JobStatus.RUNNING:
                world.api.delete(JOB, "me")
            return real(bucket, key, *more)

        return reads

    monkeypatch.setattr(world.store, "read", deletes(world.store.read))
    monkeypatch.setattr(world.store, "ranges", deletes(world.store.ranges))
    assert world.run().status == "SUCCEEDED"
    assert state(world)[0] is JobStatus.DELETED
    assert world.store.keys("results", "") == []


def test_a_fault_of_the_video_leaves_no_partials(world, content):
    world.upload(content, OPTIONS)
    world.run(world.replaced_at(2))
    assert (state(world), bodies(world)) == ((JobStatus.FAILED, "object_missing"), [])
    assert world.store.keys("results", "") == []


def test_a_redrive_after_the_partials_have_expired_begins_a_new_execution(world, content):
    world.upload(content, OPTIONS)
    (first,) = world.machine.executions
    fails(world)
    for key in world.store.keys("results", "work/"):
        del world.store.objects["results", key]
    world.redrive()
    assert list(world.machine.executions) == [first, f"{first}-attempt-2"]
    # If that one fails too, it is the one that goes on
    second = world.machine.executions[f"{first}-attempt-2"]
    world.machine.run(f"{first}-attempt-2", world.never(segment=3), world.store.read)
    world.redrive()
    assert (len(world.machine.executions), second.redrives) == (2, 1)
    world.machine.run(f"{first}-attempt-2", world.call, world.store.read)
    assert world.result()["total_frames_analyzed"] == 8


def test_the_format_is_that_of_the_plan_even_if_the_object_is_gone(world, content):
    world.upload(content, json.dumps({"frame_interval": 5, "format": "csv"}))

    def removes(function: str, event: dict[str, Any]) -> Any:
        if event["task"] == "merge":
            del world.store.objects["uploads", KEY], world.store.metadata_of["uploads", KEY]
        return world.call(function, event)

    world.run(removes)
    (key,) = world.store.keys("results", "")
    assert key.endswith(".csv")


def test_a_worker_may_record_an_execution_a_moment_after_it_failed(world, failed):
    letters, failed_at = Letters(world), world.clock.now - 15
    letters.come(failed, failed_at)
    assert state(world) == (JobStatus.FAILED, "gave_up")


def test_a_late_event_does_not_end_an_execution_that_goes_on(world, content):
    # Given an execution that fails before its worker has recorded it
    world.jobs.faults.planned["finish", JOB] = [JobsUnavailable("throttled")]
    with pytest.raises(JobsUnavailable):
        world.upload(content, OPTIONS)
    (execution,) = world.machine.executions.values()
    execution.status = "FAILED"
    event = status_event(execution, "failure", datetime.fromtimestamp(world.clock.now, UTC).isoformat())
    # When the upload's message comes back, and the execution goes on
    world.clock.now += 1000
    assert world.upload(content, OPTIONS)[0]["status"] == "STARTED"
    assert (execution.status, execution.redrives) == ("RUNNING", 1)
    # Then a late try of the event ends nothing
    assert world.call("", event)["status"] == "SUPERSEDED"
    world.run()
    assert world.result()["total_frames_analyzed"] == 8


def test_a_plan_that_is_kept_is_whole_and_is_not_written_again(world, content, monkeypatch):
    puts: list[str] = []
    put = world.store.put

    def noted(bucket: str, key: str, *arguments: Any) -> None:
        puts.append(key.rpartition("/")[2])
        if puts == ["slices"]:
            raise StorageUnavailable("503")
        put(bucket, key, *arguments)

    monkeypatch.setattr(world.store, "put", noted)
    with pytest.raises(StorageUnavailable):
        world.upload(content, OPTIONS)
    world.clock.now += 1000
    world.upload(content, OPTIONS)
    assert puts == ["slices", "slices", "segments.jsonl", "plan.json"]
    fails(world)
    puts.clear()
    world.redrive()
    assert puts == []
    world.run()
    assert world.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize("task", ["segment", "merge"])
def test_a_plan_that_has_expired_is_no_fault_of_the_video(world, content, task):
    world.upload(content, OPTIONS)
    (first,) = world.machine.executions

    def expires(function: str, event: dict[str, Any]) -> Any:
        if event.get("task") == task:
            world.store.objects.pop(("results", event["work"] + "plan.json"), None)
        return world.call(function, event)

    world.run(expires)
    assert (state(world), len(bodies(world))) == ((JobStatus.FAILED, "gave_up"), 1)
    job = world.jobs.get(JOB)
    assert job is not None
    assert job.error is not None
    assert job.error["detail"].startswith("Every try")
    # And it can begin again
    world.redrive()
    world.machine.run(f"{first}-attempt-2", world.call, world.store.read)
    assert world.result()["total_frames_analyzed"] == 8


def test_a_job_that_the_watchdog_ended_has_no_segments_left(world, content):
    world.jobs.faults.planned["finish", JOB] = [BaseException("lost")]
    with pytest.raises(BaseException, match="lost"):
        world.upload(content, OPTIONS)
    job = world.jobs.get(JOB)
    assert job is not None
    error = {"code": "too_long", "detail": "", "status": 422}
    assert world.jobs.finish(job.model_copy(update={"status": JobStatus.FAILED, "error": error, "lease_until": None}))
    assert world.run().status == "SUCCEEDED"
    assert world.store.keys("results", "") == []
    assert state(world) == (JobStatus.FAILED, "too_long")
