"""A crowd in a frame: its faces reach the network batch by batch, and their number has a limit."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.videos_info import DETECTOR, MODEL
from video_common import limits
from video_common.schema import FacelessFrames, Options, Voting
from video_emotions.aggregate import Observation
from video_emotions.boxes import Box
from video_emotions.emotions import EmotionModel
from video_emotions.faces.detector import Detection
from video_emotions.facts import Frame
from video_emotions.follower import Follower
from video_emotions.observe import look, score

TIMELINE = Options(include="timeline")
SIDE = 20


class Crowd:
    """A detector that finds ``count`` faces, side by side."""

    facts, smallest_face, sure_face = DETECTOR, SIDE, SIDE

    def __init__(self, count: int) -> None:
        self.count = count

    def detect(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        across = image.shape[1] // SIDE
        for number in range(self.count):
            yield Detection(Box(number % across * SIDE, number // across * SIDE, SIDE, SIDE))


class Client:
    """DeepFace's client, which only counts what it is given."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, batch: list[NDArray[np.float32]]) -> Any:
        assert {(face.shape, face.dtype.name) for face in batch} == {((224, 224, 3), "float32")}
        self.batches.append(len(batch))
        return [[float(face[112, 112, 0]), 1, 1, 1, 1, 1, 1] for face in batch]


def frame_of(side: int = 400) -> Frame:
    image = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Frame(0, 0, (image,), (side, side), 1, None)


def observed(faces: int, options: Options, frames: int = 1) -> tuple[list[Observation], Client]:
    client = Client()
    seen = (look(frame_of(), Crowd(faces), options, 0.2) for _ in range(frames))
    return list(score(seen, EmotionModel(client, MODEL))), client


def test_a_crowd_reaches_the_network_batch_by_batch():
    faces = limits.MAX_FACES_PER_FRAME
    observed(9, TIMELINE)  # what is made once
    tracemalloc.start()
    try:
        ((seen,), client) = observed(faces, TIMELINE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(seen.faces), sum(client.batches)) == (faces, faces)
    assert max(client.batches) == limits.FACE_BATCH
    face = 224 * 224 * 3 * 4
    assert peak < 3 * limits.FACE_BATCH * face < faces * face / 8


def test_faces_over_the_limit_are_counted_and_not_scored():
    over = 17
    ((seen,), client) = observed(limits.MAX_FACES_PER_FRAME + over, TIMELINE)
    assert len(seen.faces) == sum(client.batches) == limits.MAX_FACES_PER_FRAME
    assert seen.faces_left_out == over
    # And those that stay are the first ones, which are the largest
    assert seen.faces[0].box == Box(0, 0, SIDE, SIDE)


@pytest.mark.parametrize(
    ("faces", "options"), [(limits.MAX_FACES_PER_FRAME, TIMELINE), (300, Options()), (0, TIMELINE)]
)
def test_nothing_is_left_out_below_the_limit_or_where_only_the_largest_face_counts(faces, options):
    ((seen,), client) = observed(faces, options)
    assert seen.faces_left_out == 0
    assert sum(client.batches) == len(seen.faces) == (faces if options.include else 1)


def test_a_face_has_the_same_scores_in_a_crowd_and_in_a_small_group():
    ((crowd,), _), ((group,), _) = observed(30, TIMELINE), observed(limits.FACE_BATCH, TIMELINE)
    assert crowd.faces[: limits.FACE_BATCH] == group.faces
    assert len({face.scores for face in group.faces}) > 1


@pytest.mark.parametrize(
    ("options", "faces"),
    [
        (Options(), 1),
        (TIMELINE, 3),
        (Options(include="people"), 3),
        (Options(include="timeline,people"), 3),
        (Options(voting=Voting.ALL), 3),
    ],
)
def test_all_faces_are_looked_at_and_linked_where_they_count(options, faces):
    frames = [look(frame_of(), Crowd(3), options, 0.2) for _ in range(2)]
    seen = list(Follower().follow(score(frames, EmotionModel(Client(), MODEL))))
    assert {each.scene for each in seen} == {None}
    numbers = [[face.track for face in each.faces] for each in seen]
    assert numbers == [[None]] * 2 if faces == 1 else numbers == [[1, 2, 3]] * 2


def test_eye_contact_is_that_of_each_face():
    frame = look(frame_of(100), Crowd(25), TIMELINE, 0.2)
    assert [number for number, face in enumerate(frame.faces) if face.eye_contact] == [6, 7, 8, 11, 12, 13, 16, 17, 18]
    assert not frame.eye_contact


def test_a_stand_in_for_a_face_belongs_to_nobody():
    options = Options(include="people", faceless_frames=FacelessFrames.ANALYZE)
    (seen,) = Follower().follow(score([look(frame_of(), Crowd(0), options, 0.2)], EmotionModel(Client(), MODEL)))
    assert [(face.detected, face.track, face.eye_contact) for face in seen.faces] == [(False, None, False)]


def test_frames_share_batches():
    _, client = observed(1, Options(), frames=20)
    assert client.batches == [8, 8, 4]


@pytest.mark.parametrize(
    ("at_half", "at_full", "chosen"),
    [
        ([40], [90], 40),  # sure: nobody looks at the larger picture
        ([39], [90], 90),
        ([39], [], 39),
        ([], [90], 90),
        ([], [], None),
    ],
)
def test_small_finds_are_looked_at_in_the_larger_picture(at_half, at_full, chosen):
    class Detector:
        facts, smallest_face, sure_face = DETECTOR, SIDE, 40

        def detect(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
            yield from (Detection(Box(0, 0, side, side)) for side in (at_half if len(image) == 200 else at_full))

    images = tuple(np.zeros((side, side, 3), np.uint8) for side in (200, 400))
    for include in (None, "timeline"):
        seen = look(Frame(0, 0, images, (400, 400), 1, None), Detector(), Options(include=include), 0.2)
        in_own_pixels = chosen and chosen * (2 if [chosen] == at_half else 1)
        assert [face.box.width for face in seen.faces] == [in_own_pixels] * bool(chosen)
