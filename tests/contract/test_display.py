"""Pictures as players show them: in square pixels, upright, also where the aspect changes midway."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.make_video import write_video
from testbed.pictures import CENTRED, TO_THE_LEFT, moving, portraits
from video_common.errors import FrameTooLarge
from video_common.result import Result
from video_common.schema import Options
from video_emotions.display import SQUARE, Orientation, PixelAspects, shown_size
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


def test_an_aspect_that_changes_midway_holds_from_its_keyframe_on(tmp_path, pipeline):
    # Given an elementary stream of two encoders, square pixels and then 2:1, in an AVI that says nothing of them
    halves = [
        squeezed(tmp_path / "1.mp4", Fraction(2), keyint=10, b_frames=0),
        write_video(tmp_path / "2.mp4", portraits(WIDTH // 2, HEIGHT, PLACES), keyint=10, b_frames=0, aspect=SQUARE),
    ]
    path = joined(halves, tmp_path / "joined.mkv")
    result = analyzed(pipeline, path)
    # Then the first half is in 640 x 360, the second in 320 x 360, each box in its own picture's pixels
    assert (result.video.width, result.video.height) == (WIDTH, HEIGHT)
    assert result.timeline
    contacts = [seen.eye_contact for seen in result.timeline]
    assert contacts == ([True] * 4 + [False] * 4) * 2
    centers = [seen.faces[0].box.x + seen.faces[0].box.width / 2 for seen in result.timeline if seen.faces]
    assert centers[0] == pytest.approx(WIDTH / 2, abs=20)
    assert centers[8] == pytest.approx(WIDTH / 4, abs=20)


def joined(parts: list[Path], path: Path) -> Path:
    """Write one file whose second half brings its own parameters in the stream."""
    with av.open(str(path), "w") as target:
        stream, shift = None, 0
        for part in parts:
            with av.open(str(part)) as source:
                template = source.streams.video[0]
                if stream is None:
                    stream = target.add_stream_from_template(template)
                to_annexb = av.BitStreamFilterContext("h264_mp4toannexb", template)
                last = 0
                for packet in [*(p for p in source.demux(template) if p.size), None]:
                    for made in to_annexb.filter(packet):
                        made.pts, made.dts = (made.pts or 0) + shift, (made.dts or 0) + shift
                        last = max(last, made.pts + (made.duration or 0))
                        made.stream = stream
                        target.mux(made)
                shift = last
    return path


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
    aspects.read(first, keyframe_pts=0)
    aspects.read(later, keyframe_pts=100)
    assert (aspects.at(99), aspects.at(100)) == expected
