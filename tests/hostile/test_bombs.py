"""Small files that cost gigabytes or minutes get an answer within the memory and the time of a function."""

import os
import struct
import time

import pytest

from testbed.make_video import write_video
from testbed.pictures import moving
from tests.conftest import ROOT
from video_common import errors
from video_common.schema import Options
from video_emotions.decoder import open_video
from video_emotions.memory import threads_for
from video_emotions.reader import Reader

BOMBS = ROOT / "tests" / "data" / "bombs"
MB = 2**20


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("stsz_const_85M.mp4", errors.NotAVideo),
        ("stsz_const_3tracks_50M.mp4", errors.NotAVideo),
        ("tracks20_8k_444p10.mp4", errors.TooManyTracks),
    ],
)
def test_what_costs_gigabytes_to_open_is_refused_before(name, kind):
    # Given a child with 512 MB, which is ready
    reader = Reader(512 * MB)
    reader.read(BOMBS.parent / "sample.mp4", Options(), 2)[2].close()
    time.sleep(1)
    begun = time.monotonic()
    # Then the file is rejected soon, and not because the memory ran out
    with pytest.raises(kind):
        reader.read(BOMBS / name, Options(), 2)
    assert time.monotonic() - begun < 10


def test_references_that_do_not_fit_are_an_answer_about_memory():
    _, _, frames = Reader().read(BOMBS / "h264_8k_444p10_ref16.mp4", Options(frame_interval=1), 2)
    with pytest.raises(errors.DecoderOutOfMemory):
        list(frames)


def test_pictures_that_do_not_fit_are_refused_before_they_are_decoded():
    with pytest.raises(errors.DecoderOutOfMemory, match="Each picture takes 212 MB"):
        Reader(800 * MB).read(BOMBS / "h264_8k_444p10_ref16.mp4", Options(), 2)


@pytest.mark.parametrize(("codec", "container"), [("h264", "mp4"), ("vp9", "webm"), ("av1", "mp4"), ("mjpeg", "mov")])
def test_a_failed_allocation_is_never_read_as_a_bad_video(tmp_path, codec, container):
    # Given a good video, and memory from too little to enough
    path = write_video(tmp_path / f"clip.{container}", moving(1280, 720, 4), codec=codec)
    outcomes: list[bool | None] = []
    for megabytes in range(80, 200, 12):
        try:
            _, plan, frames = Reader(megabytes * MB).read(path, Options(frame_interval=1), 2)
            outcomes.append(len(list(frames)) == plan.frames_wanted == 4)
        except errors.DecoderOutOfMemory:
            outcomes.append(None)
    # Then each outcome is all pictures, or an answer about memory
    assert set(outcomes) == {True, None}
    assert outcomes[-1] is True


def test_a_large_file_is_not_a_lack_of_memory(tmp_path):
    # Given a damaged video with two gigabytes of nothing behind it, more than the decoder may use
    path = write_video(tmp_path / "clip.mp4", moving(96, 64, 12))
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 2000
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(bytes(data) + struct.pack(">I4s", 2_000_000_000, b"free"))
    os.truncate(path, len(data) + 2_000_000_000)
    # Then the damage costs frames, and nothing is said of memory
    _, plan, frames = Reader().read(path, Options(frame_interval=1), 2)
    assert 0 < len(list(frames)) < plan.frames_wanted == 12


def test_large_pictures_are_decoded_by_fewer_threads(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (1504 * MB, 1504 * MB))
    assert threads_for((1920, 1080), 12, 6) == 6
    assert threads_for((8192, 4320), 12, 6) == 3
    assert threads_for((8192, 4320), 48, 6) == 1


def test_a_decoder_outside_the_list_does_not_run(tmp_path):
    # FFmpeg learns the pixel format of FFV1 by decoding.
    import av

    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for image in moving(64, 48, 3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    with open_video(path, 1) as video:
        assert video.codec == "ffv1"
        assert video._stream.codec_context.pix_fmt is None
