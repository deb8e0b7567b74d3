"""A Result as text: whole, and as a response can carry it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import get_args

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.job_world import result_of
from video_common import limits
from video_common.api_gateway import answer
from video_common.result import Box, FaceLandmarks, Place, Result, Source, TimelineFace, TimelineFrame
from video_common.schema import EMOTION_LABELS, Format
from video_common.shares import Emotions
from video_emotions import rendering
from video_emotions.rendering import CSV_COLUMNS, render, render_to_fit


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
    assert body.content_type == "application/json"
    assert Result.model_validate_json(body.text) == result_of(b"")


@pytest.mark.parametrize("frames", [[], [0], [0, 40, 80]])
def test_json_that_is_written_in_parts_is_the_json_of_the_result(frames):
    # Given a file whose name looks like the place where the frames go
    source = Source(bucket="b", key="k", file_name='"timeline":[]')
    made = with_frames(*(seen(time_ms, "happy", "sad") for time_ms in frames), source=source)
    absent = {name for name in rendering.OPTIONAL_MEMBERS if getattr(made, name) is None}
    assert render(made, "json").text == made.model_dump_json(exclude=absent)
    assert json.loads(render(made, "json").text)["source"]["file_name"] == '"timeline":[]'


def test_another_format_is_cut_to_fit_too(monkeypatch):
    # Given a format with a line for each frame, and room for half of the lines
    def lines(_result: Result, frames: Iterable[TimelineFrame]) -> Iterator[str]:
        return (f"{seen.index};{seen.time_ms}\n" for seen in frames)

    monkeypatch.setitem(rendering.FORMATS, "csv", rendering.Format(lines, "text/csv", ".csv"))
    whole = render(with_timeline(1000), "csv").text
    room = len(json.dumps(whole)) // 2
    monkeypatch.setattr(limits, "LAMBDA_PAYLOAD_BYTES", room + limits.RESPONSE_ENVELOPE_BYTES)
    # When a response carries it
    body = render_to_fit(with_timeline(1000), "csv")
    # Then it has the first lines, as many as fit
    kept = body.text.count("\n")
    assert body.content_type == "text/csv"
    assert body.text == "".join(whole.splitlines(keepends=True)[:kept])
    assert len(json.dumps(body.text)) <= room
    assert len(json.dumps("".join(whole.splitlines(keepends=True)[: kept + 1]))) > room


def seen(time_ms: int, *emotions: str, landmarks: bool = False) -> TimelineFrame:
    """Make a frame with a face for each of the emotions."""
    faces = [
        TimelineFace(
            box=Box(x=1, y=2, width=30, height=40),
            detected=True,
            dominant_emotion=emotion,
            probabilities=Emotions(**{label: 0.94 if label == emotion else 0.01 for label in EMOTION_LABELS}),
            detection_score=0.5 if landmarks else None,
            landmarks=FaceLandmarks(**{name: Place(x=7, y=8) for name in FaceLandmarks.model_fields})
            if landmarks
            else None,
            track=number if landmarks else None,
        )
        for number, emotion in enumerate(emotions, 1)
    ]
    return TimelineFrame(index=time_ms // 40, time_ms=time_ms, eye_contact=bool(emotions), faces=faces)


def with_frames(*frames: TimelineFrame, duration_ms: int = 1000, **more) -> Result:
    result = result_of(b"", timeline=list(frames), timeline_truncated=False)
    return result.model_copy(update={"video": result.video.model_copy(update={"duration_ms": duration_ms}), **more})


def test_every_format_of_the_contract_can_be_written():
    assert set(get_args(Format)) == set(rendering.FORMATS)
    assert [rendering.FORMATS[name].suffix for name in get_args(Format)] == [".json", ".csv", ".vtt"]


def test_a_csv_has_a_row_for_each_face_and_one_for_a_frame_without():
    body = render(with_frames(seen(0, "happy", "sad", landmarks=True), seen(40), seen(80, "fear")), "csv")
    header, *rows = csv.reader(io.StringIO(body.text), strict=True)
    assert tuple(header) == CSV_COLUMNS
    assert {len(row) for row in rows} == {len(header)}
    assert [row[:5] for row in rows] == [
        ["0", "0", "TRUE", "1", "TRUE"],
        ["0", "0", "TRUE", "2", "TRUE"],
        ["1", "40", "FALSE", "", ""],
        ["2", "80", "TRUE", "1", "TRUE"],
    ]
    cells = dict(zip(header, rows[0], strict=True))
    assert (cells["x"], cells["height"], cells["dominant_emotion"], cells["happy"]) == ("1", "40", "happy", "0.94")
    assert (cells["detection_score"], cells["left_mouth_x"], cells["left_mouth_y"]) == ("0.5", "7", "8")
    assert [row[header.index("track")] for row in rows] == ["1", "2", "", ""]
    assert set(rows[2][3:]) == set(rows[3][-12:]) == {""}
    assert body.text.count("\r\n") == body.text.count("\n") == 5


def test_pandas_reads_a_csv_as_it_is():
    table = pandas.read_csv(io.StringIO(render(with_frames(seen(0, "happy"), seen(40)), "csv").text))
    assert table.eye_contact.tolist() == [True, False]
    assert table.dtypes["happy"] == table.dtypes["x"] == "float64"
    assert table.dtypes["time_ms"] == "int64"
    assert table.dominant_emotion.isna().tolist() == [False, True]


def cues(result: Result) -> list[str]:
    return [block for block in render(result, "vtt").text.rstrip().split("\n\n") if "-->" in block]


def test_a_track_merges_frames_while_the_emotion_stays_and_has_gaps():
    # Given: happy, happy, no face, sad with a smaller happy face, until the video ends
    frames = seen(0, "happy"), seen(400, "happy"), seen(800), seen(61_000, "sad", "happy")
    track = with_frames(*frames, duration_ms=3_661_500)
    assert cues(track) == [
        "00:00:00.000 --> 00:00:00.800\nhappy 94 %",
        "00:01:01.000 --> 01:01:01.500\nsad 94 %",
    ]
    assert render(track, "vtt").text.startswith("WEBVTT\n\nNOTE\n")


@pytest.mark.parametrize(
    ("more", "end"),
    [({}, "1.000"), ({"truncated": True, "analyzed_until_ms": 700}, "0.700"), ({"timeline_truncated": True}, "0.401")],
)
def test_a_track_claims_no_time_that_was_not_analyzed(more, end):
    track = with_frames(seen(0, "happy"), seen(400, "sad"), **more)
    assert cues(track)[-1].splitlines()[0].endswith(end)
    assert ("incomplete" in render(track, "vtt").text) == bool(more)


def test_a_track_has_no_cue_without_a_length():
    assert cues(with_frames(seen(0, "happy"), seen(0, "sad"), seen(400, "sad"))) == [
        "00:00:00.000 --> 00:00:01.000\nsad 94 %"
    ]
    assert cues(with_frames()) == []
