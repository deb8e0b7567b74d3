"""Boxes: rectangles in a picture. Pure."""

from typing import Any, NamedTuple, Self

Size = tuple[int, int]
"""Width and height in pixels."""


def size_of(image: Any) -> Size:
    """Return the size of an image, an array of shape (height, width, ...)."""
    height, width = image.shape[:2]
    return width, height


class Box(NamedTuple):
    """A rectangle in a picture, in pixels. It may reach outside the picture.

    Attributes
    ----------
    x, y : int
        The upper left corner; x grows to the right and y grows down.
    width, height : int
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Pixels inside the box."""
        return self.width * self.height

    def clipped(self, size: Size) -> Self:
        """Return the part of the box that is inside a picture of that size."""
        left, top = max(0, self.x), max(0, self.y)
        right, bottom = min(size[0], self.x + self.width), min(size[1], self.y + self.height)
        return self._replace(x=left, y=top, width=right - left, height=bottom - top)

    def scaled(self, size: Size, new_size: Size) -> Self:
        """Return the box in the same picture at another size."""
        across, down = new_size[0] / size[0], new_size[1] / size[1]
        return self._replace(
            x=round(self.x * across),
            y=round(self.y * down),
            width=round(self.width * across),
            height=round(self.height * down),
        )

    def is_centred(self, size: Size, tolerance: float) -> bool:
        """Report whether the box's center is near the picture's center.

        Near means within ``tolerance`` of the picture's width and of its height, as the Flask app defined it.
        """
        across = abs(self.x + self.width / 2 - size[0] / 2)
        down = abs(self.y + self.height / 2 - size[1] / 2)
        return across <= tolerance * size[0] and down <= tolerance * size[1]

    def overlap(self, other: "Box") -> float:
        """Return intersection over union, 0 to 1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        both = max(0, across) * max(0, down)
        union = self.area + other.area - both
        return both / union if union else 0.0
