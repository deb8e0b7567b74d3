"""The emotion model: batches, both engines, and weights that are not what they should be."""

import subprocess
import sys

import numpy as np
import pytest

from testbed.pictures import CENTRED, portrait
from tests.conftest import ROOT
from video_common.errors import ConfigurationError, ModelUnavailable
from video_common.limits import PROBABILITY_UNITS
from video_common.schema import Engine
from video_emotions.emotions import letterbox, load_model
from video_models.manifest import load_manifest

ENGINES = ("onnx", "tensorflow")
BATCHES = """
import sys
from pathlib import Path
import numpy as np
from video_common import limits
from video_common.schema import Engine
from video_emotions.emotions import letterbox, load_model
model = load_model("compact", Engine(sys.argv[1]), Path(sys.argv[2]), 2)
rng = np.random.default_rng(7)
faces = [letterbox(rng.integers(0, 256, (90 + i, 80, 3), dtype=np.uint8)) for i in range(64)]
limits.FACE_BATCH = 64
whole = np.array(model.score(faces))
for size in (1, 7, 64):
    parts = np.array([row for start in range(0, 64, size) for row in model.score(faces[start:start + size])])
    print(size, np.abs(parts - whole).max(), len(parts))
print("different faces", len({tuple(row) for row in whole.tolist()}))
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_faces_scores_do_not_hang_on_its_batch(engine, models_dir):
    command = [sys.executable, "-c", BATCHES, engine, str(models_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *sizes, different = done.stdout.splitlines()
    for line, size in zip(sizes, (1, 7, 64), strict=True):
        batch, difference, count = map(int, line.split())
        assert (batch, count) == (size, 64)
        assert difference <= 1
    assert different == "different faces 64"


def test_scores_are_units_of_probability_and_no_faces_are_no_scores(model):
    face = letterbox(portrait(320, 240, CENTRED))
    (scores,) = model.score([face])
    assert sum(scores) == pytest.approx(PROBABILITY_UNITS, abs=7)
    assert all(isinstance(score, int) for score in scores)
    assert model.score([]) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (500, 20, 3), (20, 500, 3), (224, 224, 3), (1, 3000, 3), (3000, 2, 3)])
def test_any_crop_becomes_a_padded_square(shape):
    face = letterbox(np.full(shape, 255, np.uint8))
    assert (face.shape, face.dtype) == ((224, 224, 3), np.dtype(np.float32))
    assert face.max() == 1.0


def test_the_facts_name_the_model_and_the_weights_of_the_manifest(model):
    assert (model.facts.name, model.facts.engine) == ("compact", Engine.ONNX)
    assert model.facts.weights_sha256 == load_manifest().emotions["compact"].sha256


@pytest.mark.parametrize("engine", list(Engine))
def test_missing_weights_are_an_error_at_the_start(tmp_path, engine):
    with pytest.raises(ModelUnavailable, match="compact"):
        load_model("compact", engine, tmp_path, 1)
    assert not list(tmp_path.iterdir()), "something was made or fetched"


@pytest.mark.parametrize("name", ["vgg", "yunet"])
def test_an_unknown_model_names_the_known_ones(models_dir, name):
    with pytest.raises(ConfigurationError, match=r"deepface, compact, mini-xception\.$"):
        load_model(name, Engine.ONNX, models_dir, 1)
