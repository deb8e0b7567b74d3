"""People who walk through a picture, with the truth about who is where: for tests and benchmarks of tracks.

Everything is drawn from a seed. Lengths are in pixels of a picture of `SIZE`, and there is a frame each 100 ms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from video_emotions.boxes import Box, Size

SIZE: Final[Size] = (480, 270)
STEP_MS: Final = 100
_FACE: Final = (54.0, 72.0)
"""Height of a face, from the least to the greatest."""

_ASPECT: Final = 0.78
"""A face's width, as part of its height."""

_COVERED: Final = 0.35
"""Part of a face that another one may cover before it counts as hidden."""

Path = NDArray[np.float64]
"""Centers of a face, of shape (frames, 2); NaN where the person is not in the picture or behind something."""


@dataclass(frozen=True, eq=False)
class Walker:
    """A person: where the face is in each frame, its height, and in which scene it can be seen."""

    path: Path
    height: float
    scene: int = 0

    def box(self, frame: int) -> Box | None:
        """Return the face's box in a frame. None: it is out of the picture or hidden by a thing."""
        x, y = self.path[frame]
        if np.isnan(x):
            return None
        width = self.height * _ASPECT
        return Box(round(x - width / 2), round(y - self.height / 2), round(width), round(self.height))


@dataclass(frozen=True, eq=False)
class Walk:
    """A clip's truth.

    Attributes
    ----------
    walkers : list of Walker
        Those who are in front come last.
    scenes : NDArray of int64
        For each frame, which scene it shows.
    seed : int
    """

    walkers: list[Walker]
    scenes: NDArray[np.int64]
    seed: int

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.scenes)

    def boxes(self, frame: int) -> list[Box | None]:
        """Return each person's face in a frame. None: it is not in the picture, or something is before it."""
        boxes = [walker.box(frame) if walker.scene == self.scenes[frame] else None for walker in self.walkers]
        return [box and (None if _is_outside(box) else box) for box in boxes]

    def seen(self, frame: int) -> list[Box | None]:
        """Return the faces that can be found: no other face covers more than a third of them."""
        boxes = self.boxes(frame)
        return [
            box if box and all(_covered(box, other) <= _COVERED for other in boxes[place + 1 :] if other) else None
            for place, box in enumerate(boxes)
        ]


def _is_outside(box: Box) -> bool:
    return box.clipped(SIZE).width < 0.75 * box.width or box.clipped(SIZE).height < 0.75 * box.height


def _covered(box: Box, other: Box) -> float:
    across = min(box.x + box.width, other.x + other.width) - max(box.x, other.x)
    down = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
    return max(0, across) * max(0, down) / box.area


def crossing(seed: int) -> Walk:
    """Two people come from both sides and pass each other."""
    random = np.random.default_rng([1, seed])
    seconds = random.uniform(3.5, 6)
    part = _parts(seconds)
    y = random.uniform(0.4, 0.6) * SIZE[1]
    walkers = []
    for side in (-1, 1):
        begin, end = (SIZE[0] * (0.5 + side * random.uniform(0.25, 0.38)) for _ in range(2))
        x = begin + (SIZE[0] - end - begin) * part
        walkers.append(_walker(x, y + random.uniform(-12, 12), random))
    return _shuffled(walkers, seed, random)


def meeting(seed: int) -> Walk:
    """Two people walk up to each other, stand face to face, and turn back."""
    random = np.random.default_rng([2, seed])
    seconds, wait = random.uniform(4, 6), random.uniform(0, 1)
    times = np.arange(round(seconds * 1000 / STEP_MS)) * STEP_MS / 1000
    apart = np.clip((np.abs(times - seconds / 2) - wait / 2) / ((seconds - wait) / 2), 0, 1)
    apart = np.sin(apart * np.pi / 2) if random.random() < 0.5 else apart
    y, far, near = random.uniform(0.4, 0.6) * SIZE[1], random.uniform(0.25, 0.38) * SIZE[0], random.uniform(0.48, 0.8)
    walkers = []
    for side in (-1, 1):
        made = _walker(np.zeros_like(times), y + random.uniform(-12, 12), random)
        close = near * made.height * _ASPECT * 1.1
        made.path[:, 0] += SIZE[0] / 2 + side * (close + (far - close) * apart)
        walkers.append(made)
    return _shuffled(walkers, seed, random)


def hiding(seed: int) -> Walk:
    """Two people move about; something hides one of them for a second."""
    random = np.random.default_rng([3, seed])
    part = _parts(random.uniform(4, 6))
    walkers = []
    for side in (-1, 1):
        x = SIZE[0] * (0.5 + side * random.uniform(0.12, 0.3)) + random.uniform(-60, 60) * part
        walkers.append(_walker(x, SIZE[1] * random.uniform(0.4, 0.6) + random.uniform(-20, 20) * part, random))
    begin = int(random.integers(12, len(part) - 22))
    walkers[int(random.integers(2))].path[begin : begin + 1000 // STEP_MS] = np.nan
    return _shuffled(walkers, seed, random)


def leaving(seed: int) -> Walk:
    """One person stays; another one leaves the picture and returns after some seconds."""
    random = np.random.default_rng([4, seed])
    seconds = random.uniform(8, 10)
    part = _parts(seconds)
    away = np.clip(np.abs(part - 0.5) / 0.5, 0, 1)
    x = SIZE[0] * (1.5 - 0.85 * away)
    still = _walker(np.full_like(part, SIZE[0] * random.uniform(0.2, 0.35)), SIZE[1] / 2, random)
    return _shuffled([still, _walker(x, SIZE[1] * random.uniform(0.4, 0.6), random)], seed, random)


def mingling(seed: int) -> Walk:
    """Three people move in bows through each other's ways."""
    random = np.random.default_rng([5, seed])
    part = _parts(6.0)
    walkers = []
    for place in range(3):
        turns, phase = random.uniform(0.4, 0.9), place * 2 * np.pi / 3 + random.uniform(-0.4, 0.4)
        x = SIZE[0] * (0.5 + 0.3 * np.sin(2 * np.pi * turns * part + phase))
        y = SIZE[1] * (0.5 + 0.12 * np.cos(2 * np.pi * turns * part * random.uniform(0.8, 1.2) + phase))
        walkers.append(_walker(x, y, random))
    return _shuffled(walkers, seed, random)


def cutting(seed: int) -> Walk:
    """Two people, then a cut to two other ones, whose faces begin where the first ones' were."""
    random = np.random.default_rng([6, seed])
    part = _parts(4.0)
    places = [SIZE[0] * (0.5 + side * random.uniform(0.15, 0.25)) for side in (-1, 1)]
    walkers = [_walker(x + random.uniform(-30, 30) * part, SIZE[1] / 2, random) for x in places]
    middle = len(part) // 2
    for before in list(walkers):
        after = _walker(before.path[:, 0], SIZE[1] / 2, random)
        walkers.append(Walker(after.path, before.height, scene=1))
    return Walk(walkers, (np.arange(len(part)) >= middle).astype(np.int64), seed)


KINDS: Final[dict[str, Callable[[int], Walk]]] = {
    "cross": crossing,
    "meet and turn back": meeting,
    "one hidden for a second": hiding,
    "one leaves and returns": leaving,
    "three mingle": mingling,
    "a cut": cutting,
}


def _parts(seconds: float) -> NDArray[np.float64]:
    """Return 0 to 1 for the frames of so many seconds."""
    return np.linspace(0, 1, round(seconds * 1000 / STEP_MS))


def _walker(x: NDArray[np.float64], y: float | NDArray[np.float64], random: np.random.Generator) -> Walker:
    """Return a person on that way, whose head sways a little."""
    time = np.arange(len(x)) * STEP_MS / 1000
    sway = [
        random.uniform(1, 3) * np.sin(2 * np.pi * time * random.uniform(0.5, 1.5) + random.uniform(0, 6)) for _ in "xy"
    ]
    return Walker(np.stack([x + sway[0], y + sway[1]], axis=1), random.uniform(*_FACE))


def _shuffled(walkers: list[Walker], seed: int, random: np.random.Generator) -> Walk:
    """Return the walk, with anybody in front."""
    order = random.permutation(len(walkers))
    return Walk([walkers[place] for place in order], np.zeros(len(walkers[0].path), np.int64), seed)
