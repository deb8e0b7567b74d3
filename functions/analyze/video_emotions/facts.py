"""What is known of a video outside the process that reads it: small facts and pictures, no packets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Size


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before its pictures are analyzed.

    Attributes
    ----------
    codec : str
    width, height : int
        Of the upright picture, in square pixels.
    rotation : int
        Degrees clockwise by which the stored picture is turned to be upright: 0, 90, 180 or 270.
    frame_rate : float
        Mean frames a second over the whole video; 0.0 for a single frame of unknown rate.
    duration_ms : int
        From the first picture's start to the last one's end.
    size_bytes : int
    sha256 : str or None
        Of the file, in hexadecimal. None where the file was not read as a whole.
    frame_count : int
        Pictures in the file, readable or not.
    """

    codec: str
    width: int
    height: int
    rotation: int
    frame_rate: float
    duration_ms: int
    size_bytes: int
    sha256: str | None
    frame_count: int

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """The size of a segment.

    Attributes
    ----------
    frames : int
        Sampled pictures.
    start_ms, end_ms : int
        Presentation times of the first and of the last one.
    seconds : float
        Processor time that it should take.
    most_seconds : float
        The same if each sampled picture is searched at all sizes, as those without a face are.
    """

    frames: int
    start_ms: int
    end_ms: int
    seconds: float
    most_seconds: float


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The size of a plan, without the list of its pictures.

    Attributes
    ----------
    frames_wanted : int
        Pictures to analyze.
    pictures : int
        In the chosen part.
    until_ms : int or None
        Presentation time of the first picture that a limit leaves out. None: it leaves none out.
    scales : tuple of float
        The factors at which a picture of the video's size is analyzed, ascending.
    """

    frames_wanted: int
    pictures: int
    until_ms: int | None
    scales: tuple[float, ...]

    @property
    def truncated(self) -> bool:
        """True where a limit leaves pictures out."""
        return self.until_ms is not None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A sampled picture at the sizes at which it is analyzed.

    Attributes
    ----------
    index : int
        Its position in presentation order, counted over all pictures, unreadable ones included.
    time_ms : int
        Presentation time, milliseconds from the start of the file.
    images : tuple of NDArray of uint8, shape (height, width, 3)
        BGR, upright, in square pixels, the smallest first. A larger one is for pictures without a face in those before.
    own_size : Size
        Before shrinking, in square pixels.
    planned : int
        How many planned pictures there are up to this one, unreadable ones included.
    next_ms : int or None
        Presentation time of the next planned picture, or of the first one that a limit leaves out. None: there is none.
    """

    index: int
    time_ms: int
    images: tuple[NDArray[np.uint8], ...]
    own_size: Size
    planned: int
    next_ms: int | None

    @property
    def image(self) -> NDArray[np.uint8]:
        """The image that is analyzed first."""
        return self.images[0]
