"""S3 notifications: which answers are written, and what is delivered again."""

import json

import pytest

from tests.conftest import SAMPLE
from tests.fakes import MemoryStore, s3_event
from video_common.errors import ConfigurationError, StorageUnavailable, UnsupportedEvent
from video_emotions.pipeline import Pipeline
from video_emotions.uploads import Uploads

CLIP = SAMPLE.read_bytes()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore({("uploads", "one.mp4"): CLIP, ("uploads", "two.mp4"): CLIP, ("uploads", "text.mp4"): b"text"})


@pytest.fixture
def uploads(settings, model, store) -> Uploads:
    settings = settings.model_copy(update={"uploads_bucket": "uploads", "results_bucket": "results"})
    return Uploads(Pipeline(settings, model, store), store)


def read(store: MemoryStore, key: str) -> dict:
    return json.loads(store.objects["results", key])


def test_every_record_gets_its_result(uploads, store):
    assert uploads.handle(s3_event("one.mp4", "two.mp4"), "r") == {
        "results": ["results/one.mp4.json", "results/two.mp4.json"]
    }
    assert read(store, "one.mp4.json")["overall_dominant_emotion"] == "happy"
    assert store.content_types["results", "one.mp4.json"] == "application/json"


@pytest.mark.parametrize(("key", "code"), [("text.mp4", "not_a_video"), ("gone.mp4", "object_missing")])
def test_what_cannot_be_analysed_gets_a_problem_and_is_not_tried_again(uploads, store, key, code):
    uploads.handle(s3_event(key), "request-7")
    assert read(store, f"{key}.json")["code"] == code
    assert read(store, f"{key}.json")["request_id"] == "request-7"
    assert store.content_types["results", f"{key}.json"] == "application/problem+json"


@pytest.mark.parametrize("operation", ["download", "put"])
def test_a_store_that_fails_makes_lambda_deliver_again_after_the_other_records(uploads, store, operation):
    key = "one.mp4" if operation == "download" else "one.mp4.json"
    store.failures[operation, key] = [StorageUnavailable("down")]
    with pytest.raises(StorageUnavailable):
        uploads.handle(s3_event("one.mp4", "two.mp4"), "r")
    assert "two.mp4.json" in {key for _, key in store.objects}
    # and the second delivery succeeds
    uploads.handle(s3_event("one.mp4", "two.mp4"), "r")
    assert read(store, "one.mp4.json")["overall_dominant_emotion"] == "happy"
    assert not list(uploads.pipeline.settings.work_dir.iterdir())


def test_a_record_that_crashes_does_not_cost_the_others_theirs(uploads, store):
    class Broken(bytes):
        def __getitem__(self, _place):
            raise MemoryError

    store.objects["uploads", "one.mp4"] = Broken(CLIP)
    with pytest.raises(MemoryError):
        uploads.handle(s3_event("one.mp4", "two.mp4"), "r")
    assert read(store, "two.mp4.json")["overall_dominant_emotion"] == "happy"


def test_the_test_event_is_acknowledged(uploads):
    assert uploads.handle({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"}, "r") == {
        "results": []
    }


def test_a_result_never_triggers_an_analysis(uploads, store):
    store.objects["results", "one.mp4"] = CLIP
    with pytest.raises(ConfigurationError):
        uploads.handle(s3_event("one.mp4", bucket="results"), "r")
    assert ("results", "one.mp4.json") not in store.objects


def test_other_events_are_refused(uploads):
    with pytest.raises(UnsupportedEvent):
        uploads.handle(s3_event("one.mp4", name="ObjectRemoved:Delete"), "r")


def test_without_a_results_bucket_nothing_is_analysed(settings, model, store):
    with pytest.raises(ConfigurationError):
        Uploads(Pipeline(settings, model, store), store).handle(s3_event("one.mp4"), "r")
