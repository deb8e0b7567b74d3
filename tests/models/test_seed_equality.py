"""The seed's numbers, exactly: our pipeline against the seed's own loop and `DeepFace.analyze`, on both engines.

Each engine runs in a process of its own, since only one can be imported.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.make_video import write_video
from testbed.pictures import ABOVE, ABSENT, CENTRED, TO_THE_LEFT, moving, portraits
from tests.conftest import ROOT, SAMPLE
from video_common.schema import EMOTION_LABELS

pytestmark = pytest.mark.timeout(900)  # three programs, each with 280 seconds of its own

CASES = {
    "sample": (30, 1.0),
    "half": (5, 0.5),
    "odd size": (6, 0.37),
    "turned": (4, 0.75),
    "noisy": (7, 0.6),
}
"""Clip -> frame interval, scale factor."""

SEED = """
import json, sys
from testbed.flask_app import run
weights, cases = sys.argv[1], json.loads(sys.argv[2])
print(json.dumps({name: run(path, interval, scale, model="mini-xception", weights=weights)
                  for name, (path, interval, scale) in cases.items()}))
"""
OURS = """
import json, sys
from pathlib import Path
from video_common.schema import Engine, Options
from video_emotions.emotions import load_model
from video_emotions.faces.finder import FaceFinder
from video_emotions.pipeline import Pipeline
from video_emotions.video_request import VideoRequest
from video_emotions.settings import Settings
engine, models, work, cases = Engine(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])
pipeline = Pipeline(Settings(work_dir=work), load_model("mini-xception", engine, models, 2), FaceFinder(models))
def analyze(path, interval, scale):
    options = Options(frame_interval=interval, scale_factor=scale, faceless_frames="analyze", include="timeline")
    return pipeline.analyze(VideoRequest(Path(path).read_bytes(), options)).model_dump(mode="json")
print(json.dumps({name: analyze(*case) for name, case in cases.items()}))
"""


def output(code: str, models_dir: Path, *arguments: str) -> dict:
    command = [sys.executable, "-c", code, *arguments]
    home = os.environ | {"DEEPFACE_HOME": str(models_dir)}  # or DeepFace makes one, and says so on standard output
    done = subprocess.run(command, cwd=ROOT, env=home, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("clips")
    places = [CENTRED] * 15 + [TO_THE_LEFT] * 15 + [ABSENT] * 15 + [ABOVE] * 15
    paths = {
        "sample": SAMPLE,
        "half": write_video(folder / "half.mp4", portraits(960, 540, places), keyint=25, b_frames=3),
        "odd size": write_video(folder / "odd.mkv", portraits(854, 482, places), codec="hevc"),
        "turned": write_video(folder / "turned.mov", portraits(480, 640, places[:20]), rotation=270),
        "noisy": write_video(folder / "noisy.webm", moving(640, 480, 40, detail=0.3), codec="vp8"),
    }
    return json.dumps({name: [str(paths[name]), *CASES[name]] for name in CASES})


@pytest.fixture(scope="module")
def seed(cases, models_dir: Path) -> dict:
    return output(SEED, models_dir, str(models_dir / ".deepface/weights/mini_xception.hdf5"), cases)


@pytest.fixture(scope="module")
def ours(cases, models_dir: Path, tmp_path_factory) -> dict[str, dict]:
    work = str(tmp_path_factory.mktemp("work"))
    return {engine: output(OURS, models_dir, engine, str(models_dir), work, cases) for engine in ("onnx", "tensorflow")}


@pytest.mark.parametrize("engine", ["onnx", "tensorflow"])
@pytest.mark.parametrize("name", CASES)
def test_the_five_fields_are_the_seeds(seed, ours, name, engine):
    expected, result = seed[name], ours[engine][name]
    for field in ("average_emotion_scores", "overall_dominant_emotion", "total_frames_analyzed", "eye_contact_score"):
        assert result[field] == expected[field], field
    assert result["average_confidence_score"] == pytest.approx(expected["average_confidence_score"], abs=1e-3)
    assert result["model"]["engine"] == engine


@pytest.mark.parametrize("engine", ["onnx", "tensorflow"])
@pytest.mark.parametrize("name", CASES)
def test_each_frames_probabilities_and_box_are_deepfaces(seed, ours, name, engine):
    scale = CASES[name][1]
    timeline = ours[engine][name]["timeline"]
    assert [seen["index"] for seen in timeline] == [frame["index"] for frame in seed[name]["frames"]]
    for seen, frame in zip(timeline, seed[name]["frames"], strict=True):
        face = seen["faces"][0]
        for label in EMOTION_LABELS:
            assert face["probabilities"][label] == pytest.approx(frame["probabilities"][label], abs=1e-3), (label, seen)
        x, y, w, h = (frame["region"][side] / scale for side in "xywh")
        box = face["box"]
        # in the video's own pixels; of a box that crosses the left edge DeepFace moves the corner and keeps the width
        assert [box["x"], box["y"]] == pytest.approx([x, y], abs=1)
        assert box["width"] == pytest.approx(w, abs=1 / scale + 1) or box["x"] == 0
        assert box["height"] == pytest.approx(h, abs=1 / scale + 1) or box["y"] == 0


def test_the_engines_agree(ours):
    for name in CASES:
        for onnx, tensorflow in zip(ours["onnx"][name]["timeline"], ours["tensorflow"][name]["timeline"], strict=True):
            for one, other in zip(onnx["faces"], tensorflow["faces"], strict=True):
                assert one["box"] == other["box"]
                for label in EMOTION_LABELS:
                    assert one["probabilities"][label] == pytest.approx(other["probabilities"][label], abs=1e-4)


def test_the_cases_are_no_trivial_ones(seed):
    assert all(0 < seed[name]["eye_contact_score"] < 100 for name in ("sample", "half", "odd size"))
    assert len({frame["dominant_emotion"] for case in seed.values() for frame in case["frames"]}) > 1
