"""Long videos on moto's Step Functions: each segment and the merge is a call of the function in the Lambda emulator."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.cloud import JOBS, RESULTS, UPLOADS, Cloud, emulated_cloud, id_of
from local.emulator import Emulator, EmulatorError, emulator
from local.pump import Pump
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.moto_machine import Front, create_machine, let_machines_run, wait_for
from video_common import limits
from video_common.aws import clients
from video_common.aws.dynamodb import DynamoJobStore
from video_common.aws.eventbridge import DefaultEventBus
from video_common.aws.s3 import S3ObjectStore
from video_common.aws.secrets import StackSecret
from video_common.aws.states import StepFunctions
from video_common.job import JobStatus, work_prefix
from video_common.upload import uploads_in
from video_emotions.emotions import EmotionModel
from video_emotions.faces.finder import FaceFinder
from video_emotions.lengths import Limits
from video_emotions.long_videos import LongVideos
from video_emotions.outcomes import STARTED
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Reader, Segmenting
from video_emotions.segmented import Segmented
from video_emotions.settings import Settings
from video_emotions.worker import Worker

FUNCTION = "arn:aws:lambda:us-east-1:012345678912:function:analyze:$LATEST"
"""As the emulator names the function and its version."""
KEY, OPTIONS = "dropped/a film.mp4", {"options": '{"frame_interval": 5, "include": "timeline,people"}'}
JOB = id_of(KEY)


@dataclass
class World:
    """moto's server, the function in the emulator, and what Step Functions asked of it: task, segment, error."""

    cloud: Cloud
    front: Front
    machine: str
    analyze: Emulator
    calls: list[tuple[str, int | None, str | None]] = field(default_factory=list)

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Be Lambda for Step Functions."""
        assert function == FUNCTION
        told = None
        try:
            return self.analyze.invoke(event)
        except EmulatorError as error:
            told, _, text = str(error).partition(": ")
            raise type(told, (Exception,), {})(text) from error
        finally:
            self.calls.append((event["task"], event.get("segment"), told))

    def put(self, content: bytes) -> dict[str, Any]:
        """Put a video into the bucket, and return its event, which then is not in the queue."""
        self.cloud.client("s3").put_object(Bucket=UPLOADS, Key=KEY, Body=content, Metadata=OPTIONS)
        (body,) = self.taken(self.cloud.queue_url)
        return body

    def taken(self, queue_url: str) -> list[dict[str, Any]]:
        """Return the messages in a queue, and delete them."""
        sqs = self.cloud.client("sqs")
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def announced(self) -> list[str]:
        """Return the statuses that were announced since the last look."""
        return [event["detail"]["status"] for event in self.taken(self.cloud.completions_url)]

    def ended(self, job_id: str) -> str:
        """Wait for the last execution of a job, and return its status."""
        states = self.cloud.client("stepfunctions")
        all_of_them = states.list_executions(stateMachineArn=self.machine)["executions"]
        started = [execution for execution in all_of_them if execution["name"].startswith(f"{job_id}-")]
        last = max(started, key=lambda execution: execution["startDate"])
        return wait_for(states, last["executionArn"])

    def result(self, job_id: str) -> dict[str, Any]:
        """Return the Result of a job that succeeded, without what differs between one function and several."""
        job = DynamoJobStore(JOBS).get(job_id)
        assert job is not None
        assert job.status is JobStatus.SUCCEEDED, job.error
        found = self.cloud.client("s3").get_object(Bucket=RESULTS, Key=job.result_key)
        result: dict[str, Any] = json.loads(found["Body"].read())
        del result["timings_ms"], result["video"]["sha256"]
        return result


@pytest.fixture(scope="module")
def running(models_dir: Path) -> Iterator[World]:
    front = Front()
    with pytest.MonkeyPatch.context() as patch, front.serving():
        patch.setenv("MOTO_PORT", str(front.server_port))  # where moto's Step Functions looks for all of AWS
        with emulated_cloud() as cloud:
            front.moto_url = cloud.url
            let_machines_run(cloud.url)
            for name, value in cloud.variables.items():
                patch.setenv(name, value)
            clients.renew()
            machine = create_machine(cloud.client("stepfunctions"), RESULTS)
            settings = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "LONG_SECONDS": "0"}
            settings |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "STATE_MACHINE_ARN": machine}
            # The function's S3 is behind the front too, which can refuse.
            with emulator({**settings, **cloud.variables, "AWS_ENDPOINT_URL_S3": front.url}, seconds=60) as analyze:
                world = World(cloud, front, machine, analyze)
                front.call = world.call
                yield world
    clients.renew()


@pytest.fixture
def world(running: World) -> World:
    running.calls.clear()
    running.announced()
    return running


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Somebody who is away for a while: 40 pictures in eight groups."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_video(path, portraits(320, 180, [CENTRED] * 15 + [None] * 10 + [CENTRED] * 15), keyint=5).read_bytes()


@pytest.fixture(scope="module")
def whole(running: World, content: bytes) -> dict[str, Any]:
    """The Result of one call."""
    answer = running.analyze.invoke(running.put(content))
    assert answer == {"jobs": [{"job_id": JOB, "status": "SUCCEEDED"}]}
    return running.result(JOB)


@pytest.fixture
def planner(
    world: World, models_dir: Path, tmp_path: Path, model: EmotionModel, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> Worker:
    """A worker in this process that plans small videos too, and cuts them where the costs would not."""
    monkeypatch.setattr(limits, "PLANNED_BYTES", 0)
    settings = Settings(
        emotion_model="compact",
        models_dir=models_dir,
        work_dir=tmp_path,
        uploads_bucket=UPLOADS,
        results_bucket=RESULTS,
    )
    finder, store = FaceFinder(models_dir), S3ObjectStore()
    finder.load_all()
    pipeline = Pipeline(settings, model, finder, store, reader)
    lengths = Limits(0, 2, segmenting=Segmenting(at_least=3))
    long = LongVideos(Segmented(pipeline), store, StepFunctions(world.machine), RESULTS, lengths)
    secret = StackSecret(world.cloud.secret_arn)
    return Worker(pipeline, store, DynamoJobStore(JOBS), DefaultEventBus(), secret, long=long)


def start(planner: Worker, event: dict[str, Any]) -> None:
    (upload,) = uploads_in(event)
    assert planner.process(upload, "request", 900, FUNCTION) == {"job_id": JOB, "status": STARTED}


def test_three_segments_and_the_merge_in_the_emulator(world, planner, content, whole):
    start(planner, world.put(content))
    assert world.ended(JOB) == "SUCCEEDED"
    # moto calls the segments in any order, and the merge last
    assert world.calls[-1] == ("merge", None, None)
    assert sorted(world.calls[:-1]) == [("segment", number, None) for number in range(3)]
    assert world.result(JOB) == whole
    assert (whole["total_frames_analyzed"], len(whole["timeline"])) == (8, 8)
    assert whole["people"]
    assert world.announced() == ["SUCCEEDED"]
    assert S3ObjectStore().keys(RESULTS, work_prefix(JOB)) == []


def test_a_segment_that_s3_refuses_is_tried_again(world, planner, content, whole):
    world.front.slow_downs["/slices"] = 3  # as often as boto3 asks
    start(planner, world.put(content))
    assert world.ended(JOB) == "SUCCEEDED"
    assert world.front.slow_downs == {"/slices": 0}
    failed = [(segment, error) for _, segment, error in world.calls if error]
    assert [error for _, error in failed] == ["StorageUnavailable"]
    done = sorted(segment for task, segment, error in world.calls if task == "segment" and not error)
    assert done == [0, 1, 2]
    assert failed[0][0] in done
    assert world.result(JOB) == whole
    assert world.announced() == ["SUCCEEDED"]


def test_an_upload_is_planned_by_the_worker_in_the_emulator(world, content, whole):
    # Given a video in a file that is large enough to be planned: MP4 has boxes that a player skips
    size = limits.PLANNED_BYTES
    padded = content + size.to_bytes(4, "big") + b"free" + bytes(size - 8)
    key = "dropped/large.mp4"
    # When it is put into the bucket, and the queue is read
    world.cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=padded, Metadata=OPTIONS)
    pump = Pump(world.cloud.client("sqs"), world.cloud.queue_url, world.analyze.invoke)
    assert pump.step() == 1
    assert pump.left() == 0
    # Then the worker has started an execution, which brings the job to its end
    job_id = id_of(key)
    assert world.ended(job_id) == "SUCCEEDED"
    assert world.calls == [("segment", 0, None), ("merge", None, None)]
    result = world.result(job_id)
    assert result["source"]["key"] == key
    assert result["video"]["bytes"] == len(padded)
    video = whole["video"] | {name: result["video"][name] for name in ("bytes", "etag", "crc64nvme")}
    assert result == {**whole, "source": result["source"], "video": video}
    assert world.announced() == ["SUCCEEDED"]
