"""Real files of every codec in every container: the right pictures, at the right times, upright."""

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from testbed.make_video import KEEPS_ROTATION, KEEPS_TIMES, MATRIX, cut, write_video
from testbed.pictures import CENTRED, TO_THE_LEFT, flat, moving, numbered, portraits, read_number
from tests.conftest import SAMPLE
from video_common.errors import NotAVideo, TruncatedVideo, UnsupportedCodec
from video_common.result import Result, TimelineFrame
from video_common.schema import Options, Sampling
from video_emotions.facts import Frame
from video_emotions.frames import read
from video_emotions.pipeline import Pipeline
from video_emotions.probe import probe
from video_emotions.video_request import VideoRequest

WIDTH, HEIGHT = 480, 270
VFR_MS = [0, 40, 73, 500, 507, 1900, 1933, 2000, 2400, 5000]


def sampled(path: Path, **options) -> list[Frame]:
    return list(read(path, Options(scale_factor=1, **options), 2)[2])


def numbers(frames: list[Frame]) -> list[int]:
    return [read_number(frame.image) for frame in frames]


def analyzed(pipeline: Pipeline, path: Path, **options) -> Result:
    return pipeline.analyze(VideoRequest(path.read_bytes(), Options(**options)))


def timeline(result: Result) -> list[TimelineFrame]:
    assert result.timeline is not None
    return result.timeline


@pytest.mark.parametrize(("codec", "container"), MATRIX)
def test_a_face_is_followed_in_every_codec_and_container(tmp_path, pipeline, codec, container):
    # Given a clip in which the face jumps to the left after a second
    places = [CENTRED] * 30 + [TO_THE_LEFT] * 30
    path = write_video(tmp_path / f"clip.{container}", portraits(WIDTH, HEIGHT, places), codec=codec)
    # When it is analyzed
    result = analyzed(pipeline, path, frame_interval=10, include="timeline")
    # Then each sampled frame has its face, and contact until the jump
    assert [seen.index for seen in timeline(result)] == [0, 10, 20, 30, 40, 50]
    assert [len(seen.faces) for seen in timeline(result)] == [1] * 6
    assert [seen.eye_contact for seen in timeline(result)] == [True] * 3 + [False] * 3
    assert [seen.time_ms for seen in timeline(result)] == pytest.approx([0, 333, 667, 1000, 1333, 1667], abs=1)
    assert result.video.codec == codec
    assert (result.video.width, result.video.height, result.video.rotation) == (WIDTH, HEIGHT, 0)
    assert result.video.duration_ms == pytest.approx(2000, abs=34)
    assert result.video.frame_rate == pytest.approx(30, abs=0.1)
    assert (result.frames_unreadable, result.truncated) == (0, False)


@pytest.mark.parametrize(("codec", "container"), MATRIX)
@pytest.mark.parametrize("interval", [1, 7])
def test_the_picture_of_an_index_is_that_picture(tmp_path, codec, container, interval):
    path = write_video(tmp_path / f"clip.{container}", numbered(moving(320, 180, 40)), codec=codec)
    frames = sampled(path, frame_interval=interval)
    assert [frame.index for frame in frames] == list(range(0, 40, interval))
    assert numbers(frames) == [frame.index for frame in frames]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("open_gop", [False, True])
def test_b_frames_are_counted_in_presentation_order(tmp_path, codec, open_gop):
    pictures = numbered(moving(320, 180, 60))
    path = write_video(tmp_path / "b.mp4", pictures, codec=codec, keyint=12, b_frames=3, open_gop=open_gop)
    frames = sampled(path, frame_interval=1)
    assert numbers(frames) == [frame.index for frame in frames] == list(range(60))


def test_b_frames_in_avi_are_counted_in_presentation_order_too(tmp_path):
    path = write_video(tmp_path / "b.avi", numbered(moving(320, 180, 60)), codec="h264", b_frames=3)
    frames = sampled(path, frame_interval=7)
    assert numbers(frames) == [frame.index for frame in frames] == list(range(0, 60, 7))
    assert [frame.time_ms for frame in frames] == sorted(frame.time_ms for frame in frames)


@pytest.mark.parametrize(("codec", "container"), [pair for pair in MATRIX if pair[1] in KEEPS_TIMES])
def test_times_are_presentation_times(tmp_path, codec, container):
    path = write_video(tmp_path / f"v.{container}", numbered(moving(320, 180, 10)), codec=codec, times_ms=VFR_MS)
    frames = sampled(path, frame_interval=1)
    assert [frame.time_ms for frame in frames] == VFR_MS
    assert numbers(frames) == list(range(10))


def test_times_of_a_phone_have_a_fine_time_base(tmp_path):
    times = [n * 1001 / 30 for n in range(30)]
    path = write_video(tmp_path / "p.mov", flat(320, 180, 30), times_ms=times, time_base=Fraction(1, 90_000))
    assert [frame.time_ms for frame in sampled(path, frame_interval=1)] == [round(time) for time in times]


@pytest.mark.parametrize("audio_first", [False, True])
def test_a_sound_track_does_not_move_the_pictures(tmp_path, audio_first):
    path = write_video(
        tmp_path / "sound.mp4", numbered(flat(320, 180, 30)), audio_ms=(0, 1500), audio_first=audio_first
    )
    frames = sampled(path, frame_interval=10)
    assert (numbers(frames), [frame.time_ms for frame in frames]) == ([0, 10, 20], [0, 333, 667])


@pytest.mark.parametrize("container", KEEPS_ROTATION)
@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_phone_clips_are_analysed_upright(tmp_path, pipeline, container, rotation):
    # Given a portrait clip whose pixels are stored turned
    codec = "vp9" if container == "webm" else "h264"
    path = write_video(
        tmp_path / f"phone.{container}", portraits(360, 640, [CENTRED] * 4), codec=codec, rotation=rotation
    )
    # When it is analyzed
    result = analyzed(pipeline, path, frame_interval=1, include="timeline")
    # Then the faces are upright, in the middle, and the size is that of the upright picture
    assert (result.video.width, result.video.height) == (360, 640)
    assert result.video.rotation == -rotation % 360
    assert result.frames_with_face == 4
    assert result.eye_contact_score == 100
    box = timeline(result)[0].faces[0].box
    assert box.x < 180 < box.x + box.width
    assert box.y < 320 < box.y + box.height


@pytest.mark.parametrize("variant", [{"fragmented": True}, {"faststart": True}])
def test_fragmented_and_fast_starting_files(tmp_path, variant):
    path = write_video(tmp_path / "clip.mp4", numbered(moving(320, 180, 40)), keyint=10, **variant)
    assert numbers(sampled(path, frame_interval=9)) == [0, 9, 18, 27, 36]


def test_keyframes_are_analysed_once_each_and_keep_their_place(tmp_path, pipeline):
    path = write_video(tmp_path / "k.mp4", numbered(moving(320, 180, 60)), keyint=20, options={"sc_threshold": "0"})
    frames = sampled(path, frame_interval=7, sampling=Sampling.KEYFRAMES)
    assert [frame.index for frame in frames] == numbers(frames) == [0, 20, 40]
    assert [frame.time_ms for frame in frames] == [0, 667, 1333]
    assert analyzed(pipeline, path, frame_interval=7, sampling="keyframes").total_frames_analyzed == 3


def test_a_clip_of_nothing_has_no_votes_and_no_emotion(tmp_path, pipeline):
    path = write_video(tmp_path / "nothing.mp4", flat(640, 360, 61))
    result = analyzed(pipeline, path)
    assert result.total_frames_analyzed == 3
    assert result.overall_dominant_emotion is None
    assert set(result.average_emotion_scores.model_dump().values()) == {0.0}
    assert (result.average_confidence_score, result.eye_contact_score, result.frames_with_face) == (0.0, 0.0, 0)
    assert "NaN" not in result.model_dump_json()


def test_a_clip_of_nothing_can_be_made_to_vote(tmp_path, pipeline):
    path = write_video(tmp_path / "nothing.mp4", flat(640, 360, 61))
    result = analyzed(pipeline, path, faceless_frames="analyze", include="timeline")
    assert sum(result.average_emotion_scores.model_dump().values()) == pytest.approx(100, abs=1e-9)
    assert (result.frames_with_face, result.eye_contact_score) == (0, 0.0)
    (face,) = timeline(result)[0].faces
    assert (face.detected, face.box.width, face.box.height) == (False, 640, 360)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm", "avi"])
@pytest.mark.parametrize("fraction", [0.5, 0.98])
def test_a_cut_off_file_is_refused(tmp_path, pipeline, container, fraction):
    codec = "vp9" if container == "webm" else "h264"
    whole = write_video(tmp_path / f"whole.{container}", moving(320, 180, 40), codec=codec)
    with pytest.raises(TruncatedVideo):
        analyzed(pipeline, cut(whole, fraction))


def test_damage_inside_a_file_is_counted_not_hidden(tmp_path, pipeline):
    # Given a whole file in whose middle a stretch of bytes was lost
    path = write_video(tmp_path / "clip.mp4", moving(320, 180, 60), codec="mjpeg")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    # When every picture is wanted
    result = analyzed(pipeline, path, frame_interval=1)
    # Then the damaged ones are missing, and counted
    assert result.frames_unreadable > 0
    assert result.total_frames_analyzed + result.frames_unreadable == 60


def test_a_codec_that_is_not_tested_is_refused(tmp_path, pipeline):
    import av

    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height = 320, 180
        for picture in flat(320, 180, 3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    with pytest.raises(UnsupportedCodec, match="ffv1"):
        analyzed(pipeline, path)


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_mirrored_clips_of_front_cameras_are_upright(tmp_path, pipeline, container):
    # Given a clip that asks players to turn it by half a turn, whose matrix then says: mirror left and right only
    path = write_video(tmp_path / f"selfie.{container}", portraits(480, 270, [TO_THE_LEFT] * 4), rotation=180)
    data = path.read_bytes()
    half_turn = struct.pack(">9i", -0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000)
    mirrored = struct.pack(">9i", -0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    assert data.count(half_turn) == 1
    path.write_bytes(data.replace(half_turn, mirrored))
    # When it is decoded, it is the upside-down picture mirrored: turned pixels, so no face
    upside_down = analyzed(pipeline, path, frame_interval=1)
    # and one whose pixels are upright is a face on the other side
    path = write_video(tmp_path / f"upright.{container}", portraits(480, 270, [TO_THE_LEFT] * 4))
    plain = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    data = path.read_bytes()
    track = data.rindex(plain, 0, data.index(b"mdia"))
    path.write_bytes(data[:track] + mirrored + data[track + len(plain) :])
    result = analyzed(pipeline, path, frame_interval=1, include="timeline")
    assert (upside_down.frames_with_face, result.frames_with_face, result.video.rotation) == (0, 4, 0)
    box = timeline(result)[0].faces[0].box
    assert box.x < 0.8 * WIDTH < box.x + box.width


def test_one_wide_and_one_tall_clip_do_not_spoil_the_next(tmp_path, pipeline):
    for name, size in {"wide": (16000, 16), "tall": (16, 16000)}.items():
        path = write_video(tmp_path / f"{name}.mkv", flat(*size, 2), codec="mjpeg")
        for options in ({"scale_factor": 1}, {"faceless_frames": "analyze", "include": "timeline"}):
            result = analyzed(pipeline, path, **options)
            assert result.total_frames_analyzed == 1
        (face,) = timeline(result)[0].faces
        assert (face.box.width, face.box.height) == size
    # OpenCV's classifiers would now want 32000 x 32000 of everything
    assert resident_megabytes() < 4000
    assert analyzed(pipeline, SAMPLE).frames_with_face == 9


@pytest.mark.parametrize("factor", [0.5, 1e-9, 5e-324])
def test_boxes_never_leave_the_picture(tmp_path, pipeline, factor):
    path = write_video(tmp_path / "odd.mkv", flat(642, 358, 2), codec="mjpeg")
    result = analyzed(pipeline, path, scale_factor=factor, faceless_frames="analyze", include="timeline")
    (face,) = timeline(result)[0].faces
    assert (face.box.x, face.box.y, face.box.width, face.box.height) == (0, 0, 642, 358)


def test_keyframes_of_equal_times_count_once_and_none_is_missed(tmp_path):
    # Given times that fall together in the container's milliseconds
    times, unit = [0, 100, 100.2, 200, 200.2, 300], Fraction(1, 10_000)
    path = write_video(tmp_path / "d.mkv", flat(320, 180, 6), codec="mjpeg", times_ms=times, time_base=unit)
    (_, index), options = probe(path, 2), Options(frame_interval=3, sampling=Sampling.KEYFRAMES)
    assert len(set(index.pts.tolist())) < index.frame_count
    # When keyframes are sampled, then every one of the plan comes
    _, chosen, frames = read(path, options, 2)
    assert [frame.index for frame in frames] == chosen.indices.tolist()


def test_a_sound_file_with_a_cover_is_no_video(tmp_path, pipeline):
    import av
    from av.stream import Disposition

    path = write_video(tmp_path / "cover.mp4", flat(320, 180, 1), codec="mjpeg", audio_ms=(0, 1000))
    marked = tmp_path / "marked.mp4"
    with av.open(str(path)) as source, av.open(str(marked), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        streams[source.streams.video[0].index].disposition = Disposition.attached_pic
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    with pytest.raises(NotAVideo):
        analyzed(pipeline, marked)


def resident_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
