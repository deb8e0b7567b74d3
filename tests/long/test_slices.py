"""A video in slices: each gives the pictures, the places and the times that the whole video gives."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.make_video import write_video
from testbed.pictures import moving
from testbed.remux import with_edit_list
from video_common.schema import Options, Sampling
from video_emotions.facts import Frame
from video_emotions.frames import read, sample_slice
from video_emotions.plan import plan
from video_emotions.probe import survey
from video_emotions.remote_file import RemoteFile
from video_emotions.segments import costs, spans
from video_emotions.slices import Slice

FRAMES = 270
UNEVEN_MS = [number * 33 + (number * number) % 29 for number in range(FRAMES)]
CLIPS: dict[str, dict] = {
    "h264-open-gop.mp4": {"keyint": 4, "b_frames": 2, "open_gop": True, "options": {"x264-params": "scenecut=0"}},
    "h264-open-gop.mkv": {"keyint": 4, "b_frames": 2, "open_gop": True, "options": {"x264-params": "scenecut=0"}},
    "hevc.mp4": {"codec": "hevc", "keyint": 4},
    "hevc-open-gop.mkv": {"codec": "hevc", "keyint": 4, "b_frames": 2, "open_gop": True},
    "vp9.webm": {"codec": "vp9", "keyint": 4},
    "uneven.mp4": {"keyint": 4, "times_ms": UNEVEN_MS},
    "edited.mp4": {"keyint": 4, "b_frames": 2},
    "h264.ts": {"keyint": 4, "b_frames": 2},
    "h264.flv": {"keyint": 4, "b_frames": 2},
    "fragmented.mp4": {"keyint": 4, "fragmented": True},
    "h264.avi": {"keyint": 4},
    "reordered.avi": {"keyint": 12, "b_frames": 2},
    "mjpeg.mov": {"codec": "mjpeg"},
}
COUNTS = (2, 3, 7, 16, 64)


class Clip(NamedTuple):
    """A file, and what each of its pictures is, by plain decoding."""

    path: Path
    whole: list[Frame]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Clip]:
    folder, made = tmp_path_factory.mktemp("clips"), {}

    def get(name: str) -> Clip:
        if name not in made:
            path = CHANGED.get(name, lambda path: path)(
                write_video(folder / name, moving(96, 64, FRAMES), **CLIPS[name])
            )
            made[name] = Clip(path, list(read(path, EACH, 2)[2]))
        return made[name]

    return get


EACH = Options(frame_interval=1, scale_factor=1.0)


CHANGED: dict[str, Callable[[Path], Path]] = {"edited.mp4": with_edit_list}


def facts(frames: list[Frame]) -> list[tuple]:
    return [(f.index, f.time_ms, f.own_size, [image.tobytes() for image in f.images]) for f in frames]


def remote(path: Path, log: list[int]) -> RemoteFile:
    data = path.read_bytes()

    def fetch(start: int, end: int) -> bytes:
        log.append(end - start)
        return data[start:end]

    return RemoteFile(len(data), fetch)


def sliced(path: Path, bounds: list[int], options: Options, threads: int = 2) -> list[Frame]:
    info, index = survey(path, threads)
    chosen = plan(info, index, options)
    parts = (Slice.of(index, chosen, first, end) for first, end in pairwise(bounds))
    seen = (sample_slice(path, Slice.of_bytes(bytes(part)), options, threads) for part in parts)
    return list(chain.from_iterable(seen))


@pytest.mark.parametrize("name", CLIPS)
def test_slices_by_number(clip, name):
    path, whole = clip(name)
    expected = facts(whole)
    info, index = survey(path, 2)
    chosen = plan(info, index, EACH)
    seconds, _ = costs(index, chosen, info.size)
    for count in COUNTS:
        cuts = list(spans(index, chosen, seconds, 1e9, at_least=count))
        assert len(cuts) == (1 if name.endswith("avi") else count)
        bounds = [0, *(end for _, end in cuts)]
        assert facts(sliced(path, bounds, EACH)) == expected


@pytest.mark.parametrize("name", ["h264-open-gop.mp4", "h264-open-gop.mkv", "uneven.mp4", "edited.mp4", "vp9.webm"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.sets(st.integers(1, FRAMES - 20), max_size=6),
    interval=st.integers(1, 30),
    sampling=st.sampled_from(Sampling),
    part=st.sampled_from([{}, {"start_ms": 1000, "end_ms": 6000}]),
)
def test_slices_by_any_cut(clip, name, cuts, interval, sampling, part):
    path, _ = clip(name)
    options = Options(frame_interval=interval, scale_factor=1.0, sampling=sampling, **part)
    expected = facts(list(read(path, options, 2)[2]))
    bounds = sorted({0, len(expected), *(cut for cut in cuts if cut < len(expected))})
    assert facts(sliced(path, bounds, options)) == expected


@pytest.mark.parametrize("name", ["h264.avi", "reordered.avi"])
def test_a_part_of_a_video_whose_pictures_are_counted(clip, name):
    path, _ = clip(name)
    options = Options(frame_interval=7, scale_factor=1.0, end_ms=4000)
    expected = facts(list(read(path, options, 2)[2]))
    assert facts(sliced(path, [0, len(expected)], options)) == expected


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "mpeg4"])
def test_a_slice_that_begins_with_no_keyframe_is_decoded_from_the_beginning(tmp_path, codec):
    # Given a file whose index calls a picture a keyframe that is none, and a cut there
    path = write_video(tmp_path / "clip.mkv", moving(96, 64, 70), codec=codec, keyint=1000)
    info, index = survey(path, 2)
    wrong = index.is_keyframe.copy()
    wrong[40] = True
    told = replace(index, is_keyframe=wrong)
    chosen = plan(info, told, EACH)
    part = Slice.of(told, chosen, 40, 70)
    assert part.index.stretch is not None
    assert part.index.stretch.first > 0
    whole = list(read(path, EACH, 2)[2])
    assert facts(list(sample_slice(path, Slice.of_bytes(bytes(part)), EACH, 2))) == facts(whole[40:])
