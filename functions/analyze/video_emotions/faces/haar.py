"""OpenCV's Haar cascades: the faces that DeepFace's ``opencv`` detector finds, and their eyes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common.errors import ConfigurationError
from video_common.result import DetectorFacts
from video_emotions.boxes import Box
from video_emotions.faces.crops import cut
from video_emotions.faces.detector import Detection, Point
from video_emotions.faces.sweep import MIN_NEIGHBORS, SCALE_STEP, WINDOW, sweep
from video_emotions.parallel import Pool

FACES: Final = "haarcascade_frontalface_default.xml"
EYES: Final = "haarcascade_eye.xml"


@dataclass(slots=True)
class _Cascades:
    """OpenCV's classifiers, and the shape of the pictures that they see (None: none so far)."""

    shape: tuple[int, ...] | None = None
    faces: cv2.CascadeClassifier = field(default_factory=lambda: load_cascade(FACES))
    eyes: cv2.CascadeClassifier = field(default_factory=lambda: load_cascade(EYES))


class Haar:
    """Finds faces with the frontal-face cascade and eyes with the eye cascade. OpenCV's wheel carries both.

    OpenCV's classifiers keep state during a call, so each call has classifiers of its own. They also keep memory for
    the largest width times the largest height of all pictures that they ever saw. One very wide and one very tall video
    would need gigabytes, so each size of picture gets new classifiers (17 ms).
    """

    smallest_face = WINDOW
    sure_face = 56
    """Smaller boxes often lie beside the face: with a second look more faces of 108 to 130 px in 1080p are found."""

    def __init__(self) -> None:
        with cascade_path(FACES).open("rb") as file:
            self.facts = DetectorFacts(name="haar", weights_sha256=file_digest(file, "sha256").hexdigest())
        self._idle = Pool(_Cascades)

    def detect(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        """See `Detector.detect`. Of equal faces, the cascade's order decides."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        with self._idle.borrowed() as cascades:
            if cascades.shape not in (None, grey.shape):
                cascades.faces, cascades.eyes = load_cascade(FACES), load_cascade(EYES)
            cascades.shape = grey.shape
            for box in sorted(sweep(cascades.faces, grey), key=lambda box: -box.area):
                yield Detection(box, _eyes(cascades.eyes, grey, box))


def cascade_path(name: str) -> Path:
    """Return where OpenCV's wheel keeps a cascade."""
    return Path(cv2.__file__).parent / "data" / name


def load_cascade(name: str) -> cv2.CascadeClassifier:
    """Load one of the cascades in OpenCV's wheel.

    Raises
    ------
    ConfigurationError
        The wheel has none, like those of OpenCV 5.
    """
    cascade = cv2.CascadeClassifier(str(cascade_path(name)))
    if cascade.empty():
        raise ConfigurationError(f"OpenCV's {name} is missing. Install opencv-python-headless below version 5.")
    return cascade


def _eyes(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8], face: Box) -> tuple[Point, Point] | None:
    """Return the centers of the two largest eyes in a face, the person's right one first; None if there are not two."""
    found = cascade.detectMultiScale(cut(grey, face), SCALE_STEP, MIN_NEIGHBORS)
    largest = sorted(found, key=lambda eye: -int(eye[2]) * int(eye[3]))[:2]
    if len(largest) < 2:
        return None
    left, right = largest if largest[0][0] >= largest[1][0] else largest[::-1]
    return _center(right, face), _center(left, face)


def _center(eye: Sequence[int], face: Box) -> Point:
    x, y, w, h = (int(value) for value in eye)
    return Point(face.x + int(x + w / 2), face.y + int(y + h / 2))
