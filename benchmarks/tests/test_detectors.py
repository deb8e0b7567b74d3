"""What counts as found and as a false find, and the table of it."""

import numpy as np
import pytest

from benchmarks.detectors import COLUMNS, SCORES, Tally, Way, by_deepface, measure, section
from benchmarks.scenes import HD, Case, Scene
from video_emotions.boxes import Box
from video_emotions.faces.detector import Detection

FACE = Box(100, 100, 100, 100)
EMPTY = np.zeros((360, 640, 3), np.uint8)


@pytest.mark.parametrize(
    ("boxes", "found", "false"),
    [
        ([], 0, 0),
        ([FACE], 1, 0),
        ([Box(100, 100, 100, 50)], 1, 0),
        ([Box(100, 100, 100, 49)], 0, 0),
        ([Box(100, 100, 100, 11)], 0, 0),
        ([Box(100, 100, 100, 10)], 0, 1),
        ([FACE, Box(101, 101, 100, 100), Box(400, 100, 30, 30)], 1, 1),
    ],
)
def test_a_face_is_found_by_half_and_a_box_is_false_beyond_all_faces(boxes, found, false):
    tally = Tally()
    tally.add(Scene(EMPTY, (FACE, Box(300, 300, 10, 10))), boxes, 1.0)
    assert (tally.pictures, tally.faces, tally.found, tally.false) == (1, 2, found, false)


def test_every_box_in_a_scene_of_nobody_is_false():
    tally = Tally()
    tally.add(Scene(EMPTY), [FACE, FACE], 1.0)
    assert (tally.faces, tally.found, tally.false) == (0, 0, 2)


@pytest.mark.parametrize(("scale_factor", "width"), [(None, 640), (0.5, 960), (1, 1920)])
def test_a_way_searches_at_its_scale_and_gives_boxes_in_pixels_of_the_scene(scale_factor, width):
    def right_half(image):
        assert image.shape[1] == width
        yield Detection(Box(width // 2, 0, width // 2, image.shape[0]))

    boxes, _ = Way("any", right_half, scale_factor).search(Scene(np.zeros((HD[1], HD[0], 3), np.uint8)))
    assert boxes == [Box(960, 0, 960, 1080)]


@pytest.mark.parametrize(
    ("seen_from", "side", "searched"),
    [(640, 50, [640]), (640, 49, [640, 960]), (960, 50, [640, 960]), (1920, 50, [640, 960])],
)
def test_the_default_searches_again_at_a_larger_size_where_it_is_not_sure(seen_from, side, searched):
    widths = []

    def detect(image):
        widths.append(image.shape[1])
        if image.shape[1] >= seen_from:
            yield Detection(Box(0, 0, side, side))

    boxes, _ = Way("default", detect, sure_face=50).search(Scene(np.zeros((HD[1], HD[0], 3), np.uint8)))
    assert widths == searched
    own_side = side * HD[0] // searched[-1]
    assert boxes == [Box(0, 0, own_side, own_side)] * (seen_from <= 960)


def test_each_case_is_a_row_and_ways_can_leave_it_out():
    cases = [Case("one", [Scene(EMPTY, (FACE,))]), Case("none", [Scene(EMPTY), Scene(EMPTY)])]
    ways = [
        Way("sees it", lambda _: [Detection(FACE)]),
        Way("blind", lambda _: [], searches=lambda case: not case.shows_faces),
    ]
    rows = measure(ways, cases)
    assert {name: (tally.pictures, tally.found) for name, tally in rows["one"].items()} == {"sees it": (1, 1)}
    assert {name: (tally.pictures, tally.false) for name, tally in rows["none"].items()} == {
        "sees it": (2, 2),
        "blind": (2, 0),
    }


def test_deepfaces_answer_without_a_face_is_no_find():
    class DeepFace:
        @staticmethod
        def extract_faces(image, detector_backend, enforce_detection):
            assert (detector_backend, enforce_detection) == ("opencv", False)
            area = {"x": 1, "y": 2, "w": 3, "h": 4, "left_eye": None, "right_eye": None}
            return [{"facial_area": area, "confidence": confidence} for confidence in (0.0, 0.9)]

    assert [found.box for found in by_deepface(DeepFace)(EMPTY)] == [Box(1, 2, 3, 4)]


def test_the_section_has_a_row_for_each_case_and_for_each_minimum_score():
    def row(names: tuple[str, ...], pictures: int, faces: int, found: int, false: int) -> dict[str, Tally]:
        return {name: Tally(pictures, faces, found, false, [0.02, 0.03, 0.1]) for name in names}

    names = ("haar", "haar at 0.5", "yunet at 0.5", *SCORES.values())
    rows = {f"{size} px": row(names, 20, 20, size // 10, 1) for size in (20, 40, 54, 76, 97, 300)}
    rows["500 px"] = row((*names, "yunet at 1"), 20, 20, 19, 0)
    rows["pictures of nobody"] = row((*names, "DeepFace", "DeepFace at 0.5"), 26, 0, 0, 7)
    text = section(rows).splitlines()
    assert f"| | {' | '.join(COLUMNS)} |" in text
    assert "| milliseconds of one processor for a scene of 20 px, median | 30 | 30 | 30 | 30 |  |" in text
    assert "| 76 px | 7 of 20 | 7 of 20 | 7 of 20 | 7 of 20 |  |" in text
    assert "| 500 px | 19 of 20 | 19 of 20 | 19 of 20 | 19 of 20 | 19 of 20 |" in text
    assert "| false finds in these scenes | 6 | 6 | 6 | 6 | 0 |" in text
    assert "| false finds in 26 pictures of nobody | 7 | 7 | 7 | 7 |  |" in text
    assert "DeepFace's own search has 7 and 7 false finds in the scenes of nobody, by default and at 0.5." in text
    assert "| 0.3 | 4 | 5 | 7 | 9 | 76 | 6 | 7 |" in text
    assert sum(line.startswith("| **0.65** |") for line in text) == 1
