"""Simulated sequences of expressions, whose true shares are known.

A person shows an expression for some time, then another one; the time is drawn from an exponential or a more regular
distribution (gamma). Each sampled frame shows the expression, or now and then another one that the model takes it for.
The true share of an emotion is the one of an endless video.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHARES: Final = np.array([0.2, 0.0, 0.05, 0.5, 0.1, 0.0, 0.15])
"""How much of the time the person shows each expression."""


@dataclass(frozen=True)
class Case:
    """A kind of sequence.

    Attributes
    ----------
    votes : int
    every : float
        Seconds between two samples.
    lasts : float
        Mean seconds of an expression.
    mistaken : float
        Part of the frames in which any of the seven labels is seen.
    regular : float
        Shape of the gamma distribution of an expression's time; 1 is exponential.
    """

    votes: int
    every: float
    lasts: float
    mistaken: float
    regular: float = 1.0

    @property
    def truth(self) -> NDArray[np.float64]:
        """Return the share of each label in an endless sequence."""
        return (1 - self.mistaken) * SHARES + self.mistaken / len(SHARES)

    def sequence(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Return the labels of the sampled frames."""
        seconds = self.votes * self.every
        # It begins so long before the first frame that the beginning does not matter.
        count = int(2 * seconds / self.lasts) + 100
        ends = np.cumsum(random.gamma(self.regular, self.lasts / self.regular, count)) - 20 * self.lasts
        while ends[-1] < seconds:
            ends = np.append(ends, ends[-1] + random.gamma(self.regular, self.lasts / self.regular, 100).cumsum())
        shown = random.choice(len(SHARES), len(ends), p=SHARES)
        labels = shown[np.searchsorted(ends, np.arange(self.votes) * self.every)]
        mistaken = random.random(self.votes) < self.mistaken
        return np.asarray(np.where(mistaken, random.integers(0, len(SHARES), self.votes), labels))


INSIDE: Final = [
    Case(votes, every, lasts, mistaken, regular)
    for votes, every, lasts in (
        (30, 1, 0.5),
        (30, 1, 2),
        (60, 1, 2),
        (60, 1, 5),
        (100, 0.2, 2),
        (300, 1, 5),
        (300, 0.1, 2),
        (300, 2, 10),
        (1000, 0.1, 5),
    )
    for mistaken, regular in ((0.1, 1.0), (0.3, 3.0))
]
"""Videos in which an expression changes ten times or more."""

SELDOM: Final = [
    (Case(1000, 0.1, 10, 0.1), 0.5),
    (Case(1000, 0.1, 10, 0.1), 0.1),
    (Case(3000, 0.1, 20, 0.1), 0.1),
    (Case(1000, 0.1, 5, 0.1), 0.05),
    (Case(2000, 0.1, 10, 0.1), 0.03),
    (Case(6000, 0.1, 30, 0.1), 0.01),
]
"""Videos of ten expressions or more, and the part of their frames in which the face is found."""

OUTSIDE: Final = [Case(30, 1, 10, 0.1), Case(60, 0.2, 3, 0.1), Case(100, 0.1, 5, 0.1)]
"""Videos that are too short to show how long an expression lasts."""
