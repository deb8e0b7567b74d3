"""YuNet, the face detection network of OpenCV's model zoo, through OpenCV's own ``FaceDetectorYN``.

It finds faces that are turned, partly covered or small, where the Haar cascade does not.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common.result import DetectorFacts
from video_emotions.boxes import Box, size_of
from video_emotions.faces.detector import Detection, Landmarks, Point
from video_emotions.parallel import Pool
from video_models.manifest import detector_path, load_manifest

NAME: Final = "yunet"

MIN_SCORE: Final = 0.65
"""Faces with a lower score are dropped. `benchmarks/detectors.py` measures what other values find."""

MAX_OVERLAP: Final = 0.3
"""Of two boxes that overlap by more, the one with the higher score stays (OpenCV's default)."""

MAX_FACES: Final = 5000
"""Candidates before overlapping ones are dropped (OpenCV's default)."""

LARGEST_FACE: Final = 400
"""Pixels. Larger faces are searched in a shrunken copy. The model zoo states faces of 10 to 300 pixels. Measured, the
network finds all faces of 500 pixels and none of 1000."""

COPY_SIDE: Final = 320
"""The longer side of that copy, in pixels: a face that fills it is about as large as the network was made for."""

MIN_SIDE: Final = 64
"""Pixels. Smaller pictures get a black border: at 32 or less OpenCV's network reads memory of earlier pictures."""

_POINTS: Final = len(Landmarks._fields)


class YuNet:
    """Finds faces, their eyes and three more points. Threads may share it: each call has a network of its own.

    Parameters
    ----------
    path : Path
        The network as ONNX.
    sha256 : str
        Its digest.
    min_score : float
        Default: `MIN_SCORE`.
    """

    smallest_face = sure_face = 10

    def __init__(self, path: Path, sha256: str, min_score: float = MIN_SCORE) -> None:
        self.facts = DetectorFacts(name=NAME, weights_sha256=sha256)
        self._idle = Pool(lambda: cv2.FaceDetectorYN.create(str(path), "", (32, 32), min_score, MAX_OVERLAP, MAX_FACES))

    @classmethod
    def load(cls, models_dir: Path) -> Self:
        """Verify the network that was baked into ``models_dir``, and load it.

        Raises
        ------
        ModelUnavailable
        """
        return cls(detector_path(NAME, models_dir), load_manifest().detectors[NAME].sha256)

    def detect(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        """See `Detector.detect`."""
        height, width = image.shape[:2]
        with self._idle.borrowed() as network:
            rows = _rows(network, image)
            if min(height, width) > LARGEST_FACE:
                factor = COPY_SIDE / max(height, width)
                copy = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
                rows = _merged(rows, _rows(network, np.asarray(copy, np.uint8)) / [*[factor] * (4 + 2 * _POINTS), 1])
        yield from sorted((_detection(row) for row in rows), key=lambda found: -found.box.area)


def _rows(network: cv2.FaceDetectorYN, image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what the network finds: (faces, 15), x, y, width, height, x and y of five points, the score."""
    size = size_of(image)
    if min(size) < MIN_SIDE:
        right, bottom = (max(0, MIN_SIDE - side) for side in size)
        image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=0), np.uint8)
    network.setInputSize(size_of(image))
    _, rows = network.detect(image)
    if rows is None:
        return np.empty((0, 4 + 2 * _POINTS + 1))
    found = np.asarray(rows, np.float64)
    # In pictures of a few pixels the network gives numbers without meaning.
    sane = (
        np.isfinite(found).all(axis=1) & (np.abs(found) < 10 * max(size)).all(axis=1) & (found[:, 2:4] >= 1).all(axis=1)
    )
    return np.asarray(found[sane])


def _merged(rows: NDArray[np.float64], of_copy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the large faces of the shrunken copy, and of the picture's own faces those that are no part of one."""
    large = of_copy[of_copy[:, 3] > LARGEST_FACE]
    x, y = rows[:, 0] + rows[:, 2] / 2, rows[:, 1] + rows[:, 3] / 2
    is_part = np.zeros(len(rows), np.bool_)
    for left, top, width, height in large[:, :4]:
        is_part |= (np.abs(x - left - width / 2) < width / 2) & (np.abs(y - top - height / 2) < height / 2)
    return np.vstack([large, rows[~is_part]])


def _detection(row: NDArray[np.float64]) -> Detection:
    landmarks = Landmarks(*(Point(x, y) for x, y in row[4:-1].reshape(-1, 2).tolist()))
    box = Box(*(round(value) for value in row[:4].tolist()))
    return Detection(box, (landmarks.right_eye, landmarks.left_eye), min(1.0, round(float(row[-1]), 6)), landmarks)
