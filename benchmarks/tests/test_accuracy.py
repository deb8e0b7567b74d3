"""The tables and the diagram of docs/accuracy.md say what was counted."""

from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.accuracy import FACE, SCENE, Judged, margin, scene_of, section
from benchmarks.diagram import reliability

NAMESPACE = "{http://www.w3.org/2000/svg}"


def judged(name: str, chosen: list[int], labels: list[int], sure: float = 0.4) -> Judged:
    """Return a model that is equally sure of each answer."""
    probabilities = np.full((len(chosen), 7), (1 - sure) / 6)
    probabilities[np.arange(len(chosen)), chosen] = sure
    return Judged(name, probabilities, np.array(labels))


def cells(text: str, first: str) -> list[str]:
    """Return the first row that begins so."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_row_has_a_models_figures_in_the_order_of_the_head():
    # Given eight faces, of which the model takes two happy ones for sad, and is right about the others
    labels = [0, 1, 2, 3, 3, 3, 3, 6]
    copies = np.array([True, True, False, True, False, False, False, False])
    text = section([judged("ours (onnx)", [0, 1, 2, 3, 3, 4, 4, 6], labels)], ["other (onnx)"], [], copies)
    figures = dict(zip(cells(text, "model"), cells(text, "ours (onnx)"), strict=True))
    assert figures["accuracy"] == "75.0 ± 30.0 %"
    assert figures["happy"] == "0.50"
    assert figures["sad"] == "0.00"  # no face has this label
    assert figures["ECE"] == "0.350"  # right in 0.75 of the faces, and sure by 0.4
    assert figures["Brier"] == f"{0.75 * (0.36 + 6 * 0.01) + 0.25 * (0.16 + 0.81 + 5 * 0.01):.3f}"
    assert cells(text, "**happy**") == ["**happy**", "0", "0", "0", "50", "50", "0", "0", "4"]
    # Of the five that are no copies it is right about three
    others = text[text.index("About 3 of these faces are also among the training faces") :]
    assert dict(zip(cells(others, "model"), cells(others, "ours (onnx)"), strict=True))["accuracy"] == "60.0 ± 42.9 %"
    assert "Not measured: other (onnx)" in text
    assert "(accuracy-ours.svg)" in text


def test_a_margin_is_that_of_independent_faces():
    assert margin(0.5, 100) == pytest.approx(0.098)
    assert margin(1.0, 10) == 0


def test_the_diagram_has_a_bar_for_what_is_right_and_the_distance_to_the_confidence():
    rows = [(0, 0.0, 0.0), (30, 0.5, 0.25), (10, 0.9, 1.0)]
    picture = ElementTree.fromstring(reliability("ours", rows))  # noqa: S314 - our own
    bars = [one for one in picture.iter(f"{NAMESPACE}rect") if one.get("class") in {"bar", "gap"}]
    right, gaps, faces = ([float(bar.get("height", 0)) for bar in bars[first::3]] for first in range(3))
    assert right == [0, pytest.approx(240 * 0.25), pytest.approx(240)]
    assert gaps == [0, pytest.approx(240 * 0.25), pytest.approx(240 * 0.1, abs=0.1)]
    assert faces == [0, 60, 20]
    assert picture.findtext(f"{NAMESPACE}title") == "ours: accuracy by confidence"


def test_a_face_stands_in_the_middle_of_its_picture():
    picture = scene_of(np.full((48, 48), 200, np.uint8))
    assert picture.shape == (SCENE[1], SCENE[0], 3)
    face = np.zeros((48, 48), np.uint8)
    face[20:28, 20:28] = 255
    rows, columns = np.nonzero(scene_of(face)[..., 0] > 128)
    assert (rows.mean(), columns.mean()) == (
        pytest.approx(SCENE[1] / 2, abs=1),
        pytest.approx(SCENE[0] / 2, abs=1),
    )
    assert np.ptp(rows) == pytest.approx(8 / 48 * FACE, abs=3)
