"""Faces as a camera and DeepFace's preparation vary them. NumPy and OpenCV only; every draw is from the generator given."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Faces = NDArray[np.uint8]
Batch = NDArray[np.float32]

DEGREES: Final = 15.0
SCALE: Final = 0.15
SHIFT: Final = 0.10
"""Most by which a face is rotated, enlarged or shrunk, and moved (part of its side)."""
_LETTERBOXED: Final = 0.3
"""Part of the faces that get black bars: DeepFace pads crops to a square, and a head is rarely as wide as high."""
_CUT_OUT: Final = 0.4
_BLURRED: Final = 0.15


def augmented(faces: Faces, side: int, random: np.random.Generator) -> Batch:
    """Return varied copies of faces.

    Parameters
    ----------
    faces : NDArray of uint8, shape (count, height, width)
        Grey.
    side : int
        Pixels of a side of the result.
    random : Generator

    Returns
    -------
    NDArray of float32, shape (count, side, side, 1)
        Of range 0 to 1.
    """
    return np.stack([_varied(face, side, random) for face in faces])[..., None]


def _varied(face: NDArray[np.uint8], side: int, random: np.random.Generator) -> Batch:
    height, width = face.shape
    turn = cv2.getRotationMatrix2D(
        ((width - 1) / 2, (height - 1) / 2),
        float(random.uniform(-DEGREES, DEGREES)),
        float(np.exp(random.uniform(-SCALE, SCALE))),
    )
    stretch = np.exp(random.uniform(-0.08, 0.08))
    turn[0] *= stretch
    turn[:, 2] += random.uniform(-SHIFT, SHIFT, 2) * (width, height)
    turn[0, 2] += (1 - stretch) * (width - 1) / 2
    turn *= side / width
    turn[:, 2] += (side / width - 1) / 2
    border = cv2.BORDER_REPLICATE if random.random() < 0.5 else cv2.BORDER_CONSTANT
    image = cv2.warpAffine(face, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=border).astype(np.float32)
    image /= 255
    if random.random() < 0.5:
        image = image[:, ::-1]
    if random.random() < _BLURRED:
        image = cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.4, 1.0)))
    mean = float(image.mean())
    image = (image - mean) * np.float32(np.exp(random.uniform(-0.35, 0.35))) + mean
    image = np.clip(image + np.float32(random.uniform(-0.15, 0.15)), 0, 1) ** np.float32(np.exp(random.uniform(-0.3, 0.3)))
    if random.random() < _CUT_OUT:
        image = image.copy()
        high, wide = (int(part * side) for part in random.uniform(0.1, 0.4, 2))
        top, left = int(random.integers(0, side - high + 1)), int(random.integers(0, side - wide + 1))
        image[top : top + high, left : left + wide] = random.uniform(0, 1)
    if random.random() < _LETTERBOXED:
        image = _between_bars(image, int(side * random.uniform(0.03, 0.16)), beside=random.random() < 0.8)
    return np.ascontiguousarray(image, np.float32)


def _between_bars(image: Batch, bar: int, *, beside: bool) -> Batch:
    side = image.shape[0]
    boxed = np.zeros((side, side), np.float32)
    if beside:
        boxed[:, bar : side - bar] = cv2.resize(np.ascontiguousarray(image), (side - 2 * bar, side))
    else:
        boxed[bar : side - bar] = cv2.resize(np.ascontiguousarray(image), (side, side - 2 * bar))
    return boxed
