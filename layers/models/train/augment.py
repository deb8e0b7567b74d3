"""Faces as a camera and DeepFace's preparation vary them. Every draw is from the generator that is given."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

DEGREES: Final = 15.0
SCALE: Final = 0.15
STRETCH: Final = 0.08
SHIFT: Final = 0.10
"""Most by which a face is rotated, enlarged or shrunk, widened or narrowed, and moved (part of its side)."""

LETTERBOXED: Final = 0.3
"""Part of the faces that get black bars: DeepFace pads crops to a square, and YuNet's boxes are higher than wide."""

_BAR: Final = (0.03, 0.15)
"""Part of the side that a bar takes. A box of YuNet is 0.7 to 0.9 times as wide as high."""

_CUT_OUT: Final = 0.4
_BLURRED: Final = 0.15


def augmented(
    images: NDArray[np.uint8], side: int, random: np.random.Generator, *, whole: bool = False
) -> NDArray[np.float32]:
    """Return varied copies of faces.

    Parameters
    ----------
    images : NDArray of uint8, shape (count, height, width)
        Gray.
    side : int
        Pixels of a side of the result.
    random : Generator
    whole : bool
        Cut nothing out.

    Returns
    -------
    NDArray of float32, shape (count, side, side, 1)
        Of range 0 to 1.
    """
    return np.stack([_varied(image, side, random, whole) for image in images])[..., None]


def _varied(image: NDArray[np.uint8], side: int, random: np.random.Generator, whole: bool) -> Picture:
    border = cv2.BORDER_REPLICATE if random.random() < 0.5 else cv2.BORDER_CONSTANT
    turn = _placed(image.shape[0], side, random)
    gray = cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=border)
    face: Picture = gray.astype(np.float32) / np.float32(255)
    if random.random() < 0.5:
        face = np.ascontiguousarray(face[:, ::-1])
    if random.random() < _BLURRED:
        face = np.asarray(cv2.GaussianBlur(face, (0, 0), float(random.uniform(0.4, 1.0))), np.float32)
    face = _lit(face, random)
    if not whole and random.random() < _CUT_OUT:
        high, wide = (int(part * side) for part in random.uniform(0.1, 0.4, 2))
        top, left = int(random.integers(0, side - high + 1)), int(random.integers(0, side - wide + 1))
        face[top : top + high, left : left + wide] = random.uniform(0, 1)
    if random.random() < LETTERBOXED:
        bar = max(1, round(side * random.uniform(*_BAR)))
        face[:, :bar] = face[:, side - bar :] = 0
    return np.ascontiguousarray(face, np.float32)


def _placed(height: int, side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the affine map from a square picture to one of another side; the centers of both lie on each other."""
    middle = (height - 1) / 2
    angle, scale = float(random.uniform(-DEGREES, DEGREES)), float(np.exp(random.uniform(-SCALE, SCALE)))
    turn = np.asarray(cv2.getRotationMatrix2D((middle, middle), angle, scale), np.float64)
    stretch = np.exp(random.uniform(-STRETCH, STRETCH))
    turn[0] *= stretch
    turn[0, 2] += (1 - stretch) * middle
    turn[:, 2] += random.uniform(-SHIFT, SHIFT, 2) * height
    turn *= side / height
    turn[:, 2] += (side / height - 1) / 2
    return turn


def _lit(face: Picture, random: np.random.Generator) -> Picture:
    mean = float(face.mean())
    face = (face - mean) * np.float32(np.exp(random.uniform(-0.35, 0.35))) + mean
    face = np.clip(face + np.float32(random.uniform(-0.15, 0.15)), 0, 1)
    return np.asarray(face ** np.float32(np.exp(random.uniform(-0.3, 0.3))), np.float32)
