"""Frames -> Observations: the faces of a frame are found and cut, then scored in batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.schema import FacelessFrames, Options
from video_emotions.aggregate import Observation, ScoredFace
from video_emotions.boxes import Box, Size, size_of
from video_emotions.cuts import thumbnail
from video_emotions.emotions import EmotionModel, Scores, letterbox
from video_emotions.faces.detector import Detector
from video_emotions.faces.finder import Face, find_faces
from video_emotions.facts import Frame


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face that waits for its scores, in pixels of the video; the picture itself is released.

    Attributes
    ----------
    box : Box
    detected : bool
        False where the whole frame stands in.
    cut : NDArray of float32 or uint8
        The network's input (see `letterbox`), or the crop that it is made of.
    detection_score : float or None
    landmarks : tuple of tuple of int, or None
    eye_contact : bool
    """

    box: Box
    detected: bool
    cut: NDArray[Any]
    detection_score: float | None
    landmarks: tuple[tuple[int, int], ...] | None
    eye_contact: bool = False

    @classmethod
    def of(cls, face: Face, size: Size, own_size: Size, centre_tolerance: float, *, detected: bool = True) -> Self:
        """Keep what is needed of a face in an image of that size, and measure it in the video's own pixels."""
        across, down = own_size[0] / size[0], own_size[1] / size[1]
        points = face.landmarks and tuple((round(x * across), round(y * down)) for x, y in face.landmarks)
        contact = detected and face.box.is_centred(size, centre_tolerance)
        return cls(face.box.scaled(size, own_size), detected, face.crop, face.score, points, contact)

    @property
    def network_input(self) -> NDArray[np.float32]:
        """See `letterbox`."""
        return letterbox(self.cut) if self.cut.dtype == np.uint8 else self.cut

    def scored(self, scores: Scores) -> ScoredFace:
        """Return the face with what the model gave for it."""
        return ScoredFace(
            self.box, self.detected, scores, self.detection_score, self.landmarks, eye_contact=self.eye_contact
        )


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """A frame whose faces wait for their scores.

    Attributes
    ----------
    index, time_ms : int
    eye_contact : bool
        Of the largest face.
    faces : list of SeenFace
    faces_left_out : int
        Those over the limit of a frame.
    scene : bytes or None
        See `Observation`.
    """

    index: int
    time_ms: int
    eye_contact: bool
    faces: list[SeenFace]
    faces_left_out: int
    scene: bytes | None = None


def look(frame: Frame, detector: Detector, options: Options, centre_tolerance: float) -> SeenFrame:
    """Find the faces of a frame that count: the largest one, which votes, or all of them."""
    wants_all = options.wants_all_faces
    faces: list[SeenFace] = []
    left_out = 0
    for image in frame.images:
        size, detections = size_of(image), detector.detect(image)
        if found := list(islice(find_faces(image, detections), limits.MAX_FACES_PER_FRAME if wants_all else 1)):
            faces = [SeenFace.of(face, size, frame.own_size, centre_tolerance) for face in found]
            left_out = sum(1 for _ in detections) if wants_all else 0
            if found[0].box.width >= detector.sure_face:
                break
    if not faces and options.faceless_frames is FacelessFrames.ANALYZE:
        size = size_of(frame.image)
        whole = Face(Box(0, 0, *size), frame.image)
        faces = [SeenFace.of(whole, size, frame.own_size, centre_tolerance, detected=False)]
    if len(faces) <= limits.FACE_BATCH:
        # Here several threads work. The crops of a crowd wait as they are: together they are smaller than the picture.
        faces = [replace(face, cut=face.network_input) for face in faces]
    contact = bool(faces) and faces[0].eye_contact
    scene = thumbnail(frame.image) if wants_all else None
    return SeenFrame(frame.index, frame.time_ms, contact, faces, left_out, scene)


def score(frames: Iterable[SeenFrame], model: EmotionModel) -> Iterator[Observation]:
    """Score the faces of frames, in batches that span frames."""
    waiting: list[SeenFrame] = []
    faces = 0
    for seen in frames:
        waiting.append(seen)
        faces += len(seen.faces)
        if max(len(waiting), faces) >= limits.FACE_BATCH:
            yield from _observations(waiting, model)
            waiting, faces = [], 0
    yield from _observations(waiting, model)


def _observations(frames: list[SeenFrame], model: EmotionModel) -> Iterator[Observation]:
    scores = iter(model.score(face.network_input for seen in frames for face in seen.faces))
    for seen in frames:
        faces = tuple(face.scored(next(scores)) for face in seen.faces)
        yield Observation(seen.index, seen.time_ms, seen.eye_contact, faces, seen.faces_left_out, seen.scene)
