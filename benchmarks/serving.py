"""What a measured process does: make itself ready, say so, run once for each line that it reads, tell the peak memory.

It imports the standard library only, so that ``ready`` counts every library that a subject loads.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Run = Callable[[Path], None]


def serve(make: Callable[[], Run], file: Path) -> None:
    """Tell, a line of JSON each: ``ready`` (seconds), ``seconds`` of each run, and ``peak_mb`` at the end.

    What is ready, and what a first run makes ready, is not in a later run's seconds.
    """
    with contextlib.redirect_stdout(sys.stderr):
        begun = time.perf_counter()
        run = make()
        ready = time.perf_counter() - begun
    print(json.dumps({"ready": ready}), flush=True)
    for _ in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            begun = time.perf_counter()
            run(file)
            seconds = time.perf_counter() - begun
        print(json.dumps({"seconds": seconds}), flush=True)
    print(json.dumps({"peak_mb": peak_mb()}), flush=True)


def peak_mb() -> float:
    """Return the most memory that this program held; ``ru_maxrss`` would count what its parent held, too."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024
