"""How good probabilities are, and the temperature of the least log loss. NumPy only."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
"""Of shape (count, classes); each row sums to 1."""

Labels = NDArray[np.int64]

BINS: Final = 15
"""Guo et al., On Calibration of Modern Neural Networks, 2017."""


def softmax(logits: NDArray[np.floating]) -> Probabilities:
    """Return the probabilities of logits, row by row."""
    powers = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def confusion(probabilities: Probabilities, labels: Labels) -> NDArray[np.int64]:
    """Return counts of shape (classes, classes): rows are the true labels, columns the most probable ones."""
    counts = np.zeros((probabilities.shape[1],) * 2, np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def reliability(probabilities: Probabilities, labels: Labels, bins: int = BINS) -> list[tuple[int, float, float]]:
    """Return for each bin of the largest probability, of equal width: faces, mean probability, part that is right.

    A bin without a face is ``(0, 0.0, 0.0)``. A probability on the border of two bins belongs to the lower one.
    """
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    found = [(place == number) for number in range(bins)]
    return [
        (int(here.sum()), float(sure[here].mean()), float(right[here].mean())) if here.any() else (0, 0.0, 0.0)
        for here in found
    ]


def calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    """Return the expected calibration error (ECE): the mean distance in `reliability`, weighted by faces."""
    rows = reliability(probabilities, labels)
    return sum(count * abs(sure - right) for count, sure, right in rows) / len(labels)


def brier(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean squared distance from the true label: 0 is perfect, 2 is sure and wrong."""
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean negative logarithm of the true label's probability."""
    return float(-np.log(probabilities[np.arange(len(labels)), labels].clip(1e-12)).mean())


def temperature(logits: NDArray[np.floating], labels: Labels) -> float:
    """Return what logits have to be divided by to make `log_loss` least, from 0.1 to 10.

    The loss of scaled logits has one minimum, so a search by thirds finds it.
    """
    low, high = np.log(0.1), np.log(10.0)
    for _ in range(60):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if log_loss(softmax(logits / np.exp(left)), labels) < log_loss(softmax(logits / np.exp(right)), labels):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
