"""Step 7: the emotions of faces.  crops -> scores, in batches. The only module that knows DeepFace.

Every model runs behind DeepFace's own Emotion client of the chosen engine: the same letterbox to 224 x 224, the same
``predict``. What differs between models (network, input size, value range) comes from the model manifest. DeepFace's
top-level package is not imported: it would make directories, and could download.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import cv2
import numpy as np
from deepface.modules.preprocessing import resize_image
from numpy.typing import NDArray

from video_common import limits
from video_common.errors import ConfigurationError
from video_common.result import ModelFacts
from video_common.schema import EMOTION_LABELS, Engine
from video_models.manifest import load_manifest, verify
from video_models.specs import EmotionSpec

Scores = tuple[int, ...]
"""Seven probabilities in label order, in units of 1e-6."""

DEEPFACE_INPUT: Final = (224, 224)
"""Pixels: DeepFace letterboxes every face to this size before a client shrinks it to its network's input."""


def letterbox(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a crop as DeepFace hands it to its clients.

    Parameters
    ----------
    crop : NDArray of uint8, shape (height, width, 3)
        BGR, any size.

    Returns
    -------
    NDArray of float32, shape (224, 224, 3)
        BGR in 0..1, padded with black to keep the proportions.
    """
    height, width = crop.shape[:2]
    if max(height, width) > DEEPFACE_INPUT[0] * min(height, width):  # DeepFace would round the shorter side to nothing
        crop = np.asarray(cv2.resize(crop, (DEEPFACE_INPUT[0], 1) if width > height else (1, DEEPFACE_INPUT[0])))
    return np.asarray(resize_image(crop / np.float32(255), DEEPFACE_INPUT)[0], dtype=np.float32)


class EmotionModel:
    """A loaded emotion network.

    Parameters
    ----------
    client : object
        DeepFace's Emotion client.
    facts : ModelFacts
    """

    def __init__(self, client: Any, facts: ModelFacts) -> None:
        self._client = client
        self.facts = facts

    def score(self, faces: Iterable[NDArray[np.float32]]) -> list[Scores]:
        """Score faces, ``limits.FACE_BATCH`` at a time. No more of them are in memory at the same time.

        Parameters
        ----------
        faces : iterable of NDArray of float32, shape (224, 224, 3)
            From `letterbox`.

        Returns
        -------
        list of tuple of int
            One for each face, in order. Rounding to 1e-6 makes a face's scores independent of its batch.
        """
        scores: list[Scores] = []
        coming = iter(faces)
        while batch := list(islice(coming, limits.FACE_BATCH)):
            probabilities = np.asarray(self._client.predict(batch), dtype=np.float64).reshape(-1, len(EMOTION_LABELS))
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            units = np.rint(probabilities * limits.PROBABILITY_UNITS).astype(int)
            scores.extend(tuple(row) for row in units.tolist())
        return scores


def load_model(name: str, engine: Engine, models_dir: Path, threads: int) -> EmotionModel:
    """Verify a model's weights and load them; nothing is ever downloaded.

    Parameters
    ----------
    name : str
        Of the model manifest.
    engine : Engine
    models_dir : Path
        Where the weights were baked.
    threads : int
        TensorFlow's; ONNX Runtime runs in the thread that calls it.

    Raises
    ------
    ModelUnavailable
        The weights are missing or are not those of the manifest.
    ConfigurationError
        The manifest has no such emotion model.
    """
    emotions = load_manifest().emotions
    if name not in emotions:
        raise ConfigurationError(f"EMOTION_MODEL is {name!r}; the emotion models are: {', '.join(emotions)}.")
    return load_spec(emotions[name], engine, models_dir, threads)


def load_spec(spec: EmotionSpec, engine: Engine, models_dir: Path, threads: int) -> EmotionModel:
    """Do what `load_model` does, for a given entry of the manifest."""
    verify(spec, models_dir, engine)
    os.environ["DEEPFACE_HOME"] = str(models_dir)
    os.environ["DEEPFACE_BACKEND_ENGINE"] = engine.value
    if engine is Engine.ONNX:
        base, network = _load_onnx(spec, models_dir)
    else:
        base, network = _load_tensorflow(spec, models_dir, threads)
    return EmotionModel(
        _client(base, network, spec), ModelFacts(name=spec.name, engine=engine, weights_sha256=spec.sha256)
    )


@contextmanager
def _no_downloaders() -> Iterator[None]:
    """Give what is imported in the ``with`` block empty modules instead of the packages that fetch weights.

    DeepFace's models import them, a fifth of the init phase, for downloads that never happen here (and now cannot).
    """
    missing = [name for name in ("gdown", "requests") if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


def _client(base: type[Any], network: Any, spec: EmotionSpec) -> Any:
    """Make DeepFace's Emotion client of one engine with our network and the network's own input."""
    low, high = spec.input_range
    size = (spec.input_size, spec.input_size)

    class Client(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.model_name = "Emotion"
            self.model = network

        def _preprocess_image(self, img: NDArray[np.float32]) -> NDArray[np.float32]:
            grey = cv2.resize(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY), size)
            return np.asarray(grey * (high - low) + low, dtype=np.float32)

    return Client()


def _load_onnx(spec: EmotionSpec, models_dir: Path) -> tuple[type[Any], Any]:
    # ONNX Runtime reports models and hardware to its maker, on by default since 1.29; read when it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    with _no_downloaders():
        from deepface.models.demography.onnx.Emotion import EmotionClient

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the other processors decode and search meanwhile
    session = onnxruntime.InferenceSession(
        str(spec.onnx_path(models_dir)), sess_options=options, providers=["CPUExecutionProvider"]
    )
    return EmotionClient, session


def _load_tensorflow(spec: EmotionSpec, models_dir: Path, threads: int) -> tuple[type[Any], Any]:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # DeepFace's networks are Keras 2; read when TensorFlow is imported
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        import tensorflow
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "EMOTION_ENGINE is tensorflow, which is not installed here: the image was built with ENGINES=onnx."
        ) from error
    with _no_downloaders():
        from deepface.models.demography.tf import Emotion

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    if spec.architecture == "deepface":
        network = Emotion.load_model()
    else:
        network = tensorflow.keras.models.load_model(spec.weights_path(models_dir), compile=False)
    return Emotion.EmotionClient, network
