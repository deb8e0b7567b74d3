"""Step 1: event -> VideoRequest.

Everything a caller can get wrong in a request is refused here, before a file exists.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote_plus

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from aws_lambda_powertools.utilities.data_classes.s3_event import S3EventRecord
from pydantic import ValidationError

from video_common import limits
from video_common.errors import (
    EmptyBody,
    InvalidBase64,
    InvalidJson,
    InvalidOption,
    RepeatedOption,
    UnknownOption,
    UnsupportedMediaType,
    VideoTooLarge,
)
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES, Options

VIDEO_MEMBER: Final = "video"
_NO_VIDEO: Final = "The request holds no video. Send the file's bytes as the body (curl: --data-binary @clip.mp4)."


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object in a bucket. ``key`` is the real one, not as the event spells it."""

    bucket: str
    key: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """A video to analyse: its bytes, or the object that holds them; and what the caller asked for."""

    source: bytes | S3Object
    options: Options


def from_http(event: BaseProxyEvent) -> VideoRequest:
    """Read a ``POST /process-frame``, of a REST API (v1) or an HTTP API (v2).

    Raises
    ------
    UnsupportedMediaType, EmptyBody, InvalidJson, InvalidBase64, VideoTooLarge, UnknownOption, RepeatedOption,
    InvalidOption
    """
    content_type = str(event.headers.get("content-type") or "").partition(";")[0].strip().lower()
    query = _query(event)
    if content_type in VIDEO_CONTENT_TYPES:
        options = _options(query, {})
        return VideoRequest(_video(event.body), options)
    if content_type == JSON_CONTENT_TYPE:
        members = _members(_text(event))
        video = members.pop(VIDEO_MEMBER, None)
        options = _options(query, members)
        if video is None:
            raise EmptyBody(f'The JSON has no "{VIDEO_MEMBER}". Put the file there, in base64.')
        if not isinstance(video, str):
            raise InvalidBase64(f'"{VIDEO_MEMBER}" must be a string: the file in base64.')
        return VideoRequest(_video(video), options)
    told = f"Content-Type {_short(content_type)} is not taken." if content_type else "There is no Content-Type."
    raise UnsupportedMediaType(
        f"{told} Send the header Content-Type: application/octet-stream with the file's bytes "
        f"(or one of {', '.join(VIDEO_CONTENT_TYPES[1:])}), or {JSON_CONTENT_TYPE} with "
        f'{{"{VIDEO_MEMBER}": "<base64>"}}.'
    )


def from_s3(record: S3EventRecord) -> VideoRequest:
    """Read one record of an S3 notification.

    Raises
    ------
    VideoTooLarge
        By the size in the event: nothing was downloaded.
    """
    size = int(record.s3.get_object.size or 0)
    if size > limits.MAX_UPLOAD_VIDEO_BYTES:
        raise VideoTooLarge(f"The object has {size} bytes; the limit is {limits.MAX_UPLOAD_VIDEO_BYTES}.")
    source = S3Object(
        bucket=record.s3.bucket.name,
        key=object_key(record),
        version_id=record.s3.get_object.version_id,
    )
    return VideoRequest(source, Options())


def object_key(record: S3EventRecord) -> str:
    """Return the real key of a record: S3 sends it URL-encoded, a space as ``+``."""
    return unquote_plus(record.s3.get_object.key)


def _query(event: BaseProxyEvent) -> dict[str, list[str]]:
    """Return the query with every value of a repeated name, which a v2 event has in its raw query string only."""
    if raw := event.get("rawQueryString"):
        return parse_qs(raw, keep_blank_values=True)
    multi = event.get("multiValueQueryStringParameters") or {}
    single = event.get("queryStringParameters") or {}
    return {**{name: [value] for name, value in single.items()}, **multi}


def _text(event: BaseProxyEvent) -> str:
    """Return a JSON body as text; the gateway encodes it where a binary type matches everything."""
    if not event.body or not event.body.strip():
        raise EmptyBody(f'The request has no body. Send {{"{VIDEO_MEMBER}": "<base64>"}}.')
    if not event.is_base64_encoded:
        return str(event.body)
    try:
        return base64.b64decode(event.body, validate=True).decode("utf-8")
    except ValueError as error:  # binascii.Error and UnicodeDecodeError are both
        raise InvalidJson("The body is not UTF-8 text.") from error


def _members(text: str) -> dict[str, Any]:
    def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, value in pairs:
            if name in members:
                raise RepeatedOption(f"{_short(name)} is given more than once in the JSON. Give it once.")
            members[name] = value
        return members

    try:
        members = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise InvalidJson(f'The body is not JSON. Send {{"{VIDEO_MEMBER}": "<base64>"}}.') from error
    if not isinstance(members, dict):
        raise InvalidJson(f'The JSON must be an object: {{"{VIDEO_MEMBER}": "<base64>"}}.')
    return members


def _video(body: str | None) -> bytes:
    """Decode a video; the size is checked on the text, before the bytes are made."""
    if not body or not body.strip():
        raise EmptyBody(_NO_VIDEO)
    size = len(body) // 4 * 3 - body[-2:].count("=")
    if size > limits.MAX_POST_VIDEO_BYTES:
        raise VideoTooLarge(
            f"The video has about {size} bytes; a POST can carry {limits.MAX_POST_VIDEO_BYTES}. "
            "Put larger files into the uploads bucket."
        )
    try:
        video = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidBase64(
            "The video is not base64 of RFC 4648 (no line breaks, no data: prefix, padded with =). "
            "Through API Gateway, send the raw bytes with a video Content-Type: the gateway encodes them."
        ) from error
    if not video.strip():
        raise EmptyBody(_NO_VIDEO)
    return video


def _options(query: Mapping[str, list[str]], members: Mapping[str, Any]) -> Options:
    """Validate options of the query string (text) and of the JSON (typed) with the one model of them."""
    for name, values in query.items():
        if len(values) > 1 or name in members:
            raise RepeatedOption(
                f"{_short(name)} is given more than once. Give it once, in the query string or in the JSON."
            )
    for name in (*query, *members):
        if name not in Options.model_fields:
            raise UnknownOption(f"{_short(name)} is not an option; the options are: {', '.join(Options.model_fields)}.")
    try:
        typed = Options.model_validate_json(json.dumps(members), strict=True)
        from_query = Options.model_validate({name: values[0] for name, values in query.items()})
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        if not place:  # not Unicode, or nested too deep
            raise InvalidJson("The options in the JSON are not plain values.") from error
        raise InvalidOption(f"{place[0]!r} must be {Options.model_fields[str(place[0])].description}.") from error
    return from_query.model_copy(update={name: getattr(typed, name) for name in typed.model_fields_set})


def _short(text: str) -> str:
    """Quote what a caller sent, but not all of it: an answer is no echo."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
