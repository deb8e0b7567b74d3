"""A long video on one computer: its segments at the same time, each in a process with models of its own.

Lambda has no semaphores, so this is for computers only. In AWS a state machine does the same.
"""

import hashlib
import multiprocessing
import signal
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
from video_emotions.sandbox import close_to_others, end_with_parent
from video_emotions.segmented import Segmented
from video_emotions.settings import Settings
from video_emotions.video_request import VideoRequest

_EACH: Final = 4
"""Segments for each process at least, so that none of them waits long for the last one."""
_DAY_SECONDS: Final = 86_400
_SILENT_SECONDS: Final = 600.0

Progress = Callable[[int, int], None]
"""Called with the number of sampled frames in segments that are done, and with the number of all."""


def new_reader(memory_bytes: int) -> Reader:
    """Return a reader for files of any size: this computer's owner decides how long it works."""
    return Reader(memory_bytes, silent_seconds=_SILENT_SECONDS, cpu_seconds=_DAY_SECONDS)


def loaded(settings: Settings) -> Pipeline:
    """Load the models, and start a spare process that decodes."""
    model = load_model(settings.emotion_model, settings.emotion_engine, settings.models_dir, settings.worker_threads)
    finder = FaceFinder(settings.models_dir, settings.face_detector)
    finder.load_all()
    reader = new_reader(settings.decoder_memory_bytes)
    reader.prepare()
    return Pipeline(settings, model, finder, reader=reader)


def analyze(
    pipeline: Pipeline, path: Path, options: Options, progress: Progress, over_seconds: float = limits.POOL_SECONDS
) -> Result | None:
    """Analyze a file in as many processes as the settings have threads.

    Parameters
    ----------
    pipeline : Pipeline
        It plans and merges.
    path : Path
    options : Options
    progress : callable
        See `Progress`.
    over_seconds : float
        Processor time that is worth the start of the processes.

    Returns
    -------
    Result or None
        None: the analysis should take less, or the video cannot be cut. One of more than ``limits.MAX_FRAMES`` pictures
        has a Result all the same.

    Raises
    ------
    VideoEmotionsError
    FunctionFailed
        Something ended a process, such as the kernel to free memory.
    """
    began, workers, tasks = time.perf_counter(), pipeline.settings.worker_threads, Segmented(pipeline)
    understood = VideoRequest(path, options).understood
    outline, slices = tasks.plan(path, understood, Segmenting(limits.SEGMENT_SECONDS, _EACH * workers))
    count = len(outline.segments)
    is_short = count == 1 or sum(segment.facts.seconds for segment in outline.segments) <= over_seconds
    if is_short and outline.video.frame_count <= limits.MAX_FRAMES:
        return None
    outline = outline.model_copy(update={"options": options})  # the Result repeats them as they were given
    with ProcessPoolExecutor(
        min(workers, count),
        multiprocessing.get_context("spawn"),  # forking is unsafe once ONNX Runtime has threads
        _Worker.start,
        (pipeline.settings.model_copy(update={"threads": 1}), path, outline),
    ) as pool:
        given = (slices[segment.begin : segment.end] for segment in outline.segments)
        partials = pool.map(_Worker.analyze, range(count), given)
        try:
            with path.open("rb") as file:  # while the processes work
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            told = _told(partials, outline, progress)
            result = tasks.merge(
                outline, (partial.found for partial in told), lambda: 1000 * (time.perf_counter() - began)
            )
        except BrokenProcessPool as error:
            raise FunctionFailed("A process that analyzed a segment was ended. Use fewer threads.") from error
        finally:
            pool.shutdown(cancel_futures=True)
    return result.model_copy(update={"video": result.video.model_copy(update={"sha256": digest})})


def _told(partials: Iterator[Partial], outline: Outline, progress: Progress) -> Iterator[Partial]:
    done = 0
    progress(done, outline.plan.frames_wanted)
    for segment, partial in zip(outline.segments, partials, strict=True):
        yield partial
        done += segment.facts.frames
        progress(done, outline.plan.frames_wanted)


class _Worker:
    """What a process of the pool has."""

    tasks: Segmented
    path: Path
    outline: Outline

    @classmethod
    def start(cls, settings: Settings, path: Path, outline: Outline) -> None:
        """Load the models."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the parent
        end_with_parent()
        close_to_others()
        cls.tasks, cls.path, cls.outline = Segmented(loaded(settings)), path, outline

    @classmethod
    def analyze(cls, number: int, part: bytes) -> Partial:
        """Analyze a segment."""
        return cls.tasks.analyze(cls.path, cls.outline, number, part)
