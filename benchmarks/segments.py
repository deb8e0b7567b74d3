"""A long file in segments beside the same file whole: pictures that are decoded, processor time, wall time.

Run it as ``python -m benchmarks.segments`` with the project's environment; it takes some minutes. With a path it
measures another file than clip D, and leaves the page as it is.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import numpy as np

from benchmarks.clips import CLIPS
from benchmarks.page import machine, write_section
from local.engine import ROOT
from video_common import limits
from video_common.schema import Options
from video_emotions.packet_index import PacketIndex
from video_emotions.plan import Plan, plan
from video_emotions.probe import survey
from video_emotions.segments import costs, spans
from video_emotions.slices import Slice

PAGE: Final = ROOT / "docs" / "scale.md"
COUNTS: Final = (8, 16, 64)
"""Segments: what the local runner makes for two processors, and more."""
MOST: Final = {"pictures": 1.05, "processor": 1.15, "wall": 0.6}
"""What the segmented run may take beside the whole one."""


@dataclass(frozen=True)
class Run:
    """A run of the command line.

    Attributes
    ----------
    wall, processor : float
        Seconds.
    result : dict
    """

    wall: float
    processor: float
    result: dict[str, Any]


def run(path: Path, processors: Iterable[int]) -> Run:
    """Analyze a file on some processors: on one it is analyzed whole, on several in segments."""
    allowed = set(processors)
    start = "runpy.run_module('video_emotions_cli', None, '__main__')"
    code = f"import os, runpy; os.sched_setaffinity(0, {allowed}); {start}"
    command = [sys.executable, "-c", code, "analyze", str(path), "--json"]
    with TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the command line ended with {process.returncode}")
        out.seek(0)
        return Run(wall, used.ru_utime + used.ru_stime, json.load(out))


def decoded(index: PacketIndex, chosen: Plan) -> int:
    """Return how many pictures a plan decodes."""
    return int(np.count_nonzero(index.uses_of_packets(chosen.indices)))


def pictures(path: Path) -> tuple[int, dict[int, int]]:
    """Return how many pictures are decoded of a whole file, and in each number of segments."""
    info, index = survey(path, 1)
    chosen = plan(info, index, Options())
    seconds, _ = costs(index, chosen, info.size)
    found = {}
    for count in COUNTS:
        slices = [Slice.of(index, chosen, *span) for span in spans(index, chosen, seconds, seconds[-1], count)]
        found[len(slices)] = sum(decoded(part.index, part.chosen) for part in slices)
    return decoded(index, chosen), found


def section(whole: Run, parts: Run, pictures_of: tuple[int, dict[int, int]]) -> str:
    """Return the page's section."""
    once, by_count = pictures_of
    first, *more = by_count
    rows = (
        (f"pictures that are decoded, in {first} segments", once, by_count[first], "pictures"),
        *((f"pictures, in {count} segments", once, by_count[count], "pictures") for count in more),
        ("processor time, s", whole.processor, parts.processor, "processor"),
        ("wall time, s", whole.wall, parts.wall, "wall"),
    )
    lines = [
        "## Segments beside the whole",
        "",
        "Clip D (20 minutes, 1080p) by `video-emotions analyze`: whole on one processor, and in segments on two.",
        f"`python -m benchmarks.segments` wrote this on {machine()}.",
        "",
        "| | whole | in segments | ratio | at most |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {one:,.0f} | {other:,.0f} | {other / one:.3f} | {MOST[bar]} |"
            for name, one, other, bar in rows
        ),
    ]
    return "\n".join(lines)


def same(whole: Run, parts: Run) -> bool:
    """Report whether both Results are equal in every field but the times."""
    one, other = ({name: value for name, value in run.result.items() if name != "timings_ms"} for run in (whole, parts))
    return one == other


def main() -> int:
    """Measure, and write the page's section."""
    given = sys.argv[1:]
    path = Path(given[0]) if given else CLIPS["D"].file("D")
    if path.stat().st_size <= limits.PLANNED_BYTES:
        raise SystemExit(f"{path.name} is below {limits.PLANNED_BYTES:,} bytes, so it is analyzed whole.")
    one, *others = sorted(os.sched_getaffinity(0))
    whole, parts = run(path, [one]), run(path, [one, others[0]])
    if not same(whole, parts) or "wall" not in parts.result["timings_ms"]:
        raise SystemExit("The two Results differ, or the second one was not made in segments.")
    text = section(whole, parts, pictures(path))
    print(text)
    if not given:
        write_section("segments", text, PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
