"""A trained network -> the file that the manifest describes, and the record of how it was made."""

import json
import platform
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from layers.models.train import measures
from layers.models.train.data import Faces
from layers.models.train.network import LOGITS, build, with_mirror
from layers.models.train.recipe import Recipe
from layers.models.train.training import CLASSES, logits
from video_models.files import sha256_of

NAME: Final = "compact"
_PACKAGES: Final = ("tensorflow-cpu", "tf-keras", "numpy", "opencv-python-headless")


def export(average: Any, recipe: Recipe, held: Faces, facts: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write ``compact.h5`` and ``compact.json`` into the folder.

    The network in the file also looks at the mirrored face. The temperature becomes part of the last layer's weights,
    so every engine gives the scaled probabilities. The other models are whole Keras networks in a file too, and
    `video_models convert` makes ONNX of each.

    Parameters
    ----------
    average : Model
    recipe : Recipe
    held : Faces
        The faces that the temperature is found on.
    facts : dict
        More for the record.
    folder : Path

    Returns
    -------
    dict
        The record.
    """
    side = recipe.side(recipe.all_epochs - 1)
    raw = logits(average, held, side)
    network = build(side, recipe.stages, CLASSES)
    network.set_weights(average.get_weights())
    both = (raw + logits(network, held.mirrored, side)) / 2
    temperature = measures.temperature(both, held.labels)
    last = network.get_layer(LOGITS)
    last.set_weights([weights / temperature for weights in last.get_weights()])
    network = with_mirror(network, side)
    path = folder / f"{NAME}.h5"
    with warnings.catch_warnings(category=UserWarning, action="ignore"):  # Keras calls its own old format legacy
        network.save(path, save_format="h5", include_optimizer=False)
    record = {
        **facts,
        "recipe": asdict(recipe),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "held_out": {
            "faces": len(held),
            "as trained": _figures(measures.softmax(raw), held.labels),
            "with the mirror": _figures(measures.softmax(both), held.labels),
            "scaled": _figures(measures.softmax(both / temperature), held.labels),
        },
        "temperature": round(temperature, 4),
        "weights": network.count_params(),
        "file": {"name": path.name, "size": path.stat().st_size, "sha256": sha256_of(path)},
        "curve": [json.loads(line) for line in (folder / "curve.jsonl").read_text(encoding="utf-8").splitlines()],
    }
    (folder / f"{NAME}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def _figures(probabilities: measures.Probabilities, labels: NDArray[np.int64]) -> dict[str, float]:
    return {
        "accuracy": round(float((probabilities.argmax(axis=1) == labels).mean()), 4),
        "ece": round(measures.calibration_error(probabilities, labels), 4),
        "brier": round(measures.brier(probabilities, labels), 4),
    }
