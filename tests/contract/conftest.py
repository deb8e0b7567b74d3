"""What the tests of executions share."""

import pytest

from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.execution_world import Cloud
from video_emotions.pipeline import Pipeline


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video of four segments, with a face in the first half."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_video(path, portraits(320, 180, [CENTRED] * 20 + [None] * 20), keyint=5).read_bytes()


@pytest.fixture
def world(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """All uploads are long, and are cut into four segments."""
    return Cloud(pipeline, monkeypatch)
