"""The sample clip, whose truth was written when it was drawn, by every way in."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from local.cloud import RESULTS, UPLOADS, id_of
from tests.conftest import ROOT, SAMPLE
from tests.fakes import json_event, rest_event, s3_event
from video_common.result import Result

TRUTH = json.loads((ROOT / "tests/data/sample.truth.json").read_text())
SEED_FIELDS = [
    "average_emotion_scores",
    "overall_dominant_emotion",
    "total_frames_analyzed",
    "average_confidence_score",
    "eye_contact_score",
]


def comparable(body: str) -> dict:
    result = json.loads(body)
    del result["timings_ms"]
    return result


@pytest.fixture(scope="module")
def posted(handler_module) -> dict:
    from tests.fakes import LambdaContext

    return handler_module.handler(rest_event(SAMPLE.read_bytes()), LambdaContext())


def test_the_result_is_what_was_drawn(posted):
    assert posted["statusCode"] == 200
    assert posted["multiValueHeaders"]["Content-Type"] == ["application/json"]
    result = Result.model_validate_json(posted["body"])
    truth = TRUTH["sampled"]
    assert result.overall_dominant_emotion == "happy"
    assert result.total_frames_analyzed == truth["total_frames_analyzed"]
    assert result.frames_with_face == truth["frames_with_face"]
    assert result.eye_contact_score == pytest.approx(truth["eye_contact_score"], abs=1e-9)
    assert (result.frames_unreadable, result.truncated, result.timeline) == (0, False, None)
    assert (result.video.width, result.video.height, result.video.codec) == (TRUTH["width"], TRUTH["height"], "h264")
    assert result.video.bytes == SAMPLE.stat().st_size


def test_the_seeds_five_fields_come_first(posted):
    assert list(json.loads(posted["body"]))[:5] == SEED_FIELDS


def test_the_timeline_is_what_was_drawn_frame_by_frame(pipeline):
    from video_common.schema import Options
    from video_emotions.video_request import VideoRequest

    result = pipeline.analyze(VideoRequest(SAMPLE.read_bytes(), Options(frame_interval=3, include="timeline")))
    for seen, drawn in zip(result.timeline, TRUTH["frames"][::3], strict=True):
        assert (seen.index, seen.time_ms) == (drawn["index"], drawn["time_ms"])
        assert seen.eye_contact == (drawn["kind"] == "centred"), drawn
        assert bool(seen.faces) == (drawn["kind"] != "none"), drawn
        if seen.faces:
            box = seen.faces[0].box
            x, y = drawn["face_centre"]
            assert box.x < x < box.x + box.width, drawn
            assert box.y < y < box.y + box.height, drawn


def test_every_way_in_gives_the_same_bytes_but_for_timings(posted, handler_module, context, s3):
    # Given the same file by JSON, and in the bucket
    text = base64.b64encode(SAMPLE.read_bytes()).decode()
    by_json = handler_module.handler(json_event({"video": text}), context)
    s3.put_object(Bucket=UPLOADS, Key="clips/my clip+1.mp4", Body=SAMPLE.read_bytes())
    # When S3 sends its event
    etag = hashlib.md5(SAMPLE.read_bytes()).hexdigest()
    answer = handler_module.handler(s3_event("clips/my+clip%2B1.mp4", bucket=UPLOADS, etag=etag), context)
    # Then
    (job,) = answer["jobs"]
    assert job == {"job_id": id_of("clips/my clip+1.mp4"), "status": "SUCCEEDED"}
    (key,) = [item["Key"] for item in s3.list_objects_v2(Bucket=RESULTS, Prefix=job["job_id"])["Contents"]]
    stored = s3.get_object(Bucket=RESULTS, Key=key)
    assert stored["ContentType"] == "application/json"
    by_s3 = stored["Body"].read().decode()
    stored_result = comparable(by_s3)
    assert stored_result.pop("source") == {"bucket": UPLOADS, "key": "clips/my clip+1.mp4", "file_name": None}
    assert stored_result["video"]["etag"] == etag
    stored_result["video"] |= {"etag": None, "crc64nvme": None}
    assert comparable(by_json["body"]) == stored_result == comparable(posted["body"])
    assert list(json.loads(by_s3)) == [*json.loads(posted["body"]), "source"]
    assert not list(Path(handler_module.settings.work_dir).iterdir())
