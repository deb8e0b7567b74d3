"""Weights -> ONNX, kept only if both give the same probabilities. The only module here that knows TensorFlow.

It runs where models are made ready (a developer's machine, the image's build stage), never in the deployed function.
"""

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from video_common.errors import ModelUnavailable
from video_common.schema import Engine
from video_models.files import replacing
from video_models.manifest import verify
from video_models.specs import ConversionRecord, EmotionSpec

OPSET: Final = 17
"""What tf2onnx 1.17 writes well, and every onnxruntime since 1.12 reads."""

PARITY_LIMIT: Final = 1e-4
"""Largest difference of a probability: a hundred times what rounding in float32 was seen to do (1e-6), so that another
processor passes, and too little to be seen in a Result."""

PARITY_BATCHES: Final = (1, 7, 64)
"""Random pictures at a time."""

_PACKAGES: Final = ("tensorflow", "tf_keras", "tf2onnx", "onnxruntime")


@dataclass(frozen=True)
class ConvertReport:
    """What `convert` did; as text one line.

    Attributes
    ----------
    spec : EmotionSpec
    record : ConversionRecord or None
        None if the converted model was there already.
    """

    spec: EmotionSpec
    record: ConversionRecord | None

    def __str__(self) -> str:
        if self.record is None:
            return f"{self.spec.name}: is converted already, its sha256 is right."
        return (
            f"{self.spec.name}: converted to ONNX ({self.record.onnx_bytes} bytes); over {self.record.parity_samples} "
            f"pictures no probability differs by more than {self.record.parity:.1e} (limit {PARITY_LIMIT:.0e})."
        )


def convert(spec: EmotionSpec, models_dir: Path) -> ConvertReport:
    """Convert a model's verified weights, unless that was done and the result is right.

    Parameters
    ----------
    spec : EmotionSpec
    models_dir : Path

    Raises
    ------
    ModelUnavailable
        The weights are missing or wrong, the packages to convert them are not installed, the two engines do not agree
        within `PARITY_LIMIT`, or a file cannot be written.
    """
    try:
        verify(spec, models_dir, Engine.ONNX)
    except ModelUnavailable:
        return ConvertReport(spec, _convert(spec, models_dir))
    return ConvertReport(spec, None)


def _convert(spec: EmotionSpec, models_dir: Path) -> ConversionRecord:
    verify(spec, models_dir, Engine.TENSORFLOW)
    if missing := [package for package in _PACKAGES if find_spec(package) is None]:
        needed = "what requirements/tensorflow.txt and requirements/convert.txt name"
        raise ModelUnavailable(f"To convert, install {needed}; not there: {', '.join(missing)}.")
    network = _build(spec, models_dir)
    onnx = _to_onnx(network, spec)
    parity, samples = _parity(network, onnx, spec)
    record = ConversionRecord(
        source_sha256=spec.sha256,
        onnx_sha256=hashlib.sha256(onnx).hexdigest(),
        onnx_bytes=len(onnx),
        opset=OPSET,
        parity=parity,
        parity_samples=samples,
    )
    with replacing(spec.onnx_path(models_dir)) as part:
        part.write_bytes(onnx)
    with replacing(spec.record_path(models_dir)) as part:
        part.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return record


def _build(spec: EmotionSpec, models_dir: Path) -> Any:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # DeepFace's networks are Keras 2; read when TensorFlow is imported
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # a GPU rounds otherwise than the CPUs that will run the model
    os.environ["DEEPFACE_HOME"] = str(models_dir)
    os.environ["DEEPFACE_BACKEND_ENGINE"] = Engine.TENSORFLOW.value
    try:
        if spec.architecture == "deepface":
            from deepface.models.demography.tf import Emotion

            return Emotion.load_model(url=[])  # no URL: it could not download even if the file went away just now
        from tf_keras.models import load_model

        return load_model(spec.weights_path(models_dir), compile=False)
    except (ValueError, OSError, KeyError) as error:
        text = f"{spec.weights_path(models_dir)} has the right sha256 but is not a network of {spec.architecture}."
        raise ModelUnavailable(text) from error


def _to_onnx(network: Any, spec: EmotionSpec) -> bytes:
    import tensorflow
    import tf2onnx

    shape = [None, spec.input_size, spec.input_size, 1]
    signature = [tensorflow.TensorSpec(shape, tensorflow.float32, name="faces")]
    model, _ = tf2onnx.convert.from_keras(network, input_signature=signature, opset=OPSET)
    return bytes(model.SerializeToString())


def _parity(network: Any, onnx: bytes, spec: EmotionSpec) -> tuple[float, int]:
    """Return the largest difference of a probability, and over how many pictures."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # on by default since 1.29; read when it is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as the function runs it
    session = onnxruntime.InferenceSession(onnx, sess_options=options, providers=["CPUExecutionProvider"])
    batches = _pictures(spec)
    differences = [
        np.abs(_probabilities(network, batch) - session.run(None, {"faces": batch})[0]).max() for batch in batches
    ]
    parity = float(max(differences))
    if not parity <= PARITY_LIMIT:  # said this way round, NaN is refused too
        raise ModelUnavailable(
            f"{spec.name} was converted, but ONNX and TensorFlow differ by {parity:.1e} (limit {PARITY_LIMIT:.0e}). "
            "Nothing was written. Use the tensorflow engine, or other versions of tf2onnx and onnxruntime."
        )
    return parity, sum(len(batch) for batch in batches)


def _probabilities(network: Any, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    # As DeepFace's client does: a single picture takes another path through Keras than a batch.
    output = network(batch, training=False) if len(batch) == 1 else network.predict_on_batch(batch)
    return np.asarray(output, dtype=np.float32)


def _pictures(spec: EmotionSpec) -> list[NDArray[np.float32]]:
    """Make batches in the network's input range: noise, and what noise never shows a network (flat, ramps, edges)."""
    side = spec.input_size
    random = np.random.default_rng(20261101)
    noise = [random.random((count, side, side)) for count in PARITY_BATCHES]
    ramp = np.tile(np.linspace(0, 1, side), (side, 1))
    rows, columns = np.indices((side, side))
    checks = ((rows // 8 + columns // 8) % 2).astype(float)
    disc = (np.hypot(rows - side / 2, columns - side / 2) < side / 3).astype(float)
    shapes = np.stack([np.zeros_like(ramp), np.ones_like(ramp), np.full_like(ramp, 0.5), ramp, ramp.T, checks, disc])
    low, high = spec.input_range
    return [(batch * (high - low) + low).astype(np.float32)[..., np.newaxis] for batch in [*noise, shapes]]
