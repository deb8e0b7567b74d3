"""`make image`: the model files that it hands to the build, and what it asks the build for."""

from pathlib import Path

import pytest

from local.image import YUNET, available_detectors, build_flags, fill_mirror
from video_models.manifest import load_manifest

MANIFEST = load_manifest()
YUNET_FILE = MANIFEST.detectors[YUNET].file
WEIGHTS_FILE = MANIFEST.emotions["deepface"].file


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The build's mirror, a folder that MODEL_MIRROR names, and the verified detectors of .models: all empty."""
    made = {name: tmp_path / name for name in ("build", "mirror", "models/detectors")}
    for path in made.values():
        path.mkdir(parents=True)
    monkeypatch.setenv("MODEL_MIRROR", str(made["mirror"]))
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("DETECTORS", raising=False)
    return made


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_of_the_manifest_are_copied_and_others_are_not(folders):
    (folders["mirror"] / WEIGHTS_FILE).write_bytes(b"weights")
    (folders["mirror"] / "secret").write_bytes(b"secret")
    (folders["models/detectors"] / YUNET_FILE).write_bytes(b"yunet")
    fill_mirror(folders["build"])
    assert content(folders["build"]) == {WEIGHTS_FILE: b"weights", YUNET_FILE: b"yunet"}


def test_a_verified_file_wins_and_a_read_only_copy_is_no_obstacle(folders):
    (folders["mirror"] / YUNET_FILE).write_bytes(b"unchecked")
    (folders["mirror"] / YUNET_FILE).chmod(0o444)
    fill_mirror(folders["build"])
    assert (folders["build"] / YUNET_FILE).stat().st_mode & 0o200
    (folders["models/detectors"] / YUNET_FILE).write_bytes(b"verified")
    fill_mirror(folders["build"])
    assert content(folders["build"]) == {YUNET_FILE: b"verified"}


@pytest.mark.parametrize("mirror", ["", "http://127.0.0.1/models"])
def test_a_mirror_that_is_no_folder_gives_no_files(folders, monkeypatch, mirror):
    monkeypatch.setenv("MODEL_MIRROR", mirror)
    fill_mirror(folders["build"])
    assert content(folders["build"]) == {}


def test_the_builds_own_folder_may_be_the_mirror(folders, monkeypatch):
    monkeypatch.setenv("MODEL_MIRROR", str(folders["build"]))
    (folders["build"] / YUNET_FILE).write_bytes(b"yunet")
    fill_mirror(folders["build"])
    assert content(folders["build"]) == {YUNET_FILE: b"yunet"}


def test_yunet_is_asked_for_where_its_file_is(folders, capsys):
    assert available_detectors(folders["build"]) == "haar"
    assert "haar only (DETECTORS=haar)" in capsys.readouterr().err
    (folders["build"] / YUNET_FILE).write_bytes(b"yunet")
    assert available_detectors(folders["build"]) == "haar,yunet"
    assert capsys.readouterr().err == ""


def test_the_environment_has_the_last_word(folders, monkeypatch, capsys):
    monkeypatch.setenv("DETECTORS", "haar,yunet")
    assert available_detectors(folders["build"]) == "haar,yunet"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("mirror", "passed"), [("https://host/models", ["MODEL_MIRROR=https://host/models"]), ("../folder", []), ("", [])]
)
def test_the_build_is_told_of_an_address_only(monkeypatch, mirror, passed):
    # A folder outside the build context does not exist for the build.
    monkeypatch.setenv("MODEL_MIRROR", mirror)
    flags = build_flags("base", detectors="haar,yunet")
    assert "DETECTORS=haar,yunet" in flags
    assert [flag for flag in flags if flag.startswith("MODEL_MIRROR")] == passed
