"""The generator of test videos does what it says; else every test that stands on it proves nothing."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from testbed.make_video import CODECS, KEEPS_TIMES, MATRIX, cut, pad_to, write_video
from testbed.pictures import (
    CENTRED,
    Picture,
    flat,
    moving,
    numbered,
    portraits,
    read_number,
)

WIDTH, HEIGHT, FPS, COUNT = 320, 180, 30, 40
IRREGULAR_MS = [0, 33, 66, 500, 533, 1000, 1001, 1400, 2750, 2790]


def decode(path: Path) -> tuple[list[Any], list[Picture]]:
    """Return all frames as PyAV gives them, and as BGR pictures made upright."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return frames, [np.rot90(frame.to_ndarray(format="bgr24"), frame.rotation // 90) for frame in frames]


def times_ms(frames: list[Any]) -> list[int]:
    return [round(frame.pts * frame.time_base * 1000) for frame in frames]


@pytest.mark.parametrize(("codec", "container"), MATRIX)
def test_every_frame_is_there_in_order_and_readable(codec: str, container: str, tmp_path: Path) -> None:
    pictures = numbered(portraits(WIDTH, HEIGHT, [CENTRED] * COUNT))
    path = write_video(tmp_path / f"clip.{container}", pictures, codec=codec, keyint=15)

    frames, shown = decode(path)

    assert [read_number(picture) for picture in shown] == list(range(COUNT))
    keyframes = [index for index, frame in enumerate(frames) if frame.key_frame]
    assert keyframes == (list(range(COUNT)) if codec in {"mjpeg", "prores"} else [0, 15, 30])
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec.canonical_name == codec
    if container in KEEPS_TIMES:
        assert times_ms(frames) == [round(index * 1000 / FPS) for index in range(COUNT)]


@pytest.mark.parametrize(("codec", "container"), [pair for pair in MATRIX if pair[1] in KEEPS_TIMES])
def test_irregular_times_read_back(codec: str, container: str, tmp_path: Path) -> None:
    pictures = numbered(flat(WIDTH, HEIGHT, len(IRREGULAR_MS)))
    path = write_video(tmp_path / f"clip.{container}", pictures, codec=codec, times_ms=IRREGULAR_MS)

    frames, shown = decode(path)

    assert times_ms(frames) == IRREGULAR_MS
    assert [read_number(picture) for picture in shown] == list(range(len(IRREGULAR_MS)))


def test_phone_time_base_reads_back(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "phone.mp4",
        flat(WIDTH, HEIGHT, len(IRREGULAR_MS)),
        times_ms=IRREGULAR_MS,
        time_base=Fraction(1, 90_000),
    )

    frames, _ = decode(path)

    assert frames[0].time_base == Fraction(1, 90_000)
    assert times_ms(frames) == IRREGULAR_MS


def test_times_and_pictures_must_be_as_many(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_video(tmp_path / "clip.mp4", flat(WIDTH, HEIGHT, 3), times_ms=[0, 40])


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize(("rotation", "reads"), [(0, 0), (90, 90), (180, -180), (270, -90)])
def test_rotated_clip_is_stored_sideways_and_shown_upright(
    container: str, rotation: int, reads: int, tmp_path: Path
) -> None:
    codec = "vp9" if container == "webm" else "h264"
    pictures = numbered(portraits(HEIGHT, WIDTH, [CENTRED] * 3), first=7)
    path = write_video(tmp_path / f"phone.{container}", pictures, codec=codec, rotation=rotation)

    frames, shown = decode(path)
    _, by_opencv = cv2.VideoCapture(str(path)).read()

    stored = (WIDTH, HEIGHT) if rotation in {90, 270} else (HEIGHT, WIDTH)
    assert {(frame.width, frame.height, frame.rotation) for frame in frames} == {(*stored, reads)}
    assert [read_number(picture) for picture in shown] == [7, 8, 9]
    assert np.array_equal(shown[0], by_opencv)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("open_gop", [False, True])
def test_open_gop_has_pictures_shown_before_the_keyframe_that_they_follow(
    codec: str, open_gop: bool, tmp_path: Path
) -> None:
    pictures = numbered(moving(WIDTH, HEIGHT, 60, detail=0.2))
    path = write_video(tmp_path / "clip.mp4", pictures, codec=codec, keyint=20, b_frames=3, open_gop=open_gop)

    with av.open(str(path)) as container:
        packets: list[Any] = [packet for packet in container.demux(video=0) if packet.size]
    keys = [place for place, packet in enumerate(packets) if packet.is_keyframe]
    leading = sum(packet.pts < packets[place].pts for place in keys for packet in packets[place + 1 :])

    assert (leading > 0) == open_gop
    assert [read_number(picture) for picture in decode(path)[1]] == list(range(60))


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("audio_first", [False, True])
@pytest.mark.parametrize(("video_ms", "audio_ms"), [(0, 300), (500, 0)])
def test_sound_may_start_before_or_after_the_pictures(
    container: str, audio_first: bool, video_ms: int, audio_ms: int, tmp_path: Path
) -> None:
    wanted = [video_ms + 40 * index for index in range(20)]
    path = write_video(
        tmp_path / f"clip.{container}",
        flat(WIDTH, HEIGHT, 20),
        codec="vp8" if container == "webm" else "h264",
        times_ms=wanted,
        audio_ms=(audio_ms, 1500),
        audio_first=audio_first,
    )

    with av.open(str(path)) as file:
        assert [stream.type for stream in file.streams] == (["audio", "video"] if audio_first else ["video", "audio"])
        sound = [float(frame.time or 0) * 1000 for frame in file.decode(audio=0)]
    assert sound[0] == pytest.approx(audio_ms, abs=25)
    assert sound[-1] == pytest.approx(1500, abs=50)
    assert times_ms(decode(path)[0]) == wanted


def boxes(path: Path) -> list[bytes]:
    content, place, names = path.read_bytes(), 0, []
    while place < len(content):
        names.append(content[place + 4 : place + 8])
        place += int.from_bytes(content[place : place + 4], "big")
    return names


def test_order_of_boxes(tmp_path: Path) -> None:
    variants: tuple[dict[str, Any], ...] = ({}, {"faststart": True}, {"fragmented": True})
    plain, fast, fragmented = (
        boxes(write_video(tmp_path / "clip.mp4", flat(WIDTH, HEIGHT, COUNT), keyint=20, **how)) for how in variants
    )

    assert plain.index(b"mdat") < plain.index(b"moov")
    assert fast.index(b"moov") < fast.index(b"mdat")
    assert fragmented.count(b"moof") == 2


@pytest.mark.parametrize("more", [8, 4096, 50_000_000])
def test_padding_is_exact_and_harmless(more: int, tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", numbered(flat(WIDTH, HEIGHT, 5)))
    size = path.stat().st_size + more

    pad_to(path, size)

    assert path.stat().st_size == size
    assert [read_number(picture) for picture in decode(path)[1]] == list(range(5))


def test_padding_must_have_room_for_its_header(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", flat(WIDTH, HEIGHT, 2))

    with pytest.raises(ValueError, match="7 bytes"):
        pad_to(path, path.stat().st_size + 7)


def test_cut_keeps_the_first_part(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", flat(WIDTH, HEIGHT, 10))

    part = cut(path, 0.5)

    whole = path.read_bytes()
    assert part.read_bytes() == whole[: len(whole) // 2]
    assert part.suffix == ".mkv"


@pytest.mark.parametrize(
    ("name", "how"),
    [("clip.webm", {}), ("clip.avi", {"rotation": 90}), ("clip.mp4", {"rotation": 45}), ("clip.mov", {"codec": "av1"})],
)
def test_what_does_not_go_together_is_refused(name: str, how: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"does not go|cannot ask"):
        write_video(tmp_path / name, flat(WIDTH, HEIGHT, 2), **how)


def test_pictures_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    sizes = []

    def pictures() -> Iterator[Picture]:
        for picture in moving(WIDTH, HEIGHT, 200):
            sizes.append(path.stat().st_size if path.exists() else 0)
            yield picture

    write_video(path, pictures(), fragmented=True, keyint=30)

    assert sizes[100] > 10_000, "half of the pictures are made and the file has not begun"


def test_every_codec_names_an_encoder_that_is_here() -> None:
    assert all(codec.encoder in av.codec.codecs_available for codec in CODECS.values())


def test_an_encoder_does_not_leave_its_caller_a_real_time_process(tmp_path):
    # As root SVT-AV1 does, and then the caller's children keep all others from the processor
    write_video(tmp_path / "clip.mp4", flat(160, 96, 3), codec="av1")
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
