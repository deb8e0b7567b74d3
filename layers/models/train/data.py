"""FER2013's faces, and the part of them that is held out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


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
