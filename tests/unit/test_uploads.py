"""Uploads: each version of an object is analyzed once, the newest one wins, nothing is lost."""

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from events.aws_shapes import s3_test_event
from tests.fakes import s3_event, sqs_event
from tests.job_world import Context, Lost, World, id_of
from video_common import limits
from video_common.aws import clients
from video_common.aws.interfaces import Begun
from video_common.errors import (
    ConfigurationError,
    EventsUnavailable,
    JobInProgress,
    JobsUnavailable,
    StorageUnavailable,
    TooLong,
)
from video_common.job import JobStatus, result_key
from video_emotions.rendering import FORMATS, Format
from video_emotions.uploads import Uploads
from video_emotions.watchdog import watchdog


@pytest.fixture
def world() -> World:
    return World()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_an_upload_becomes_a_job_with_its_result_and_is_announced(world):
    event = world.put("holiday/clip 1.mp4", b"video")
    assert world.uploads.handle_s3(event, Context()) == {
        "jobs": [{"job_id": id_of("holiday/clip 1.mp4"), "status": "SUCCEEDED"}]
    }
    job = world.job("holiday/clip 1.mp4")
    assert (job.status, job.result_key) == (JobStatus.SUCCEEDED, result_key(job.job_id, "1".zfill(32), ".json"))
    assert world.result("holiday/clip 1.mp4") == sha256(b"video")
    assert world.bus.events == [
        {
            "detail-type": "Video Analysis Finished",
            "detail": {
                "job_id": job.job_id,
                "status": "SUCCEEDED",
                "video": {"bucket": "uploads", "key": "holiday/clip 1.mp4"},
                "result": {"bucket": "results", "key": job.result_key},
            },
        }
    ]


def test_a_result_has_the_objects_tag_and_checksum(world):
    event = world.put("a", b"video")
    world.store.checksums["uploads", "a"] = "rosUhgp5mIg="
    world.uploads.handle_s3(event, Context())
    video = json.loads(world.store.objects["results", world.job("a").result_key])["video"]
    assert (video["etag"], video["crc64nvme"]) == (hashlib.md5(b"video").hexdigest(), "rosUhgp5mIg=")


def test_a_result_is_stored_as_its_format_says(world, monkeypatch):
    monkeypatch.setitem(FORMATS, "json", Format(lambda *_: iter(["a;", "ä"]), "text/csv", ".csv"))
    world.queue.send(world.put("a", b"video"))
    world.run()
    job = world.job("a")
    assert job.result_key == result_key(job.job_id, "1".zfill(32), ".csv")
    assert (job.result_content_type, job.result_bytes) == ("text/csv", 4)
    assert world.store.objects["results", job.result_key].decode() == "a;ä"
    assert world.store.content_types["results", job.result_key] == "text/csv"


@pytest.mark.parametrize(
    ("content", "metadata", "code"),
    [
        (b"no video", {}, "not_a_video"),
        (b"video", {"options": '{"frames": 1}'}, "unknown_option"),
        (b"video", {"options": '{"frame_interval": 0}'}, "invalid_option"),
        (b"video", {"options": "{"}, "invalid_json"),
        (b"video", {"options": '{"frame_interval": 1' + " " * 1000 + "}"}, "invalid_json"),
    ],
)
def test_what_cannot_be_analysed_is_one_failed_job_and_not_tried_again(world, content, metadata, code):
    world.store.metadata_of["uploads", "a"] = metadata
    world.queue.send(world.put("a", content))
    world.run()
    assert (world.job("a").status, world.job("a").error["code"]) == (JobStatus.FAILED, code)
    assert world.queue.dead == []
    assert [event["detail"]["error"]["code"] for event in world.bus.events] == [code]


def test_an_object_that_is_too_large_fails_before_it_is_downloaded(world):
    event = s3_event("a", size=limits.MAX_UPLOAD_VIDEO_BYTES + 1)
    world.store.objects["uploads", "a"] = b"video"
    world.queue.send(event)
    world.run()
    assert world.job("a").error["code"] == "video_too_large"
    assert world.pipeline.analyzed == []


def test_an_object_that_is_gone_is_a_failed_job(world):
    world.queue.send(s3_event("a"))
    world.run()
    assert world.job("a").error["code"] == "object_missing"


@pytest.mark.parametrize(
    "key", ["a+b.mp4", "a b", "100%25", "ä€/😀.mp4", "../../etc/passwd", "/", "uploads/../x", "a" * 1024]
)
def test_any_key_is_a_job(world, key):
    world.queue.send(world.put(key, b"video"))
    world.run()
    job = world.job(key)
    assert (job.status, job.key) == (JobStatus.SUCCEEDED, key)
    assert job.result_key.count("/") == 1
    assert ".." not in job.result_key


def test_an_asked_for_upload_is_the_job_of_its_id():
    assert id_of(f"uploads/{'ab' * 16}") == "ab" * 16
    for other in (f"uploads/{'AB' * 16}", f"uploads/{'ab' * 16}/x", f"x/uploads/{'ab' * 16}", f"uploads/{'ab' * 17}"):
        assert id_of(other) not in other


def test_the_same_event_ten_times_at_once_is_one_analysis_and_one_result(world):
    event = world.put("a", b"video")
    # Given that an analysis lasts until the other nine have been answered
    answered = threading.Barrier(10)
    world.pipeline.during = lambda content: answered.wait(timeout=30)
    answers = []

    def deliver() -> None:
        answer = world.uploads.handle_queue(sqs_event(event), Context())
        answers.append(answer["batchItemFailures"])
        if answer["batchItemFailures"]:
            answered.wait(timeout=30)

    for number in range(10):  # what the deferred ones are in the queue
        world.queue.send(event)
        world.queue.messages["0"] = world.queue.messages.pop(str(number + 1))
    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    # Then one worker analyzed, and the others' messages have to come again
    assert sorted(map(len, answers)) == [0] + [1] * 9
    assert world.pipeline.analyzed == [b"video"]
    # And when they do nothing is left to do
    assert world.uploads.handle_queue(sqs_event(*[event] * 9, receives=2), Context()) == {"batchItemFailures": []}
    assert world.pipeline.analyzed == [b"video"]
    assert len(world.bus.events) == 1


def test_a_duplicate_of_a_job_in_progress_waits_and_is_no_dead_letter(world):
    event = world.put("a", b"video")
    for _ in range(6):
        world.queue.send(event)
    # Given that the other messages are delivered while the first one is worked on
    world.pipeline.during = lambda content: [world.deliver(10) for _ in range(3)] and None
    world.run()
    assert world.pipeline.analyzed == [b"video"]
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert world.queue.dead == []


@pytest.mark.parametrize("minutes", [0, 5, 14])
def test_a_duplicate_that_comes_at_any_time_of_a_long_job_waits_once(world, minutes):
    # Given a job of almost a quarter of an hour, and a duplicate that is delivered some minutes into it
    event = world.put("a", b"video")
    world.pipeline.seconds = 0

    def work(content: bytes) -> None:
        world.clock.now += minutes * 60
        world.queue.send(event)
        assert world.deliver() == ["2"]
        world.clock.now += 890 - minutes * 60

    world.pipeline.during = work
    world.queue.send(event)
    world.deliver()
    duplicate = world.queue.messages["2"]
    world.run()
    assert duplicate.receives == 2
    assert world.pipeline.analyzed == [b"video"]


def test_a_duplicate_outlasts_a_job_that_needs_all_its_retries(world):
    event = world.put("a", b"video")
    world.pipeline.seconds = 0
    failures = iter([True] * 3)

    def work(content: bytes) -> None:
        world.deliver()  # the duplicate, whenever it can be seen
        world.clock.now += 890
        if next(failures, False):
            raise StorageUnavailable("down")

    world.pipeline.during = work
    world.queue.send(event)
    world.queue.send(event)
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert world.queue.dead == []


def test_one_that_fails_does_not_undo_what_another_model_has_finished(world):
    event = world.put("a", b"video")

    def another_finishes(content: bytes) -> None:
        job = world.job("a")
        assert world.jobs.finish(job.model_copy(update={"status": JobStatus.SUCCEEDED, "result_key": "r"}))
        raise StorageUnavailable("down")

    world.pipeline.during = another_finishes
    with pytest.raises(StorageUnavailable):
        world.uploads.handle_s3(event, Context())
    assert (world.job("a").status, world.job("a").result_key) == (JobStatus.SUCCEEDED, "r")


def test_a_job_that_another_holder_has_is_left_alone_until_its_lease_ends(world):
    event = world.put("a", b"video")
    # Given that a version of the function with another model is killed in the middle
    world.pipeline.model, killed = "another", iter([True])

    def kill(content: bytes) -> None:
        if next(killed, False):
            raise Lost

    world.pipeline.during = kill
    with pytest.raises(Lost):
        world.uploads.handle_s3(event, Context())
    lost = world.job("a")
    # Then this one does not take the job while the lease is live
    world.pipeline.model = "none"
    with pytest.raises(JobInProgress):
        world.uploads.handle_s3(event, Context())
    assert world.job("a") == lost
    # And does from then on
    world.clock.now = lost.lease_until
    world.uploads.handle_s3(event, Context())
    assert world.job("a").status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("seconds", [900, 60])
def test_a_lease_ends_with_the_invocation_before_the_message_comes_back(world, seconds):
    context = Context()
    context.get_remaining_time_in_millis = lambda: seconds * 1000  # type: ignore[method-assign]
    begun = int(world.clock())
    world.pipeline.during = lambda content: leases.append(world.job("a").lease_until - begun)
    leases: list[int] = []
    world.uploads.handle_s3(world.put("a", b"video"), context)
    assert leases == [min(limits.LEASE_SECONDS, seconds)]
    assert world.job("a").lease_until is None


def renewing(world: World) -> World:
    """Let the worker renew all the time."""
    worker = replace(world.worker, renew_seconds=0.001)
    world.uploads = Uploads(worker, world.queue, world.persistence)
    return world


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_long_job_stays_running_and_stops_when_it_ends(world):
    renewing(world)
    begun = int(world.clock())

    def work(content: bytes) -> None:
        for _ in range(5):
            world.clock.now += limits.LEASE_SECONDS - 1
            wait_for(lambda: world.job("a").lease_until == int(world.clock()) + limits.LEASE_SECONDS)
            assert world.job("a").status_at(world.clock()) is JobStatus.RUNNING
        # But never beyond the end of the invocation
        world.clock.now = begun + 899
        wait_for(lambda: world.job("a").lease_until == begun + 900)

    world.pipeline.seconds = 0
    world.pipeline.during = work
    world.uploads.handle_s3(world.put("a", b"video"), Context())
    assert (world.job("a").status, world.job("a").lease_until) == (JobStatus.SUCCEEDED, None)
    assert "lease" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("error", [StorageUnavailable("down"), Lost(), MemoryError()])
def test_renewing_stops_on_every_path(world, error):
    renewing(world)

    def fail(content: bytes) -> None:
        raise error

    world.pipeline.during = fail
    with pytest.raises(type(error)):
        world.uploads.handle_s3(world.put("a", b"video"), Context())
    assert "lease" not in {thread.name for thread in threading.enumerate()}


def test_a_worker_that_lost_its_job_to_a_later_version_renews_no_lease_of_it(world):
    renewing(world)
    old, new = (world.put("a", f"video {version}".encode(), version, versioned=True) for version in (1, 2))

    def newer_comes(content: bytes) -> None:
        if content == b"video 1":
            world.uploads.handle_s3(new, Context())
            ended = world.job("a")
            time.sleep(0.05)
            assert world.job("a") == ended

    world.pipeline.during = newer_comes
    assert world.uploads.handle_s3(old, Context())["jobs"][0]["status"] == "SUPERSEDED"


def test_a_renewal_that_fails_is_tried_again_whatever_it_failed_with(world):
    renewing(world)
    world.jobs.faults.planned["renew", id_of("a")] = [JobsUnavailable("down"), ValueError("a defect of ours")] * 2

    def work(content: bytes) -> None:
        world.clock.now += 100
        wait_for(lambda: world.job("a").lease_until == int(world.clock()) + limits.LEASE_SECONDS)

    world.pipeline.seconds = 0
    world.pipeline.during = work
    world.uploads.handle_s3(world.put("a", b"video"), Context())
    assert world.jobs.faults.planned["renew", id_of("a")] == []


def test_one_that_lost_its_lease_does_not_undo_what_another_holder_does(world):
    event = world.put("a", b"video")

    def another_begins(content: bytes) -> None:
        world.clock.now += limits.LEASE_SECONDS
        job = world.job("a").model_copy(update={"holder": "another", "updated_at": int(world.clock())})
        assert world.jobs.begin(job)[0] is Begun.RUN
        raise StorageUnavailable("down")

    world.pipeline.during = another_begins
    with pytest.raises(StorageUnavailable):
        world.uploads.handle_s3(event, Context())
    assert (world.job("a").status, world.job("a").holder) == (JobStatus.RUNNING, "another")


def test_two_renewals_fit_into_a_lease():
    assert 2 * limits.LEASE_RENEW_SECONDS < limits.LEASE_SECONDS
    slowest = 3 * (clients.CONNECT_SECONDS + clients.MOST_READ_SECONDS["dynamodb"])
    assert slowest < limits.LEASE_RENEW_SECONDS, "the second renewal would be late"


def test_what_makes_an_event_another_one(world):
    def event(**changes) -> dict:
        return s3_event(changes.pop("key", "a"), **{"etag": "e", "sequencer": "1"} | changes)

    for key in ("a", "b"):
        world.store.objects["uploads", key] = b"video"
        for version in ("v1", "v2"):
            world.store.objects["uploads", key, version] = b"video"
    events = [
        event(),
        event(key="b"),
        event(sequencer="2"),
        event(etag="f"),
        event(version_id="v1"),
        event(version_id="v2"),
    ]
    for each in events * 2:
        world.uploads.handle_s3(each, Context())
    assert len(world.persistence.records) == len(events)
    # And what shapes the numbers
    world.pipeline.model = "another"
    world.uploads.handle_s3(event(), Context())
    world.pipeline.settings = world.pipeline.settings.model_copy(update={"centre_tolerance": 0.1})
    world.uploads.handle_s3(event(), Context())
    assert len(world.persistence.records) == len(events) + 2
    # And it is remembered for as long as it can come again
    (record, *_) = world.persistence.records.values()
    assert record.expiry_timestamp - time.time() == pytest.approx(limits.DELIVERY_DAYS * 86_400, abs=600)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_whatever_the_order_the_newest_version_has_the_last_word(world, order):
    events = {version: world.put("a", f"video {version}".encode(), version, versioned=True) for version in order}
    for version in order:
        world.queue.send(events[version])
        world.run()
    assert world.result("a") == sha256(b"video 3")
    assert world.bus.events[-1]["detail"]["result"]["key"] == world.job("a").result_key
    # And older versions that come after a newer one are not even analyzed
    assert world.pipeline.analyzed == [f"video {n}".encode() for i, n in enumerate(order) if n == max(order[: i + 1])]


def test_an_older_version_that_ends_after_a_newer_one_changes_nothing(world):
    old, new = (world.put("a", f"video {version}".encode(), version, versioned=True) for version in (1, 2))

    def newer_comes(content: bytes) -> None:
        if content == b"video 1":
            world.uploads.handle_s3(new, Context())

    world.pipeline.during = newer_comes
    assert world.uploads.handle_s3(old, Context())["jobs"][0]["status"] == "SUPERSEDED"
    assert world.result("a") == sha256(b"video 2")
    assert len(world.bus.events) == 1


def test_the_same_bytes_put_back_are_the_newest_again(world):
    for version, content in enumerate([b"one", b"two", b"one"], start=1):
        world.queue.send(world.put("a", content, version))
        world.run()
    assert world.result("a") == sha256(b"one")


def test_of_a_batch_only_the_failing_message_comes_again(world):
    events = [world.put(f"clip{number}", b"video") for number in range(10)]
    world.store.faults.planned["download", "clip4"] = [StorageUnavailable("down")]
    for event in events:
        world.queue.send(event)
    assert world.deliver(most=10) == ["5"]
    assert world.job("clip4").status is JobStatus.PENDING
    assert [world.job(f"clip{n}").status for n in range(10) if n != 4] == [JobStatus.SUCCEEDED] * 9
    world.run()
    assert world.job("clip4").status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("fakes", "call", "error"),
    [
        ("store", ("metadata", "a"), StorageUnavailable("down")),
        ("store", ("download", "a"), StorageUnavailable("down")),
        ("jobs", ("begin", id_of("a")), JobsUnavailable("down")),
        ("bus", ("publish", ""), EventsUnavailable("down")),
        ("store", ("put", result_key(id_of("a"), "1".zfill(32), ".json")), StorageUnavailable("down")),
    ],
)
@pytest.mark.parametrize("times", [3, 4])
def test_what_fails_for_the_time_being_is_tried_three_times_more(world, fakes, call, error, times):
    getattr(world, fakes).faults.planned[call] = [error] * times
    world.queue.send(world.put("a", b"video"))
    world.run()
    if times == 3:
        assert world.job("a").status is JobStatus.SUCCEEDED
        assert len(world.bus.events) == 1
        assert world.queue.dead == []
    else:
        assert len(world.queue.dead) == 1
        # And nothing is left of it but the message: redriven, it succeeds
        world.queue.send(world.put("a", b"video"))
        world.run()
        assert world.job("a").status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("times", [2, 3])
def test_an_end_that_cannot_be_written_is_tried_twice_more(world, times):
    # A worker whose end is not in the record looks like one that was lost
    world.jobs.faults.planned["finish", id_of("a")] = [JobsUnavailable("down")] * times
    world.queue.send(world.put("a", b"video"))
    world.run()
    assert len(world.queue.dead) == times - 2
    world.give_up()
    world.redrive()
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert len(world.bus.events) == times - 1


def test_a_video_that_was_analysed_is_not_analysed_again_to_announce_it(world):
    world.bus.faults.planned["publish", ""] = [EventsUnavailable("down")]
    world.queue.send(world.put("a", b"video"))
    world.run()
    assert world.pipeline.analyzed == [b"video"]
    assert len(world.bus.events) == 1


def test_retries_wait_longer_each_time(world):
    world.store.faults.planned["download", "a"] = [StorageUnavailable("down")] * 3
    world.pipeline.seconds = 0
    world.queue.send(world.put("a", b"video"))
    waits, before = [], world.clock.now
    while world.queue.wait():
        waits.append(world.clock.now - before)
        before = world.clock.now
        world.deliver()
    assert waits == [0, 30, 60, 120]


def test_a_message_that_cannot_be_deferred_comes_after_the_queues_own_time(world):
    world.store.faults.planned["download", "a"] = [StorageUnavailable("down")]
    world.queue.faults.planned["defer", "1"] = [JobsUnavailable("down")]
    world.queue.send(world.put("a", b"video"))
    world.deliver()
    before = world.clock.now
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert world.clock.now - before == pytest.approx(world.queue.visibility, abs=30)


def test_a_lost_workers_job_restarts_within_one_visibility_time_out(world):
    lost = iter([True])

    def disappear(content: bytes) -> None:
        if next(lost, False):
            raise Lost

    world.pipeline.during = disappear
    world.queue.send(world.put("a", b"video"))
    begun = world.clock.now
    with pytest.raises(Lost):
        world.deliver()
    assert world.job("a").status is JobStatus.RUNNING
    assert world.queue.wait()
    assert world.clock.now - begun <= world.queue.visibility
    world.deliver()
    assert world.job("a").status is JobStatus.SUCCEEDED


def test_a_record_that_crashes_does_not_cost_the_others_theirs(world):
    def crash(content: bytes) -> None:
        if content == b"one":
            raise MemoryError

    world.pipeline.during = crash
    one, two = world.put("one", b"one"), world.put("two", b"two")
    with pytest.raises(MemoryError):
        world.uploads.handle_s3({"Records": one["Records"] + two["Records"]}, Context())
    assert world.job("two").status is JobStatus.SUCCEEDED


def test_s3s_test_event_is_acknowledged(world):
    event = s3_test_event("uploads")
    assert world.uploads.handle_s3(event, Context()) == {"jobs": []}
    assert world.uploads.handle_queue(sqs_event(event), Context()) == {"batchItemFailures": []}


@pytest.mark.parametrize("body", [{}, {"Records": 7}, {"Records": [{}]}, s3_event("a", name="ObjectRemoved:Delete")])
def test_other_messages_are_not_deleted(world, body):
    answer = world.uploads.handle_queue(sqs_event(body), Context())
    assert answer["batchItemFailures"] == [{"itemIdentifier": "0"}]


def test_a_result_never_triggers_an_analysis(world):
    with pytest.raises(ConfigurationError):
        world.uploads.handle_s3(s3_event("one.mp4", bucket="results"), Context())
    assert world.jobs.jobs == {}


def wait_until(holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < 30
        time.sleep(0.01)


class LastSecond(Context):
    """An invocation that Lambda stops in a second."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 1000


def test_a_worker_that_is_stuck_until_lambda_stops_it_is_not_repeated(world):
    runs = []

    def stuck(content: bytes) -> None:
        runs.append(content)
        wait_until(lambda: world.job("a").status is not JobStatus.RUNNING)
        raise Lost

    world.pipeline.during = stuck
    world.queue.send(world.put("a", b"video"))
    with pytest.raises(Lost):
        world.deliver(context=LastSecond())
    # Then the message comes back once, and announces the end
    world.clock.now += 1000
    world.run()
    assert (runs, world.queue.dead) == ([b"video"], [])
    assert (world.job("a").status, world.job("a").error["code"]) == (JobStatus.FAILED, "too_long")
    assert [event["detail"]["error"]["code"] for event in world.bus.events] == ["too_long"]


def test_a_job_that_was_called_stuck_ends_only_once(world):
    # Given a worker that is stuck until its job has ended, and then goes on
    world.pipeline.during = lambda _: wait_until(lambda: world.job("a").status is JobStatus.FAILED)
    world.queue.send(world.put("a", b"video"))
    assert world.deliver(context=LastSecond()) == []
    # Then its late result changes nothing, and the end that callers saw is announced
    assert (world.job("a").status, world.job("a").error["code"]) == (JobStatus.FAILED, "too_long")
    assert [event["detail"]["error"]["code"] for event in world.bus.events] == ["too_long"]


def test_a_video_that_three_workers_were_lost_with_is_not_tried_a_fourth_time(world):
    runs = []

    def lost(content: bytes) -> None:
        runs.append(content)
        raise Lost

    world.pipeline.during = lost
    world.queue.send(world.put("a", b"video"))
    for _ in range(3):
        with pytest.raises(Lost):
            world.deliver()
        world.clock.now += 1000
    # When the message comes again
    world.run()
    # Then no worker is lost any more: the message is a dead letter, whose consumer ends the job
    assert (len(runs), len(world.queue.dead)) == (3, 1)
    world.give_up()
    assert (world.job("a").status, world.job("a").error["code"]) == (JobStatus.FAILED, "gave_up")
    # And once it is redriven, it can succeed
    world.pipeline.during = lambda _: None
    world.redrive()
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED


def test_a_late_duplicate_does_not_begin_a_job_again_that_was_given_up(world):
    runs = []

    def lost(content: bytes) -> None:
        runs.append(content)
        raise Lost

    world.pipeline.during = lost
    event = world.put("a", b"video")
    world.queue.send(event)
    for late in (False, True):
        for _ in range(20):
            with suppress(Lost):
                world.deliver()
            world.clock.now += 1000
        assert len(runs) == 3
        world.give_up()
        assert (world.job("a").status, world.job("a").error["code"]) == (JobStatus.FAILED, "gave_up")
        if not late:
            world.queue.send(event)  # as S3 may, hours later
    # And once the message is redriven, the job can succeed
    world.pipeline.during = lambda _: None
    world.redrive()
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED
    assert (world.queue.dead, world.pipeline.analyzed) == ([], [b"video"])


def test_a_worker_that_was_stuck_says_nothing_of_a_later_version(world):
    # Given a worker that is stuck while a later version of its object comes to its end
    def stuck(content: bytes) -> None:
        world.pipeline.during = lambda _: None
        world.queue.send(world.put("a", b"later", version=2))
        world.deliver()
        assert world.job("a").status is JobStatus.SUCCEEDED
        time.sleep(1.2)

    world.pipeline.during = stuck
    world.queue.send(world.put("a", b"video"))
    world.deliver(context=LastSecond())
    # Then only the later version's end is announced
    assert [event["detail"]["status"] for event in world.bus.events] == ["SUCCEEDED"]
    assert world.job("a").status is JobStatus.SUCCEEDED


def test_only_workers_that_say_nothing_count_as_lost(world):
    ends: list[type[BaseException]] = [StorageUnavailable, Lost, StorageUnavailable]

    def fails(_: bytes) -> None:
        if ends:
            raise ends.pop(0)("away")

    world.pipeline.during = fails
    world.queue.send(world.put("a", b"video"))
    for lost in (0, 1, 1):
        with suppress(Lost):
            world.deliver()
        assert (world.job("a").runs or 0) == lost
        world.clock.now += 1000
    world.run()
    assert world.job("a").status is JobStatus.SUCCEEDED


def test_what_runs_out_of_time_is_failed_after_one_run(world):
    def too_long(content: bytes) -> None:
        raise TooLong("use a larger frame_interval")

    world.pipeline.during = too_long
    world.queue.send(world.put("a", b"video"))
    assert world.deliver() == []
    assert (world.job("a").status, world.job("a").error["code"]) == (JobStatus.FAILED, "too_long")
    assert world.queue.messages == {}


def test_an_analysis_ends_before_lambda_ends_the_worker(world):
    world.queue.send(world.put("a", b"video"))
    world.deliver()
    (seconds,) = world.pipeline.seconds_left
    has = Context().get_remaining_time_in_millis() / 1000
    assert has / 2 < seconds < has - limits.FINISH_SECONDS


def test_a_slow_start_of_a_job_costs_its_analysis_the_time(world, monkeypatch):
    begin = world.jobs.begin

    def slowly(job, **more):
        time.sleep(1)
        return begin(job, **more)

    monkeypatch.setattr(world.jobs, "begin", slowly)
    world.queue.send(world.put("a", b"video"))
    world.deliver()
    (seconds,) = world.pipeline.seconds_left
    has = Context().get_remaining_time_in_millis() / 1000
    assert seconds < has * (1 - limits.FINISH_SHARE) - limits.FINISH_SECONDS - 0.9


def test_what_the_watchdog_has_begun_ends_with_the_block():
    ended = threading.Event()

    def act() -> bool:
        time.sleep(0.3)
        ended.set()
        return True

    with watchdog(0, act):
        time.sleep(0.1)
    assert ended.is_set()
