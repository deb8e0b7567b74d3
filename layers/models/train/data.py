"""FER2013's faces, and the part of them that is held out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Faces:
    """Grey faces, uint8 of shape (count, 48, 48), and the place of each one's label in the label order."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, places: NDArray[np.int64]) -> "Faces":
        """Return those at some places."""
        return Faces(self.images[places], self.labels[places])


def load(path: Path, part: str) -> Faces:
    """Read ``train`` or ``validation`` of the file."""
    with np.load(path) as file:
        return Faces(file[f"{part}_x"], file[f"{part}_y"].astype(np.int64))


def digest(path: Path) -> str:
    """Return the file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def split(faces: Faces, part: float, seed: int) -> tuple[Faces, Faces]:
    """Hold out a part of each class, and no picture that is also among the others: FER2013 has many twice.

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
    names = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in faces.images])
    held &= ~np.isin(names, names[~held])
    return faces.of(np.flatnonzero(~held)), faces.of(np.flatnonzero(held))
