"""The training of `compact`: it goes on where it stopped, and its file is one like the other models'. TensorFlow."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from layers.models.train import augment, data, measures
from layers.models.train.data import Faces
from layers.models.train.recipe import Recipe
from tests.conftest import MODELS, ROOT
from tests.keras import VARIABLES
from video_models.convert import convert
from video_models.files import sha256_of
from video_models.manifest import load_manifest

RECORD = ROOT / "layers" / "models" / "train" / "compact.json"
RECIPE = Recipe(
    seed=3, epochs=4, calm_epochs=1, batch=16, stages=((8, 1), (16, 1)), sides=((0.5, 16), (1.0, 24)), calm_rate=1e-3
)


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        yield


def easy_faces(count: int, seed: int) -> Faces:
    """Make pictures whose label shows: each has a bright row in another place."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 7, count)
    images = random.integers(0, 80, (count, 48, 48), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[3 + 6 * label : 8 + 6 * label] = 220
    return Faces(images, labels)


@pytest.fixture(scope="module")
def trained(environment, tmp_path_factory):
    """A whole training in one run: its folder, and the network."""
    from layers.models.train.training import train

    folder = tmp_path_factory.mktemp("run")
    return folder, train(RECIPE, easy_faces(64, 1), easy_faces(32, 2), folder)


def test_a_stopped_training_ends_as_one_that_was_not(trained, tmp_path):
    from layers.models.train.training import train

    folder, whole = trained
    arguments = RECIPE, easy_faces(64, 1), easy_faces(32, 2), tmp_path
    assert train(*arguments, most_steps=3) is None
    assert train(*arguments, most_steps=6) is None
    with (tmp_path / "curve.jsonl").open("a") as curve:
        curve.write('{"epoch": 3, "loss": "written before the state was saved"}\n')
    parts = train(*arguments)
    for left, right in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)
    curves = [
        [
            {name: value for name, value in json.loads(line).items() if name != "seconds"}
            for line in path.read_text().splitlines()
        ]
        for path in (folder / "curve.jsonl", tmp_path / "curve.jsonl")
    ]
    assert [line["epoch"] for line in curves[1]] == [1, 2, 3, 4, 5]
    assert [line["side"] for line in curves[1]] == [16, 16, 24, 24, 24]
    assert curves[0] == curves[1]


def test_the_file_has_the_scaled_probabilities_on_both_engines(trained, tmp_path):
    from layers.models.train.export import export
    from layers.models.train.training import logits

    folder, average = trained
    held = easy_faces(200, 5)
    record = export(average, RECIPE, held, {"data_sha256": "0" * 64}, folder)
    path = folder / "compact.h5"
    assert record["file"] == {"name": "compact.h5", "size": path.stat().st_size, "sha256": sha256_of(path)}
    assert json.loads((folder / "compact.json").read_text()) == json.loads(json.dumps(record))
    assert [line["epoch"] for line in record["curve"]] == [1, 2, 3, 4, 5]
    # Given an entry in the manifest
    entry = {"size": record["file"]["size"], "sha256": record["file"]["sha256"], "input_size": 24}
    spec = load_manifest().emotions["compact"].model_copy(update=entry)
    spec.weights_path(tmp_path).parent.mkdir(parents=True)
    path.rename(spec.weights_path(tmp_path))
    convert(spec, tmp_path)  # which also compares the engines
    session = onnxruntime.InferenceSession(str(spec.onnx_path(tmp_path)), providers=["CPUExecutionProvider"])
    scores = session.run(None, {"faces": held.inputs(24)})[0]
    both = (logits(average, held, 24) + logits(average, held.mirrored, 24)) / 2
    scaled = measures.softmax(both / measures.temperature(both, held.labels))
    np.testing.assert_allclose(scores, scaled, atol=1e-5)
    # A face and its mirror image have the same expression
    np.testing.assert_allclose(session.run(None, {"faces": held.mirrored.inputs(24)})[0], scores, atol=1e-5)
    assert record["held_out"]["scaled"]["ece"] == pytest.approx(
        measures.calibration_error(scores, held.labels), abs=1e-3
    )


def test_the_shipped_weights_are_those_of_the_recipe():
    record, spec = json.loads(RECORD.read_text(encoding="utf-8")), load_manifest().emotions["compact"]
    assert record["recipe"] == json.loads(json.dumps(asdict(Recipe())))
    assert record["file"] == {"name": spec.file, "size": spec.size, "sha256": spec.sha256}
    assert len(record["curve"]) == Recipe().all_epochs
    assert spec.onnx_path(MODELS).stat().st_size <= 2_000_000
    assert spec.input_size == Recipe().side(Recipe().all_epochs - 1)


def test_held_out_faces_are_a_part_of_each_class_and_are_seen_nowhere_else():
    faces = easy_faces(400, 1)
    twice = Faces(np.concatenate([faces.images, faces.images[:50]]), np.concatenate([faces.labels, faces.labels[:50]]))
    kept, held = data.split(twice, 0.2, seed=1)
    assert len(kept) + len(held) == 450
    assert not set(kept.digests) & set(held.digests)
    assert 0.1 < len(held) / 450 <= 0.2
    assert set(held.labels) == set(range(7))
    assert np.array_equal(data.split(twice, 0.2, seed=1)[1].images, held.images)
    assert not np.array_equal(data.split(twice, 0.2, seed=2)[1].labels, held.labels)


def test_a_photograph_that_was_cropped_lit_and_mirrored_is_a_near_copy():
    random = np.random.default_rng(4)
    photos = [cv2.GaussianBlur(random.integers(0, 256, (48, 48), np.uint8), (0, 0), 6) for _ in range(6)]
    faces = Faces(np.asarray(np.stack(photos), np.uint8), np.zeros(6, np.int64))
    mirrored, lit = photos[0][:, ::-1], cv2.convertScaleAbs(photos[1], alpha=0.7, beta=30)
    cropped = cv2.resize(photos[2][1:-1, 1:-1], (48, 48))
    flat = np.full((48, 48), 7, np.uint8)
    pictures = np.asarray(np.stack([mirrored, lit, cropped, photos[3], flat]), np.uint8)
    others = Faces(pictures, np.zeros(5, np.int64))
    assert faces.near_copies(others).tolist() == [True, True, True, True, False, False]
    # A picture of one color correlates with nothing, but is equal to itself
    assert others.near_copies(others).all()


@pytest.mark.parametrize("side", [32, 48])
def test_varied_faces_stay_in_the_middle_and_in_range(side):
    face = np.zeros((48, 48), np.uint8)
    face[16:32, 16:32] = 200
    faces = augment.augmented(np.stack([face] * 400), side, np.random.default_rng(1))[..., 0]
    assert faces.shape == (400, side, side)
    assert faces.dtype == np.float32
    assert 0 <= faces.min() <= faces.max() <= 1
    light = faces - np.median(faces, axis=(1, 2), keepdims=True)
    rows, columns = (np.average(np.arange(side), weights=np.abs(light).mean(axis=(0, way))) for way in (2, 1))
    assert (rows, columns) == (
        pytest.approx((side - 1) / 2, abs=side / 50),
        pytest.approx((side - 1) / 2, abs=side / 50),
    )


def test_some_faces_have_black_bars_and_equal_draws_give_equal_faces():
    faces = np.full((300, 48, 48), 255, np.uint8)
    first, second = (augment.augmented(faces, 48, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first, second)
    bars = (first[:, :, [0, -1]] == 0).all(axis=(1, 2, 3)).mean()
    assert bars == pytest.approx(augment.LETTERBOXED, abs=0.08)


def test_a_batch_has_each_face_once_an_epoch():
    from layers.models.train.training import batch

    recipe = replace(RECIPE, mix_up=1e-9, smoothing=0.0)
    faces = easy_faces(64, 1)
    for epoch in (0, 1):
        labels = np.concatenate([batch(recipe, faces, epoch, place)[1] for place in range(4)])
        assert np.array_equal(np.sort(labels.argmax(axis=1)), np.sort(faces.labels))
    kept = batch(recipe, faces, 0, 0)[2]
    assert set(np.unique(kept)) == {0, np.float32(1 / 0.7)}


def test_the_rate_rises_and_falls_and_falls_once_more():
    recipe = Recipe(epochs=100, calm_epochs=25)
    rates = [recipe.rate(step, 10) for step in range(1250)]
    assert rates.index(max(rates)) in range(79, 82)
    assert max(rates) == pytest.approx(Recipe.learning_rate)
    assert rates[999] < 0.001 * max(rates)
    assert rates[1000] == max(rates[1000:]) == pytest.approx(Recipe.calm_rate)
    assert rates[-1] < 0.001 * Recipe.calm_rate


def test_calm_epochs_blend_nothing_and_cut_nothing_out(environment):
    from layers.models.train.training import batch

    recipe, white = Recipe(epochs=20, batch=64), np.full((64, 48, 48), 255, np.uint8)
    faces = Faces(white, np.arange(64) % 7)

    def is_blended(epoch: int) -> bool:
        labels = batch(recipe, faces, epoch, 0)[1]
        return bool((np.sort(labels)[:, -2] > 0.5 * recipe.smoothing).any())

    assert {is_blended(epoch) for epoch in range(20)} == {True, False}
    assert {is_blended(epoch) for epoch in range(20, 40)} == {False}
    varied, whole = (augment.augmented(white, 48, np.random.default_rng(8), whole=whole) for whole in (False, True))
    middles = [(faces[:, 20:28, 20:28, 0].std(axis=(1, 2)) > 0.01).mean() for faces in (varied, whole)]
    assert middles[0] > 0.05
    assert middles[1] == 0


def test_another_recipe_does_not_go_on_in_a_folder(tmp_path: Path):
    from layers.models.train.__main__ import _claim

    _claim(tmp_path, "one")
    _claim(tmp_path, "one")
    with pytest.raises(SystemExit, match="another folder"):
        _claim(tmp_path, "two")
