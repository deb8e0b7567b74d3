"""How sure a share is: 95 % intervals that allow for neighboring frames that say nearly the same. Pure.

Votes in order -> autocorrelation -> how many independent votes they are worth -> Wilson's interval (Wilson, 1927). The
autocorrelation is summed up to where it ends by Geyer's initial monotone sequence (Geyer, 1992).
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST: Final = 30
"""With fewer frames that vote there is no interval: they say too little about how long an expression lasts. Many faces
in a few frames do not help: each of them looks as it did a moment ago."""

_ROUNDS: Final = 20
"""The number of independent votes converges in fewer, if the autocorrelation ends within half of the frames. If it does
not, each further round makes the interval wider, and the coverage in docs/accuracy.md holds for 20 rounds only."""

Interval = tuple[float, float]
"""Low and high, as parts of 1."""

Numbers = NDArray[np.float64]


def vote_intervals(ballots: Sequence[Sequence[int]], classes: int) -> list[Interval] | None:
    """Return an interval for each class's share of the votes.

    Parameters
    ----------
    ballots : sequence of sequence of int
        For each analyzed frame, in order, the classes of its votes. Frames without a vote keep their place, and all
        frames count as equally far apart.
    classes : int

    Returns
    -------
    list of Interval or None
        None: fewer than `FEWEST` frames have a vote, or all of these frames vote alike, which does not tell how long
        that lasts.
    """
    votes: Numbers = np.zeros((classes, len(ballots)))
    for frame, ballot in enumerate(ballots):
        for place in ballot:
            votes[place, frame] += 1
    if np.count_nonzero(votes.any(axis=0)) < FEWEST:
        return None
    counts = votes.sum(axis=0)
    shares = votes.sum(axis=1) / counts.sum()
    worth = _independent(votes - shares[:, None] * counts, counts, shares)
    return None if worth is None else [_wilson(float(share), worth) for share in shares]


def contact_interval(contacts: Sequence[bool]) -> Interval | None:
    """Return an interval for the part of the frames that have eye contact. None: as for `vote_intervals`."""
    found = vote_intervals([(int(contact),) for contact in contacts], 2)
    return found[1] if found else None


def _independent(residuals: Numbers, counts: Numbers, shares: Numbers) -> float | None:
    """Return how many independent votes give shares that are as sure.

    All classes count together: a class that was seen once does not show its own autocorrelation.

    Parameters
    ----------
    residuals : NDArray of float64, shape (classes, frames)
        By how much each frame's votes for a class differ from what its share lets expect.
    counts : NDArray of float64, shape (frames,)
        Votes of each frame.
    shares : NDArray of float64, shape (classes,)
    """
    frames, total = len(counts), float(counts.sum())
    covariances = _autocovariances(residuals)
    if covariances[0] < 1e-12:
        return None
    # The residuals are measured from the sequence's own mean, so each autocovariance is too small by the variance of
    # that mean, which follows from the length. It is too small by as much for each pair of votes.
    pairs = _autocovariances(counts[None]) * frames / (frames - np.arange(len(covariances)))
    pairs /= pairs[0]
    one, ends = float((counts**2).sum() / total**2), _groups(pairs)
    length = _correlated(covariances, pairs, ends)
    for _ in range(_ROUNDS):
        part = min(length * one, 0.5)
        corrected = covariances + covariances[0] * part / (1 - part) * pairs
        length = min(_correlated(corrected, pairs, ends), max(1.0, 0.5 / one))
    spread = float((shares * (1 - shares)).sum())
    return min(total, float(spread * total**2 / (frames * covariances[0] * length)))


def _autocovariances(residuals: Numbers) -> Numbers:
    """Return the autocovariances at lag 0, 1, ... up to half of the frames, summed over the classes."""
    frames = residuals.shape[1]
    length = 1 << (2 * frames - 1).bit_length()  # transforms of some other lengths take ten times as long
    spectrum = np.abs(np.fft.rfft(residuals, length, axis=1)) ** 2
    return np.asarray(np.fft.irfft(spectrum.sum(axis=0))[: max(2, frames // 2 + 1)] / frames)


def _groups(pairs: Numbers) -> list[int]:
    """Return where groups of lags end: each has two lags, or more until it has as many pairs as lag 0.

    A face that is in view now and then has lags with few pairs of votes or none. Alone they say nothing.
    """
    ends, begin, summed = [], 0, 0.0
    for lag, part in enumerate(pairs.tolist()):
        summed += part
        if lag > begin and summed > 1 - 1e-9:
            ends.append(lag + 1)
            begin, summed = lag + 1, 0.0
    return ends


def _correlated(covariances: Numbers, pairs: Numbers, ends: list[int]) -> float:
    """Return how many frames say as much as one independent frame, 1 or more.

    Parameters
    ----------
    covariances : NDArray of float64, shape (lags,)
    pairs : NDArray of float64, shape (lags,)
        How many pairs of votes there are at each lag, as a part of how many there are at lag 0.
    ends : list of int
        Of the groups of lags.
    """
    sums, weights = (np.add.reduceat(lags[: ends[-1]], [0, *ends[:-1]]) for lags in (covariances, pairs))
    each = sums / weights / covariances[0]
    last = np.flatnonzero(each <= 0)
    each = np.minimum.accumulate(each[: last[0]] if len(last) else each)
    return max(1.0, float(2 * each @ weights[: len(each)] - 1))


def _wilson(share: float, votes: float) -> Interval:
    """Return Wilson's interval, with Student's quantile, because the number of votes is an estimate."""
    squared = _student(max(votes - 1, 2)) ** 2
    middle = (share + squared / (2 * votes)) / (1 + squared / votes)
    half = sqrt(squared * (share * (1 - share) / votes + squared / (4 * votes**2))) / (1 + squared / votes)
    return max(0.0, middle - half), min(1.0, middle + half)


def _student(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's distribution for 2 degrees of freedom and more, right within 4 %.

    It is the expansion of Cornish and Fisher (Abramowitz and Stegun, 1964, 26.7.5).
    """
    z = 1.959963984540054
    terms = ((z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
