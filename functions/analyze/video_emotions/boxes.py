"""Boxes: rectangles in a picture. Pure."""

Rectangle = tuple[int, int, int, int]
"""x, y, width, height in pixels, x to the right and y down; it may reach out of the picture."""


def is_centred(box: Rectangle, width: int, height: int, tolerance: float) -> bool:
    """Tell whether a box's centre is within ``tolerance`` of the picture's width and height from its centre (seed)."""
    x, y, w, h = box
    return abs(x + w / 2 - width / 2) <= tolerance * width and abs(y + h / 2 - height / 2) <= tolerance * height


def clip(box: Rectangle, width: int, height: int) -> Rectangle:
    """Return the part of a box that lies in a picture of that width and height."""
    x, y, w, h = box
    left, top = max(0, x), max(0, y)
    return left, top, min(width, x + w) - left, min(height, y + h) - top


def resized(box: Rectangle, size: tuple[int, int], new_size: tuple[int, int]) -> Rectangle:
    """Return the box in the same picture at another width and height."""
    x, y, w, h = box
    across, down = new_size[0] / size[0], new_size[1] / size[1]
    return round(x * across), round(y * down), round(w * across), round(h * down)
