"""What is in the images, and where it came from."""

import pytest

from local.image import DEFAULT_MODEL, ENGINES, YUNET, available_detectors
from tests.image.conftest import HERE
from video_common.schema import Engine
from video_models.manifest import load_manifest

AVCODEC = (62, 28, 102)
"""FFmpeg 8.1.2, which fixes CVE-2026-8461."""

LAMBDA_HAS = {"glibc": 34, "glibcxx": 29}
"""Amazon Linux 2023 has glibc 2.34, and the C++ library of GCC 11: GLIBCXX_3.4.29."""


PACKAGES = ("av", "boto3", "botocore", "cv2", "numpy")


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


DETECTOR = load_manifest().detectors[YUNET]
DETECTOR_PATH = str(DETECTOR.weights_path(HERE).relative_to(HERE))


def test_weights_are_those_of_the_manifest(contents):
    spec = load_manifest().emotions[DEFAULT_MODEL]
    digests = contents["models"]
    assert digests[f".deepface/weights/{spec.file}"] == spec.sha256
    assert set(digests) == {
        "manifest.json",
        *(str(path(HERE).relative_to(HERE)) for path in (spec.weights_path, spec.onnx_path, spec.record_path)),
        *([DETECTOR_PATH] if YUNET in available_detectors() else []),
    }
    assert contents["weights_elsewhere"] == []
    assert contents["manifest"] == [item.model_dump(mode="json") for item in load_manifest().models.values()]


def test_the_detector_is_the_manifests(contents):
    if DETECTOR_PATH not in contents["models"]:
        pytest.skip("the image has no YuNet: set MODEL_MIRROR to a folder or an address that has its file")
    assert contents["models"][DETECTOR_PATH] == DETECTOR.sha256


def test_one_cv2_and_at_most_one_tensorflow(contents, kind):
    names = contents["distributions"]
    assert len(contents["cv2"]) == 1
    assert [name for name in names if name.startswith("opencv")] == ["opencv-python-headless"]
    tensorflows = [name for name in names if name in {"tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"}]
    assert tensorflows == (["tensorflow-cpu"] if Engine.TENSORFLOW.value in ENGINES[kind] else [])
    assert "tf-keras" in names or not tensorflows


def test_every_ffmpeg_is_mended(contents):
    files = contents["avcodec_files"]
    assert len(files) == 2, files  # PyAV's and OpenCV's
    assert [name for name in files if version(name.split(".so.")[1]) < AVCODEC] == []
    assert tuple(contents["avcodec_of_av"]) >= AVCODEC
    assert version(contents["avcodec_of_cv2"]) >= AVCODEC


@pytest.mark.parametrize("library", LAMBDA_HAS)
def test_nothing_needs_a_newer_library_than_lambda_has(contents, library):
    needs = {path: newest[library] for path, newest in contents["needs"].items()}
    assert len(needs) > 50
    assert any(needs.values())
    assert {path: newest for path, newest in needs.items() if newest > LAMBDA_HAS[library]} == {}


def test_imports_come_from_where_they_should(contents):
    assert contents["modules"] == {
        **{name: f"/var/task/{name}/__init__.py" for name in PACKAGES},
        "snapshot_restore_py": "/var/task/snapshot_restore_py.py",
        "video_models": "/opt/python/video_models/__init__.py",
        "video_common": "/opt/python/video_common/__init__.py",
        "video_emotions": "/var/task/video_emotions/__init__.py",
    }
    assert contents["python"] == [3, 13]
    # The client of the runtime API is the base's own.
    assert contents["runtime_client"] not in {None, "/var/task/awslambdaric/__init__.py"}


def test_files_can_be_read_and_not_written_by_lambdas_user(contents):
    assert contents["user"] == 1000
    assert contents["unreadable"] == []
    assert contents["writable"] == []
    assert contents["without_bytecode"] == []


def test_nothing_of_this_machine_or_of_pip_is_left(contents):
    assert [name for name in contents["environment"] if name.startswith("PIP")] == []
    assert contents["environment"]["ORT_DISABLE_TELEMETRY"] == "1"
