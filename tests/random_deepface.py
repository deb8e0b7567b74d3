"""Random weights in DeepFace's emotion architecture, for machines where the trained ones cannot be had.

``python -m tests.random_deepface MODELS_DIR``, from the repository's root, writes the weights where DeepFace looks for
them, and ``MODELS_DIR/manifest.json`` with an entry ``deepface-random``. Their scores mean nothing, but they take the
same way through the same code as the trained ones: same layers, same sizes, same file format.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from video_common.schema import EMOTION_LABELS
from video_models.files import sha256_of
from video_models.manifest import load_manifest
from video_models.specs import EmotionSpec

NAME: Final = "deepface-random"
SEED: Final = 20261101
LOGIT_SPREAD: Final = 2.0
"""Standard deviation of each logit over different pictures: freshly initialized, the network answers 1/7 to all."""


def random_deepface(models_dir: Path) -> EmotionSpec:
    """Write the weights in a process of its own (TensorFlow, about 6 s) and return their manifest entry."""
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-m", "tests.random_deepface", str(models_dir)], cwd=root, check=True)
    return load_manifest(models_dir / "manifest.json").emotions[NAME]


def varied_pictures(count: int, side: int, seed: int = SEED) -> Any:
    """Return ``count`` gray pictures in 0..1 of coarse random patches, shape (count, side, side, 1)."""
    import numpy as np

    patches = np.random.default_rng(seed).random((count, 6, 6))
    cells = np.arange(side) * 6 // side
    return patches[:, cells][:, :, cells][..., np.newaxis].astype(np.float32)


def _write(models_dir: Path) -> None:
    os.environ.update(
        TF_USE_LEGACY_KERAS="1",
        TF_CPP_MIN_LOG_LEVEL="3",
        CUDA_VISIBLE_DEVICES="-1",
        DEEPFACE_HOME=str(models_dir),
        DEEPFACE_BACKEND_ENGINE="tensorflow",
    )
    import tensorflow
    from deepface.commons import weight_utils
    from deepface.models.demography.tf import Emotion

    official = load_manifest().emotions["deepface"]
    path = official.weights_path(models_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()  # DeepFace asks whether the file is there, and would download it
    weight_utils.load_model_weights = lambda model, weight_file: model  # this process does nothing else with DeepFace
    tensorflow.keras.utils.set_random_seed(SEED)
    network = Emotion.load_model(url=[])
    _spread(network, varied_pictures(256, official.input_size))
    network.save_weights(str(path))
    entry = official.model_dump(mode="json") | {
        "name": NAME,
        "size": path.stat().st_size,
        "sha256": sha256_of(path),
        "sources": [],
        "labels": EMOTION_LABELS,
        "licence": "None needed: random numbers.",
    }
    (models_dir / "manifest.json").write_text(json.dumps([entry], indent=2) + "\n", encoding="utf-8")


def _spread(network: Any, pictures: Any) -> None:
    """Scale and shift the last layer so that over the pictures each logit has mean 0 and `LOGIT_SPREAD`."""
    import numpy as np
    import tensorflow

    last = network.layers[-1]
    features = tensorflow.keras.Model(network.inputs, last.input).predict_on_batch(pictures)
    kernel = last.get_weights()[0]
    kernel = kernel * (LOGIT_SPREAD / (features @ kernel).std(axis=0))
    last.set_weights([kernel, -(features @ kernel).mean(axis=0).astype(np.float32)])


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
