"""The index of a file is the same whether its packets are read, or only its header, or ranges of it."""

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from testbed.make_video import MATRIX, write_video
from testbed.pictures import moving
from testbed.remux import with_edit_list
from tests.conftest import ROOT, SAMPLE
from video_common.errors import VideoError
from video_emotions import probe as probing
from video_emotions.packet_index import PacketIndex
from video_emotions.probe import probe, survey
from video_emotions.remote_file import RemoteFile

INPUTS = ROOT / "tests" / "data" / "inputs"
UNEVEN_MS = [number * 33 + (number * number) % 29 for number in range(60)]
VARIANTS: dict[str, dict] = {
    "pyramid.mp4": {"keyint": 25, "b_frames": 3, "options": {"x264-params": "b-pyramid=normal"}},
    "open-gop.mp4": {"keyint": 12, "b_frames": 3, "open_gop": True, "options": {"x264-params": "scenecut=0"}},
    "many-open-groups.mp4": {"keyint": 4, "b_frames": 2, "open_gop": True, "options": {"x264-params": "scenecut=0"}},
    "hevc-open-gop.mp4": {"codec": "hevc", "keyint": 15, "b_frames": 3, "open_gop": True},
    "uneven.mp4": {"keyint": 20, "times_ms": UNEVEN_MS},
    "late.mov": {"keyint": 20, "times_ms": [4000 + time for time in UNEVEN_MS], "b_frames": 2},
    "fragmented.mp4": {"keyint": 20, "fragmented": True},
    "front.mp4": {"keyint": 20, "faststart": True, "audio_ms": (0, 1500)},
    "sound-first.mp4": {"keyint": 20, "audio_ms": (0, 2000), "audio_first": True},
    "turned.mp4": {"keyint": 20, "rotation": 270},
    "aspect.mp4": {"keyint": 20, "aspect": Fraction(4, 3)},
    "edited.mp4": {"keyint": 40, "b_frames": 2},
}
BY_HEADER = {"h264", "hevc", "av1", "mjpeg", "mpeg4", "prores"}
"""Codecs whose clips in MP4 and MOV must not need their packets read."""


def same(left: PacketIndex, right: PacketIndex) -> None:
    for field in fields(PacketIndex):
        np.testing.assert_array_equal(getattr(left, field.name), getattr(right, field.name), field.name)


def remote(path: Path, read: list[tuple[int, int]] | None = None) -> RemoteFile:
    data, log = path.read_bytes(), [] if read is None else read

    def fetch(start: int, end: int) -> bytes:
        log.append((start, end))
        return data[start:end]

    return RemoteFile(len(data), fetch)


def agrees(path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Compare the ways, and return whether the header was enough."""
    demuxed: list[Path] = []

    def noted(*given: object) -> object:
        demuxed.append(path)
        return real(*given)  # type: ignore[arg-type]

    real = probing._demuxed
    whole, index = probe(path, 1)
    monkeypatch.setattr(probing, "_demuxed", noted)
    for source in (path, remote(path)):
        info, found = survey(source, 1)
        assert info == replace(whole, sha256=None)
        same(found, index)
    monkeypatch.undo()
    assert len(demuxed) in {0, 2}
    return not demuxed


@pytest.mark.parametrize(("codec", "container"), MATRIX)
def test_each_codec_in_each_container(tmp_path, monkeypatch, codec, container):
    path = write_video(tmp_path / f"clip.{container}", moving(96, 64, 40), codec=codec, keyint=15)
    assert agrees(path, monkeypatch) == (container in {"mp4", "mov"} and codec in BY_HEADER)


@pytest.mark.parametrize("name", VARIANTS)
def test_orders_times_and_places_of_the_header(tmp_path, monkeypatch, name):
    path = write_video(tmp_path / name, moving(96, 64, 60), **VARIANTS[name])
    if name == "edited.mp4":
        path = with_edit_list(path)
    assert agrees(path, monkeypatch) == (name != "fragmented.mp4")


@pytest.mark.parametrize("path", [SAMPLE, *sorted(INPUTS.iterdir())], ids=lambda path: path.name)
def test_real_and_strange_files(monkeypatch, path):
    try:
        probe(path, 1)
    except VideoError as error:
        for source in (path, remote(path)):
            with pytest.raises(type(error)):
                survey(source, 1)
    else:
        agrees(path, monkeypatch)
