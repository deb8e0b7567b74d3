"""Pictures as players show them: in square pixels, upright, also where the aspect changes midway."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.make_video import write_video
from testbed.pictures import CENTRED, TO_THE_LEFT, moving, portraits
from video_common.errors import FrameTooLarge
from video_common.result import Result
from video_common.schema import Options, Sampling
from video_emotions.display import SQUARE, Orientation, PixelAspects, shown_size
from video_emotions.frames import read
from video_emotions.pipeline import Pipeline
from video_emotions.probe import probe
from video_emotions.video_request import VideoRequest

PLACES = [CENTRED] * 20 + [TO_THE_LEFT] * 20
WIDTH, HEIGHT = 640, 360


def analyzed(pipeline: Pipeline, path: Path, **options) -> Result:
    chosen = Options(**{"frame_interval": 5, "include": "timeline", **options})
    return pipeline.analyze(VideoRequest(path.read_bytes(), chosen))


def squeezed(path: Path, aspect: Fraction, **options) -> Path:
    """Write the portraits with pixels of that aspect: stored narrower or lower by as much."""
    stored = (round(WIDTH / aspect / 2) * 2, HEIGHT) if aspect > 1 else (WIDTH, round(HEIGHT * aspect / 2) * 2)
    pictures = (
        cv2.resize(picture, stored, interpolation=cv2.INTER_AREA) for picture in portraits(WIDTH, HEIGHT, PLACES)
    )
    return write_video(path, pictures, aspect=aspect, **options)


@pytest.mark.parametrize(
    ("name", "aspect", "options"),
    [
        ("a.mp4", Fraction(4, 3), {}),
        ("a.mkv", Fraction(2), {"codec": "hevc"}),
        ("a.mov", Fraction(64, 45), {"codec": "mpeg4"}),
        ("a.avi", Fraction(16, 11), {}),
        ("vp9.mp4", Fraction(4, 3), {"codec": "vp9"}),  # the container alone says it
        ("tall.mp4", Fraction(1, 2), {}),
        ("turned.mp4", Fraction(4, 3), {"rotation": 180}),
    ],
)
def test_a_squeezed_clip_gives_the_votes_of_its_twin_in_square_pixels(tmp_path, pipeline, name, aspect, options):
    square = analyzed(pipeline, write_video(tmp_path / f"square-{name}", portraits(WIDTH, HEIGHT, PLACES), **options))
    result = analyzed(pipeline, squeezed(tmp_path / name, aspect, **options))
    assert (result.video.width, result.video.height) == pytest.approx((WIDTH, HEIGHT), abs=2)
    assert result.average_emotion_scores == square.average_emotion_scores
    assert result.eye_contact_score == square.eye_contact_score
    assert result.timeline
    assert square.timeline
    for mine, other in zip(result.timeline, square.timeline, strict=True):
        (face,), (twin,) = mine.faces, other.faces
        assert (face.box.x, face.box.y) == pytest.approx((twin.box.x, twin.box.y), abs=12)
        assert (face.box.width, face.box.height) == pytest.approx((twin.box.width, twin.box.height), abs=12)


def test_a_phone_that_was_held_upright_has_its_aspect_turned_too(tmp_path):
    # Given a picture that is stored lying, 320 x 180 of pixels twice as wide as high
    path = write_video(tmp_path / "a.mp4", moving(180, 320, 3), rotation=270, aspect=Fraction(2))
    info, _ = probe(path, 1)
    assert (info.width, info.height) == (180, 640)


VIDEO = ["18538067", "1654ae6b", "ae", "e0"]
DISPLAY_SIZE = "54b2810054b082{:04x}54ba82{:04x}"  # in pixels, width, height


def grown(content: bytes, path: list[str], added: bytes) -> bytes:
    """Return EBML with something added to the end of the element that is reached by a path of ids."""
    if not path:
        return content + added
    place = 0
    while True:
        after = place + 9 - content[place].bit_length()
        name, width = content[place:after].hex(), 9 - content[after].bit_length()
        begin = after + width
        end = begin + (int.from_bytes(content[after:begin], "big") & ((1 << (7 * width)) - 1))
        if name == path[0]:
            body = grown(content[begin:end], path[1:], added)
            return content[:after] + (len(body) | 1 << 56).to_bytes(8, "big") + body + content[end:]
        place = end


@pytest.mark.parametrize(("codec", "name"), [("vp9", "a.webm"), ("mjpeg", "a.mkv")])
def test_a_matroskas_display_size_counts_where_the_stream_has_no_aspect(tmp_path, codec, name):
    # Given 320 x 240 pixels whose track is to be shown at 640 x 360
    path = write_video(tmp_path / name, moving(320, 240, 3), codec=codec)
    display = bytes.fromhex(DISPLAY_SIZE.format(640, 360))
    path.write_bytes(grown(path.read_bytes(), VIDEO, display))
    assert probe(path, 1)[0].size == (427, 240)


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Give a file by its keyframe interval: 40 pictures in pixels of 2:1, then 40 of another encoder in square ones."""
    folder = tmp_path_factory.mktemp("changing")

    def get(keyint: int) -> Path:
        path = folder / f"{keyint}.mkv"
        if not path.exists():
            coding: dict[str, Any] = {"keyint": keyint, "b_frames": 2, "options": {"x264-params": "repeat-headers=1"}}
            wide = squeezed(folder / f"wide{keyint}.mkv", Fraction(2), **coding)
            square = write_video(
                folder / f"square{keyint}.mkv", portraits(WIDTH // 2, HEIGHT, PLACES), aspect=SQUARE, **coding
            )
            joined([wide, square], path)
        return path

    return get


def joined(parts: list[Path], path: Path) -> Path:
    """Write one file of several, each with its own parameters in the stream."""
    with av.open(str(path), "w") as target:
        stream, shift = None, 0
        for part in parts:
            with av.open(str(part)) as source:
                template = source.streams.video[0]
                if stream is None:
                    stream = target.add_stream_from_template(template)
                end = 0
                for packet in source.demux(template):
                    if packet.size:
                        packet.pts, packet.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
                        end = max(end, packet.pts + (packet.duration or 0))
                        packet.stream = stream
                        target.mux(packet)
                shift = end
    return path


@pytest.mark.parametrize("threads", [1, 2, 6, 16])
@pytest.mark.parametrize("keyint", [1, 2, 10])
def test_an_aspect_that_changes_midway_holds_from_its_keyframe_on(changing, keyint, threads):
    _, _, frames = read(changing(keyint), Options(frame_interval=1), threads)
    assert [frame.own_size for frame in frames] == [(640, 360)] * 40 + [(320, 360)] * 40


@pytest.mark.parametrize("start_ms", [0, 400, 1400, 2000])
@pytest.mark.parametrize("sampling", Sampling)
def test_a_part_has_the_aspect_that_its_pictures_have_in_the_whole(changing, start_ms, sampling):
    options = Options(frame_interval=1, start_ms=start_ms, sampling=sampling)
    _, _, frames = read(changing(10), options, 2)
    assert {(frame.index < 40, frame.own_size) for frame in frames} <= {(True, (640, 360)), (False, (320, 360))}


def test_boxes_are_in_the_pixels_that_their_picture_has(changing, pipeline):
    result = analyzed(pipeline, changing(10))
    assert result.timeline
    assert (result.video.width, result.video.height) == (WIDTH, HEIGHT)
    assert [seen.eye_contact for seen in result.timeline] == ([True] * 4 + [False] * 4) * 2
    centers = [seen.faces[0].box.x + seen.faces[0].box.width / 2 for seen in result.timeline if seen.faces]
    assert centers[0] == pytest.approx(WIDTH / 2, abs=20)
    assert centers[8] == pytest.approx(WIDTH / 4, abs=20)


def test_pixels_of_an_absurd_aspect_are_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4", moving(640, 360, 2), codec="vp9", aspect=Fraction(4, 3))
    said = path.read_bytes().replace(b"pasp" + struct.pack(">II", 4, 3), b"pasp" + struct.pack(">II", 2000, 1))
    path.write_bytes(said)
    with pytest.raises(FrameTooLarge, match="1280000 x 360"):
        probe(path, 1)


SIZES = st.tuples(st.integers(1, 8000), st.integers(1, 8000))
ASPECTS = st.fractions(min_value=Fraction(1, 20), max_value=20, max_denominator=100)


@given(SIZES, ASPECTS, st.builds(Orientation, st.booleans(), st.booleans(), st.booleans()))
def test_no_side_shrinks_and_the_proportions_are_the_aspects(size, aspect, orientation):
    width, height = shown_size(size, aspect, orientation)
    upright = size[::-1] if orientation.transposed else size
    assert width >= upright[0]
    assert height >= upright[1]
    stretched = (width * upright[1], height * upright[0])
    expected = 1 / aspect if orientation.transposed else aspect
    assert stretched[0] / stretched[1] == pytest.approx(float(expected), rel=0.6 / min(width, height) + 1e-9)


@pytest.mark.parametrize(
    ("declared", "first", "later", "expected"),
    [
        (None, None, None, (SQUARE, SQUARE)),
        (Fraction(4, 3), None, None, (Fraction(4, 3), Fraction(4, 3))),
        (Fraction(4, 3), Fraction(1), Fraction(1), (Fraction(4, 3), Fraction(4, 3))),  # the container overrides
        (Fraction(4, 3), Fraction(4, 3), Fraction(2), (Fraction(4, 3), Fraction(2))),  # the stream knows of the change
        (Fraction(4, 3), Fraction(4, 3), None, (Fraction(4, 3), SQUARE)),
        (Fraction(-1), Fraction(0), Fraction(0), (SQUARE, SQUARE)),
    ],
)
def test_the_containers_word_counts_until_the_stream_changes(declared, first, later, expected):
    aspects = PixelAspects(declared)
    assert aspects.of_next(first, is_keyframe=True) == expected[0]
    assert aspects.of_next(later, is_keyframe=False) == expected[0]
    assert aspects.of_next(later, is_keyframe=True) == expected[1]
    # And a pass that begins behind the change gives the same
    assert PixelAspects(declared, first or Fraction(0)).of_next(later, is_keyframe=True) == expected[1]
