"""What a face detector promises: a picture in, detections out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from video_common.result import DetectorFacts
from video_emotions.boxes import Box


class Point(NamedTuple):
    """A place in a picture, in pixels."""

    x: float
    y: float


class Landmarks(NamedTuple):
    """Five points of a face. Right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector found.

    Attributes
    ----------
    box : Box
        In pixels of the picture; it may reach outside.
    eyes : tuple of Point, optional
        The person's right eye, then the left one. None: not both were found.
    score : float, optional
        0 to 1. None: the detector gives none.
    landmarks : Landmarks, optional
    """

    box: Box
    eyes: tuple[Point, Point] | None = None
    score: float | None = None
    landmarks: Landmarks | None = None


class Detector(Protocol):
    """Finds faces. Several threads share one detector.

    Attributes
    ----------
    facts : DetectorFacts
    smallest_face : int
        Side of the smallest face that it searches, in pixels of the picture that it is given.
    sure_face : int
        Side from which a face needs no search in a larger copy of the picture, in the same pixels.
    """

    facts: DetectorFacts
    smallest_face: int
    sure_face: int

    def detect(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        """Yield the faces in a picture, largest first.

        Callers may stop early. So a detector does costly work for a face, such as finding its eyes, only when it yields
        that face.

        Parameters
        ----------
        image : NDArray of uint8, shape (height, width, 3)
            BGR, any size.
        """
