"""Builds that must fail, with the reason."""

import json
import shutil
from pathlib import Path

import pytest

from local.engine import Engine
from local.image import DOCKERFILE, build_flags
from local.standin import base_image
from tests.conftest import ROOT

CONTEXT = ("requirements", "layers", "functions")
CHECK = '&& python3 -m video_models verify "${EMOTION_MODEL}" --engine onnx'

pytestmark = pytest.mark.timeout(700)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A copy of what the image is built from, without model files of this machine."""
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "facial_expression*.h5", "*.onnx")
    for name in CONTEXT:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    return tmp_path


def said(engine: Engine, context: Path, *flags: str, target: str = "weights") -> str:
    """Build a stage, which must fail, and return what was said."""
    done = engine.run(
        *("build", *build_flags(base_image(engine)), *flags, "--target", target),
        *("--file", str(context / DOCKERFILE), str(context)),
        check=False,
        seconds=600,
        capture_output=True,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("file", [".deepface/weights/compact.h5", ".deepface/weights/compact.onnx"])
def test_a_changed_byte_of_the_weights_ends_the_build(engine, context, file):
    # Given the build, with one bit of the weights turned after they were made and before they are checked
    turn = f"p = '/opt/models/{file}'; b = bytearray(open(p, 'rb').read()); b[len(b) // 2] ^= 1; open(p, 'wb').write(b)"
    dockerfile = context / DOCKERFILE
    text = dockerfile.read_text()
    assert text.count(CHECK) == 1
    dockerfile.write_text(text.replace(CHECK, f'&& python3 -c "{turn}" {CHECK}'))
    # Then there is no image, and the build says which file it was
    answer = said(engine, context)
    assert "has the sha256" in answer
    assert Path(file).name in answer


def test_weights_that_are_not_the_manifests_end_the_build(engine, context):
    # Given another digest in the manifest: what the source sends is off by a byte, seen from there
    manifest = context / "layers/models/python/video_models/manifest.json"
    specs = json.loads(manifest.read_text())
    for spec in specs:
        spec["sha256"] = spec["sha256"][:-1] + ("0" if spec["sha256"][-1] != "0" else "1")
    manifest.write_text(json.dumps(specs))
    assert "another file, with the sha256" in said(engine, context)


def test_weights_that_cannot_be_had_end_the_build_with_the_reason(engine, context):
    # Given sources where nothing listens
    manifest = context / "layers/models/python/video_models/manifest.json"
    specs = json.loads(manifest.read_text())
    for spec in specs:
        spec["sources"] = [{"url": "http://127.0.0.1:9/weights.h5"}]
    manifest.write_text(json.dumps(specs))
    answer = said(engine, context, "--build-arg", "EMOTION_MODEL=deepface")
    assert "No source gave" in answer
    assert "http://127.0.0.1:9/weights.h5" in answer


def test_a_detector_that_cannot_be_had_ends_the_build_with_the_reason(engine, context):
    # Given a wrong file in the mirror, and a source where nothing listens
    manifest = context / "layers/models/python/video_models/manifest.json"
    specs = json.loads(manifest.read_text())
    (yunet,) = (spec for spec in specs if spec["name"] == "yunet")
    yunet["sources"] = [{"url": "http://127.0.0.1:9/yunet.onnx"}]
    manifest.write_text(json.dumps(specs))
    (context / "layers/models/mirror" / yunet["file"]).write_bytes(b"another file")
    answer = said(engine, context, "--build-arg", "DETECTORS=haar,yunet")
    assert f"/build/mirror/{yunet['file']}: ended after 12 of {yunet['size']} bytes" in answer
    assert "http://127.0.0.1:9/yunet.onnx" in answer


def test_wrong_arguments_end_the_build(engine):
    assert "There is no model 'nonsense'" in said(engine, ROOT, "--build-arg", "EMOTION_MODEL=nonsense")
    assert "it must be 'haar' or 'haar,yunet'" in said(engine, ROOT, "--build-arg", "DETECTORS=retina")
    answer = said(engine, ROOT, "--build-arg", "ENGINES=pytorch", target="dependencies")
    assert "it must be 'onnx' or 'onnx,tensorflow'" in answer
