"""A clip that needs more time than a POST has, under the Lambda emulator."""

import json
import time
from pathlib import Path

from local.emulator import emulator
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.fakes import rest_event
from video_common import limits

SLOW = {"frame_interval": ["1"], "scale_factor": ["1"], "include": ["timeline"]}


def test_a_clip_that_needs_a_minute_has_its_partial_answer_before_28_seconds(models_dir: Path, tmp_path: Path):
    # Given a clip whose frames take more than a second each, and a function with the template's time
    clip = write_video(tmp_path / "slow.mp4", portraits(1920, 1080, [CENTRED] * 150)).read_bytes()
    assert len(clip) < limits.MAX_POST_VIDEO_BYTES
    (work := tmp_path / "work").mkdir()
    variables = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "WORK_DIR": str(work)}
    with emulator({**variables, "POWERTOOLS_LOG_LEVEL": "ERROR"}, seconds=limits.API_SECONDS) as function:
        function.invoke(rest_event(None, content_type=None, method="GET", path="/"))
        event = rest_event(clip, query=SLOW)
        event["requestContext"]["requestTimeEpoch"] = round(time.time() * 1000)
        began = time.monotonic()
        answer = function.invoke(event)
        seconds = time.monotonic() - began
        # And one that arrived long before has less time
        event["requestContext"]["requestTimeEpoch"] = round((time.time() - 20) * 1000)
        began = time.monotonic()
        waited = json.loads(function.invoke(event)["body"])
        assert time.monotonic() - began < 9
    result = json.loads(answer["body"])
    assert (answer["statusCode"], result["truncated"]) == (200, True)
    assert 15 < seconds < limits.API_SECONDS
    # Then the answer is whole up to the time that it names
    frames = result["total_frames_analyzed"]
    assert 0 < waited["total_frames_analyzed"] < frames < 150
    assert [seen["index"] for seen in result["timeline"]] == list(range(frames))
    assert result["analyzed_until_ms"] == round(frames * 1000 / 30)
    assert result["frames_unreadable"] == 0
    assert list(work.iterdir()) == []
