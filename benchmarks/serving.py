"""What a measured process does: get ready, say so, run once for each line that it reads, report the peak memory.

It imports the standard library only, so that ``ready`` counts every library that a subject loads.
"""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

Run = Callable[[Path], None]


def serve(make: Callable[[], Run], file: Path) -> None:
    """Print, a line of JSON each: ``ready`` (seconds), ``seconds`` of each run, and ``peak_mb`` at the end.

    What is ready, and what a first run makes ready, is not in a later run's seconds.
    """
    children = _Children()
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
    print(json.dumps({"peak_mb": peak_mb(os.getpid()) + children.peak_mb}), flush=True)


def peak_mb(process: int) -> float:
    """Return the most memory that a program held; ``ru_maxrss`` would count what its parent held, too."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024 if "VmHWM" in lines else 0.0


class _Children:
    """Looks at this process's children. Files have one child at a time, so the largest counts and not their sum."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            for task in Path("/proc/self/task").iterdir():
                with contextlib.suppress(OSError):  # a thread or a child that has ended meanwhile
                    for child in (task / "children").read_text().split():
                        self.peak_mb = max(self.peak_mb, peak_mb(int(child)))
            time.sleep(0.05)
