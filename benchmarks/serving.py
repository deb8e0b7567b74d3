"""What a measured process does: make itself ready, say so, run once for each line that it reads, tell the peak memory.

Standard library only: the packages that ours is compared with run in environments of their own.
"""

import contextlib
import json
import resource
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
    print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
