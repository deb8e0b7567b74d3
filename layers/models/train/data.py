"""FER2013's faces, and the part of them that is held out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

NEAR: Final = 0.92
"""Somebody looked at pairs of FER2013. One photograph is shown by all 48 from 0.95 to 0.98, by 16 of 20 from 0.92 to
0.94, and by half of those from 0.90 to 0.92. So some copies are not found."""


@dataclass(frozen=True)
class Faces:
    """Labeled faces.

    Attributes
    ----------
    images : NDArray of uint8, shape (count, side, side)
        Gray.
    labels : NDArray of int64
        The place of each face's label in the label order.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, places: NDArray[np.int64]) -> "Faces":
        """Return those at some places."""
        return Faces(self.images[places], self.labels[places])

    @property
    def mirrored(self) -> "Faces":
        """The same, left and right changed."""
        return Faces(np.ascontiguousarray(self.images[:, :, ::-1]), self.labels)

    @property
    def digests(self) -> NDArray[np.str_]:
        """A digest of each picture: FER2013 has many pictures twice."""
        return np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in self.images])

    def near_copies(self, others: "Faces") -> NDArray[np.bool_]:
        """Report which pictures are also among others, or one that is cropped, lit or mirrored a little differently.

        Two pictures are near copies if their 16 x 16 pixels correlate by more than `NEAR`.
        """
        theirs = np.concatenate([others.small, others.mirrored.small])
        parts = np.array_split(self.small, 1 + len(self) // 256)
        near = np.concatenate([(part @ theirs.T).max(axis=1) > NEAR for part in parts])
        return near | np.isin(self.digests, others.digests)

    @property
    def small(self) -> NDArray[np.float32]:
        """The pictures in 16 x 16 pixels, with mean 0 and length 1, of shape (count, 256)."""
        small = np.stack([cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA).ravel() for image in self.images])
        small = small.astype(np.float32) - small.mean(axis=1, keepdims=True)
        return np.asarray(small / np.linalg.norm(small, axis=1, keepdims=True).clip(1e-6), np.float32)

    def inputs(self, side: int) -> NDArray[np.float32]:
        """Return the pictures as a network's input, of shape (count, side, side, 1) and range 0 to 1.

        The service enlarges a face to DeepFace's 224 pixels first, which changes a pixel by one or two of 255.
        """
        images = self.images
        if images.shape[1] != side:
            images = np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images])
        return images[..., None].astype(np.float32) / np.float32(255)


def load(path: Path, part: str) -> Faces:
    """Read ``train`` or ``validation`` of the file."""
    with np.load(path) as file:
        return Faces(file[f"{part}_x"], file[f"{part}_y"].astype(np.int64))


def split(faces: Faces, part: float, seed: int) -> tuple[Faces, Faces]:
    """Hold out a part of each class, without pictures that are also among the others.

    Returns
    -------
    Faces
        To train on.
    Faces
        Held out.
    """
    random = np.random.default_rng(seed)
    held = np.zeros(len(faces), bool)
    for label in np.unique(faces.labels):
        places = random.permutation(np.flatnonzero(faces.labels == label))
        held[places[: round(part * len(places))]] = True
    names = faces.digests
    held &= ~np.isin(names, names[~held])
    return faces.of(np.flatnonzero(~held)), faces.of(np.flatnonzero(held))
