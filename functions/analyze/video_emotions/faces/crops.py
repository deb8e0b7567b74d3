"""Faces cut out for the network, as DeepFace cuts them with its default alignment.

DeepFace (`deepface/modules/detection.py` of 0.0.103) turns the face until its eyes are level, then cuts the turned box.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Box
from video_emotions.faces.detector import Point

Image = NDArray[np.uint8]


def aligned_crop(image: Image, box: Box, eyes: tuple[Point, Point] | None) -> Image:
    """Cut a face out, turned so that its eyes are level.

    Parameters
    ----------
    image : NDArray of uint8, shape (height, width, 3)
        BGR.
    box : Box
    eyes : tuple of Point or None
        The person's right eye and left eye. None: the face stays as it is.

    Returns
    -------
    NDArray of uint8, shape (height, width, 3)
        BGR. It is empty if the turned box is outside the surroundings of the face.
    """
    margin_x, margin_y = int(0.5 * box.width), int(0.5 * box.height)
    width, height = box.width + 2 * margin_x, box.height + 2 * margin_y
    around = cut(image, Box(box.x - margin_x, box.y - margin_y, width, height))
    inner = Box(margin_x, margin_y, box.width, box.height)
    if angle := tilt(eyes):
        turn = cv2.getRotationMatrix2D((width // 2, height // 2), angle, 1.0)
        around = np.asarray(cv2.warpAffine(around, turn, (width, height), flags=cv2.INTER_CUBIC), dtype=np.uint8)
        inner = _turned(inner, angle, (width, height))
    return around[inner.y : inner.y + inner.height, inner.x : inner.x + inner.width]


def tilt(eyes: tuple[Point, Point] | None) -> float:
    """Return the degrees by which the line through the eyes is tilted; 0.0 without eyes."""
    if eyes is None:
        return 0.0
    # The person's left eye is on the right of the picture.
    right, left = eyes
    return float(np.degrees(np.arctan2(left.y - right.y, left.x - right.x)))


def cut(image: Image, box: Box) -> Image:
    """Cut a box out of a picture of any number of channels. The part outside the picture is black."""
    height, width = image.shape[:2]
    inside = box.clipped((width, height))
    if inside == box:
        return image[box.y : box.y + box.height, box.x : box.x + box.width]
    out = np.zeros((box.height, box.width, *image.shape[2:]), dtype=np.uint8)
    if inside.width > 0 and inside.height > 0:
        top, left = inside.y - box.y, inside.x - box.x
        out[top : top + inside.height, left : left + inside.width] = cut(image, inside)
    return out


def _turned(box: Box, angle: float, size: tuple[int, int]) -> Box:
    """Return a box of the same size around the box's turned center, clipped to a picture of that size."""
    radians, (width, height) = np.radians(angle), size
    x, y = box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2
    center_x = x * np.cos(radians) + y * np.sin(radians) + width / 2
    center_y = -x * np.sin(radians) + y * np.cos(radians) + height / 2
    left, top = max(int(center_x - box.width / 2), 0), max(int(center_y - box.height / 2), 0)
    right = min(int(center_x + box.width / 2), width)
    bottom = min(int(center_y + box.height / 2), height)
    return Box(left, top, max(right - left, 0), max(bottom - top, 0))
