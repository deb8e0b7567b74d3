"""Scenes with known faces: photographed people at chosen sizes, rolled, dark, partly covered; and scenes of nobody."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import FacePhoto, Image, face_photos, faceless_pictures
from testbed.footage import FOLDER
from video_common.schema import Options
from video_emotions.boxes import Box, Size
from video_emotions.frames import read

HD: Final[Size] = (1920, 1080)
SMALL: Final[Size] = (640, 360)
SIZES: Final = (20, 30, 40, 54, 76, 97, 108, 130, 151, 200, 300, 500, 800, 1000)
"""Heights of faces in 1080p, in pixels."""

CLOSE_UP: Final = 300
"""Faces from this height on are close-ups."""

COMFORTABLE: Final = 180
"""Height of a face that is easy to find, in pixels of a 1080p scene: 60 pixels at the default scale."""

ROLLS: Final = (10, 20, 30, 45)
PEOPLE: Final = 20
VIDEO_CALL: Final = (5, 5)
"""Columns and rows of people."""

CALL_HEIGHT: Final = 86
"""Height of a face in a video call: two fifths of its tile."""

_WIDE: Final = 1440
"""Pictures of nobody that are at least so many pixels wide serve as backgrounds."""

_DARKNESS: Final = 0.2
_SHADE: Final = 0.3
"""Which part of the light is left."""

_GREY: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture and its faces.

    Attributes
    ----------
    image : NDArray of uint8, shape (height, width, 3)
        BGR.
    faces : tuple of Box
        Empty: the picture shows nobody.
    """

    image: Image
    faces: tuple[Box, ...] = ()

    @property
    def size(self) -> Size:
        """Width and height of the image."""
        height, width = self.image.shape[:2]
        return width, height


@dataclass(frozen=True, slots=True)
class Case:
    """Scenes that are alike, counted together.

    Attributes
    ----------
    name : str
    scenes : list of Scene
    is_close_up : bool
    """

    name: str
    scenes: list[Scene]
    is_close_up: bool = False

    @property
    def shows_faces(self) -> bool:
        """Each case shows a face in every scene or in none."""
        return any(scene.faces for scene in self.scenes)


def cases() -> Iterator[Case]:
    """Yield all cases. They are made one by one, because a scene takes 6 MB."""
    photos, nobody = face_photos(), list(faceless_pictures().values())
    places = [picture for picture in nobody if picture.shape[1] >= _WIDE]
    frontal = [photo for photo in photos if photo.frontal]
    sharpest = sorted(frontal, key=lambda photo: -photo.box.height)[:PEOPLE]
    people = list(zip(sharpest, cycle(places), strict=False))

    def portraits(height: int, size: Size = HD, roll: float = 0.0) -> list[Scene]:
        return [portrait(photo, height, place, size, roll) for photo, place in people]

    for height in SIZES:
        yield Case(f"{height} px", portraits(height), is_close_up=height >= CLOSE_UP)
    for height in SIZES[:2]:
        yield Case(f"{height} px in 640 x 360", portraits(height, SMALL))
    yield Case(
        f"video call, {CALL_HEIGHT} px", [video_call(sorted(photos, key=lambda photo: not photo.frontal), places)]
    )
    for roll in ROLLS:
        yield Case(f"rolled by {roll} degrees, {COMFORTABLE} px", portraits(COMFORTABLE, roll=roll))
    for name, change in _CHANGES.items():
        yield Case(f"{name}, {COMFORTABLE} px", [change(scene) for scene in portraits(COMFORTABLE)])
    yield Case("pictures of nobody", [Scene(picture) for picture in nobody])
    _, _, frames = read(FOLDER / "no_face.mp4", Options(frame_interval=5, scale_factor=1), threads=1)
    yield Case("frames of a sky", [Scene(frame.image) for frame in frames])


def portrait(photo: FacePhoto, face_height: int, place: Image, size: Size = HD, roll: float = 0.0) -> Scene:
    """Put a person in the middle of another place: the face and as much around it, with a soft edge.

    Parameters
    ----------
    photo : FacePhoto
    face_height : int
        Pixels from the eyebrows to the chin.
    place : NDArray of uint8, shape (height, width, 3)
        What the rest of the scene shows. It fills the scene.
    size : Size
        Of the scene.
    roll : float
        Degrees, counter-clockwise. The face's box stays upright and as large as it was.
    """
    zoom = face_height / photo.box.height
    width, height = size
    picture, (x, y) = photo.image, _center(photo.box)
    if zoom < 1:  # averages, so that no detail of the photo turns into noise
        picture = _image(cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA))
        x, y = x * picture.shape[1] / photo.image.shape[1], y * picture.shape[0] / photo.image.shape[0]
    move = cv2.getRotationMatrix2D((x, y), roll, max(1.0, zoom))
    move[:, 2] += np.array([width / 2 - x, height / 2 - y])
    moved = cv2.warpAffine(picture, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    weight = _surroundings(size, round(zoom * max(photo.box[2:])))
    sides = round(zoom * photo.box.width), face_height
    face = Box(round((width - sides[0]) / 2), round((height - sides[1]) / 2), *sides)
    return Scene(_image(cv2.blendLinear(moved, _filling(place, size), weight, 1 - weight)), (face,))


def video_call(photos: Sequence[FacePhoto], places: Sequence[Image]) -> Scene:
    """Return a 1080p scene of rows of tiles, with a person in each."""
    columns, rows = VIDEO_CALL
    width, height = HD[0] // columns, HD[1] // rows
    people = zip(photos[: columns * rows], cycle(places), strict=False)
    tiles = [portrait(photo, CALL_HEIGHT, place, (width, height)) for photo, place in people]
    faces = [
        face._replace(x=face.x + place % columns * width, y=face.y + place // columns * height)
        for place, tile in enumerate(tiles)
        for face in tile.faces
    ]
    lines = [np.hstack([tile.image for tile in tiles[row * columns :][:columns]]) for row in range(rows)]
    return Scene(_image(np.vstack(lines)), tuple(faces))


def dark(scene: Scene) -> Scene:
    """Take most of the light away."""
    return replace(scene, image=_image(scene.image * _DARKNESS))


def half_in_shade(scene: Scene) -> Scene:
    """Darken everything to the left of the face's middle."""
    image = scene.image.copy()
    image[:, : scene.size[0] // 2] = image[:, : scene.size[0] // 2] * _SHADE
    return replace(scene, image=image)


def mouth_covered(scene: Scene) -> Scene:
    """Draw a gray rectangle over the lower third of each face."""
    image = scene.image.copy()
    for face in scene.faces:
        image[face.y + face.height * 2 // 3 : face.y + face.height, face.x : face.x + face.width] = _GREY
    return replace(scene, image=image)


_CHANGES: Final[dict[str, Callable[[Scene], Scene]]] = {
    "dark": dark,
    "half in shade": half_in_shade,
    "mouth covered": mouth_covered,
}


def _center(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def _surroundings(size: Size, reach: int) -> NDArray[np.float32]:
    """Return 1 in the middle of a scene, 0 from so many pixels on to each side, and a slope between."""
    across, down = (np.clip((reach - abs(np.arange(side) - side / 2)) / reach * 4, 0, 1) for side in size)
    return np.asarray(np.outer(down, across), np.float32)


def _filling(picture: Image, size: Size) -> Image:
    """Return the middle of a picture, resized to a size."""
    zoom = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    whole = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=way)
    return _image(cv2.getRectSubPix(whole, size, (whole.shape[1] / 2 - 0.5, whole.shape[0] / 2 - 0.5)))


def _image(picture: cv2.typing.MatLike) -> Image:
    return np.asarray(picture, np.uint8)
