"""From the form of an upload to the result of its job, over HTTP: the Lambda emulator for both functions, and moto."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from local.cloud import HANDLED, JOBS, RESULTS, UPLOADS, Cloud, emulated_cloud, id_of
from local.emulator import Emulator, emulator
from local.pump import Pump
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.conftest import ROOT, SAMPLE
from tests.fakes import json_event, rest_event
from video_common import limits

SCHEMA = json.loads((ROOT / "docs/completion-event.schema.json").read_text())
SMALL = base64.b64decode(json.loads((ROOT / "events/clip-small-v1.json").read_text())["body"])
"""A face in five frames."""

VISIBILITY_MARGIN = 2
"""Seconds between the end of a worker's time and the next delivery; 60 in the template."""


@pytest.fixture
def seconds() -> int:
    """The time of a worker, 900 in the template. A test that waits for its end asks for less."""
    return 60


@pytest.fixture
def cloud(seconds: int) -> Iterator[Cloud]:
    with emulated_cloud(visibility_seconds=seconds + VISIBILITY_MARGIN) as made:
        yield made


@pytest.fixture
def variables(cloud: Cloud, models_dir: Path, tmp_path: Path) -> dict[str, str]:
    (work := tmp_path / "work").mkdir()
    settings = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "WORK_DIR": str(work)}
    return {**settings, "POWERTOOLS_LOG_LEVEL": "ERROR", **cloud.variables}


@pytest.fixture
def analyze(variables: dict[str, str], seconds: int) -> Iterator[Emulator]:
    with emulator(variables, seconds=seconds) as running:
        yield running


@pytest.fixture
def jobs(cloud: Cloud) -> Iterator[Emulator]:
    with emulator(cloud.variables, handler="video_jobs.handler.handler", seconds=30) as running:
        yield running


@pytest.fixture
def pump(cloud: Cloud, analyze: Emulator) -> Pump:
    return Pump(cloud.client("sqs"), cloud.queue_url, analyze.invoke)


def ask(jobs: Emulator, **members: Any) -> dict[str, Any]:
    answer = jobs.invoke(json_event(members, path="/uploads"))
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


def look(jobs: Emulator, job_id: str) -> dict[str, Any]:
    answer = jobs.invoke(rest_event(None, content_type=None, method="GET", path=f"/jobs/{job_id}"))
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


def upload(asked: dict[str, Any], content: bytes) -> None:
    """Send the form, as a browser or curl does."""
    form = asked["upload"]
    fields = [part for name, value in form["fields"].items() for part in ("--form-string", f"{name}={value}")]
    done = subprocess.run(
        ["curl", "-sS", "--fail-with-body", *fields, "--form", "file=@-", form["url"]],
        input=content,
        capture_output=True,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)


def completions(cloud: Cloud) -> list[dict[str, Any]]:
    received = cloud.client("sqs").receive_message(QueueUrl=cloud.completions_url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


def test_from_the_form_to_the_result(cloud, jobs, pump):
    # Given an upload that was asked for
    asked = ask(jobs, content_type="video/mp4", frame_interval=60)
    assert look(jobs, asked["job_id"])["status"] == "PENDING"
    # When the form is sent and the queue is read
    upload(asked, SAMPLE.read_bytes())
    assert pump.step() == 1
    # Then the job has its result, of the options that were asked for
    told = look(jobs, asked["job_id"])
    assert told["status"] == "SUCCEEDED"
    assert told["result"]["overall_dominant_emotion"] == "happy"
    assert told["result"]["total_frames_analyzed"] == 6
    # And the subscribers got the event
    (event,) = completions(cloud)
    assert (event["source"], event["detail-type"]) == ("video-emotions", "Video Analysis Finished")
    assert (event["detail"]["job_id"], event["detail"]["status"]) == (asked["job_id"], "SUCCEEDED")
    jsonschema.validate(event["detail"], SCHEMA)
    assert pump.left() == 0


def test_a_file_that_is_dropped_into_the_bucket_is_a_job_and_what_is_no_video_fails(cloud, jobs, pump):
    s3 = cloud.client("s3")
    s3.put_object(Bucket=UPLOADS, Key="holiday/my clip+1.mp4", Body=SAMPLE.read_bytes())
    s3.put_object(Bucket=UPLOADS, Key="notes.txt", Body=b"no video")
    assert [pump.step(), pump.step(), pump.step()] == [1, 1, 0]
    assert look(jobs, id_of("holiday/my clip+1.mp4"))["result"]["overall_dominant_emotion"] == "happy"
    failed = look(jobs, id_of("notes.txt"))
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "not_a_video")
    events = completions(cloud)
    assert {event["detail"]["status"] for event in events} == {"SUCCEEDED", "FAILED"}
    for event in events:
        jsonschema.validate(event["detail"], SCHEMA)
    assert pump.left() == 0


def test_the_same_event_ten_times_is_one_analysis(cloud, pump):
    cloud.client("s3").put_object(Bucket=UPLOADS, Key="clip", Body=SAMPLE.read_bytes())
    sqs = cloud.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=cloud.queue_url, VisibilityTimeout=0)["Messages"]
    for _ in range(9):
        sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=message["Body"])
    while pump.left():
        pump.step()
    assert len(completions(cloud)) == 1
    assert len(cloud.client("dynamodb").scan(TableName=HANDLED)["Items"]) == 1


@pytest.mark.parametrize("seconds", [12])
def test_a_worker_that_is_killed_leaves_a_job_that_another_one_finishes(
    cloud, analyze, jobs, pump, variables, seconds, tmp_path
):
    # Given a video that takes some seconds
    path = write_video(tmp_path / "long.mp4", portraits(480, 270, [CENTRED] * 150))
    asked = ask(jobs, frame_interval=1)
    upload(asked, path.read_bytes())
    # When the process that analyses it is killed in the middle
    killed = threading.Thread(target=kill_when_running, args=(analyze, jobs, asked["job_id"]))
    killed.start()
    begun = time.monotonic()
    pump.step()
    killed.join(timeout=30)
    assert look(jobs, asked["job_id"])["status"] == "RUNNING"
    assert pump.left() == 1
    # Then another worker gets the message within one visibility time-out, and finishes the job
    assert list((tmp_path / "work").iterdir()) != []
    with emulator(variables, seconds=60) as another:
        second = Pump(cloud.client("sqs"), cloud.queue_url, another.invoke)
        while not second.step(wait_seconds=1):
            assert time.monotonic() - begun < seconds + VISIBILITY_MARGIN + 10
    assert look(jobs, asked["job_id"])["result"]["total_frames_analyzed"] == 150
    assert second.left() == 0
    # And nothing of the first one's is left on the disk
    assert list((tmp_path / "work").iterdir()) == []
    assert len(completions(cloud)) == 1


def kill_when_running(analyze: Emulator, jobs: Emulator, job_id: str, seconds: float = 0.5) -> None:
    deadline = time.monotonic() + 20
    while look(jobs, job_id)["status"] != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(seconds)
    analyze.kill()


def test_a_poison_message_is_given_up_and_parked_and_succeeds_after_a_redrive(models_dir, tmp_path):
    seconds, visibility = 6, 8
    (work := tmp_path / "work").mkdir()
    video = write_video(tmp_path / "long.mp4", portraits(640, 360, [CENTRED] * 40)).read_bytes()
    with emulated_cloud(visibility_seconds=visibility) as cloud:
        settings = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "WORK_DIR": str(work)}
        variables = {**settings, "POWERTOOLS_LOG_LEVEL": "ERROR", **cloud.variables}
        with (
            emulator(cloud.variables, handler="video_jobs.handler.handler", seconds=10) as jobs,
            emulator(cloud.variables, handler="video_jobs.dead_letters.handler", seconds=30) as letters,
        ):
            asked = ask(jobs, frame_interval=1)
            job_id = asked["job_id"]
            upload(asked, video)
            began = time.monotonic()
            # Given a video that kills each of its workers
            for _ in range(limits.MAX_LOST_RUNS):
                kill_a_worker(cloud, jobs, job_id, variables, seconds)
                assert look_until(jobs, job_id, "PENDING", seconds + 1)
            # When its message comes again, it is not tried, and becomes a dead letter
            with emulator(variables, seconds=60) as healthy:
                pump = Pump(cloud.client("sqs"), cloud.queue_url, healthy.invoke)
                while not pump.step(wait_seconds=1):
                    assert time.monotonic() < began + 120
            assert look(jobs, job_id)["status"] == "PENDING"
            dead_letters = Pump(cloud.client("sqs"), cloud.dead_letters_url, letters.invoke)
            queue = Pump(cloud.client("sqs"), cloud.queue_url, lambda event: pytest.fail("a fifth try"))
            deadline = time.monotonic() + 30
            while not dead_letters.step():
                queue.step(wait_seconds=1)  # SQS moves what was received too often when somebody receives
                assert time.monotonic() < deadline
            # Then its job has an end, which is announced, and the message is parked
            failed = look(jobs, job_id)
            assert (failed["status"], failed["error"]["code"]) == ("FAILED", "gave_up")
            (event,) = completions(cloud)
            jsonschema.validate(event["detail"], SCHEMA)
            assert event["detail"]["error"]["code"] == "gave_up"
            parked = Pump(cloud.client("sqs"), cloud.parked_url, letters.invoke)
            assert (queue.left(), dead_letters.left(), parked.left()) == (0, 0, 1)
            # And once the fault is gone, a redrive brings it to its result
            command = ["-m", "operations.redrive", "--queue-url", cloud.parked_url, "--to", cloud.queue_url]
            done = subprocess.run(
                [sys.executable, *command],
                cwd=ROOT,
                env={**os.environ, **cloud.variables},
                capture_output=True,
                text=True,
            )
            assert "Moved 1." in done.stdout, done.stderr
            with emulator(variables, seconds=60) as healthy:
                assert Pump(cloud.client("sqs"), cloud.queue_url, healthy.invoke).step(wait_seconds=1) == 1
            assert look(jobs, job_id)["result"]["total_frames_analyzed"] == 40
            assert (queue.left(), dead_letters.left(), parked.left()) == (0, 0, 0)
            assert "SUCCEEDED" in {event["detail"]["status"] for event in completions(cloud)}


def kill_a_worker(cloud: Cloud, jobs: Emulator, job_id: str, variables: dict[str, str], seconds: int) -> None:
    """Start a worker, deliver the message to it as soon as it can be seen, and kill it in the middle."""
    with emulator(variables, seconds=seconds) as worker:
        # The function has started when the message comes
        worker.invoke(rest_event(None, content_type=None, method="GET", path="/"))
        killer = threading.Thread(target=kill_when_running, args=(worker, jobs, job_id, 0.1))
        killer.start()
        pump, deadline = Pump(cloud.client("sqs"), cloud.queue_url, worker.invoke), time.monotonic() + 20
        while not pump.step(wait_seconds=1):
            assert time.monotonic() < deadline
        killer.join(timeout=30)


def look_until(jobs: Emulator, job_id: str, status: str, seconds: float) -> bool:
    """Report whether the job has a status within some seconds."""
    deadline = time.monotonic() + seconds
    while look(jobs, job_id)["status"] != status:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_deleted_job_leaves_nothing_and_no_event_brings_it_back(cloud, jobs, pump):
    # Given an upload with its result, and the event that told of it
    name = "holiday of ann.mp4"
    asked = ask(jobs, file_name=name)
    upload(asked, SMALL)
    sqs = cloud.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=cloud.queue_url, VisibilityTimeout=0)["Messages"]
    assert pump.step() == 1
    told = look(jobs, asked["job_id"])
    assert (told["status"], told["source"]["file_name"]) == ("SUCCEEDED", name)
    assert content_of(cloud).count(name) == 2
    # When its owner deletes it, twice
    path, s3 = f"/jobs/{asked['job_id']}", cloud.client("s3")
    for _ in range(2):
        answer = jobs.invoke(rest_event(None, content_type=None, method="DELETE", path=path))
        assert answer["statusCode"] == 204
        assert [s3.list_objects_v2(Bucket=bucket)["KeyCount"] for bucket in (UPLOADS, RESULTS)] == [0, 0]
    # And SQS delivers the event again, also to a worker that has forgotten that it handled it
    dynamodb = cloud.client("dynamodb")
    for item in dynamodb.scan(TableName=HANDLED)["Items"]:
        dynamodb.delete_item(TableName=HANDLED, Key={"id": item["id"]})
    sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=message["Body"])
    assert pump.step() == 1
    # Then nothing of the content is in either bucket or table
    left = content_of(cloud)
    assert [text for text in (name, f"uploads/{asked['job_id']}", "happy") if text in left] == []
    assert [s3.list_objects_v2(Bucket=bucket)["KeyCount"] for bucket in (UPLOADS, RESULTS)] == [0, 0]
    answer = jobs.invoke(rest_event(None, content_type=None, method="GET", path=path))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (410, "job_deleted")
    assert pump.left() == 0


def content_of(cloud: Cloud) -> str:
    """Return what both tables and both buckets hold, as text."""
    s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")
    found = [dynamodb.scan(TableName=table)["Items"] for table in (JOBS, HANDLED)]
    for bucket in (UPLOADS, RESULTS):
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            found.append([item["Key"], body.decode(errors="replace")])
    return json.dumps(found)
