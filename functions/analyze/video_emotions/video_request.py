"""Step 1: event -> VideoRequest.

Everything that can be wrong in a request is rejected here, before a file exists.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from video_common import limits
from video_common.api_gateway import json_text, query_of
from video_common.errors import (
    EmptyBody,
    InvalidBase64,
    UnsupportedMediaType,
    VideoTooLarge,
)
from video_common.options import NOT_FETCHED, from_metadata, is_address, parse_members, parse_options, short
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES, Options, Partial, media_type
from video_common.upload import S3Object, Upload

VIDEO_MEMBER: Final = "video"
_EXAMPLE: Final = f'{{"{VIDEO_MEMBER}": "<base64>"}}'
_NO_VIDEO: Final = "The request holds no video. Send the file's bytes as the body (curl: --data-binary @clip.mp4)."


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """A video to analyze, and what the caller asked for.

    Attributes
    ----------
    source : bytes, S3Object or Path
        The video, the object that holds it, or a file of this computer.
    options : Options
    """

    source: bytes | S3Object | Path
    options: Options

    @property
    def format(self) -> str:
        """The format of the answer, a key of `rendering.FORMATS`."""
        return self.options.format

    @property
    def is_upload(self) -> bool:
        """Report whether the video comes from a bucket. Nobody waits for its answer at the other end of a line."""
        return isinstance(self.source, S3Object)

    @property
    def understood(self) -> Options:
        """The options, with the default of ``partial``.

        A caller who waits gets the result so far, if the format has a place to say so. A table has none.
        """
        default = Partial.REFUSE if self.is_upload or self.format != "json" else Partial.ALLOW
        return self.options.model_copy(update={"partial": self.options.partial or default})


def from_http(event: BaseProxyEvent) -> VideoRequest:
    """Read a ``POST /process-frame``, of a REST API (v1) or an HTTP API (v2).

    Raises
    ------
    UnsupportedMediaType, EmptyBody, InvalidJson, InvalidBase64, VideoTooLarge, UnknownOption, RepeatedOption,
    InvalidOption
    """
    content_type = media_type(str(event.headers.get("content-type") or ""))
    query = query_of(event)
    if content_type in VIDEO_CONTENT_TYPES:
        options = parse_options(query, {})
        return VideoRequest(_video(event.body), options)
    if content_type == JSON_CONTENT_TYPE:
        text = json_text(event)
        if not text:
            raise EmptyBody(f"The request has no body. Send {_EXAMPLE}.")
        members = parse_members(text, _EXAMPLE)
        video = members.pop(VIDEO_MEMBER, None)
        options = parse_options(query, members)
        if video is None:
            raise EmptyBody(f'The JSON has no "{VIDEO_MEMBER}". Put the file there, in base64.')
        if not isinstance(video, str):
            raise InvalidBase64(f'"{VIDEO_MEMBER}" is not a string. Send the file itself in base64: {_EXAMPLE}.')
        return VideoRequest(_video(video), options)
    told = f"Content-Type {short(content_type)} is not supported." if content_type else "There is no Content-Type."
    raise UnsupportedMediaType(
        f"{told} Send the file's bytes (curl: --data-binary @clip.mp4) with the header Content-Type: "
        f"application/octet-stream, or one of {', '.join(VIDEO_CONTENT_TYPES[1:])}. "
        f"Or send {_EXAMPLE} with the header Content-Type: {JSON_CONTENT_TYPE}."
    )


def from_upload(upload: Upload, metadata: Mapping[str, str], most: int = limits.MAX_UPLOAD_VIDEO_BYTES) -> VideoRequest:
    """Read what an uploaded object and the metadata stored with it ask for. ``most`` is the limit in bytes.

    Raises
    ------
    VideoTooLarge
        By the size in the event: nothing was downloaded.
    RepeatedOption, UnknownOption, InvalidOption, InvalidJson
    """
    if upload.size > most:
        raise VideoTooLarge(
            f"The object has {upload.size} bytes; the limit is {most}. "
            "Cut or compress the video, then upload the new file."
        )
    return VideoRequest(upload.source, from_metadata(metadata))


def _video(body: str | None) -> bytes:
    """Decode a video; the size is checked on the text, before the bytes are made."""
    if not body or not body.strip():
        raise EmptyBody(_NO_VIDEO)
    size = len(body) // 4 * 3 - body[-2:].count("=")
    if size > limits.MAX_POST_VIDEO_BYTES:
        raise VideoTooLarge(
            f"The video has about {size} bytes; a POST can carry {limits.MAX_POST_VIDEO_BYTES}. "
            f"Send POST /uploads: it returns an upload form for files of up to {limits.MAX_UPLOAD_VIDEO_BYTES} bytes."
        )
    try:
        video = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidBase64(_why_not_base64(body)) from error
    if not video.strip():
        raise EmptyBody(_NO_VIDEO)
    return video


def _why_not_base64(text: str) -> str:
    """Return the likely cause, and what to do."""
    if is_address(text):
        return f"The video is an address and not a file. {NOT_FETCHED}"
    if text.lstrip().lower().startswith("data:"):
        return "The video begins with a data: prefix. Send only what follows the first comma."
    if re.search(r"\s", text):
        return (
            "The base64 has line breaks or spaces. Encode the file as one line: base64 -w0 clip.mp4 "
            "(macOS: base64 -i clip.mp4)."
        )
    if re.fullmatch(r"[\w+/-]*=*", text, re.ASCII) and re.search(r"[-_]", text):
        return "The base64 uses the alphabet for URLs. Replace each - with + and each _ with /."
    if re.fullmatch(r"[A-Za-z0-9+/]+=*", text):
        return "The base64 is incomplete: its end or its padding with = is missing. Send all that base64 -w0 prints."
    return (
        "The video is not base64. Encode the file: base64 -w0 clip.mp4. Or send its bytes as the body "
        "(curl: --data-binary @clip.mp4) with the header Content-Type: application/octet-stream."
    )
