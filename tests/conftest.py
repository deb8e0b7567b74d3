"""Fixtures that every suite shares. No test needs a network beyond loopback."""

import os
import signal
import socket
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

from local.cloud import Cloud, emulated_cloud
from tests.fakes import LambdaContext
from tests.not_run import pytest_addoption, pytest_sessionfinish, pytest_terminal_summary  # noqa: F401 - hooks
from video_common.schema import Engine
from video_emotions.emotions import EmotionModel, load_model
from video_emotions.faces.finder import FaceFinder
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Reader
from video_emotions.settings import Settings
from video_models.manifest import detector_path, load_manifest

hypothesis.settings.register_profile("project", deadline=None)  # a busy machine is slow, and no test measures time
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "data" / "sample.mp4"
MODELS = Path(os.environ.get("MODELS_DIR", ROOT / ".models"))


def pytest_configure() -> None:
    """A runner's TERM ends what tests have started (servers, containers) as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: pytest.exit("ended by TERM", 128 + signal.SIGTERM))


def _loopback_only(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test reaches for {address[0]}")
        return connect(self, address)

    return guarded


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Fail every connection that would leave the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _loopback_only(socket.socket.connect))
        yield


@pytest.fixture(scope="session")
def models_dir() -> Path:
    return MODELS


@pytest.fixture(scope="session")
def model(models_dir: Path) -> EmotionModel:
    """The trained model that every machine has."""
    return load_model("compact", Engine.ONNX, models_dir, threads=2)


@pytest.fixture(scope="session")
def yunet_path() -> Path:
    """YuNet's file. A machine that cannot fetch it does not run the tests that need it, and reports them."""
    if not load_manifest().detectors["yunet"].weights_path(MODELS).exists():
        pytest.skip("YuNet's file is not here: set MODEL_MIRROR to a folder or an address that has it")
    return detector_path("yunet", MODELS)


@pytest.fixture
def settings(models_dir: Path, tmp_path: Path) -> Settings:
    work = tmp_path / "work"
    work.mkdir()
    return Settings(emotion_model="compact", models_dir=models_dir, work_dir=work)


@pytest.fixture(scope="session")
def reader() -> Reader:
    """One for all tests: its spare child starts while something else is tested."""
    return Reader()


@pytest.fixture
def pipeline(settings: Settings, model: EmotionModel, reader: Reader) -> Pipeline:
    finder = FaceFinder(settings.models_dir)
    finder.load_all()
    return Pipeline(settings, model, finder, reader=reader)


@pytest.fixture
def context() -> LambdaContext:
    return LambdaContext()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The template's services on loopback, for everything that boto3 does in this process."""
    with emulated_cloud() as made:
        os.environ["AWS_ENDPOINT_URL"] = made.url
        yield made
        del os.environ["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def s3(cloud: Cloud) -> Any:
    """A client of the emulated S3."""
    return cloud.client("s3")


@pytest.fixture(scope="session")
def handler_module(models_dir: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The Lambda entry point, initialized as in a deployment."""
    work = tmp_path_factory.mktemp("work")
    variables = {
        "EMOTION_MODEL": "compact",
        "MODELS_DIR": str(models_dir),
        "WORK_DIR": str(work),
        **cloud.variables,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return import_module("video_emotions.handler")
