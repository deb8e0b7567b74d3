"""event -> VideoRequest, and everything that is refused on the way."""

import base64
import json

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent, APIGatewayProxyEventV2
from hypothesis import given
from hypothesis import strategies as st

from events.aws_shapes import http_event
from tests.fakes import json_event, rest_event, s3_event
from video_common import errors, limits
from video_common.schema import VIDEO_CONTENT_TYPES, FacelessFrames, Options, Partial, Sampling, Voting
from video_common.upload import S3Object, uploads_in
from video_emotions.video_request import from_http, from_upload

VIDEO = b"not looked at here"
TEXT = base64.b64encode(VIDEO).decode()


def read(event):
    return from_http(APIGatewayProxyEvent(event))


def read_v2(query: str):
    event = http_event("POST", "/process-frame", VIDEO, {"Content-Type": "video/mp4"}, query)
    return from_http(APIGatewayProxyEventV2(event))


@pytest.mark.parametrize("content_type", [*VIDEO_CONTENT_TYPES, "Video/MP4", "video/mp4; codecs=avc1"])
def test_raw_bytes(content_type):
    request = read(rest_event(VIDEO, content_type=content_type))
    assert (request.source, request.options) == (VIDEO, Options())


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_json(content_type):
    event = json_event({"video": TEXT, "frame_interval": 7, "include": "timeline"})
    event["headers"]["Content-Type"] = content_type
    request = read(event)
    assert (request.source, request.options) == (VIDEO, Options(frame_interval=7, include="timeline"))


def test_json_that_the_gateway_encoded():
    event = json_event({"video": TEXT})
    event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert read(event).source == VIDEO


def test_every_option_by_query_in_both_versions():
    expected = Options(
        frame_interval=10,
        scale_factor=0.5,
        faceless_frames=FacelessFrames.ANALYZE,
        sampling=Sampling.KEYFRAMES,
        include="timeline,people",
        voting=Voting.ALL,
    )
    query = (
        "frame_interval=10&scale_factor=0.5&faceless_frames=analyze&sampling=keyframes"
        "&include=people,timeline&voting=all"
    )
    assert read_v2(query).options == expected
    multi = {pair.split("=")[0]: [pair.split("=")[1]] for pair in query.split("&")}
    assert read(rest_event(VIDEO, query=multi)).options == expected


def test_options_of_the_query_and_of_the_json_add_up():
    event = json_event({"video": TEXT, "frame_interval": 7}, query={"scale_factor": ["0.5"]})
    assert read(event).options == Options(frame_interval=7, scale_factor=0.5)


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (errors.EmptyBody, rest_event(None)),
        (errors.EmptyBody, rest_event(b"")),
        (errors.EmptyBody, rest_event(" \r\n\t")),
        (errors.EmptyBody, rest_event(b" \r\n\t")),  # as the gateway sends it
        (errors.EmptyBody, json_event("")),
        (errors.EmptyBody, json_event("  \n")),
        (errors.EmptyBody, json_event({})),
        (errors.EmptyBody, json_event({"video": ""})),
        (errors.EmptyBody, json_event({"video": " "})),
        (errors.InvalidBase64, rest_event("it is not base64!")),
        (errors.InvalidBase64, rest_event(TEXT[:-1])),
        (errors.InvalidBase64, rest_event(TEXT[:8] + "\n" + TEXT[8:])),
        (errors.InvalidBase64, json_event({"video": f"data:video/mp4;base64,{TEXT}"})),
        (errors.InvalidBase64, json_event({"video": 7})),
        (errors.InvalidBase64, json_event({"video": "ä" * 8})),
        (errors.InvalidJson, json_event("{")),
        (errors.InvalidJson, json_event("[" * 100_000)),
        (errors.InvalidJson, json_event('["video"]')),
        (errors.InvalidJson, json_event('{"video": 1' + "0" * 5000 + "}")),
        (errors.InvalidJson, json_event(f'{{"video": "{TEXT}", "frame_interval": {"[" * 300 + "]" * 300}}}')),
        (errors.InvalidJson, json_event(f'{{"video": "{TEXT}", "include": "\\ud800"}}')),
        (errors.UnknownOption, json_event({"video": TEXT, "frameInterval": 3})),
        (errors.UnknownOption, rest_event(VIDEO, query={"max_workers": ["3"]})),
        (errors.UnknownOption, rest_event(VIDEO, query={"video": ["3"]})),
        (errors.RepeatedOption, rest_event(VIDEO, query={"frame_interval": ["3", "3"]})),
        (errors.RepeatedOption, json_event({"video": TEXT, "frame_interval": 3}, query={"frame_interval": ["3"]})),
        (errors.RepeatedOption, json_event('{"video": "aaaa", "video": "aaaa"}')),
        (errors.UnsupportedMediaType, rest_event(VIDEO, content_type=None)),
        (errors.UnsupportedMediaType, rest_event(VIDEO, content_type="application/x-www-form-urlencoded")),
        (errors.UnsupportedMediaType, rest_event(VIDEO, content_type="video/mpeg")),
    ],
)
def test_refused(error, event):
    with pytest.raises(error):
        read(event)


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("unknown_option", json_event({"url": "https://example.org/clip.mp4"})),
        ("unknown_option", json_event({"video_uri": "clip"})),
        ("unknown_option", json_event({"video": TEXT, "source": "s3://bucket/clip.mp4"})),
        ("unknown_option", rest_event(VIDEO, query={"from": ["HTTP://example.org/clip.mp4"]})),
        ("invalid_base64", json_event({"video": "https://example.org/clip.mp4"})),
        ("invalid_base64", json_event({"video": " blob:https://example.org/0a1b"})),
        ("invalid_base64", json_event({"video": "file:///clip.mp4"})),
        ("invalid_base64", json_event({"video": "www.example.org/clip.mp4"})),
        ("invalid_base64", rest_event("https://example.org/clip.mp4")),
    ],
)
def test_an_address_is_not_fetched_and_the_answer_says_what_to_send(code, event):
    with pytest.raises(errors.RequestError) as raised:
        read(event)
    assert raised.value.code == code
    assert raised.value.detail.endswith(
        "This service does not fetch addresses. Download the file, then send its bytes to POST /process-frame, "
        "or to the form that POST /uploads returns."
    )


def test_an_unknown_option_that_is_no_address_gets_the_names_of_the_options():
    with pytest.raises(errors.UnknownOption) as raised:
        read(json_event({"video": TEXT, "frames": 3}))
    assert raised.value.detail.endswith(f"Use one of these: {', '.join(Options.model_fields)}.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"data:video/mp4;base64,{TEXT}", "Send only what follows the first comma."),
        (f"{TEXT[:8]}\n{TEXT[8:]}", "Encode the file as one line: base64 -w0"),
        (TEXT[:8] + " " + TEXT[8:], "Encode the file as one line: base64 -w0"),
        ("-_-_", "Replace each - with + and each _ with /."),
        ("AAA", "Send all that base64 -w0 prints."),
        ("@clip.mp4", "Encode the file: base64 -w0 clip.mp4."),
        ("%%%%", "Encode the file: base64 -w0 clip.mp4."),
    ],
)
def test_what_is_not_base64_gets_the_likely_cause(text, told):
    with pytest.raises(errors.InvalidBase64) as raised:
        read(json_event({"video": text}))
    assert told in raised.value.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frame_interval", "0"),
        ("frame_interval", "-1"),
        ("frame_interval", "1.5"),
        ("frame_interval", ""),
        ("frame_interval", str(limits.MAX_FRAME_INTERVAL + 1)),
        ("scale_factor", "0"),
        ("scale_factor", "1.01"),
        ("scale_factor", "nan"),
        ("scale_factor", "inf"),
        ("faceless_frames", "keep"),
        ("sampling", "EXACT"),
        ("include", "everything"),
    ],
)
def test_wrong_option_values_name_the_option(name, value):
    with pytest.raises(errors.InvalidOption, match=name):
        read(rest_event(VIDEO, query={name: [value]}))


def test_a_byte_order_mark_is_no_reason_to_refuse():
    assert read(json_event("\ufeff" + json.dumps({"video": TEXT}))).source == VIDEO


def test_an_answer_is_no_echo():
    with pytest.raises(errors.UnknownOption) as raised:
        read(rest_event(VIDEO, query={"x" * 90_000: ["1"]}))
    assert len(raised.value.detail) < 300


@pytest.mark.parametrize(
    ("name", "value"), [("frame_interval", "30"), ("frame_interval", True), ("scale_factor", "0.5")]
)
def test_json_options_have_json_types(name, value):
    with pytest.raises(errors.InvalidOption, match=name):
        read(json_event({"video": TEXT, name: value}))


@pytest.mark.parametrize("spelled", ["7.0", "70e-1", "7"])
def test_a_whole_number_may_have_a_point(spelled):
    in_json = read(json_event(f'{{"video": "{TEXT}", "frame_interval": {spelled}}}'))
    in_query = read(rest_event(VIDEO, query={"frame_interval": [spelled]}))
    assert in_json.options == in_query.options == Options(frame_interval=7)


@pytest.mark.parametrize("spelled", ["7.5", "1e400", "-7.0"])
def test_what_is_no_whole_number_is_refused_in_json(spelled):
    with pytest.raises(errors.InvalidOption, match="frame_interval"):
        read(json_event(f'{{"video": "{TEXT}", "frame_interval": {spelled}}}'))


def test_a_repeated_option_is_seen_in_a_v2_event_too():
    with pytest.raises(errors.RepeatedOption):
        read_v2("frame_interval=3&frame_interval=3")


def test_the_size_limit_is_exact():
    at_limit = base64.b64encode(bytes(limits.MAX_POST_VIDEO_BYTES)).decode()
    over = base64.b64encode(bytes(limits.MAX_POST_VIDEO_BYTES + 1)).decode()
    assert len(read(rest_event(at_limit)).source) == limits.MAX_POST_VIDEO_BYTES
    for event in (rest_event(over), json_event({"video": over})):
        with pytest.raises(errors.VideoTooLarge, match=str(limits.MAX_POST_VIDEO_BYTES)) as raised:
            read(event)
        # The next step is one that a caller can take: the bucket itself is closed to callers
        assert "Send POST /uploads" in raised.value.detail
        assert "bucket" not in raised.value.detail
    # the largest POST, in base64 and with 100 kB for headers and context, fits into what Lambda takes
    assert len(at_limit) + 100_000 < limits.LAMBDA_PAYLOAD_BYTES


@given(st.binary(min_size=1, max_size=300).filter(bytes.strip))
def test_bytes_survive(data):
    assert read(rest_event(data)).source == data
    assert read(json_event({"video": base64.b64encode(data).decode()})).source == data


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_text_as_json_is_refused_with_an_error_of_ours(text):
    with pytest.raises(errors.RequestError):
        read(json_event(text))


@given(st.dictionaries(st.sampled_from(list(Options.model_fields)), st.text(max_size=10)))
def test_any_option_text_is_taken_or_refused_with_an_error_of_ours(query):
    try:
        options = read(rest_event(VIDEO, query={name: [value] for name, value in query.items()})).options
    except errors.InvalidOption:
        return
    assert Options.model_validate(options.model_dump()) == options


@pytest.mark.parametrize(
    ("spelled", "real"),
    [
        ("a+b.mp4", "a b.mp4"),
        ("a%2Bb.mp4", "a+b.mp4"),
        ("100%25.mp4", "100%.mp4"),
        ("%C3%A4%E2%82%AC.mp4", "ä€.mp4"),
        ("d/e/f", "d/e/f"),
    ],
)
def test_keys_are_decoded_as_s3_encodes_them(spelled, real):
    (upload,) = uploads_in(s3_event(spelled))
    source = from_upload(upload, {}).source
    assert isinstance(source, S3Object)
    assert source.key == real


def test_an_object_over_the_limit_is_refused_by_its_announced_size():
    (upload,) = uploads_in(s3_event("big.mp4", size=limits.MAX_UPLOAD_VIDEO_BYTES + 1))
    with pytest.raises(errors.VideoTooLarge):
        from_upload(upload, {})


def test_without_a_sequencer_the_later_event_is_the_larger():
    def event(time: str) -> dict:
        made = s3_event("a")
        del made["Records"][0]["s3"]["object"]["sequencer"]
        made["Records"][0]["eventTime"] = time
        return made

    times = ["2026-11-30T00:53:20.000Z", "2026-11-30T00:53:20.001Z", "2027-01-01T00:00:00Z"]
    sequencers = [uploads_in(event(time))[0].sequencer for time in times]
    assert sequencers == sorted(set(sequencers))


@pytest.mark.parametrize("name", ["csv", "vtt"])
def test_a_table_lists_the_frames_and_is_of_the_whole_video(name):
    request = read(rest_event(VIDEO, query={"format": [name]}))
    assert (request.format, request.options.include) == (name, "timeline")
    assert request.understood.partial is Partial.REFUSE
    allowed = read(rest_event(VIDEO, query={"format": [name], "partial": ["allow"]}))
    assert allowed.understood.partial is Partial.ALLOW


@pytest.mark.parametrize("asked", ["people", "people,timeline", "timeline,people"])
def test_a_table_lists_the_frames_beside_the_people(asked):
    assert read(rest_event(VIDEO, query={"format": ["csv"], "include": [asked]})).options.include == "timeline,people"
    with pytest.raises(errors.InvalidOption, match="timeline, people, or both"):
        read(json_event({"video": TEXT, "format": "csv", "include": ["people"]}))


def test_json_is_the_format_of_who_names_none():
    request = read(rest_event(VIDEO))
    assert (request.format, request.options.include, request.understood.partial) == ("json", None, Partial.ALLOW)
    with pytest.raises(errors.InvalidOption, match="json, csv or vtt"):
        read(rest_event(VIDEO, query={"format": ["xml"]}))
