"""Builds that must fail, with the reason."""

import json
import shutil

import pytest

from local.engine import Engine
from local.image import DEFAULT_MODEL
from local.standin import base_image, pip_settings, requirements
from tests.conftest import ROOT

CONTEXT = ("requirements", "layers", "functions")


def build(engine: Engine, context, **arguments: str) -> str:
    """Build the weights, which must fail, and return what was said."""
    given = {"BASE_IMAGE": base_image(engine), "EMOTION_MODEL": DEFAULT_MODEL, **arguments}
    flags = [part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")]
    target = ("--target", "dependencies" if "ENGINES" in arguments else "weights")
    dockerfile = str(context / "functions/analyze/Dockerfile")
    done = engine.run(
        *("build", *flags, *target, "--file", dockerfile, str(context)), check=False, seconds=600, capture_output=True
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.timeout(700)
def test_weights_that_are_not_the_manifests_end_the_build(engine, tmp_path):
    # Given the project with another digest in the manifest: the weights are off by a byte, seen from there
    for name in CONTEXT:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    manifest = tmp_path / "layers/models/python/emotion_models/manifest.json"
    specs = json.loads(manifest.read_text())
    for spec in specs:
        spec["sha256"] = spec["sha256"][:-1] + ("0" if spec["sha256"][-1] != "0" else "1")
    manifest.write_text(json.dumps(specs))
    # Then there is no image, and the build says which weights they were
    assert "another file, with the sha256" in build(engine, tmp_path)


@pytest.mark.timeout(700)
def test_wrong_arguments_end_the_build(engine):
    assert "There is no model 'nonsense'" in build(engine, ROOT, EMOTION_MODEL="nonsense")
    assert "it must be 'onnx' or 'onnx,tensorflow'" in build(engine, ROOT, ENGINES="pytorch")


def test_pip_settings_keep_what_a_container_can_reach():
    listed = "global.cert='/a/b.crt'\nglobal.index-url='https://x.invalid/simple'\nglobal.find-links='/wheels'\n"
    assert pip_settings(listed) == "[global]\nindex-url = https://x.invalid/simple\n"


def test_requirements_of_the_standin_are_the_locked_ones():
    assert requirements(("snapshot-restore-py",)).startswith("snapshot-restore-py==")
    assert "--hash=sha256:" in requirements(("snapshot-restore-py",))
