"""Weights of DeepFace's own architecture through conversion and both engines. Slow: TensorFlow, about 15 s."""

import shutil
import warnings
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from tests.keras import VARIABLES
from tests.random_deepface import random_deepface, varied_pictures
from video_common.errors import ModelUnavailable
from video_common.schema import Engine
from video_models import convert as conversion
from video_models.convert import PARITY_LIMIT, convert
from video_models.files import sha256_of
from video_models.manifest import load_manifest, verify
from video_models.specs import ConversionRecord, EmotionSpec, UrlSource

DEEPFACE_CLIENTS = {
    Engine.ONNX: "deepface.models.demography.onnx.Emotion",
    Engine.TENSORFLOW: "deepface.models.demography.tf.Emotion",
}


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[pytest.MonkeyPatch]:
    """What `convert` sets for its process ends with this module."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DEEPFACE_HOME", "DEEPFACE_BACKEND_ENGINE"):
            patch.setenv(name, "")
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmotionSpec, Path, str]:
    """Random weights and what `convert` made of them; not to be touched."""
    models_dir = tmp_path_factory.mktemp("models")
    spec = random_deepface(models_dir)
    return spec, models_dir, str(convert(spec, models_dir))


@pytest.fixture(scope="module")
def spec(converted: tuple[EmotionSpec, Path, str]) -> EmotionSpec:
    return converted[0]


@pytest.fixture
def own_dir(converted: tuple[EmotionSpec, Path, str], tmp_path: Path) -> Path:
    """A copy that a test may harm."""
    return shutil.copytree(converted[1], tmp_path / "models")


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def run_onnx(spec: EmotionSpec, models_dir: Path, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(str(spec.onnx_path(models_dir)), providers=["CPUExecutionProvider"])
    return session.run(None, {"faces": pictures})[0]


class TestConversion:
    def test_the_record_tells_what_was_made_from_what(self, converted: tuple[EmotionSpec, Path, str]):
        # Given a conversion
        spec, models_dir, report = converted
        record = ConversionRecord.model_validate_json(spec.record_path(models_dir).read_bytes())

        # Then its record holds the digests of both files and how close they came
        assert record.source_sha256 == sha256_of(spec.weights_path(models_dir)) == spec.sha256
        assert record.onnx_sha256 == sha256_of(spec.onnx_path(models_dir))
        assert record.onnx_bytes == spec.onnx_path(models_dir).stat().st_size
        assert 0 < record.parity <= PARITY_LIMIT
        assert record.parity_samples == 1 + 7 + 64 + 7
        assert f"{record.parity:.1e}" in report

    def test_only_the_three_files_are_there(self, converted: tuple[EmotionSpec, Path, str]):
        spec, models_dir, _ = converted
        paths = spec.weights_path(models_dir), spec.onnx_path(models_dir), spec.record_path(models_dir)

        assert sorted(spec.weights_path(models_dir).parent.iterdir()) == sorted(paths)

    @pytest.mark.parametrize("engine", Engine)
    def test_both_engines_find_it_right(self, converted: tuple[EmotionSpec, Path, str], engine: Engine):
        spec, models_dir, _ = converted

        verify(spec, models_dir, engine)

    def test_a_second_time_nothing_is_done(self, spec: EmotionSpec, own_dir: Path):
        # Given a converted model without its weights, of which nothing could be made
        def state() -> tuple[int, int, int]:
            found = spec.onnx_path(own_dir).stat()  # without the time of the last reading, which reading changes
            return found.st_ino, found.st_mtime_ns, found.st_size

        before = state()
        spec.weights_path(own_dir).unlink()

        # When it is converted again
        report = convert(spec, own_dir)

        # Then it says so and has touched nothing
        assert report.record is None
        assert "already" in str(report)
        assert state() == before


class TestPredictions:
    def test_pictures_are_told_apart(self, converted: tuple[EmotionSpec, Path, str]):
        # Given the purpose of the random weights: that a mix-up of pictures would be seen
        spec, models_dir, _ = converted

        probabilities = run_onnx(spec, models_dir, varied_pictures(64, spec.input_size, seed=1))

        assert probabilities.sum(axis=1) == pytest.approx(np.ones(64), abs=1e-5)
        assert len(set(probabilities.argmax(axis=1))) >= 5
        assert probabilities.std(axis=0).min() > 0.02

    @pytest.mark.parametrize("count", [1, 7, 33])
    def test_a_batch_gives_what_its_pictures_give_alone(self, converted: tuple[EmotionSpec, Path, str], count: int):
        spec, models_dir, _ = converted
        pictures = varied_pictures(count, spec.input_size, seed=2)

        together = run_onnx(spec, models_dir, pictures)
        alone = np.concatenate([run_onnx(spec, models_dir, picture[np.newaxis]) for picture in pictures])

        assert together.shape == (count, 7)
        assert np.abs(together - alone).max() <= PARITY_LIMIT

    def test_deepfaces_own_clients_agree_on_what_they_find_by_themselves(
        self, converted: tuple[EmotionSpec, Path, str], environment: pytest.MonkeyPatch
    ):
        # Given DeepFace, pointed at the directory and without a way to download, and colored faces as it hands on
        _, models_dir, _ = converted
        environment.setenv("DEEPFACE_HOME", str(models_dir))
        environment.setenv("https_proxy", "http://127.0.0.1:9")
        grey = varied_pictures(9, 224, seed=3)
        tint = np.array([0.6, 0.9, 1.0], dtype=np.float32)
        faces = list(grey * tint)

        # When its client of each engine is made as DeepFace makes it, and scores them
        scores = {
            engine: import_module(name).EmotionClient().predict(faces) for engine, name in DEEPFACE_CLIENTS.items()
        }

        # Then they agree
        assert scores[Engine.ONNX].shape == (9, 7)
        assert np.abs(scores[Engine.ONNX] - scores[Engine.TENSORFLOW]).max() <= PARITY_LIMIT

    def test_the_manifest_names_deepfaces_own_sources(self):
        deepface = import_module(DEEPFACE_CLIENTS[Engine.TENSORFLOW])

        assert load_manifest().emotions["deepface"].sources == tuple(UrlSource(url=url) for url in deepface.WEIGHTS_URL)


class TestHarm:
    @pytest.mark.parametrize("path", [EmotionSpec.onnx_path, EmotionSpec.record_path], ids=["onnx", "record"])
    def test_a_flipped_byte_is_seen_and_mended(self, spec: EmotionSpec, own_dir: Path, path):
        # Given a converted model with a flipped byte
        flip_a_byte(path(spec, own_dir))
        with pytest.raises(ModelUnavailable):
            verify(spec, own_dir, Engine.ONNX)

        # When it is converted again
        report = convert(spec, own_dir)

        # Then it is right
        assert report.record is not None
        verify(spec, own_dir, Engine.ONNX)

    @pytest.mark.parametrize(
        "harm",
        [
            pytest.param(flip_a_byte, id="a byte flipped"),
            pytest.param(lambda path: path.write_bytes(path.read_bytes()[:3_000_000]), id="cut off"),
            pytest.param(Path.unlink, id="missing"),
        ],
    )
    def test_wrong_weights_are_neither_loaded_nor_converted(self, spec: EmotionSpec, own_dir: Path, harm):
        # Given harmed weights, not converted yet
        spec.onnx_path(own_dir).unlink()
        harm(spec.weights_path(own_dir))

        # Then both the engine and the conversion reject them
        with pytest.raises(ModelUnavailable, match="fetch deepface-random"):
            verify(spec, own_dir, Engine.TENSORFLOW)
        with pytest.raises(ModelUnavailable, match="fetch deepface-random"):
            convert(spec, own_dir)
        assert not spec.onnx_path(own_dir).exists()

    @pytest.mark.parametrize("name", ["deepface", "compact", "mini-xception"])
    def test_a_file_that_is_no_network_is_told(self, tmp_path: Path, name: str):
        # Given a manifest that pins a file which is not what it says
        content = b"not HDF5"
        change = {"size": len(content), "sha256": sha256(content).hexdigest()}
        spec = load_manifest().emotions[name].model_copy(update=change)
        spec.weights_path(tmp_path).parent.mkdir(parents=True)
        spec.weights_path(tmp_path).write_bytes(content)

        with pytest.raises(ModelUnavailable, match="is not a network of"):
            convert(spec, tmp_path)

    @pytest.mark.parametrize("answer", [1 / 7, np.nan])
    def test_engines_that_differ_are_refused(self, converted: tuple[EmotionSpec, Path, str], answer: float):
        # Given a network that answers otherwise than the converted model
        class Other:
            def __call__(self, batch: NDArray[np.float32], *, training: bool) -> NDArray[np.float32]:
                return self.predict_on_batch(batch)

            def predict_on_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
                return np.full((len(batch), 7), answer, dtype=np.float32)

        spec, models_dir, _ = converted
        onnx = spec.onnx_path(models_dir).read_bytes()

        with pytest.raises(ModelUnavailable, match="ONNX and TensorFlow differ"):
            conversion._parity(Other(), onnx, spec)


class TestMiniXception:
    @pytest.fixture
    def whole_network(self, tmp_path: Path) -> EmotionSpec:
        """A small network that is saved whole, layers and weights in one file, as mini-xception is."""
        keras: Any = import_module("tf_keras")
        keras.utils.set_random_seed(1)
        network = keras.Sequential(
            [
                keras.layers.Conv2D(8, 3, activation="relu", input_shape=(64, 64, 1)),
                keras.layers.GlobalMaxPooling2D(),
                keras.layers.Dense(7, activation="softmax"),
            ]
        )
        path = load_manifest().emotions["mini-xception"].weights_path(tmp_path)
        path.parent.mkdir(parents=True)
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # Keras calls its own old format legacy
            network.save(path)
        change = {"size": path.stat().st_size, "sha256": sha256_of(path)}
        return load_manifest().emotions["mini-xception"].model_copy(update=change)

    def test_it_is_converted_too(self, whole_network: EmotionSpec, tmp_path: Path):
        report = convert(whole_network, tmp_path)

        assert report.record is not None
        verify(whole_network, tmp_path, Engine.ONNX)
        pictures = varied_pictures(5, whole_network.input_size) * 2 - 1
        assert run_onnx(whole_network, tmp_path, pictures).shape == (5, 7)
