"""Files as people have them: each kind that once went wrong, made by code, or from `tests/data/inputs`."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

from testbed.make_video import MATRIX, cut, write_video
from testbed.pictures import CENTRED, TO_THE_LEFT, Picture, moving, numbered, portraits, read_number
from testbed.remux import joined
from tests.conftest import ROOT
from tests.long.test_display import VIDEO, grown
from video_common.errors import EncryptedVideo, NotAVideo, TruncatedVideo, UnusableTimes
from video_common.schema import Options, Sampling
from video_emotions.av_frames import FirstField
from video_emotions.decoder import open_video
from video_emotions.facts import Frame, VideoInfo
from video_emotions.frames import read
from video_emotions.pipeline import Pipeline
from video_emotions.probe import probe
from video_emotions.tones import HLG, PQ
from video_emotions.video_request import VideoRequest

INPUTS = ROOT / "tests" / "data" / "inputs"
SIZE = 160, 96


def sampled(path: Path, interval: int = 5) -> tuple[VideoInfo, list[Frame]]:
    info, plan, frames = read(path, Options(frame_interval=interval, scale_factor=1.0), 2)
    got = list(frames)
    assert [frame.index for frame in got] == plan.indices.tolist(), "a picture is unreadable"
    return info, got


def copied(old: Path, new: Path, *, without: int = 0, options: dict[str, str] | None = None) -> Path:
    """Write a file's packets into another container, or without the first ones."""
    with av.open(str(old)) as source, av.open(str(new), "w", options=options or {}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in [packet for packet in source.demux(video=0) if packet.size][without:]:
            packet.stream = stream
            target.mux(packet)
    return new


EXTRA: dict[str, dict[str, Any]] = {
    "turned.mp4": {"rotation": 90},
    "turned.mkv": {"rotation": 270, "codec": "vp9"},
    "squeezed.mp4": {"aspect": Fraction(4, 3)},
    "b-frames.ts": {"b_frames": 3, "keyint": 12},
    "b-frames.flv": {"b_frames": 3, "keyint": 12},
    "open-gop.ts": {"codec": "hevc", "b_frames": 3, "keyint": 12, "open_gop": True},
    "uneven.mkv": {"times_ms": [40 * place + place % 3 for place in range(40)]},
    "late.mp4": {"times_ms": [500 + 40 * place for place in range(40)]},
    "late-behind-sound.mkv": {"times_ms": [500 + 40 * place for place in range(40)], "audio_ms": (0, 2000)},
    "fragments.mp4": {"fragmented": True},
    "hidden-9.webm": {"codec": "vp9", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}},
    "interlaced.ts": {"first_field": "top"},
    "camcorder.m2ts": {"codec": "h264"},
}


@pytest.mark.parametrize("name", [*(f"{codec}.{container}" for codec, container in MATRIX), *EXTRA])
def test_a_clip_is_what_a_plain_full_decode_says(tmp_path, name):
    options = EXTRA.get(name, {"codec": name.split(".")[0]})
    made = tmp_path / name.replace(".m2ts", ".ts")
    path = write_video(made, moving(*SIZE, 40), **options)
    if made.name != name:
        path = copied(made, tmp_path / name)
    expect_what_a_plain_decode_says(path)


def expect_what_a_plain_decode_says(path: Path) -> None:
    with av.open(str(path)) as container:
        start, stream = container.start_time or 0, container.streams.video[0]
        shown: list[Any] = sorted(container.decode(video=0), key=lambda frame: frame.pts or 0)
        has_times = container.format.name != "avi"
        aspect, unit = stream.sample_aspect_ratio or 1, float(stream.time_base or 0)
    info, index = probe(path, 2)
    assert info.frame_count == len(shown)
    assert info.rotation == -shown[0].rotation % 360
    size = (round(shown[0].width * aspect), shown[0].height)
    assert info.size == (size[::-1] if info.rotation in {90, 270} else size)
    if has_times:
        first = min(start / 1_000_000, shown[0].time)
        assert index.times_ms.tolist() == pytest.approx([(frame.time - first) * 1000 for frame in shown], abs=1)
    last = shown[-1].duration * unit
    if last:
        assert info.duration_ms == pytest.approx((shown[-1].time - shown[0].time + last) * 1000, abs=1)
    assert index.times_ms[0] >= 0


@pytest.mark.parametrize("name", ["h264-fields.mp4", "fields.mkv", "fields.ts", "fields.flv"])
def test_two_fields_are_one_picture_however_they_are_stored(tmp_path, name):
    # Given 50 pictures of which each is coded as two fields, each in a packet
    path = INPUTS / "h264-fields.mp4"
    if name != path.name:
        path = copied(path, tmp_path / name)
    info, frames = sampled(path)
    assert (info.frame_count, len(frames), info.frame_rate) == (50, 10, 12.5)
    expect_what_a_plain_decode_says(path)
    # When only some are wanted, then they are bit for bit those of a full decode
    with open_video(path, 2) as video:
        whole = [picture.bgr() for picture in video.pictures()]
    options = Options(frame_interval=7, scale_factor=1.0)
    for frame in read(path, options, 2)[2]:
        rows = whole[frame.index].shape[0]
        assert np.array_equal(frame.image, cv2.resize(whole[frame.index], None, fx=1, fy=frame.own_size[1] / rows))


@pytest.mark.parametrize("interval", [1, 5, 7])
def test_pictures_that_are_never_shown_are_not_counted(tmp_path, interval):
    # Given a VP8 in which every tenth picture says that it is not shown, as encoders' references for later ones do
    whole = write_video(tmp_path / "whole.webm", numbered(moving(320, 180, 60)), codec="vp8", keyint=30, fps=25)
    path = tmp_path / "hidden.webm"
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for place, packet in enumerate(packet for packet in old.demux(video=0) if packet.size):
            data = bytes(packet)
            made = av.Packet(bytes([data[0] & ~0x10]) + data[1:] if place % 10 == 9 else data)
            made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
            made.is_keyframe, made.stream = packet.is_keyframe, stream
            new.mux(made)
    expect_what_a_plain_decode_says(path)
    info, frames = sampled(path, interval)
    assert info.frame_count == 54
    shown = [place for place in range(60) if place % 10 != 9]
    assert [read_number(frame.image) for frame in frames] == shown[::interval]
    assert [frame.time_ms for frame in frames] == [40 * place for place in shown[::interval]]


@pytest.mark.parametrize(("name", "shown"), [("vp8-hidden-frames.webm", 28), ("vp9-hidden-frames.webm", 30)])
def test_references_that_an_encoder_hides_are_not_counted(name, shown):
    # Given 30 packets: of VP8 two are never shown, of VP9 some hold such a picture besides a shown one
    info, frames = sampled(INPUTS / name)
    assert (info.frame_count, info.frame_rate, info.duration_ms) == (shown, 25, shown * 40)
    assert [frame.time_ms for frame in frames] == [200 * place for place in range(6)]
    expect_what_a_plain_decode_says(INPUTS / name)


def with_exif(path: Path, source: Path) -> Path:
    """Write MJPEG whose pictures carry EXIF, as cameras write them."""
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    marker = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        stream.set_display_rotation(270)
        for packet in old.demux(video=0):
            if packet.size:
                data = bytes(packet)
                made = av.Packet(data[:2] + marker + data[2:])
                made.pts, made.dts, made.time_base, made.is_keyframe = packet.pts, packet.dts, packet.time_base, True
                made.duration = packet.duration
                made.stream = stream
                new.mux(made)
    return path


def test_side_data_that_has_no_name_does_not_hide_the_rotation(tmp_path):
    plain = write_video(tmp_path / "plain.mov", moving(*SIZE, 10), codec="mjpeg")
    path = with_exif(tmp_path / "exif.mov", plain)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert "KIND_31" in str(list(frame.side_data))
    info, frames = sampled(path, interval=1)
    assert (info.rotation, info.size, len(frames)) == (90, SIZE[::-1], 10)


@pytest.mark.parametrize("name", ["a.avi", "a.mp4"])
def test_tags_in_another_character_set_are_no_fault(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Xmas"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = SIZE
        for picture in moving(*SIZE, 10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    assert path.read_bytes().count(b"Xmas") == 1
    path.write_bytes(path.read_bytes().replace(b"Xmas", b"\xe9t\xe9s"))
    assert sampled(path)[0].frame_count == 10


def last_box(data: bytearray) -> int:
    place = 0
    while (following := place + int.from_bytes(data[place : place + 4], "big")) < len(data):
        place = following
    return place


@pytest.mark.parametrize("more", [8, 5000])
def test_a_size_that_is_off_is_no_missing_packet(tmp_path, more):
    # Given an MP4 with its index first, whose mdat claims to be longer than the file
    path = write_video(tmp_path / "a.mp4", moving(*SIZE, 20), faststart=True)
    data = bytearray(path.read_bytes())
    place = last_box(data)
    assert data[place + 4 : place + 8] == b"mdat"
    data[place : place + 4] = (int.from_bytes(data[place : place + 4], "big") + more).to_bytes(4, "big")
    path.write_bytes(data)
    assert len(sampled(path)[1]) == 4
    # When bytes of its last packet are missing, or all of them, then it is cut off
    with av.open(str(path)) as container:
        last = [packet.size for packet in container.demux(video=0)][-2]
    for missing in (3, last):
        path.write_bytes(data[:-missing])
        with pytest.raises(TruncatedVideo):
            probe(path, 2)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.webm", "a.mov"])
@pytest.mark.parametrize("behind", [b"Appended by a mail program.\n", bytes(100), b"\xff" * 33])
def test_bytes_behind_a_file_are_not_a_part_of_it(tmp_path, name, behind):
    codec = "vp8" if name == "a.webm" else "h264"
    path = write_video(tmp_path / name, moving(*SIZE, 20), codec=codec)
    path.write_bytes(path.read_bytes() + behind)
    assert len(sampled(path)[1]) == 4


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_an_index_at_the_end_may_be_missing(tmp_path, name):
    path = write_video(tmp_path / name, moving(*SIZE, 20))
    data = path.read_bytes()
    index = data.rindex(b"idx1" if name == "a.avi" else b"\x1c\x53\xbb\x6b")
    path.write_bytes(data[: index + 12])
    assert len(sampled(path)[1]) == 4
    # When a picture is cut, then the file is cut off
    path.write_bytes(data[: index - 100])
    with pytest.raises(TruncatedVideo):
        probe(path, 2)


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.7, 0.9, 0.97])
def test_a_fragmented_file_is_cut_off_where_a_fragment_is(tmp_path, fraction):
    path = write_video(tmp_path / "a.mp4", moving(*SIZE, 40), keyint=5, fragmented=True)
    with pytest.raises(TruncatedVideo):
        probe(cut(path, fraction), 2)


@pytest.mark.parametrize("name", ["a.ts", "a.flv"])
def test_a_stream_that_ends_early_counts_what_came(tmp_path, name):
    path = cut(write_video(tmp_path / name, moving(*SIZE, 40), keyint=10), 0.6)
    if name == "a.ts":  # a recorder stops in the middle of a picture
        info, plan, frames = read(path, Options(frame_interval=1), 2)
        assert 10 < info.frame_count < 40
        assert len(plan.indices) - len(list(frames)) <= 1
    else:
        with pytest.raises(TruncatedVideo):
            probe(path, 2)


def test_a_disturbed_broadcast_is_not_cut_off(tmp_path):
    # Given a transport stream that lost packets in the middle of a picture
    path = write_video(tmp_path / "a.ts", moving(320, 180, 40), keyint=10)
    data = path.read_bytes()
    place = len(data) // 2 // 188 * 188
    path.write_bytes(data[:place] + data[place + 3 * 188 :])
    with av.open(str(path)) as container:
        assert any(packet.is_corrupt for packet in container.demux(video=0))
    assert probe(path, 2)[0].frame_count in {39, 40}


@pytest.mark.parametrize("name", ["still.avif", "still-exif.avif"])
def test_a_still_picture_is_called_one(name):
    with pytest.raises(NotAVideo, match="still picture"):
        probe(INPUTS / name, 2)


def encrypted_mp4(folder: Path) -> Path:
    plain = write_video(folder / "plain.mp4", moving(*SIZE, 20))
    scheme = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76" * 16, "encryption_kid": "a7" * 16}
    return copied(plain, folder / "encrypted.mp4", options=scheme)


def encrypted_webm(folder: Path) -> Path:
    path = write_video(folder / "a.webm", moving(*SIZE, 20), codec="vp8")
    settings = element("5035", element("47e1", b"\5") + element("47e2", b"k" * 16))
    encodings = element("6d80", element("6240", element("5033", b"\1") + settings))
    path.write_bytes(grown(path.read_bytes(), VIDEO[:-1], encodings))
    return path


def clear_then_encrypted(folder: Path) -> Path:
    """Write an MP4 of two sample descriptions: the second half of its pictures is encrypted."""
    return joined([write_video(folder / "a.mp4", moving(*SIZE, 20)), encrypted_mp4(folder)], folder / "joined.mp4")


def element(identity: str, content: bytes) -> bytes:
    return bytes.fromhex(identity) + bytes([0x80 | len(content)]) + content


@pytest.mark.parametrize("make", [encrypted_mp4, encrypted_webm, clear_then_encrypted])
def test_an_encrypted_video_is_called_that(tmp_path, make):
    with pytest.raises(EncryptedVideo, match="encrypted"):
        probe(make(tmp_path), 2)


@pytest.mark.parametrize("sampling", Sampling)
def test_a_picture_without_a_time_is_analyzed(pipeline, sampling):
    path = INPUTS / "laced-keyframe-without-time.webm"
    options = Options(frame_interval=1, sampling=sampling, include="timeline")
    result = pipeline.analyze(VideoRequest(path.read_bytes(), options))
    assert result.total_frames_analyzed == (5 if sampling is Sampling.EXACT else 3)
    with open_video(path, 2) as video:
        assert [picture.pts for picture in video.pictures()] == [0, 0, 40, 80, 120]
    times = [frame.time_ms for frame in result.timeline or ()]
    assert times == sorted(times)


@pytest.mark.parametrize("name", ["time-overflow.mp4", "negative-duration"])
def test_times_that_cannot_be_are_refused(name):
    with pytest.raises(UnusableTimes):
        probe(INPUTS / name, 2)


def test_an_enhancement_layer_is_ignored():
    info, frames = sampled(INPUTS / "h264-lcevc.mp4")
    assert (info.frame_count, info.frame_rate, [frame.index for frame in frames]) == (23, 25, [0, 5, 10, 15, 20])


@pytest.mark.parametrize("name", ["a.ts", "a.flv", "a.avi", "hevc.ts"])
def test_without_its_first_keyframe_a_stream_counts_what_can_be_seen(tmp_path, name):
    codec, b_frames = ("hevc" if name == "hevc.ts" else "h264"), (0 if name == "a.avi" else 2)
    pictures = numbered(moving(320, 180, 60))
    options = {"x264-params": "scenecut=0"} if codec == "h264" else {}
    whole = write_video(tmp_path / name, pictures, codec=codec, keyint=20, b_frames=b_frames, options=options)
    path = copied(whole, tmp_path / f"cut-{name}", without=3)
    info, frames = sampled(path)
    assert info.frame_count == 40
    assert [read_number(frame.image) for frame in frames] == list(range(20, 60, 5))
    assert min(frame.time_ms for frame in frames) >= 0


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("without", [3, 20, 21])
def test_a_file_that_begins_anywhere_counts_what_a_decoder_shows(tmp_path, name, b_frames, without):
    # Given another scene every 20 pictures: the first one refers to no other and is no keyframe, and some of the next
    # ones refer to pictures before it
    pictures = (255 - picture if place // 20 % 2 else picture for place, picture in enumerate(moving(*SIZE, 80)))
    options = {"x264-params": "min-keyint=61:scenecut=40"}
    whole = write_video(tmp_path / name, pictures, keyint=120, b_frames=b_frames, options=options)
    path = copied(whole, tmp_path / f"cut-{name}", without=without)
    expect_what_a_plain_decode_says(path)
    sampled(path, 1)


def test_pictures_that_are_not_decoded_in_the_order_of_their_times_are_given_in_it(tmp_path):
    # Given a clip of keyframes only, which the decoder gives as they are in the file
    whole = write_video(tmp_path / "whole.mkv", numbered(moving(320, 180, 30)), keyint=1, b_frames=0, fps=25)
    path = tmp_path / "a.mkv"
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        packets = [packet for packet in old.demux(video=0) if packet.size]
        for place, packet in enumerate(packets):
            packet.pts, packet.stream = 40 * (place + (3, 0, 0, 2, 0)[place % 5]), stream
            new.mux(packet)
    expect_what_a_plain_decode_says(path)
    info, frames = sampled(path, 1)
    assert info.frame_count == 30
    assert [read_number(frame.image) for frame in frames[:5]] == [1, 2, 0, 4, 3]


def woven(pictures: Iterator[Picture], first_field: str) -> Iterator[Picture]:
    """Show two moments in each picture: the first in the even rows or the odd ones, the next in the others."""
    rows = 0 if first_field == "top" else 1
    for first, second in pairwise(pictures):
        picture = second.copy()
        picture[rows::2] = first[rows::2]
        yield picture


@pytest.mark.parametrize("first_field", ["top", "bottom"])
@pytest.mark.parametrize("name", ["a.ts", "a.mp4", "a.mov"])
def test_interlaced_pictures_are_not_combed_and_show_their_first_moment(tmp_path, name, first_field):
    codec = "prores" if name == "a.mov" else "h264"
    drawn = list(bars(13))
    pictures = woven(iter(drawn), first_field)
    path = write_video(tmp_path / name, pictures, codec=codec, first_field=first_field, options={"qp": "10"})
    for frame in sampled(path, 1)[1]:
        shown = frame.image.astype(int)
        assert np.abs(shown - drawn[frame.index]).mean() < 3
        assert np.abs(np.diff(shown, axis=0)).max() < 10


@pytest.mark.parametrize("height", range(1, 12))
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gray"])
def test_a_field_has_rows_of_its_picture_only(height, pix_fmt):
    # Given a picture of one color, of any height: the memory behind it has others
    frame = av.VideoFrame.from_ndarray(np.full((height, 16, 3), 200, np.uint8), format="bgr24").reformat(format=pix_fmt)
    for _ in range(20):
        shown = FirstField()(frame).to_ndarray(format="bgr24")
        assert np.ptp(shown, axis=(0, 1)).max() < 10
        assert 1 <= shown.shape[0] <= height


def bars(count: int) -> Iterator[Picture]:
    """Move an upright bar by 16 pixels from one picture to the next."""
    for place in range(count):
        picture = np.full((192, 320, 3), 60, np.uint8)
        picture[:, 16 * place : 16 * place + 64] = 200
        yield picture


def hdr(picture: Picture, transfer: int) -> av.VideoFrame:
    """Show an SDR picture's light in HDR: SDR's white is at 203 candelas, as ITU-R BT.2408 says."""
    light = (picture[..., ::-1] / 255.0) ** 2.4 @ BT709_TO_BT2020.T
    if transfer == PQ:
        power = (light * 203 / 10_000) ** 0.1593017578125
        signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        light = light * 203 / 1000
        luma = np.maximum(light @ [0.2627, 0.6780, 0.0593], 1e-9)
        scene = light * (luma ** (1 / 1.2 - 1))[..., np.newaxis]
        signal = np.where(
            scene <= 1 / 12,
            np.sqrt(3 * scene),
            0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073,
        )
    frame = av.VideoFrame.from_ndarray(np.rint(signal * 65_535).astype(np.uint16), format="rgb48le")
    return frame.reformat(format="yuv420p10le", dst_colorspace=Colorspace.BT2020)


BT709_TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_an_hdr_clip_gives_the_votes_of_its_sdr_twin(tmp_path, pipeline: Pipeline, transfer):
    # Given a clip, and the same in HDR as phones record it: HEVC, 10 bits, BT.2020
    places = [CENTRED] * 30 + [TO_THE_LEFT] * 30
    sdr = write_video(tmp_path / "sdr.mp4", portraits(480, 270, places), codec="hevc")
    path = tmp_path / "hdr.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=30, options={"preset": "ultrafast", "x265-params": "log-level=1"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = ColorTrc(transfer), ColorPrimaries.BT2020, 9
        for picture in portraits(480, 270, places):
            container.mux(stream.encode(hdr(picture, transfer)))
        container.mux(stream.encode(None))
    options = Options(frame_interval=3, include="timeline")
    twin, result = (pipeline.analyze(VideoRequest(file.read_bytes(), options)) for file in (sdr, path))
    votes = [[frame.faces[0].dominant_emotion for frame in each.timeline or ()] for each in (twin, result)]
    assert sum(one == other for one, other in zip(*votes, strict=True)) >= 0.95 * len(votes[0])
    # and the colors of its pictures, within what coding twice leaves
    for mine, other in zip(sampled(path, 20)[1], sampled(sdr, 20)[1], strict=True):
        assert np.abs(mine.image.astype(int) - other.image).mean() < 8


def test_h263_of_old_phones(tmp_path):
    path = tmp_path / "a.3gp"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h263", rate=25, options={"qmin": "3", "b": "3M"})
        stream.width, stream.height = 352, 288
        for picture in numbered(moving(352, 288, 20)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    info, frames = sampled(path)
    assert info.codec == "h263"
    assert [read_number(frame.image) for frame in frames] == [0, 5, 10, 15]
