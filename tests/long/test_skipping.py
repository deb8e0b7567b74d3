"""The selected pictures are the bytes that decoding everything gives, regardless of what is not decoded."""

import gc
import struct
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from testbed.make_video import write_video
from testbed.pictures import moving
from testbed.remux import joined
from video_common.schema import Options, Sampling
from video_emotions import frames
from video_emotions.decoder import open_video
from video_emotions.facts import Frame
from video_emotions.frames import read, sample
from video_emotions.packet_index import PacketIndex, Use
from video_emotions.plan import plan
from video_emotions.probe import probe

FRAMES = 130
UNEVEN_MS = [number * 33 + (number * number) % 29 for number in range(FRAMES)]
CLIPS: dict[str, dict] = {
    "h264-pyramid.mp4": {"keyint": 50, "b_frames": 3, "options": {"x264-params": "b-pyramid=normal"}},
    "h264-open-gop.mp4": {"keyint": 12, "b_frames": 3, "open_gop": True, "options": {"x264-params": "scenecut=0"}},
    "h264-open-gop.mkv": {"keyint": 25, "b_frames": 2, "open_gop": True},
    "h264-one-gop.mp4": {"keyint": 1000},
    "h264-uneven.mp4": {"keyint": 20, "times_ms": UNEVEN_MS},
    "h264.avi": {"keyint": 20},
    "hevc.mp4": {"codec": "hevc", "keyint": 30},
    "hevc-open-gop.mkv": {"codec": "hevc", "keyint": 15, "b_frames": 3, "open_gop": True},
    "vp8.webm": {"codec": "vp8", "keyint": 40},
    "vp9.webm": {"codec": "vp9", "keyint": 40},
    "av1.mp4": {"codec": "av1", "keyint": 40},
    "mjpeg.mov": {"codec": "mjpeg"},
    "mpeg4.mp4": {"codec": "mpeg4", "keyint": 24, "b_frames": 2},
    "h264-open-gop.ts": {"keyint": 12, "b_frames": 3, "open_gop": True},
    "hevc-open-gop.ts": {"codec": "hevc", "keyint": 15, "b_frames": 3, "open_gop": True},
    "h264.flv": {"keyint": 20, "b_frames": 2},
    "prores.mov": {"codec": "prores"},
    "msmpeg4v3.avi": {"codec": "msmpeg4v3", "keyint": 20},
    "h264-cut.mp4": {"keyint": 40, "b_frames": 2},
    "hevc-cut.mp4": {"codec": "hevc", "keyint": 40},
    "vp9-cut.mp4": {"codec": "vp9", "keyint": 40},
    "mpeg4-cut.mp4": {"codec": "mpeg4", "keyint": 40},
    "mpeg4-cut.mkv": {"codec": "mpeg4", "keyint": 40},
}
"""``-cut``: begins between keyframes. MP4 has an edit list that leaves 15 pictures out, MKV lacks its first packet."""


def cut(path: Path) -> Path:
    """Write the packets once more, so that the new file begins between keyframes."""
    new = path.with_stem(f"{path.stem}-new")
    earlier, without = (Fraction(15, 30), 0) if path.suffix == ".mp4" else (0, 1)
    with av.open(str(path)) as old, av.open(str(new), "w", options={"avoid_negative_ts": "disabled"}) as container:
        stream = container.add_stream_from_template(old.streams.video[0])
        for packet in list(old.demux(old.streams.video[0]))[without:-1]:  # the last one is empty
            assert packet.pts is not None
            assert packet.dts is not None
            packet.pts -= round(earlier / packet.time_base)
            packet.dts -= round(earlier / packet.time_base)
            packet.stream = stream
            container.mux(packet)
    return new


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, PacketIndex, list[bytes]]]:
    """Give a clip by its name: the file, what it is, and each picture's bytes by plain decoding."""
    folder, made = tmp_path_factory.mktemp("clips"), {}

    def get(name: str) -> tuple[Path, PacketIndex, list[bytes]]:
        if name not in made:
            path = write_video(folder / name, moving(160, 96, FRAMES), **CLIPS[name])
            path = cut(path) if "-cut" in name else path
            with open_video(path, 2) as video:
                made[name] = path, probe(path, 2)[1], [picture.bgr().tobytes() for picture in video.pictures()]
        return made[name]

    return get


@pytest.mark.parametrize("name", CLIPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(interval=st.integers(1, 120), threads=st.sampled_from([1, 2, 4]), sampling=st.sampled_from(Sampling))
@example(interval=1, threads=2, sampling=Sampling.EXACT)
@example(interval=7, threads=2, sampling=Sampling.EXACT)
@example(interval=30, threads=2, sampling=Sampling.KEYFRAMES)
def test_wanted_pictures_are_bit_identical(clip, name, interval, threads, sampling):
    path, index, whole = clip(name)
    assert len(whole) == index.frame_count
    options = Options(frame_interval=interval, scale_factor=1.0, sampling=sampling)
    _, chosen, frames = read(path, options, threads)
    got = list(frames)
    assert [frame.index for frame in got] == chosen.indices.tolist()
    assert [frame.index for frame in got if frame.image.tobytes() != whole[frame.index]] == []


@dataclass
class Look:
    """One pass over a file's pictures: in how many threads, and which pictures the decoder gave, by their times."""

    threads: int
    pts: list[int] = field(default_factory=list)


def noted_looks(monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """Return a list that gets every look that `sample` takes at a file from here on."""
    looks: list[Look] = []

    @contextmanager
    def noted(path: Path, threads: int, *given, **named):
        look = Look(threads)
        looks.append(look)
        with open_video(path, threads, *given, **named) as video:
            real = video.pictures

            def pictures(*given):
                for picture in real(*given):
                    look.pts.append(picture.pts)
                    yield picture

            monkeypatch.setattr(video, "pictures", pictures)
            yield video

    monkeypatch.setattr(frames, "open_video", noted)
    return looks


@pytest.mark.parametrize("name", [name for name in CLIPS if not name.endswith("avi")])
def test_all_of_them_came_without_a_second_look(clip, name, monkeypatch):
    path, _, _ = clip(name)
    looks = noted_looks(monkeypatch)
    for interval in (1, 7, 30):
        options = Options(frame_interval=interval)
        list(read(path, options, 2)[2])
    assert len(looks) == 3


def test_neither_another_group_nor_what_no_picture_refers_to_is_decoded(clip):
    # Given groups of 50 pictures with B-frames, of which 0 and 60 are wanted
    path, index, whole = clip("h264-pyramid.mp4")
    uses = index.uses_of_packets(np.array([0, 60]))
    assert np.count_nonzero(uses == Use.PICTURE) == 2
    with open_video(path, 2) as video:
        came = [index.pts.tolist().index(picture.pts) for picture in video.pictures(uses)]
    # Then nothing of the first group comes but its beginning, and of the second one what 60 is made of
    assert came[0] == 0
    assert 60 in came
    assert 50 <= came[1] <= came[-1] < 70
    assert len(came) < 10
    assert len(whole) == FRAMES


def test_what_is_not_decoded_is_a_sign_of_progress_too(clip, tmp_path):
    # Given a file of which nothing is wanted, with ten megabytes behind it that are no video
    path, index, _ = clip("h264-pyramid.mp4")
    beats: list[None] = []
    with open_video(path, 2) as video:
        uses = np.full(index.frame_count, Use.NONE, np.int8)
        assert list(video.pictures(uses, lambda: beats.append(None))) == []
    assert len(beats) == FRAMES
    # Then each packet is a sign of progress, and so is each megabyte of which the digest is made
    longer = tmp_path / "longer.mp4"
    longer.write_bytes(path.read_bytes() + struct.pack(">I4s", 10**7, b"free") + bytes(10**7 - 8))
    counts = []
    for each in (path, longer):
        beats.clear()
        probe(each, 2, lambda: beats.append(None))
        counts.append(len(beats))
    assert counts[0] >= FRAMES
    assert counts[1] - counts[0] >= 10


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp8", "vp9", "av1", "mpeg4"])
@pytest.mark.parametrize("sampling", Sampling)
def test_where_a_keyframe_is_none_its_pictures_are_looked_for_once_more(tmp_path, monkeypatch, codec, sampling):
    # Given a file whose index calls a picture a keyframe that is none
    path = write_video(tmp_path / "clip.mkv", moving(160, 96, 70), codec=codec, keyint=1000)
    info, index = probe(path, 2)
    with open_video(path, 2) as video:
        whole = [picture.bgr().tobytes() for picture in video.pictures()]
    wrong = index.is_keyframe.copy()
    wrong[60] = True
    told = replace(index, is_keyframe=wrong)
    options = Options(frame_interval=65, scale_factor=1.0, sampling=sampling)
    looks = noted_looks(monkeypatch)
    got: list[Frame] = list(sample(path, told, options, plan(info, told, options), 2))
    assert [frame.index for frame in got] == [0, 65 if sampling is Sampling.EXACT else 60]
    assert [frame.image.tobytes() == whole[frame.index] for frame in got] == [True, True]
    # Other decoders call the picture damaged.
    assert codec != "mpeg4" or [look.threads for look in looks] == [2, 2]


@pytest.mark.parametrize("interval", [1, 30])
def test_a_second_look_begins_at_the_last_sure_keyframe(tmp_path, monkeypatch, interval):
    # Given a healthy transport stream with another scene every 20 pictures. Such a picture refers to no other, but
    # later ones refer across it. The stream's reader calls it a keyframe, and the decoder does not.
    pictures = (255 - picture if place // 20 % 2 else picture for place, picture in enumerate(moving(160, 96, 160)))
    options = {"x264-params": "min-keyint=61:scenecut=40"}
    path = write_video(tmp_path / "a.ts", pictures, keyint=120, b_frames=0, options=options)
    with open_video(path, 2) as video:
        whole = [(picture.is_keyframe, picture.bgr().tobytes()) for picture in video.pictures()]
    info, index = probe(path, 2)
    assert [place for place, (is_keyframe, _) in enumerate(whole) if is_keyframe] == [0, 80]
    assert np.flatnonzero(index.is_keyframe).tolist() == list(range(0, 160, 20))
    # When pictures after 80 are wanted
    looks = noted_looks(monkeypatch)
    wanted = Options(frame_interval=interval, scale_factor=1.0, start_ms=int(index.times_ms[83]))
    chosen = plan(info, index, wanted)
    got = list(sample(path, index, wanted, chosen, 2))
    # Then they come, and nothing before 80 is decoded
    assert [frame.index for frame in got] == chosen.indices.tolist()
    assert [frame.index for frame in got if frame.image.tobytes() != whole[frame.index][1]] == []
    assert [look.pts[0] for look in looks] == [index.pts[80]] * 2


@given(st.data())
def test_every_wanted_packet_follows_its_keyframe_without_a_gap(data):
    count = data.draw(st.integers(1, 60))
    is_keyframe = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    pts = np.arange(count)
    index = PacketIndex(pts, pts, is_keyframe, pts, True)
    wanted = np.array(sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1))))
    uses = index.uses_of_packets(wanted)
    assert np.flatnonzero(uses == Use.PICTURE).tolist() == wanted.tolist()
    for place in np.flatnonzero(uses):
        assert is_keyframe[place] or place == 0 or uses[place - 1]


@pytest.mark.parametrize(("codec", "params"), [("hevc", "x265-params"), ("h264", "x264-params")])
def test_parameters_that_change_in_the_middle_reach_the_decoder_though_their_packet_is_not_wanted(
    tmp_path, codec, params
):
    # Given a file joined from two encoders', with keyframes at 0, 15, ... of each half of 60
    one, other = (
        write_video(
            tmp_path / f"{number}.mp4",
            moving(160, 96, 60),
            codec=codec,
            keyint=15,
            b_frames=0,
            options={params: options},
        )
        for number, options in enumerate(["qp=18", "qp=40:no-deblock=1" if codec == "hevc" else "qp=40:cabac=0"])
    )
    path = joined([one, other], tmp_path / "joined.mp4")
    with open_video(path, 2) as video:
        whole = [picture.bgr().tobytes() for picture in video.pictures()]
    assert len(whole) == probe(path, 2)[0].frame_count == 120
    # When pictures of both halves are wanted, and not the second half's first group
    for interval in (50, 80):
        options = Options(frame_interval=interval, scale_factor=1.0)
        got = list(read(path, options, 2)[2])
        assert [frame.index for frame in got] == list(range(0, 120, interval))
        assert [frame.index for frame in got if frame.image.tobytes() != whole[frame.index]] == []


def test_no_picture_waits_in_memory_for_the_collector(clip):
    # Given a collector that does not run: what is in a cycle of references stays
    path, _, _ = clip("h264-pyramid.mp4")
    options = Options(frame_interval=10)
    gc.collect()
    gc.disable()
    try:
        assert len(list(read(path, options, threads=2)[2])) == 13
        kept = [thing for thing in gc.get_objects() if isinstance(thing, av.VideoFrame)]
    finally:
        gc.enable()
    assert kept == []
