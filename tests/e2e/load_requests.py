"""Requests whose right outcome is known: good ones, wrong ones, hostile ones."""

import base64
import gzip
import json
import os
import random
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from events.aws_shapes import Event, http_event
from testbed.make_video import MATRIX, write_video
from testbed.pictures import TO_THE_LEFT, moving, portraits
from tests.conftest import ROOT, SAMPLE
from tests.fakes import json_event, rest_event
from video_common import limits

DATA = ROOT / "tests" / "data"
TRUTH = json.loads((DATA / "sample.truth.json").read_text())["sampled"]
EVERY_FIFTH = {"frame_interval": "5", "include": "timeline"}
EVERY = {"frame_interval": "1"}
HEALTH = rest_event(None, content_type=None, method="GET", path="/")

Outcome = Mapping[str, Any]
"""The status, and the code or members of the Result; see `facts`."""


def analyzed(frames: int, **more: Any) -> Outcome:
    """Return the outcome of a video of which so many frames are analyzed, and none is unreadable."""
    return {"status": 200, "total_frames_analyzed": frames, "frames_unreadable": 0, **more}


def refused(code: str, status: int = 422) -> Outcome:
    """Return the outcome of an error."""
    return {"status": status, "code": code}


UNUSABLE, NOT_A_VIDEO = refused("unusable_times"), refused("not_a_video")
FILES: Mapping[str, Outcome] = {
    "inputs/h264-fields.mp4": analyzed(10, frame_rate=12.5),
    "inputs/h264-lcevc.mp4": analyzed(5, frame_rate=25.0),
    "inputs/laced-keyframe-without-time.webm": analyzed(1),
    "inputs/vp8-hidden-frames.webm": analyzed(6, frame_rate=25.0, last_ms=1000),
    "inputs/vp9-hidden-frames.webm": analyzed(6, frame_rate=25.0, last_ms=1000),
    "inputs/negative-duration": UNUSABLE,
    "inputs/time-overflow.mp4": UNUSABLE,
    "inputs/still.avif": NOT_A_VIDEO,
    "inputs/still-exif.avif": NOT_A_VIDEO,
    "bombs/stsz_const_85M.mp4": NOT_A_VIDEO,
    "bombs/stsz_const_3tracks_50M.mp4": NOT_A_VIDEO,
    "bombs/tracks20_8k_444p10.mp4": refused("too_many_tracks"),
}
"""In tests/data."""

SHARED: Mapping[str, Outcome] = {
    "mjpeg-exif.avi": analyzed(2, frame_rate=10.0),
    "mjpeg-exif-rotated.mov": analyzed(2, rotation=90),
    "metadata-latin1.avi": analyzed(10),
    "metadata-latin1.mp4": analyzed(10),
    "h264-fields.mkv": analyzed(10, frame_rate=12.5),
    "mdat-8-too-long.mp4": analyzed(10),
    "text-after-the-end.mp4": analyzed(10),
    "vp8-hidden-frames.webm": analyzed(40, frame_rate=25.0, last_ms=7800),
    "vp9-hidden-frames.webm": analyzed(40, frame_rate=25.0, last_ms=7800),
    "encrypted-cenc.mp4": refused("encrypted_video"),
}
"""In the folder that the variable ``INPUTS`` names, as far as they are there."""

BOMBS: Mapping[str, Outcome] = {
    "h264_8k_444p10_ref16.mp4": refused("decoder_out_of_memory"),
    "alias_jpeg8k_x1000.mp4": {"status": 200, "truncated": True},
    "av1_8k_1000.mp4": {"status": 200, "truncated": True},
}
"""In tests/data/bombs: they cost the time of a POST, or the memory of a function."""

KILLS = {
    signal.SIGKILL: "decoder_out_of_memory",
    signal.SIGSEGV: "decoder_crashed",
    signal.SIGXCPU: "too_long",
}
"""What the end of a child by a signal is called."""


@dataclass(frozen=True)
class Request:
    """An event and its right outcome.

    Attributes
    ----------
    kind : str
        ``good``, ``bad``, ``hostile`` or ``killed``.
    kill : signal, optional
        Sent to the child as soon as it is at work.
    is_slow : bool
        It may cost all the time of a POST.
    """

    kind: str
    name: str
    event: Event
    outcome: Outcome
    kill: signal.Signals | None = field(default=None, kw_only=True)
    is_slow: bool = field(default=False, kw_only=True)


def facts(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """Return what outcomes speak of: a body's members, those of its video, and the time of the last frame."""
    timeline = body.get("timeline") or [{"time_ms": None}]
    return {**body, **body.get("video", {}), "last_ms": timeline[-1]["time_ms"], "status": status}


def post(
    content: bytes | None, query: Mapping[str, str] | None = None, content_type: str | None = "video/mp4"
) -> Event:
    """Return the event of a POST."""
    return rest_event(
        content, content_type=content_type, query={name: [value] for name, value in (query or {}).items()}
    )


def requests(folder: Path) -> list[Request]:
    """Return all that can be made here; videos are written to a folder."""
    return [*_files(), *_good(folder), *_bad(folder), *_killed(folder), *_slow()]


def mixed(made: list[Request], count: int, seed: int = 14) -> list[Request]:
    """Return so many of them in a random order: quick ones in turns, and of each slow one one in 250."""
    chance = random.Random(seed)
    slow = [request for request in made if request.is_slow] * (count // 250)
    quick = [request for request in made if not request.is_slow]
    rounds = -(-count // len(quick))
    chosen = [*slow, *(request for _ in range(rounds) for request in chance.sample(quick, len(quick)))][:count]
    chance.shuffle(chosen)
    return chosen


def _files() -> Iterator[Request]:
    shared = Path(os.environ.get("INPUTS") or DATA / "nothing")
    paths = [(DATA / name, outcome) for name, outcome in FILES.items()]
    paths += [(shared / name, outcome) for name, outcome in SHARED.items() if (shared / name).exists()]
    for path, outcome in paths:
        kind = "good" if outcome["status"] == 200 else "hostile"
        yield Request(kind, f"{path.parent.name}/{path.name}", post(path.read_bytes(), EVERY_FIFTH), outcome)


def _slow() -> Iterator[Request]:
    for name, outcome in BOMBS.items():
        event = post((DATA / "bombs" / name).read_bytes(), EVERY)
        yield Request("hostile", f"bombs/{name}", event, outcome, is_slow=True)


def _good(folder: Path) -> Iterator[Request]:
    clip = SAMPLE.read_bytes()
    faces = {"frames_with_face": TRUTH["frames_with_face"], "overall_dominant_emotion": "happy"}
    numbers = analyzed(TRUTH["total_frames_analyzed"], **faces)
    coded = base64.b64encode(clip).decode()
    headers = {"Content-Type": "video/mp4"}
    yield Request("good", "sample, REST API", post(clip), numbers)
    yield Request("good", "sample, HTTP API", http_event("POST", "/process-frame", clip, headers), numbers)
    yield Request("good", "sample in JSON", json_event({"video": coded}), numbers)
    part = {"start_ms": "1000", "end_ms": "3000", "include": "timeline"}
    yield Request("good", "sample, a part", post(clip, part), analyzed(2, last_ms=2000))
    yield Request("good", "sample, one second", post(clip, {"interval_ms": "1000"}), analyzed(12))
    yield Request("good", "health", HEALTH, {"status": 200})
    for codec, container in MATRIX:
        path = write_video(folder / f"{codec}.{container}", moving(160, 96, 20), codec=codec)
        outcome = analyzed(4, codec=codec, last_ms=500)
        yield Request("good", f"{codec} in {container}", post(path.read_bytes(), EVERY_FIFTH), outcome)
    turned = write_video(folder / "turned.mp4", portraits(180, 320, [TO_THE_LEFT] * 20), rotation=270)
    outcome = analyzed(4, width=180, height=320, rotation=90)
    yield Request("good", "turned by a phone", post(turned.read_bytes(), EVERY_FIFTH), outcome)


def _bad(folder: Path) -> Iterator[Request]:
    clip = SAMPLE.read_bytes()
    moof = b"\0\0\0\x08moof" + b"\0\0\0\x10mdat" + bytes(8)
    bodies = {
        "text": (b"plain text, and more of it, is no video", NOT_A_VIDEO),
        "HTML": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", NOT_A_VIDEO),
        "gzip": (gzip.compress(clip), NOT_A_VIDEO),
        "base64": (base64.b64encode(clip), NOT_A_VIDEO),
        "a form": (b'--abc\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + clip, NOT_A_VIDEO),
        "curl -d": (clip.translate(None, b"\0\r\n"), NOT_A_VIDEO),
        "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(100), NOT_A_VIDEO),
        "Ogg": (b"OggS\0\x02" + bytes(100), refused("unsupported_container")),
        "a later part": (moof, refused("missing_beginning")),
        "no moov": (b"\0\0\0\x0cftypisom" + b"\0\0\0\x10mdat" + bytes(8), refused("truncated_video")),
        "cut off": (clip[: len(clip) // 2], refused("truncated_video")),
        "spaces": (b"   \n", refused("empty_body", 400)),
        "nothing": (None, refused("empty_body", 400)),
        "too large": (bytes(limits.MAX_POST_VIDEO_BYTES + 3), refused("video_too_large", 413)),
    }
    for name, (body, outcome) in bodies.items():
        yield Request("bad", name, post(body), outcome)
    for query, code in (
        ({"frame_intervall": "1"}, "unknown_option"),
        ({"frame_interval": "0"}, "invalid_option"),
        ({"scale_factor": "nan"}, "invalid_option"),
    ):
        yield Request("bad", f"{query}", post(clip, query), refused(code, 400))
    yield Request("bad", "another type", post(clip, content_type="image/png"), refused("unsupported_media_type", 415))
    yield Request(
        "bad", "an address", json_event({"video": "https://example.com/a.mp4"}), refused("invalid_base64", 400)
    )
    yield Request("bad", "no JSON", json_event("{"), refused("invalid_json", 400))
    yield Request("bad", "a method", rest_event(None, method="PUT"), refused("method_not_allowed", 405))
    yield Request("bad", "a path", rest_event(None, path="/nowhere"), refused("not_found", 404))


def _killed(folder: Path) -> Iterator[Request]:
    long = write_video(folder / "long.mp4", moving(640, 360, 60)).read_bytes()
    for sign, code in KILLS.items():
        yield Request("killed", f"child ended by {sign.name}", post(long, EVERY), refused(code), kill=sign)
