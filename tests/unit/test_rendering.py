"""A Result as text: whole, and as a response can carry it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.job_world import result_of
from video_common import limits
from video_common.api_gateway import answer
from video_common.result import Box, Emotions, Result, TimelineFace, TimelineFrame
from video_emotions import rendering
from video_emotions.rendering import Body, render, render_to_fit


def frame(index: int) -> TimelineFrame:
    scores = Emotions(angry=0.1, disgust=0.05, fear=0.15, happy=0.4, sad=0.1, surprise=0.1, neutral=0.1)
    face = TimelineFace(
        box=Box(x=100, y=50, width=200, height=200), detected=True, dominant_emotion="happy", probabilities=scores
    )
    return TimelineFrame(index=index, time_ms=index * 33, eye_contact=True, faces=[face])


def with_timeline(frames: int) -> Result:
    return result_of(b"", timeline=[frame(number) for number in range(frames)], timeline_truncated=False)


def result_json(result: Result) -> str:
    return render(result, "json").text


def fitting_json(result: Result) -> str:
    return render_to_fit(result, "json").text


def proxy_bytes(body: str) -> int:
    """Return the size of what Lambda hands to the gateway."""
    response = {"statusCode": 200, "body": answer(body, "application/json").body, "isBase64Encoded": False}
    return len(json.dumps(response).encode())


def test_a_timeline_of_two_hours_is_cut_to_what_a_response_carries_and_says_so():
    # Given two hours at 30 frames a second, every tenth of them
    whole = with_timeline(2 * 60 * 60 * 3)
    assert proxy_bytes(result_json(whole)) > limits.LAMBDA_PAYLOAD_BYTES
    # When it is to be a response
    body = fitting_json(whole)
    cut = json.loads(body)
    # Then it fits, says that it is cut, and is the beginning
    assert proxy_bytes(body) <= limits.LAMBDA_PAYLOAD_BYTES
    assert cut["timeline_truncated"] is True
    assert cut["timeline"] == json.loads(result_json(whole))["timeline"][: len(cut["timeline"])]
    # And nearly as long as can be
    assert proxy_bytes(body) > 0.95 * limits.LAMBDA_PAYLOAD_BYTES
    # And all else is as it was
    rest = json.loads(result_json(whole))
    for part in (cut, rest):
        del part["timeline"], part["timeline_truncated"]
    assert cut == rest


def test_what_fits_is_whole():
    body = json.loads(fitting_json(with_timeline(100)))
    assert (len(body["timeline"]), body["timeline_truncated"]) == (100, False)


def test_without_a_timeline_nothing_is_said_of_one():
    assert {"timeline", "timeline_truncated"} & set(json.loads(fitting_json(result_of(b"")))) == set()


@settings(max_examples=50)
@given(st.integers(0, 40), st.integers(3_000, 20_000))
def test_the_cut_is_as_late_as_can_be(frames, room):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "LAMBDA_PAYLOAD_BYTES", room + limits.RESPONSE_ENVELOPE_BYTES)
        whole = with_timeline(frames)
        kept = len(json.loads(fitting_json(whole))["timeline"])

    def carried(timeline: list[TimelineFrame]) -> int:
        cut = {"timeline": timeline, "timeline_truncated": len(timeline) < frames}
        return len(json.dumps(result_json(whole.model_copy(update=cut))))

    assert whole.timeline is not None
    assert carried(whole.timeline[:kept]) <= room
    if kept < frames:
        assert carried(whole.timeline[: kept + 2]) > room


def test_json_is_typed_and_named_as_json():
    body = render(result_of(b""), "json")
    assert (body.content_type, body.suffix) == ("application/json", ".json")
    assert Result.model_validate_json(body.text) == result_of(b"")


def test_another_format_is_cut_to_fit_too(monkeypatch):
    # Given a format with a line for each frame, and room for half of the lines
    def lines(result: Result) -> Body:
        return Body("".join(f"{seen.index};{seen.time_ms}\n" for seen in result.timeline or ()), "text/csv", ".csv")

    monkeypatch.setitem(rendering.FORMATS, "csv", lines)
    whole = render(with_timeline(1000), "csv").text
    room = len(json.dumps(whole)) // 2
    monkeypatch.setattr(limits, "LAMBDA_PAYLOAD_BYTES", room + limits.RESPONSE_ENVELOPE_BYTES)
    # When a response carries it
    body = render_to_fit(with_timeline(1000), "csv")
    # Then it has the first lines, as many as fit
    kept = body.text.count("\n")
    assert (body.content_type, body.suffix) == ("text/csv", ".csv")
    assert body.text == "".join(whole.splitlines(keepends=True)[:kept])
    assert len(json.dumps(body.text)) <= room
    assert len(json.dumps("".join(whole.splitlines(keepends=True)[: kept + 1]))) > room
