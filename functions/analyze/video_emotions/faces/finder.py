"""The table of detectors, and the faces that one of them finds in a frame."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from video_common.errors import InvalidOption, ModelUnavailable
from video_emotions.boxes import Box, size_of
from video_emotions.faces.crops import aligned_crop
from video_emotions.faces.detector import Detection, Detector, Landmarks
from video_emotions.faces.haar import Haar
from video_emotions.faces.yunet import YuNet

Factory = Callable[[Path], Detector]
"""Makes a detector from the directory of the models. It verifies what it loads from there."""

DETECTORS: Final[Mapping[str, Factory]] = {"haar": lambda _: Haar(), "yunet": YuNet.load}


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a frame.

    Attributes
    ----------
    box : Box
        In pixels of the analyzed image, clipped to it.
    crop : NDArray of uint8, shape (height, width, 3)
        BGR, eyes level where both were found.
    score : float or None
        The detector's, 0 to 1.
    landmarks : Landmarks or None
        In pixels of the analyzed image.
    """

    box: Box
    crop: NDArray[np.uint8]
    score: float | None = None
    landmarks: Landmarks | None = None


class FaceFinder:
    """Loads each detector at its first use and keeps it. Threads may share it.

    Parameters
    ----------
    models_dir : Path
    default : str
        The detector of requests that name none.
    detectors : mapping of str to Factory
    """

    def __init__(self, models_dir: Path, default: str = "haar", detectors: Mapping[str, Factory] = DETECTORS) -> None:
        cv2.setNumThreads(1)  # several frames are in progress at the same time: OpenCV's own threads would slow them
        self._models_dir = models_dir
        self._default = default
        self._factories = detectors
        self._loaded: dict[str, Detector] = {}

    def detector(self, name: str | None = None) -> Detector:
        """Return the detector that a request names, or the default one.

        Raises
        ------
        InvalidOption
            The request names a detector that this deployment does not have.
        ModelUnavailable
            The default detector's file is missing, or is not the one of the model manifest.
        """
        try:
            return self._load(name or self._default)
        except ModelUnavailable as error:
            if name is None or name == self._default:
                raise
            raise InvalidOption(
                f"'detector': this deployment has no {name}. Leave the option out, or use {self._default}."
            ) from error

    def _load(self, name: str) -> Detector:
        if name not in self._loaded:
            self._loaded[name] = self._factories[name](self._models_dir)
        return self._loaded[name]

    def load_all(self) -> list[str]:
        """Load all detectors, so that a damaged file shows at the start, and return why some cannot be used.

        Raises
        ------
        ModelUnavailable
            The default one cannot be used.
        """
        self.detector()
        unavailable = []
        for name in self._factories:
            try:
                self._load(name)
            except ModelUnavailable as error:
                unavailable.append(f"{name}: {error.detail}")
        return unavailable

    @property
    def usable(self) -> list[str]:
        """The detectors that are loaded."""
        return list(self._loaded)

    @property
    def identity(self) -> dict[str, str]:
        """The default's name, and the digest of each detector that is loaded."""
        digests = {name: detector.facts.weights_sha256 for name, detector in sorted(self._loaded.items())}
        return {"default": self._default, **digests}


def find_faces(image: NDArray[np.uint8], detections: Iterable[Detection]) -> Iterator[Face]:
    """Cut the faces out of a picture, in the order of their detections. Each is cut out when it is due.

    Parameters
    ----------
    image : NDArray of uint8, shape (height, width, 3)
        BGR.
    detections : iterable of Detection
        From the same picture.
    """
    for found in detections:
        box = found.box.clipped(size_of(image))
        crop = aligned_crop(image, found.box, found.eyes)
        if crop.size and box.width > 0 and box.height > 0:
            # A copy, since the cut is a view: it would keep the picture in memory.
            yield Face(box, crop.copy(), found.score, found.landmarks)
