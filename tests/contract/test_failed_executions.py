"""A long upload whose execution failed: its message is parked once, and a redriven one goes on with the execution."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.execution_world import JOB, KEY, Cloud, Context, clip
from tests.state_machine import Execution, status_event
from video_common.errors import EventsUnavailable, JobsUnavailable, StorageUnavailable, TransientError
from video_common.job import JobStatus
from video_common.upload import Upload, as_message, uploads_in_message
from video_emotions.reader import Segmenting

OPTIONS = '{"frame_interval": 5, "include": "timeline"}'


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    return clip(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def cloud(pipeline, monkeypatch) -> Cloud:
    monkeypatch.setattr("video_emotions.long_videos.Segmenting", lambda: Segmenting(at_least=4))
    return Cloud(pipeline, monkeypatch)


def fails(cloud: Cloud) -> Execution:
    """Let the only execution run while its segment 1 never works."""

    def broken(function: str, event: dict[str, Any]) -> Any:
        if event.get("segment") == 1:
            raise StorageUnavailable("never")
        return cloud.call(function, event)

    return cloud.run(broken)


def state(cloud: Cloud) -> tuple[JobStatus, str | None]:
    job = cloud.jobs.get(JOB)
    assert job is not None
    return job.status, job.error["code"] if job.error else None


def bodies(cloud: Cloud) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in cloud.parked.messages.values()]


def test_a_redriven_upload_goes_on_where_its_execution_failed(pipeline, monkeypatch, cloud, content):
    whole = Cloud(pipeline, monkeypatch)
    whole.upload(content, OPTIONS)
    whole.run()
    cloud.upload(content, OPTIONS)
    execution = fails(cloud)
    assert (state(cloud), len(bodies(cloud))) == ((JobStatus.FAILED, "gave_up"), 1)
    # It fails once more after a redrive
    cloud.redrive()
    assert (state(cloud), execution.status) == ((JobStatus.RUNNING, None), "RUNNING")
    execution.calls.clear()
    fails(cloud)
    assert set(execution.calls) == {("segment", 1)}, "what succeeded is not analyzed again"
    assert (state(cloud), len(bodies(cloud))) == ((JobStatus.FAILED, "gave_up"), 1)
    # Then the cause is fixed
    cloud.redrive()
    execution.calls.clear()
    cloud.run()
    assert execution.calls == [("segment", 1), ("segment", 2), ("segment", 3), ("merge", None)]
    assert (list(cloud.machine.executions.values()), bodies(cloud)) == ([execution], [])
    ends = [event["detail"]["status"] for event in cloud.bus.events]
    assert ends == ["FAILED", "FAILED", "SUCCEEDED"]
    results = [whole.result(), cloud.result()]
    for result in results:
        del result["timings_ms"]
    assert results[0] == results[1]


def test_an_execution_that_cannot_go_on_is_followed_by_another_attempt(cloud, content):
    cloud.machine.redrives = False
    cloud.upload(content, OPTIONS)
    (first,) = cloud.machine.executions
    fails(cloud)
    cloud.redrive()
    assert list(cloud.machine.executions) == [first, f"{first}-attempt-2"]
    cloud.machine.run(f"{first}-attempt-2", cloud.call, cloud.store.read)
    assert cloud.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize("what", ["plan", "function"])
def test_another_plan_or_version_does_not_go_on_with_the_execution(cloud, content, what, monkeypatch):
    cloud.upload(content, OPTIONS)
    (first,) = cloud.machine.executions
    fails(cloud)
    # When the cause is fixed by a deployment
    version = "arn:aws:lambda:us-east-1:123456789012:function:analyze:8"
    if what == "plan":
        monkeypatch.setattr("video_emotions.__version__", "next")
    else:
        monkeypatch.setattr("video_emotions.uploads.version_of", lambda _: version)
    cloud.redrive()
    (second,) = set(cloud.machine.executions) - {first}
    assert cloud.machine.executions[first].status == "FAILED"
    if what == "function":
        assert cloud.machine.executions[second].given["function"] == version
        return
    cloud.machine.run(second, cloud.call, cloud.store.read)
    assert cloud.result()["total_frames_analyzed"] == 8


def test_the_parked_message_is_of_the_same_upload(cloud, content):
    cloud.upload(content, OPTIONS)
    (execution,) = cloud.machine.executions.values()
    fails(cloud)
    (body,) = bodies(cloud)
    (upload,) = uploads_in_message(json.dumps(body))
    given = execution.given["upload"]
    assert (upload.source.bucket, upload.source.key) == ("uploads", KEY)
    assert [upload.etag, upload.size, upload.sequencer, upload.put_at] == [
        given[name] for name in ("etag", "size", "sequencer", "put_at")
    ]
    assert (upload.is_redriven, given["failure"]) == (False, None)


def test_a_fault_of_the_video_parks_nothing(cloud, content):
    cloud.upload(content, OPTIONS)

    def replaced(function: str, event: dict[str, Any]) -> Any:
        if event.get("segment") == 1:
            cloud.store.objects["uploads", KEY] = b"another video"
        return cloud.call(function, event)

    execution = cloud.run(replaced)
    assert (state(cloud), bodies(cloud)) == ((JobStatus.FAILED, "object_missing"), [])
    cloud.call("", status_event(execution, "another event"))
    assert bodies(cloud) == []


def test_an_event_that_was_handled_changes_nothing(cloud, content):
    cloud.upload(content, OPTIONS)
    execution = fails(cloud)
    event, job = status_event(execution, next(iter(bodies(cloud)))["failure"]), cloud.jobs.get(JOB)
    assert cloud.call("", event)["status"] == "SUPERSEDED"
    assert (cloud.jobs.get(JOB), len(bodies(cloud)), len(cloud.bus.events)) == (job, 1, 1)
    # Nor does it end an execution that goes on
    cloud.redrive()
    assert cloud.call("", event)["status"] == "SUPERSEDED"
    assert state(cloud) == (JobStatus.RUNNING, None)
    cloud.run()
    assert cloud.result()["total_frames_analyzed"] == 8


@pytest.mark.parametrize("step", ["finish", "publish", "send_again", "mark"])
def test_an_event_that_was_handled_in_part_is_handled_again(cloud, content, step):
    cloud.upload(content, OPTIONS)
    (execution,) = cloud.machine.executions.values()
    event = status_event(execution, "failure")
    unanswered: TransientError = JobsUnavailable("throttled")
    if step == "finish":
        cloud.jobs.faults.planned["finish", JOB] = [unanswered]
    elif step == "publish":
        cloud.bus.faults.planned["publish", ""] = [EventsUnavailable("throttled")]
    elif step == "mark":
        cloud.store.faults.planned["put", execution.given["work"] + "failure"] = [StorageUnavailable("503")]
    else:
        body = as_message(TypeAdapter(Upload).validate_python(execution.given["upload"]), "failure")
        cloud.parked.faults.planned["send_again", body] = [unanswered]
    with pytest.raises(TransientError):
        cloud.call("", event)
    assert len(bodies(cloud)) == (step == "mark")
    # Then the next one does what is left. A message can be parked twice, but it is not lost.
    cloud.call("", event)
    assert state(cloud) == (JobStatus.FAILED, "gave_up")
    assert {body["failure"] for body in bodies(cloud)} == {"failure"}
    assert len(bodies(cloud)) == (2 if step == "mark" else 1)
    assert cloud.bus.events[-1]["detail"]["status"] == "FAILED"
    # Two of them begin the job once
    execution.status = "FAILED"
    cloud.redrive()
    assert (execution.redrives, state(cloud)) == (1, (JobStatus.RUNNING, None))


def test_a_merge_that_could_not_announce_the_end_is_tried_again(cloud, content):
    cloud.upload(content, OPTIONS)
    cloud.bus.faults.planned["publish", ""] = [EventsUnavailable("throttled")]
    execution = cloud.run()
    # The state machine's own retry
    assert (execution.status, execution.calls.count(("merge", None))) == ("SUCCEEDED", 2)
    assert state(cloud) == (JobStatus.SUCCEEDED, None)
    assert [event["detail"]["status"] for event in cloud.bus.events] == ["SUCCEEDED"]
    assert cloud.store.keys("results", "work/") == []


def test_an_execution_waits_for_the_worker_that_started_it(cloud, content):
    # Given a worker that is lost before it records the execution, which comes to its merge first
    cloud.jobs.faults.planned["finish", JOB] = [BaseException("lost")]
    with pytest.raises(BaseException, match="lost"):
        cloud.upload(content, OPTIONS)
    waited: list[dict[str, Any]] = []

    def comes_back(function: str, event: dict[str, Any]) -> Any:
        if event["task"] == "merge" and not waited:
            waited.append(event)
            with pytest.raises(JobsUnavailable):
                cloud.call(function, event)
            cloud.clock.now += 1000
            assert cloud.upload(content, OPTIONS)[0]["status"] == "STARTED"
            raise JobsUnavailable("as it was")
        return cloud.call(function, event)

    assert cloud.run(comes_back).status == "SUCCEEDED"
    assert cloud.result()["total_frames_analyzed"] == 8


def test_an_execution_that_somebody_redrove_by_hand_is_no_end_of_the_job(cloud, content):
    cloud.upload(content, OPTIONS)
    (first,) = cloud.machine.executions
    fails(cloud)
    # When it is redriven in the console, and works
    cloud.run()
    assert state(cloud) == (JobStatus.FAILED, "gave_up")
    # Then `make redrive` still begins the job again
    cloud.redrive()
    (second,) = set(cloud.machine.executions) - {first}
    cloud.machine.run(second, cloud.call, cloud.store.read)
    assert cloud.result()["total_frames_analyzed"] == 8


def test_a_deployment_in_between_does_not_hide_a_failure(cloud, content):
    cloud.upload(content, OPTIONS)
    # When the function that gets the event has other settings than the one that planned
    settings = cloud.pipeline.settings.model_copy(update={"centre_tolerance": 0.4})
    newer = replace(cloud.worker, pipeline=replace(cloud.pipeline, settings=settings))
    cloud.executions = replace(cloud.executions, worker=newer)
    fails(cloud)
    assert (state(cloud), len(bodies(cloud))) == ((JobStatus.FAILED, "gave_up"), 1)


def test_what_segments_keep_of_a_job_that_is_deleted_meanwhile_is_removed(cloud, content):
    cloud.upload(content, OPTIONS)
    kept = []

    def deletes(function: str, event: dict[str, Any]) -> Any:
        done = cloud.call(function, event)
        if event.get("segment") == 1:
            cloud.api.delete(JOB, "me")
            cloud.store.objects["results", event["work"] + "partials/00001.json"] = b"written late"
            kept.append(event)
        return done

    cloud.run(deletes)
    assert kept
    assert state(cloud)[0] is JobStatus.DELETED
    assert cloud.store.keys("results", "") == []


def test_a_merge_without_time_is_refused_with_what_to_do(cloud, content):
    class Late(Context):
        @staticmethod
        def get_remaining_time_in_millis() -> int:
            return 0

    cloud.upload(content, OPTIONS)
    cloud.run(lambda _, event: cloud.executions.handle(event, Late() if event["task"] == "merge" else Context()))
    job = cloud.jobs.get(JOB)
    assert job is not None
    assert job.error is not None
    assert (job.error["code"], "larger frame_interval" in job.error["detail"]) == ("too_long", True)
    assert cloud.store.keys("results", "") == []


def test_a_merge_that_never_works_is_not_called_a_segment(cloud, content):
    cloud.upload(content, OPTIONS)

    def broken(function: str, event: dict[str, Any]) -> Any:
        if event.get("task") == "merge":
            raise StorageUnavailable("never")
        return cloud.call(function, event)

    cloud.run(broken)
    job = cloud.jobs.get(JOB)
    assert job is not None
    assert job.error is not None
    assert job.error["detail"].startswith("Joining the segments: Every try")
