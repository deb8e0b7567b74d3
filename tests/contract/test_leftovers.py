"""A request that is lost leaves nothing for the next one, and a full disk is no fault of the code."""

import json
import threading
import time
from pathlib import Path

import pytest

from local.emulator import EmulatorError, emulator
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.conftest import SAMPLE
from tests.fakes import LambdaContext, rest_event
from video_emotions import workspace
from video_emotions.workspace import PREFIX

HEALTH = rest_event(None, content_type=None, method="GET", path="/")


def leave_a_video(work_dir: Path) -> Path:
    directory = work_dir / f"{PREFIX}of-a-lost-request"
    directory.mkdir()
    (directory / "video").write_bytes(b"a face")
    return directory


@pytest.mark.parametrize("event", [HEALTH, rest_event(SAMPLE.read_bytes()), rest_event(b"no video")])
def test_each_request_removes_what_a_lost_one_left(handler_module, event):
    left = leave_a_video(handler_module.settings.work_dir)
    of_another = handler_module.settings.work_dir / ".keras"
    of_another.mkdir()
    handler_module.handler(event, LambdaContext())
    assert not left.exists()
    assert list(handler_module.settings.work_dir.iterdir()) == [of_another]
    of_another.rmdir()


def test_a_full_disk_is_503_on_post(handler_module, monkeypatch):
    monkeypatch.setattr(workspace, "FILE_NAME", "/dev/full")
    answer = handler_module.handler(rest_event(SAMPLE.read_bytes()), LambdaContext())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "storage_unavailable")
    assert not list(handler_module.settings.work_dir.iterdir())
    # And with room again the next request is answered
    monkeypatch.undo()
    assert handler_module.handler(rest_event(SAMPLE.read_bytes()), LambdaContext())["statusCode"] == 200


def test_a_function_that_was_killed_starts_with_an_empty_disk(models_dir, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    variables = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "WORK_DIR": str(work)}
    clip = write_video(tmp_path / "long.mp4", portraits(640, 360, [CENTRED] * 90)).read_bytes()
    # Given an API function that is killed in the middle of a POST
    with emulator(variables, seconds=60) as function:

        def kill() -> None:
            deadline = time.monotonic() + 30
            while not list(work.iterdir()) and time.monotonic() < deadline:
                time.sleep(0.005)
            function.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(EmulatorError):
            function.invoke(rest_event(clip, query={"frame_interval": ["1"]}))
        killer.join(timeout=40)
    (left,) = work.iterdir()
    assert left.name.startswith(PREFIX)
    # When it starts on the same disk
    with emulator(variables, seconds=60) as function:
        assert function.invoke(HEALTH)["statusCode"] == 200
        assert not list(work.iterdir())
