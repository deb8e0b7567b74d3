"""``make load``: many requests over several functions under the emulator, each with a known right outcome.

First all functions get mixed requests at the same time. Then one of them, which is warm by now, gets as many quick
ones, and its memory and its open files must not grow. It stands among the tests because it judges answers. Its times
are those of a busy machine.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median_low
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from local.emulator import Emulator, EmulatorError, emulator
from local.processes import exit_on_term
from tests.conftest import MODELS
from tests.e2e.load_requests import HEALTH, Request, facts, mixed, requests
from tests.e2e.watching import children, function_of, is_confined, open_files, resident_bytes
from video_common import limits

FUNCTIONS = 3
MAX_GROWTH = 0.05
"""Part of a warm function's memory."""

WARM_UP_ROUNDS = 2
"""Of all quick requests, at most; with few requests, as many as are measured."""

LAST = 50
"""Requests over which the memory is looked at: it goes up and down by a twentieth from one to the next."""


@dataclass
class Report:
    """What was seen.

    Attributes
    ----------
    seconds : dict
        By kind of request, of each.
    wrong : list of str
        Answers that are not right.
    unasked : list of str
        Answers of 5xx, and requests without an answer.
    left : list of str
        What lay in a work directory after an answer.
    memory : tuple of int
        Bytes of the warm function, at the end of its warm-up and of its requests.
    files : tuple of int
        Its open files; None where only root can count them.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    memory: tuple[int, int] = (0, 0)
    files: tuple[int | None, int | None] = (None, None)

    @property
    def growth(self) -> float:
        """Part by which the memory grew."""
        return self.memory[1] / self.memory[0] - 1

    @property
    def promises(self) -> list[tuple[str, str, bool]]:
        """Each promise, what was seen, and whether it holds."""
        before, after = (size / 2**20 for size in self.memory)
        return [
            ("wrong answers: 0", str(len(self.wrong)), not self.wrong),
            ("5xx or no answer: 0", str(len(self.unasked)), not self.unasked),
            ("files left in the work directory: 0", str(len(self.left)), not self.left),
            (
                f"memory of a warm function: at most {MAX_GROWTH:.0%} more",
                f"{before:.0f} to {after:.0f} MB ({self.growth:+.1%})",
                self.growth <= MAX_GROWTH,
            ),
            ("its open files: none more", *self._seen_of_files),
        ]

    @property
    def _seen_of_files(self) -> tuple[str, bool]:
        before, after = self.files
        if before is None or after is None:
            return "not seen: only root can count them", False
        return f"{before} to {after}", after <= before


class Function:
    """One function under the emulator, with a work directory of its own."""

    def __init__(self, running: Emulator, work: Path) -> None:
        self._running = running
        self._work = work

    @property
    def pid(self) -> int:
        """Its process."""
        return function_of(self._running)

    def ask(self, request: Request, report: Report) -> None:
        """Send a request, and note what is not right."""
        event = request.event
        clock = "timeEpoch" if event.get("version") == "2.0" else "requestTimeEpoch"
        event = {**event, "requestContext": {**event["requestContext"], clock: round(time.time() * 1000)}}
        began = time.monotonic()
        try:
            with self._killer(request):
                answer = self._running.invoke(event)
        except EmulatorError as error:
            report.unasked.append(f"{request.name}: {error}")
            return
        report.seconds.setdefault(request.kind, []).append(time.monotonic() - began)
        seen = facts(answer["statusCode"], json.loads(answer["body"]))
        told = {name: seen.get(name) for name in request.outcome}
        if answer["statusCode"] >= 500:
            report.unasked.append(f"{request.name}: {seen['status']} {seen['code']}")
        elif told != dict(request.outcome):
            report.wrong.append(f"{request.name}: {told} {seen.get('code', '')}, and not {dict(request.outcome)}")
        report.left += [f"{request.name}: {path.name}" for path in self._work.iterdir()]

    @contextmanager
    def _killer(self, request: Request) -> Iterator[None]:
        """End the child with the request's signal as soon as it is at work."""
        if request.kill is None:
            yield
            return
        over, sign, function = threading.Event(), request.kill, self.pid

        def kill() -> None:
            while not over.wait(0.002):
                for child in filter(is_confined, children(function)):
                    os.kill(child, sign)
                    return

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def load(count: int, functions: int = FUNCTIONS) -> Report:
    """Send so many mixed requests to several functions, and then as many to one that is warm."""
    report = Report()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="load-")))
        made = requests(folder)
        running = [_started(stack, folder / f"work-{place}") for place in range(functions)]
        waiting: SimpleQueue[Request] = SimpleQueue()
        for request in mixed(made, count):
            waiting.put(request)
        with ThreadPoolExecutor(functions) as pool:
            list(pool.map(lambda function: _ask_all(function, waiting, report), running))
        quick = [request for request in made if not request.is_slow]
        _ask_one(running[0], quick, count, report)
    return report


def _started(stack: ExitStack, work: Path) -> Function:
    work.mkdir()
    variables = {
        "EMOTION_MODEL": "compact",
        "MODELS_DIR": str(MODELS),
        "WORK_DIR": str(work),
        "TMPDIR": str(work),  # what a library leaves there is found too
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        "POWERTOOLS_METRICS_DISABLED": "true",
    }
    running = stack.enter_context(emulator(variables, seconds=limits.API_SECONDS))
    running.invoke(HEALTH)
    return Function(running, work)


def _ask_all(function: Function, waiting: "SimpleQueue[Request]", report: Report) -> None:
    while True:
        try:
            request = waiting.get_nowait()
        except Empty:
            return
        function.ask(request, report)


def _ask_one(function: Function, quick: Sequence[Request], count: int, report: Report) -> None:
    """Measure a function before and after so many requests. It has seen each of them before."""
    before = _measured(function, mixed(list(quick), min(count, WARM_UP_ROUNDS * len(quick))), report)
    after = _measured(function, mixed(list(quick), count), report)
    report.memory, report.files = (before[0], after[0]), (before[1], after[1])


def _measured(function: Function, asked: Sequence[Request], report: Report) -> tuple[int, int | None]:
    """Return the memory after the last requests, in their middle, and the open files at the end."""
    sizes = []
    for request in asked:
        function.ask(request, report)
        sizes.append(resident_bytes(function.pid))
    return median_low(sizes[-LAST:]), open_files(function.pid)


def _summary(report: Report) -> Table:
    table = Table("promise", "seen", "holds")
    for kind, seconds in sorted(report.seconds.items()):
        middle, longest = sorted(seconds)[len(seconds) // 2], max(seconds)
        table.add_row(f"{kind} requests", f"{len(seconds)}, median {middle:.2f} s, longest {longest:.1f} s", "")
    for promise, seen, holds in report.promises:
        table.add_row(promise, seen, "yes" if holds else "[red]NO")
    return table


def main() -> int:
    """Print a table; the exit status is 1 if something does not hold."""
    exit_on_term()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=1000, help="requests (default: 1000)")
    console = Console(soft_wrap=True)
    report = load(parser.parse_args().count)
    for name in ("wrong", "unasked", "left"):
        for said, times in Counter(getattr(report, name)).items():
            console.print(f"[red]{name}[/] {times} x {said}", highlight=False)
    console.print(_summary(report))
    return 0 if all(holds for _, _, holds in report.promises) else 1


if __name__ == "__main__":
    sys.exit(main())
