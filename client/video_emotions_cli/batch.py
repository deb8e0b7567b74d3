"""Several videos at the same time; their outcomes come in order."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from video_common.result import Result
from video_common.schema import Options
from video_emotions_cli.failures import EXPECTED, ExitCode, exit_code_of, stops_all, told
from video_emotions_cli.files import Video
from video_emotions_cli.outputs import Outputs
from video_emotions_cli.screen import Screen
from video_emotions_cli.summary import Row
from video_emotions_client.sending import Progress

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Engine(Protocol):
    """What makes a Result of a video. Several threads may use it."""

    def analyze(self, path: Path, options: Options, progress: Progress) -> Result:
        """Analyze a file.

        Raises
        ------
        Exception
            One of `failures.EXPECTED`.
        """


def analyze_all(
    videos: list[Video], at_once: int, engine: Engine, options: Options, outputs: Outputs, screen: Screen
) -> tuple[list[Row], ExitCode]:
    """Analyze videos and write their outputs.

    Parameters
    ----------
    videos : list of Video
    at_once : int
        Videos in progress at the same time.
    engine : Engine
    options : Options
    outputs : Outputs
    screen : Screen

    Returns
    -------
    list of Row
        For the summary, in the order of the videos. It ends early at an error that the next video would meet too.
    ExitCode
    """

    def work(video: Video) -> Result | Exception:
        try:
            return engine.analyze(video.path, options, partial(screen.show, video))
        except EXPECTED as error:
            return error

    rows: list[Row] = []
    code = ExitCode.OK
    for video, outcome in in_order(work, videos, at_once):
        ended = outcome if isinstance(outcome, Exception) else _written(outputs, len(rows), video, outcome, screen)
        screen.finish(video)
        if isinstance(ended, Exception):
            screen.fail(str(video.path), told(ended))
            code = max(code, exit_code_of(ended))
        kept = None if isinstance(ended, Exception) else ended.model_copy(update={"timeline": None})
        rows.append((str(video.name), kept))
        if isinstance(ended, Exception) and stops_all(ended):
            break
    if left := len(videos) - len(rows):
        screen.fail("Stopped", f"{left} more videos would fail in the same way.")
    return rows, code


def _written(outputs: Outputs, place: int, video: Video, result: Result, screen: Screen) -> Result | Exception:
    try:
        for sentence in outputs.write(place, video, result, partial(screen.show, video)):
            screen.note(sentence)
    except EXPECTED as error:
        return error
    return result


def in_order(work: Callable[[Item], Outcome], items: Sequence[Item], workers: int) -> Iterator[tuple[Item, Outcome]]:
    """Yield each item with ``work(item)``, in order. If the caller stops, no further item begins.

    No more than twice as many outcomes as workers wait for an item before them.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="video")
    coming = iter(items)
    try:
        futures = deque(pool.submit(work, item) for item in islice(coming, 2 * workers))
        for item in items:
            outcome = futures.popleft().result()
            yield item, outcome
            futures.extend(pool.submit(work, following) for following in islice(coming, 1))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
