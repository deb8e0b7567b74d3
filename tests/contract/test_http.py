"""The HTTP contract: what is refused, how, and that nothing is left behind."""

import base64
import json

import pytest

from tests.conftest import SAMPLE
from tests.fakes import json_event, rest_event
from video_common import limits
from video_emotions.api import Api
from video_emotions.emotions import EmotionModel
from video_emotions.faces.finder import FaceFinder
from video_emotions.pipeline import Pipeline
from video_emotions.rendering import FORMATS, Format

CLIP = SAMPLE.read_bytes()
TEXT = base64.b64encode(CLIP).decode()


def padded_clip(size: int) -> bytes:
    """Return the sample with a box of nothing behind it, so that it has ``size`` bytes."""
    missing = size - len(CLIP)
    return CLIP + missing.to_bytes(4, "big") + b"free" + bytes(missing - 8)


@pytest.fixture
def api(pipeline) -> Api:
    return Api(pipeline)


def answer(api, event, context):
    response = api.handle(event, context)
    (content_type,) = response["multiValueHeaders"]["Content-Type"]
    return response["statusCode"], content_type, json.loads(response["body"])


REFUSED = {
    "not base64": (rest_event("this is no base64"), 400, "invalid_base64"),
    "json not base64": (json_event({"video": "%%%%"}), 400, "invalid_base64"),
    "empty": (rest_event(b""), 400, "empty_body"),
    "no body": (rest_event(None), 400, "empty_body"),
    "whitespace": (rest_event("  \r\n "), 400, "empty_body"),
    "not json": (json_event("{video"), 400, "invalid_json"),
    "just over the limit": (rest_event(padded_clip(limits.MAX_POST_VIDEO_BYTES + 1)), 413, "video_too_large"),
    "unknown option": (rest_event(CLIP, query={"max_workers": ["4"]}), 400, "unknown_option"),
    "repeated option": (rest_event(CLIP, query={"frame_interval": ["4", "5"]}), 400, "repeated_option"),
    "wrong option value": (rest_event(CLIP, query={"frame_interval": ["none"]}), 400, "invalid_option"),
    "content type": (rest_event(CLIP, content_type="text/plain"), 415, "unsupported_media_type"),
    "no content type": (rest_event(CLIP, content_type=None), 415, "unsupported_media_type"),
    "not a video": (rest_event(b"plain text, and more of it, is no video"), 422, "not_a_video"),
    "a picture": (rest_event(b"\x89PNG\r\n\x1a\n" + bytes(100)), 422, "not_a_video"),
    "an empty mp4": (rest_event(b"\x00\x00\x00\x0cftypisom"), 422, "not_a_video"),
    "a playlist": (rest_event(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), 422, "not_a_video"),
    "a concat script": (rest_event(b"ffconcat version 1.0\nfile /etc/passwd\n"), 422, "not_a_video"),
    "half a video": (rest_event(CLIP[: len(CLIP) // 2]), 422, "truncated_video"),
    "a video less one byte": (rest_event(CLIP[:-1]), 422, "truncated_video"),
    "unknown route": (rest_event(CLIP, path="/process-video"), 404, "not_found"),
    "wrong method": (rest_event(None, method="GET", path="/process-frame"), 405, "method_not_allowed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_stable_code_and_nothing_left(name, api, context, pipeline):
    event, status, code = REFUSED[name]
    assert answer(api, event, context)[:2] == (status, "application/problem+json")
    document = answer(api, event, context)[2]
    assert document["code"] == code
    assert document["status"] == status
    assert document["request_id"] == "request-1"
    assert len(document["detail"]) > 20
    assert not list(pipeline.settings.work_dir.iterdir())


def test_just_under_the_limit_is_analysed(api, context):
    status, _, result = answer(api, rest_event(padded_clip(limits.MAX_POST_VIDEO_BYTES)), context)
    assert (status, result["overall_dominant_emotion"]) == (200, "happy")
    assert result["video"]["bytes"] == limits.MAX_POST_VIDEO_BYTES


def test_health_names_the_model(api, context, model):
    status, content_type, body = answer(api, rest_event(None, method="GET", path="/"), context)
    assert (status, content_type) == (200, "application/json")
    assert body["status"] == "ok"
    assert body["model"] == model.facts.model_dump(mode="json")


def test_a_browsers_request_gets_cors_headers_also_with_an_error(api, context):
    event = rest_event(b"no video")
    event["headers"]["Origin"] = event["multiValueHeaders"]["Origin"] = "https://example.org"
    event["multiValueHeaders"]["Origin"] = ["https://example.org"]
    response = api.handle(event, context)
    assert response["statusCode"] == 422
    assert response["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["*"]
    assert response["multiValueHeaders"]["Access-Control-Expose-Headers"] == ["Retry-After"]


def test_a_result_is_answered_as_its_format_says(api, context, monkeypatch):
    written = Format(lambda result, _: iter([str(result.overall_dominant_emotion)]), "text/csv", ".csv")
    monkeypatch.setitem(FORMATS, "json", written)
    response = api.handle(rest_event(CLIP), context)
    assert (response["statusCode"], response["body"]) == (200, "happy")
    assert response["multiValueHeaders"]["Content-Type"] == ["text/csv"]


class BrokenModel(EmotionModel):
    """A model that fails in the middle of an analysis."""

    def __init__(self, facts) -> None:
        super().__init__(None, facts)

    def score(self, faces):
        raise MemoryError("secret: /opt/models/…")


def test_an_unexpected_error_is_a_500_that_tells_nothing_and_leaves_nothing(settings, model, context, caplog):
    api = Api(Pipeline(settings, BrokenModel(model.facts), FaceFinder(settings.models_dir)))
    status, content_type, document = answer(api, rest_event(CLIP), context)
    assert (status, content_type, document["code"]) == (500, "application/problem+json", "internal_error")
    assert "secret" not in json.dumps(document)
    assert not list(settings.work_dir.iterdir())
    assert "secret" in caplog.text  # the log has it
