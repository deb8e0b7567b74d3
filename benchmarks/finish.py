"""How long an answer takes after the last frame: the origin of `limits.FINISH_SECONDS` and `limits.FINISH_SHARE`.

Run it as ``python -m benchmarks.finish`` with the project's environment.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from video_common.errors import TooLong
from video_common.result import Result
from video_common.schema import Options
from video_emotions.aggregate import Observation, Report, ScoredFace
from video_emotions.boxes import Box
from video_emotions.deadline import Deadline
from video_emotions.emotions import load_model
from video_emotions.faces.finder import FaceFinder
from video_emotions.facts import VideoInfo
from video_emotions.pipeline import Pipeline
from video_emotions.rendering import render_to_fit
from video_emotions.responses import build_result
from video_emotions.settings import Settings
from video_emotions.video_request import VideoRequest

CASES: Mapping[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "640 x 360": ((640, 360), {}),
    "640 x 360, timeline": ((640, 360), {"include": "timeline"}),
    "1920 x 1080, scale 1": ((1920, 1080), {"scale_factor": 1.0}),
    "3840 x 2160, scale 1": ((3840, 2160), {"scale_factor": 1.0}),
}
SECONDS = (2.0, 6.0, 12.0)
TIMELINES = ((1_000, 1), (1_000, 20), (60_000, 3))
"""Frames and faces a frame: more than a POST gets done in its time, twice, and more than an upload does."""


def main() -> None:
    """Print how late each answer is, and how long the text of a timeline takes."""
    with TemporaryDirectory() as folder:
        settings = Settings.from_environment().model_copy(update={"work_dir": Path(folder)})
        model = load_model(
            settings.emotion_model, settings.emotion_engine, settings.models_dir, settings.worker_threads
        )
        pipeline = Pipeline(settings, model, FaceFinder(settings.models_dir))
        for name, (size, options) in CASES.items():
            frames = 30 if size[0] > 1000 else 600
            clip = write_video(Path(folder, "clip.mp4"), portraits(*size, [CENTRED] * frames)).read_bytes()
            for seconds in SECONDS:
                _ends(pipeline, name, VideoRequest(clip, Options(frame_interval=1, **options)), seconds)
        whole = pipeline.analyze(VideoRequest(clip, Options(include="timeline")))
        for frames, faces in TIMELINES:
            _text(whole, frames, faces)


def _ends(pipeline: Pipeline, name: str, request: VideoRequest, seconds: float) -> None:
    """Print seconds from the deadline to the answer; negative where the answer was there before."""
    deadline = Deadline(time.monotonic() + seconds)
    try:
        result = pipeline.analyze(request, deadline)
        render_to_fit(result, "json")
        frames = result.total_frames_analyzed
    except TooLong:
        frames = 0
    print(f"{name:24} {seconds:4.0f} s {frames:4} frames {-deadline.left:+6.2f} s")


def _text(of: Result, frames: int, faces: int) -> None:
    """Print seconds from a Report to the text of its Result."""
    face = ScoredFace(Box(200, 100, 150, 150), detected=True, scores=(100_000, 200_000, 300_000, *[100_000] * 4))
    timeline = tuple(Observation(place, place * 33, True, (face,) * faces) for place in range(frames))
    info = VideoInfo("h264", 640, 360, 0, 30.0, frames * 33, 1, "0" * 64, frames)
    began = time.monotonic()
    result = build_result(Report(frames, timeline=timeline), info, of.settings, of.detector, of.model, of.timings_ms)
    text = render_to_fit(result, "json").text
    print(f"{frames:6} frames of {faces:2} faces: {time.monotonic() - began:.2f} s for {len(text) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
