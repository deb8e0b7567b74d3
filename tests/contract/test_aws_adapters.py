"""The adapters against emulated AWS, and the fakes beside them: what a fake promises the real one keeps."""

import base64
import io
import json
import os
import socket
import subprocess
import sys
import time
import traceback
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ResponseStreamingError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from local.cloud import JOBS, RESULTS, UPLOADS, Cloud
from tests.conftest import ROOT
from tests.fakes_aws import MemoryJobs
from video_common import limits
from video_common.aws import clients
from video_common.aws.dynamodb import DynamoJobStore
from video_common.aws.eventbridge import DefaultEventBus
from video_common.aws.multipart import S3Multipart
from video_common.aws.s3 import S3ObjectStore, S3Ranges, S3Signer
from video_common.aws.sqs import SqsQueue
from video_common.aws.states import StepFunctions
from video_common.errors import EventsUnavailable, GaveUp, JobsUnavailable, ObjectMissing, StorageUnavailable
from video_common.job import Job, JobStatus, comparable


def job(job_id: str, status: JobStatus = JobStatus.RUNNING, **more: Any) -> Job:
    times: dict[str, Any] = {"created_at": 1, "updated_at": 2, "expires_at": 3}
    return Job(**{"job_id": job_id, "status": status, "key": "k", **times} | more)


@pytest.fixture
def real(cloud: Cloud) -> DynamoJobStore:
    return DynamoJobStore(JOBS)


def test_a_job_comes_back_as_it_was_stored(real):
    cases: list[tuple[JobStatus, dict[str, Any]]] = [
        (JobStatus.PENDING, {}),
        (JobStatus.RUNNING, {"sequencer": "1", "holder": "h", "lease_until": 4}),
        (JobStatus.FAILED, {"sequencer": "1", "error": {"code": "not_a_video", "status": 422}}),
        (
            JobStatus.SUCCEEDED,
            {"sequencer": "1", "result_key": "r/1.csv", "result_bytes": 17, "result_content_type": "text/csv"},
        ),
    ]
    for status, more in cases:
        stored = job(uuid.uuid4().hex, status, **more)
        real.create(stored)
        assert real.get(stored.job_id) == stored
        # what is there stays
        real.create(stored.model_copy(update={"key": "other"}))
        assert real.get(stored.job_id) == stored
    assert real.get("unknown") is None


def test_the_time_to_live_lies_after_the_expiry(real, cloud):
    stored = job(uuid.uuid4().hex, expires_at=1_000_000)
    real.create(stored)
    item = cloud.client("dynamodb").get_item(TableName=JOBS, Key={"job_id": {"S": stored.job_id}})["Item"]
    assert item["delete_at"] == {"N": str(1_000_000 + limits.JOB_KEPT_AFTER_EXPIRY_DAYS * 86_400)}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "begin", "renew", "finish", "delete"]),
        st.sampled_from([status for status in JobStatus if status is not JobStatus.DELETED]),
        st.sampled_from(["1", "9", "A", "10"]),
        st.sampled_from(["result", "error", "gave_up", "lease"]),
        st.sampled_from(["holder", "another"]),
    ),
    max_size=8,
)


# A lease counts only while the job runs
@example(
    [
        ("begin", JobStatus.PENDING, "1", "lease", "another"),
        ("begin", JobStatus.PENDING, "1", "result", "holder"),
    ]
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_fake_job_store_does_what_the_real_one_does(real, steps):
    fake, job_id = MemoryJobs(), uuid.uuid4().hex
    for number, (operation, status, sequencer, what, holder) in enumerate(steps):
        fields: dict[str, dict[str, Any]] = {
            "result": {"result_key": "r", "result_bytes": number, "result_content_type": "text/csv"},
            "error": {"error": {"code": "not_a_video"}},
            "gave_up": {"error": {"code": GaveUp.code}},
            "lease": {"lease_until": number + 2, "runs": 1},  # live for one step
        }
        more = fields["lease" if operation == "renew" else what]
        times = {"created_at": number, "updated_at": number}
        change = job(job_id, status, sequencer=comparable(sequencer), holder=holder, **times, **more)
        if operation == "create":
            change = change.model_copy(update={"sequencer": None, "owner": "key:a", "file_name": "clip.mp4"})
        if operation == "delete":
            key = "" if number % 2 else "k"
            change = change.model_copy(update={"status": JobStatus.DELETED, "sequencer": None, "key": key})
        told: dict[str, Any] = {}
        if operation == "begin":
            # An upload that was asked for, one from before a deletion, one from after it
            told = {"is_redriven": bool(number % 2), "revives_since": [None, number - 2, number + 1][number % 3]}
        answers = [getattr(store, operation)(change, **told) for store in (real, fake)]
        assert answers[0] == answers[1]
        assert real.get(job_id) == fake.get(job_id)


def test_services_that_are_away_are_transient_errors(monkeypatch, cloud):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    clients.renew()
    try:
        for error, call in [
            (JobsUnavailable, lambda: DynamoJobStore("t").get("x")),
            (JobsUnavailable, lambda: SqsQueue("http://127.0.0.1:9/q").defer("r", 1)),
            (EventsUnavailable, lambda: DefaultEventBus().publish("t", {})),
            (StorageUnavailable, lambda: S3ObjectStore().metadata("b", "k", None)),
        ]:
            with pytest.raises(error):
                call()
    finally:
        clients.renew()


@pytest.mark.parametrize(
    ("code", "error"),
    [("SlowDown", StorageUnavailable), ("InternalError", StorageUnavailable), ("NoSuchKey", ObjectMissing)],
)
def test_answers_of_s3_have_our_names(code, error):
    with (
        pytest.raises(error) as raised,
        clients.failures(StorageUnavailable("for the caller"), missing=clients.MISSING),
    ):
        raise ClientError({"Error": {"Code": code, "Message": "internal"}}, "GetObject")
    assert "internal" not in raised.value.detail


def test_a_table_that_is_missing_is_told_and_not_taken_for_an_unmet_condition(cloud):
    with pytest.raises(JobsUnavailable):
        DynamoJobStore("no-such-table").create(job("x"))


def test_an_object_that_is_replaced_while_it_is_read_is_worth_a_retry_and_its_key_is_told_to_nobody(s3, tmp_path):
    key = "PlantedMarker7f3a.mp4"
    s3.put_object(Bucket=UPLOADS, Key=key, Body=bytes(9_000_000))  # large enough to be read in parts
    events = clients.client("s3").meta.events

    def replaced(params: dict[str, Any], **_: Any) -> Any:
        assert params["headers"]["If-Match"]  # the tag of what the transfer began with; the emulated S3 ignores it
        return AWSResponse("", 412, {}, None), {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {}}

    events.register_first("before-call.s3.GetObject", replaced)
    try:
        with pytest.raises(StorageUnavailable) as raised:
            S3ObjectStore().download(UPLOADS, key, None, tmp_path / "video")
    finally:
        events.unregister("before-call.s3.GetObject", replaced)
    assert key not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(("version", "tag"), [(None, "e"), ("v1", None)])
def test_only_a_video_without_a_version_is_deleted_by_its_tag(cloud, version, tag):
    # S3 compares the tag with the current version, so that one that was overwritten meanwhile would stay
    asked: list[dict[str, Any]] = []
    events = clients.client("s3").meta.events

    def answers(params: dict[str, Any], **_: Any) -> Any:
        asked.append({**params["headers"], **params["query_string"]})
        return AWSResponse("", 204, {}, None), {"ResponseMetadata": {}}

    events.register_first("before-call.s3.DeleteObject", answers)
    try:
        S3ObjectStore().delete(UPLOADS, "k", version, "e")
    finally:
        events.unregister("before-call.s3.DeleteObject", answers)
    (request,) = asked
    assert (request.get("versionId"), request.get("If-Match")) == (version, tag)


def test_metadata_and_text_come_back(s3):
    s3.put_object(Bucket=UPLOADS, Key="m", Body=b"x", Metadata={"Options": '{"frame_interval":5}'})
    store = S3ObjectStore()
    assert store.metadata(UPLOADS, "m", None) == {"options": '{"frame_interval":5}'}
    store.put(RESULTS, "ä.json", '{"a": "ä"}', "application/json")
    assert store.read(RESULTS, "ä.json") == '{"a": "ä"}'
    for call in (lambda: store.metadata(UPLOADS, "gone", None), lambda: store.read(RESULTS, "gone")):
        with pytest.raises(ObjectMissing):
            call()


@pytest.mark.parametrize("content_type", ["video/mp4", "video/webm;codecs=vp8,opus", 'video/webm; codecs="vp8, opus"'])
def test_the_policy_of_an_upload_says_everything(s3, content_type):
    # moto enforces no policy: the document itself is looked at
    post = S3Signer().upload(UPLOADS, "uploads/x", content_type, {"options": '{"frame_interval":5}'})
    policy = json.loads(base64.b64decode(post["fields"]["policy"]))
    assert ["content-length-range", 1, limits.MAX_UPLOAD_VIDEO_BYTES] in policy["conditions"]
    said = dict(next(iter(entry.items())) for entry in policy["conditions"] if isinstance(entry, dict))
    assert {name: said[name] for name in ("bucket", "key", "Content-Type", "x-amz-server-side-encryption")} == {
        "bucket": UPLOADS,
        "key": "uploads/x",
        "Content-Type": content_type,
        "x-amz-server-side-encryption": "AES256",
    }
    assert said["x-amz-meta-options"] == '{"frame_interval":5}'
    # And it is over soon
    left = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert limits.UPLOAD_SECONDS - 60 < left.total_seconds() <= limits.UPLOAD_SECONDS
    # And the form says the same
    del said["bucket"]
    assert {name: post["fields"][name] for name in said} == said


def test_a_refused_event_is_not_taken_for_a_published_one(monkeypatch):
    class Refuses:
        def put_events(self, Entries: Any) -> dict[str, Any]:  # noqa: N803
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}

    monkeypatch.setattr("video_common.aws.eventbridge.client", lambda service: Refuses())
    with pytest.raises(EventsUnavailable):
        DefaultEventBus().publish("t", {})


def test_after_a_restore_the_next_call_makes_a_new_client(cloud):
    before = clients.client("s3")
    assert clients.client("s3") is before
    clients.renew()
    assert clients.client("s3") is not before


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "us-west-2"])
def test_presigned_requests_are_signed_with_version_4_for_the_regions_own_host(monkeypatch, cloud, region):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_REGION", region)
    clients.renew()
    try:
        post = S3Signer().upload("bucket", "uploads/x", "video/mp4", {})
        url = urlsplit(S3Signer().download("bucket", "r.json"))
    finally:
        clients.renew()
    assert post["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert post["url"] in {f"https://bucket.s3.{region}.amazonaws.com/", "https://bucket.s3.amazonaws.com/"}
    if region != "us-east-1":
        assert region in post["url"]
        assert region in url.netloc
    query = parse_qs(url.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == [str(limits.RESULT_URL_SECONDS)]


def test_a_versions_own_bytes_and_metadata_are_fetched(cloud, tmp_path):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    versions = [
        s3.put_object(Bucket="versioned", Key="k", Body=body, Metadata={"options": body.decode()})["VersionId"]
        for body in (b"one", b"two")
    ]
    for version, body in zip(versions, (b"one", b"two"), strict=True):
        S3ObjectStore().download("versioned", "k", version, tmp_path / version)
        assert (tmp_path / version).read_bytes() == body
        assert S3ObjectStore().metadata("versioned", "k", version) == {"options": body.decode()}


def test_a_message_is_hidden_for_as_long_as_was_asked_and_sent_again_with_a_delay(cloud):
    sqs = cloud.client("sqs")
    # Other tests' messages arrive in the cloud's own queues.
    address = sqs.create_queue(QueueName="hidden-and-sent-again")["QueueUrl"]
    queue = SqsQueue(address)

    def receive() -> list[dict[str, Any]]:
        return sqs.receive_message(QueueUrl=address, VisibilityTimeout=600).get("Messages", [])

    sqs.send_message(QueueUrl=address, MessageBody="first")
    (message,) = receive()
    queue.defer(message["ReceiptHandle"], 4)
    queue.send_again("second", 4)
    assert receive() == []
    time.sleep(4.2)
    assert sorted(found["Body"] for found in receive() + receive()) == ["first", "second"]


def test_a_service_that_says_nothing_is_given_up_within_the_functions_time(monkeypatch, cloud):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        clients.use_timeouts(connect=1, read=0.2)
        begun = time.monotonic()
        try:
            with pytest.raises(JobsUnavailable):
                DynamoJobStore(JOBS).get("x")
        finally:
            clients.use_timeouts(clients.CONNECT_SECONDS, clients.READ_SECONDS)
        assert time.monotonic() - begun < 10


def test_the_jobs_functions_three_tries_fit_into_its_time(cloud):
    # In a process of its own: the timeouts are set when the module is imported, which other tests may have done here
    code = "import video_jobs.handler; from video_common.aws import clients; print(sum(clients._timeouts.values()))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | cloud.variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 3 * float(done.stdout) < 10


# -- Ranges of an object, and executions ------------------------------------------------------------------------------
def test_ranges_are_those_of_one_version_of_an_object(s3):
    store, key = S3ObjectStore(), f"ranges/{uuid.uuid4()}"
    etag = s3.put_object(Bucket=UPLOADS, Key=key, Body=b"0123456789")["ETag"]
    for pinned in (None, etag, etag.strip('"')):
        ranges = store.ranges(UPLOADS, key, etag=pinned)
        assert ranges.size == 10
        assert (ranges.read(0, 1), ranges.read(3, 10)) == (b"0", b"3456789")
    # Another object of that name is not read, neither by a new reader nor by one that began before
    s3.put_object(Bucket=UPLOADS, Key=key, Body=b"abcdefghij")
    with pytest.raises(ObjectMissing):
        ranges.read(0, 5)
    with pytest.raises(ObjectMissing):
        store.ranges(UPLOADS, key, etag=etag)
    s3.delete_object(Bucket=UPLOADS, Key=key)
    with pytest.raises(ObjectMissing):
        store.ranges(UPLOADS, key)


def test_a_checksum_is_that_of_the_object_that_was_meant(s3):
    store, key = S3ObjectStore(), f"checksum/{uuid.uuid4()}"
    etag = s3.put_object(Bucket=UPLOADS, Key=key, Body=b"123456789", ChecksumAlgorithm="SHA256")["ETag"]
    assert store.checksum(UPLOADS, key) is None
    # The emulated S3 knows no CRC-64/NVME, so this is S3's answer by its API reference
    asked: list[Any] = []

    def answers(request: Any, **_: Any) -> Any:
        asked.append(request)
        headers = {"ETag": etag, "x-amz-checksum-crc64nvme": "rosUhgp5mIg="}
        return AWSResponse(request.url, 200, headers, urllib3.HTTPResponse(io.BytesIO(), preload_content=False))

    events = clients.client("s3").meta.events
    events.register_first("before-send.s3.HeadObject", answers)
    try:
        assert store.checksum(UPLOADS, key, etag=etag.strip('"')) == "rosUhgp5mIg="
    finally:
        events.unregister("before-send.s3.HeadObject", answers)
    (request,) = asked
    assert (request.headers["x-amz-checksum-mode"], request.headers["If-Match"]) == (b"ENABLED", etag.encode())
    # Another object of that name
    s3.put_object(Bucket=UPLOADS, Key=key, Body=b"987654321")
    assert store.checksum(UPLOADS, key, etag=etag) is None
    assert store.checksum(UPLOADS, f"{key}-none") is None


def test_bytes_are_kept_and_keys_are_listed(cloud):
    store, folder = S3ObjectStore(), f"list/{uuid.uuid4()}/"
    for name in ("b.json", "a.json", "a.jsonl"):
        store.put(RESULTS, f"{folder}{name}", b"\xff\0", "application/octet-stream")
    assert store.keys(RESULTS, folder) == [f"{folder}{name}" for name in ("a.json", "a.jsonl", "b.json")]
    assert store.ranges(RESULTS, f"{folder}a.json").read(0, 2) == b"\xff\0"
    assert store.keys(RESULTS, f"{folder}none") == []


@pytest.fixture
def machine(cloud: Cloud) -> Any:
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})
    role = "arn:aws:iam::123456789012:role/states"
    return states.create_state_machine(name=f"m{uuid.uuid4().hex}", definition=definition, roleArn=role)


def test_an_execution_of_a_name_starts_once(cloud, machine):
    states, adapter = cloud.client("stepfunctions"), StepFunctions(machine["stateMachineArn"])
    for _ in range(3):
        adapter.start("job-1", {"a": 1}, goes_on=True)
    (execution,) = states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    assert execution["name"] == "job-1"
    assert json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"]) == {"a": 1}


def test_an_execution_that_cannot_go_on_has_a_successor(cloud, machine):
    states, adapter = cloud.client("stepfunctions"), StepFunctions(machine["stateMachineArn"])
    adapter.start("job-2", {}, goes_on=True)
    arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:")
    states.stop_execution(executionArn=f"{arn}:job-2")
    adapter.start("job-2", {}, goes_on=True)
    adapter.start("job-2", {}, goes_on=True)
    names = {one["name"] for one in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]}
    assert names == {"job-2", "job-2-attempt-2"}


class States:
    """A client of Step Functions, with executions by name; moto redrives none."""

    class exceptions:  # noqa: N801 - as in boto3
        class ExecutionAlreadyExists(Exception):
            pass

        class ExecutionDoesNotExist(Exception):
            pass

    def __init__(self, executions: dict[str, dict[str, str]]) -> None:
        self.executions = executions
        self.redriven: list[str] = []
        self.started: list[str] = []

    def start_execution(self, name: str, **_: str) -> None:
        self.started.append(name)

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803
        name = executionArn.rpartition(":")[2]
        if name not in self.executions:
            raise self.exceptions.ExecutionDoesNotExist
        return {"executionArn": executionArn, **self.executions[name]}

    def redrive_execution(self, executionArn: str) -> None:  # noqa: N803
        self.redriven.append(executionArn.removeprefix("arn:aws:states:us-east-1:123456789012:execution:m:"))


FAILED = {"status": "FAILED", "redriveStatus": "REDRIVABLE"}
OLD = {"status": "TIMED_OUT", "redriveStatus": "NOT_REDRIVABLE"}
SECOND = "job-attempt-2"


@pytest.mark.parametrize(
    ("executions", "goes_on", "redriven", "started"),
    [
        ({}, False, [], ["job"]),
        ({}, True, [], ["job"]),
        ({"job": {"status": "RUNNING"}}, True, [], []),
        ({"job": {"status": "RUNNING"}}, False, [], []),
        ({"job": {"status": "PENDING_REDRIVE"}}, True, [], []),
        ({"job": {"status": "SUCCEEDED", "redriveStatus": "NOT_REDRIVABLE"}}, True, [], [SECOND]),
        ({"job": FAILED}, True, ["job"], []),
        ({"job": FAILED}, False, [], [SECOND]),
        ({"job": OLD}, True, [], [SECOND]),
        # The latest one goes on, for it has what the plan says
        ({"job": FAILED, SECOND: FAILED}, True, [SECOND], []),
        ({"job": FAILED, SECOND: {"status": "RUNNING"}}, True, [], []),
        ({"job": FAILED, SECOND: OLD}, True, [], ["job-attempt-3"]),
    ],
)
def test_the_latest_execution_that_failed_is_redriven_if_it_can(monkeypatch, executions, goes_on, redriven, started):
    states = States(executions)
    monkeypatch.setattr("video_common.aws.states.client", lambda _service: states)
    StepFunctions("arn:aws:states:us-east-1:123456789012:stateMachine:m").start("job", {}, goes_on=goes_on)
    assert (states.redriven, states.started) == (redriven, started)


def test_a_worker_that_is_slower_than_another_one_starts_nothing(monkeypatch):
    states = States({})

    def too_late(**_: str) -> None:
        raise states.exceptions.ExecutionAlreadyExists

    monkeypatch.setattr(states, "start_execution", too_late)
    monkeypatch.setattr("video_common.aws.states.client", lambda _service: states)
    StepFunctions("arn:aws:states:us-east-1:123456789012:stateMachine:m").start("job", {}, goes_on=False)
    assert states.redriven == []


class Bodies:
    """A client of S3 whose answers break off, or are short, as told. boto3 repeats neither."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": self}

    def read(self) -> bytes:
        answer = self.answers.pop(0)
        if answer == "breaks off":
            raise ResponseStreamingError(error="broken")
        return answer.encode()


def test_a_range_whose_answer_breaks_off_is_read_again(monkeypatch):
    ranges = S3Ranges({}, 4)
    unsteady = Bodies("breaks off", "cu", "whol")
    monkeypatch.setattr("video_common.aws.s3.client", lambda _service: unsteady)
    assert ranges.read(0, 4) == b"whol"
    for answer in ("breaks off", "cu"):
        bodies = Bodies(*[answer] * 3, "whol")
        monkeypatch.setattr("video_common.aws.s3.client", lambda _service, bodies=bodies: bodies)
        with pytest.raises(StorageUnavailable):
            ranges.read(0, 4)
        assert bodies.answers == ["whol"]


def test_all_objects_of_a_prefix_are_deleted_in_few_calls(s3, monkeypatch):
    store, folder = S3ObjectStore(), f"many/{uuid.uuid4().hex}/"
    for number in range(5):
        store.put(RESULTS, f"{folder}{number}", "", "text/plain")
    store.put(RESULTS, f"{folder[:-1]}-beside", "stays", "text/plain")
    calls: list[int] = []
    delete = clients.client("s3").delete_objects

    def counted(**request: Any) -> Any:
        calls.append(len(request["Delete"]["Objects"]))
        return delete(**request)

    monkeypatch.setattr(clients.client("s3"), "delete_objects", counted)
    store.delete_all(RESULTS, folder)
    store.delete_all(RESULTS, folder)  # nothing is left, and S3 accepts no empty list
    assert (calls, store.keys(RESULTS, folder[:-1])) == ([5], [f"{folder[:-1]}-beside"])


def test_an_object_that_s3_does_not_delete_is_an_error(s3, monkeypatch):
    store, folder = S3ObjectStore(), f"kept/{uuid.uuid4().hex}/"
    store.put(RESULTS, f"{folder}a", "", "text/plain")

    def refuses(**_: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": f"{folder}a", "Code": "SlowDown"}]}

    monkeypatch.setattr(clients.client("s3"), "delete_objects", refuses)
    with pytest.raises(StorageUnavailable):
        store.delete_all(RESULTS, folder)


def test_an_upload_in_parts_becomes_an_object(s3):
    store, key = S3Multipart(), f"uploads/{uuid.uuid4().hex}"
    upload_id = store.create(UPLOADS, key, "video/mp4", {"options": "{}"})
    url = urlsplit(store.address(UPLOADS, key, upload_id, 2, 7))
    query = parse_qs(url.query)
    assert (query["partNumber"], query["uploadId"]) == (["2"], [upload_id])
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]  # S3 refuses a part of another length
    first = bytes(5 * 1024 * 1024)
    for number, part in ((2, b"the end"), (1, first)):
        s3.upload_part(Bucket=UPLOADS, Key=key, UploadId=upload_id, PartNumber=number, Body=part)
    parts = store.parts(UPLOADS, key, upload_id)
    assert {number: part.bytes for number, part in parts.items()} == {1: len(first), 2: 7}
    s3.put_object(Bucket=UPLOADS, Key=f"{key}-longer", Body=b"another")
    assert store.object_bytes(UPLOADS, key) is None
    store.complete(UPLOADS, key, upload_id, parts)
    assert store.object_bytes(UPLOADS, key) == len(first) + 7
    made = s3.get_object(Bucket=UPLOADS, Key=key)
    assert (made["Body"].read(), made["ContentType"], made["Metadata"]) == (
        first + b"the end",
        "video/mp4",
        {"options": "{}"},
    )
    with pytest.raises(ObjectMissing):
        store.parts(UPLOADS, key, upload_id)


def test_an_upload_in_parts_that_was_ended_is_gone(s3):
    store, key = S3Multipart(), f"uploads/{uuid.uuid4().hex}"
    upload_id = store.create(UPLOADS, key, "video/mp4", {})
    for _ in range(2):
        store.abort(UPLOADS, key, upload_id)
    with pytest.raises(ObjectMissing):
        store.parts(UPLOADS, key, upload_id)
