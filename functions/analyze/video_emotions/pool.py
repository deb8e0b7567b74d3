"""A long video on one machine: its segments at the same time, each in a process with models of its own.

Lambda has no semaphores, so this is for computers only. There a state machine does the same.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from video_common import limits
from video_common.errors import FunctionFailed
from video_common.result import Result
from video_common.schema import Options
from video_emotions.emotions import load_model
from video_emotions.faces.finder import FaceFinder
from video_emotions.outline import Outline, Partial
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Reader, Segmenting
from video_emotions.sandbox import close_to_others
from video_emotions.segmented import Segmented
from video_emotions.settings import Settings

_EACH: Final = 4
"""Segments for each process at least, so that none of them waits long for the last one."""

Progress = Callable[[int, int], None]
"""Told how many of how many segments are done."""


def segmented(settings: Settings) -> Segmented:
    """Load what the tasks of a segmented analysis need."""
    model = load_model(settings.emotion_model, settings.emotion_engine, settings.models_dir, settings.worker_threads)
    finder = FaceFinder(settings.models_dir, settings.face_detector)
    finder.load_all()
    return Segmented(Pipeline(settings, model, finder, reader=Reader(settings.decoder_memory_bytes)))


def analyze(path: Path, options: Options, settings: Settings, progress: Progress = lambda _done, _all: None) -> Result:
    """Analyze a file in as many processes as ``settings`` has threads.

    Parameters
    ----------
    path : Path
    options : Options
    settings : Settings
    progress : callable
        See `Progress`.

    Raises
    ------
    VideoEmotionsError
    FunctionFailed
        A process was ended, by the kernel for example.
    """
    began, workers = time.perf_counter(), settings.worker_threads
    tasks = segmented(settings)
    outline, slices = tasks.plan(path, options, Segmenting(limits.SEGMENT_SECONDS, _EACH * workers))
    with ProcessPoolExecutor(
        min(workers, len(outline.segments)),
        multiprocessing.get_context("spawn"),  # forking is unsafe once ONNX Runtime has threads
        _Worker.start,
        (settings.model_copy(update={"threads": 1}), path, outline),
    ) as pool:
        parts = (slices[segment.begin : segment.end] for segment in outline.segments)
        partials = pool.map(_Worker.analyze, range(len(outline.segments)), parts)
        try:
            told = _told(partials, len(outline.segments), progress)
            return tasks.merge(outline, told, lambda: 1000 * (time.perf_counter() - began))
        except BrokenProcessPool as error:
            raise FunctionFailed("A process that analyzed a segment was ended. Use fewer threads.") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _told(partials: Iterator[Partial], count: int, progress: Progress) -> Iterator[Partial]:
    progress(0, count)
    for done, partial in enumerate(partials, start=1):
        yield partial
        progress(done, count)


class _Worker:
    """What a process of the pool has."""

    tasks: Segmented
    path: Path
    outline: Outline

    @classmethod
    def start(cls, settings: Settings, path: Path, outline: Outline) -> None:
        """Load the models."""
        close_to_others()
        cls.tasks, cls.path, cls.outline = segmented(settings), path, outline

    @classmethod
    def analyze(cls, number: int, part: bytes) -> Partial:
        """Analyze a segment."""
        return cls.tasks.analyze(cls.path, cls.outline, number, part)
