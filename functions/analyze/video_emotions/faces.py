"""Step 5: the faces in a frame.  Frame.image -> Face(box, crop), largest first.

OpenCV's Haar cascade finds them; the crop is the one that DeepFace's opencv detector makes with its default alignment
(`deepface/modules/detection.py` of 0.0.103: turn the face so that the eyes are level, then cut out the turned box).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Rectangle, clip
from video_emotions.search import MIN_NEIGHBOURS, SCALE_STEP, coarse_to_fine, everywhere, load_cascade

Point = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a frame.

    Attributes
    ----------
    box : Rectangle
        In pixels of the analysed image; clipped to it.
    crop : NDArray of uint8, shape (height, width, 3)
        BGR, eyes level where both were found.
    """

    box: Rectangle
    crop: NDArray[np.uint8]


@dataclass(slots=True)
class _Cascades:
    """OpenCV's classifiers, and the shape of the pictures that they are used for (None: not used yet)."""

    shape: tuple[int, ...] | None = None
    faces: cv2.CascadeClassifier = field(default_factory=lambda: load_cascade("haarcascade_frontalface_default.xml"))
    eyes: cv2.CascadeClassifier = field(default_factory=lambda: load_cascade("haarcascade_eye.xml"))


class FaceFinder:
    """Finds faces with the frontal-face cascade and eyes with the eye cascade, both out of OpenCV's wheel.

    Threads may share it: OpenCV's classifiers keep state during a call, so each call has some to itself. They also keep
    memory for the largest width times the largest height of all pictures they ever saw: one very wide and one very tall
    video would ask for gigabytes. So each size of picture gets new ones (17 ms).
    """

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # several frames at once are looked at: OpenCV's own threads would be in their way
        self._idle = [_Cascades()]

    def find(self, image: NDArray[np.uint8], *, exact: bool, most: int | None = None) -> list[Face]:
        """Find the faces in a picture.

        Parameters
        ----------
        image : NDArray of uint8, shape (height, width, 3)
            BGR.
        exact : bool
            The boxes are exactly those of ``DeepFace.analyze``. Otherwise those of `search.coarse_to_fine`.
        most : int, optional
            No more than these are cut out.

        Returns
        -------
        list of Face
            Largest area first; of equal ones, the cascade's order.
        """
        with self._cascades(image.shape) as cascades:
            return _faces(image, cascades, everywhere if exact else coarse_to_fine, most)

    @contextmanager
    def _cascades(self, shape: tuple[int, ...]) -> Iterator[_Cascades]:
        cascades = self._idle.pop() if self._idle else _Cascades()
        if cascades.shape not in (None, shape):
            cascades = _Cascades()
        cascades.shape = shape
        try:
            yield cascades
        finally:
            self._idle.append(cascades)


def _faces(
    image: NDArray[np.uint8], cascades: _Cascades, search: Callable[..., list[Rectangle]], most: int | None
) -> list[Face]:
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    height, width = grey.shape
    faces: list[Face] = []
    for box in sorted(search(cascades.faces, grey), key=lambda box: -box[2] * box[3]):
        if most is not None and len(faces) == most:
            break
        crop = _aligned_crop(image, box, _tilt(cascades.eyes, _cut(grey, box)))
        if crop.size:
            faces.append(Face(clip(box, width, height), crop))
    return faces


def _tilt(cascade: cv2.CascadeClassifier, grey: NDArray[np.uint8]) -> float:
    """Return the degrees by which the line through the two largest eyes is tilted; 0.0 if there are not two."""
    found = cascade.detectMultiScale(grey, SCALE_STEP, MIN_NEIGHBOURS)
    eyes = sorted(found, key=lambda eye: -int(eye[2]) * int(eye[3]))[:2]
    if len(eyes) < 2:
        return 0.0
    # The person's left eye is on the right of the picture.
    left, right = eyes if eyes[0][0] >= eyes[1][0] else eyes[::-1]
    (left_x, left_y), (right_x, right_y) = _centre(left), _centre(right)
    return float(np.degrees(np.arctan2(left_y - right_y, left_x - right_x)))


def _centre(box: Sequence[int]) -> Point:
    x, y, w, h = (int(value) for value in box)
    return int(x + w / 2), int(y + h / 2)


def _aligned_crop(image: NDArray[np.uint8], box: Rectangle, angle: float) -> NDArray[np.uint8]:
    """Turn the face's surroundings (twice its box) by ``angle`` degrees and cut the turned box out."""
    x, y, w, h = box
    margin_x, margin_y = int(0.5 * w), int(0.5 * h)
    around = _cut(image, (x - margin_x, y - margin_y, w + 2 * margin_x, h + 2 * margin_y))
    height, width = around.shape[:2]
    left, top, right, bottom = margin_x, margin_y, margin_x + w, margin_y + h
    if angle:
        turn = cv2.getRotationMatrix2D((width // 2, height // 2), angle, 1.0)
        around = np.asarray(cv2.warpAffine(around, turn, (width, height), flags=cv2.INTER_CUBIC), dtype=np.uint8)
        left, top, right, bottom = _turned_box((left, top, right, bottom), angle, width, height)
    return around[top:bottom, left:right]


def _turned_box(corners: Rectangle, angle: float, width: int, height: int) -> Rectangle:
    """Return left, top, right, bottom of a box of the same size around the box's turned centre, clipped."""
    left, top, right, bottom = corners
    radians = np.radians(angle)
    x, y = (left + right) / 2 - width / 2, (top + bottom) / 2 - height / 2
    centre_x = x * np.cos(radians) + y * np.sin(radians) + width / 2
    centre_y = -x * np.sin(radians) + y * np.cos(radians) + height / 2
    half_w, half_h = (right - left) / 2, (bottom - top) / 2
    return (
        max(int(centre_x - half_w), 0),
        max(int(centre_y - half_h), 0),
        min(int(centre_x + half_w), width),
        min(int(centre_y + half_h), height),
    )


def _cut(image: NDArray[np.uint8], box: Rectangle) -> NDArray[np.uint8]:
    """Cut a box out; what lies outside of the picture is black."""
    x, y, w, h = box
    height, width = image.shape[:2]
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
    if (left, top, right, bottom) == (x, y, x + w, y + h):
        return image[top:bottom, left:right]
    out = np.zeros((h, w, *image.shape[2:]), dtype=np.uint8)
    if right > left and bottom > top:
        out[top - y : bottom - y, left - x : right - x] = image[top:bottom, left:right]
    return out
