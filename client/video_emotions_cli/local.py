"""A video -> Result on this computer: the pipeline of the Lambda function, in this process or in several."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Self

from video_common import limits
from video_common.metrics import meter
from video_common.result import Result
from video_common.schema import Options
from video_common.telemetry import logger
from video_emotions import pool
from video_emotions.facts import Frame, PlanFacts, VideoInfo
from video_emotions.pipeline import Pipeline
from video_emotions.pool import loaded
from video_emotions.reader import Reader
from video_emotions.records import Frames
from video_emotions.sandbox import close_to_others
from video_emotions.settings import Settings
from video_emotions.video_request import VideoRequest
from video_emotions_client.sending import Progress

_CLONE_MODELS: Final = Path(__file__).resolve().parents[2] / ".models"
"""Where `make` puts the models, if this package is installed from a clone."""


class Local:
    """Analyzes with one pipeline. Several threads may use it.

    Parameters
    ----------
    pipeline : Pipeline
    at_once : int
        Videos at the same time.
    """

    def __init__(self, pipeline: Pipeline, at_once: int) -> None:
        self._pipeline = pipeline
        self.at_once = at_once

    @classmethod
    def loaded(cls, videos: int) -> Self:
        """Load the models, once for all videos.

        Parameters
        ----------
        videos : int
            How many there are. Each processor has a video, and what is left over goes to the threads of each video.

        Raises
        ------
        ModelUnavailable, ConfigurationError
        """
        logger.registered_handler.setStream(sys.stderr)  # type: ignore[attr-defined]  # standard output is the result's
        if not close_to_others():
            logger.warning("this platform refuses to close the program to its child processes")
        settings = _settings()
        at_once = min(videos, settings.worker_threads)
        threads = settings.worker_threads // at_once
        return cls(loaded(settings.model_copy(update={"threads": threads})), at_once)

    def analyze(self, path: Path, options: Options, progress: Progress) -> Result:
        """Analyze a file of any size, where it is.

        Raises
        ------
        VideoEmotionsError
        OSError
            The file cannot be read. The process that decodes could not say so.
        """
        path.open("rb").close()
        pipeline, result = self._pipeline, None
        try:
            if pipeline.settings.worker_threads > 1 and path.stat().st_size > limits.PLANNED_BYTES:
                result = pool.analyze(pipeline, path, options, partial(progress, "analyzing"))
            watched = replace(pipeline, reader=_Watched(pipeline.reader, progress))
            return result or watched.analyze(VideoRequest(path, options))
        finally:
            meter.clear()


def _settings() -> Settings:
    """Read the variables of a deployment, with defaults for a clone in which `make` has put the models."""
    environment = {**os.environ}
    if not environment.get("MODELS_DIR") and _CLONE_MODELS.is_dir():
        environment["MODELS_DIR"] = str(_CLONE_MODELS)
    chosen = Path(environment.get("MODELS_DIR", "."), ".chosen")
    if not environment.get("EMOTION_MODEL") and chosen.is_file():
        environment["EMOTION_MODEL"] = chosen.read_text().strip()
    return Settings.from_environment(environment)


class _Watched(Reader):
    """A reader that reports its progress."""

    def __init__(self, reader: Reader, progress: Progress) -> None:
        self._reader = reader
        self._progress = progress

    def read(
        self, path: Path, options: Options, threads: int, seconds: float = float("inf")
    ) -> tuple[VideoInfo, PlanFacts, Frames]:
        """See `Reader.read`."""
        info, plan, frames = self._reader.read(path, options, threads, seconds)
        return info, plan, _WatchedFrames(frames, plan.frames_wanted, self._progress)


class _WatchedFrames(Frames):
    """Frames that are reported. Unlike a generator, they can be closed while another thread waits for the next one."""

    def __init__(self, frames: Frames, wanted: int, progress: Progress) -> None:
        self._frames = frames
        self._wanted = wanted
        self._progress = progress
        self._done = 0

    def __next__(self) -> Frame:
        self._progress("analyzing", self._done, self._wanted)
        frame = next(self._frames)
        self._done = frame.planned
        return frame

    def close(self) -> None:
        """See `Frames.close`."""
        self._frames.close()
