"""Accuracy, calibration and the temperature."""

import numpy as np
import pytest

from layers.models.train import measures


def sure(*rows: tuple[int, float]) -> np.ndarray:
    """Make probabilities of three classes: in each row one class has its probability, the others share the rest."""
    made = np.array([[(1 - part) / 2] * 3 for _, part in rows])
    for row, (label, part) in enumerate(rows):
        made[row, label] = part
    return made


def test_confusion_counts_true_labels_by_row():
    counts = measures.confusion(sure((0, 0.9), (1, 0.9), (1, 0.9)), np.array([0, 0, 1]))
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_the_calibration_error_is_the_mean_distance_by_bin():
    # Given ten answers of 0.8 of which six are right, and ten of 0.6 of which six are right
    probabilities = sure(*[(0, 0.8)] * 10, *[(1, 0.6)] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [1] * 6 + [0] * 4)
    assert measures.calibration_error(probabilities, labels) == pytest.approx(0.5 * 0.2 + 0.5 * 0.0)
    rows = [row for row in measures.reliability(probabilities, labels) if row[0]]
    assert np.array(rows) == pytest.approx(np.array([(10, 0.6, 0.6), (10, 0.8, 0.6)]))


def test_brier_and_log_loss():
    probabilities = sure((0, 1.0), (1, 0.5))
    assert measures.brier(probabilities, np.array([0, 1])) == pytest.approx((0 + 0.25 + 2 * 0.0625) / 2)
    assert measures.log_loss(probabilities, np.array([0, 1])) == pytest.approx(np.log(2) / 2)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature):
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (20_000, 7))
    chances = measures.softmax(logits)
    labels = (chances.cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    assert measures.temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)
    scaled = measures.softmax(logits * temperature / measures.temperature(logits * temperature, labels))
    assert measures.calibration_error(scaled, labels) < 0.015
