"""Ours beside the Flask app's loop and beside the decoder alone, in one run.

::

    make bench                     the pinned clips; the first time they are made, which takes longer than the run
    make bench VIDEO=clip.mp4      one's own clip

Every subject is a process of its own, warmed up once. Rounds are interleaved, so that a busy moment of the machine hits
all; medians are compared. The table goes into docs/performance.md (of one's own clip: to the screen only).
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.clips import CLIPS
from benchmarks.page import machine, write_section
from benchmarks.subject import MODELS
from local.engine import ROOT
from local.processes import Process, exit_on_term, started

SEED = ROOT / "benchmarks" / "seed_loop.py"


@dataclass(frozen=True)
class Bar:
    """One line of the table: a subject's median against another's.

    Attributes
    ----------
    must, aim : float
        Of ``figure``; for ``faster`` at least, else at most.
    """

    clip: str
    subject: str
    against: str
    figure: str
    must: float
    aim: float
    against_clip: str = ""


BARS = [
    Bar("A", "exact at 0.5", "seed", "faster", 3.2, 4.5),
    Bar("A", "exact", "seed", "faster", 4.5, 6),
    Bar("A", "exact", "floor", "part", 1.2, 0.9),
    Bar("B", "exact", "seed", "faster", 5, 8),
    Bar("B", "exact", "floor", "part", 0.9, 0.6),
    Bar("A", "keyframes", "seed", "faster", 30, 40),
    Bar("C", "exact", "seed", "faster", 2.8, 4),
    Bar("A", "exact", "seed", "ready", 1 / 5, 1 / 8),
    Bar("A", "exact", "seed", "memory", 0.30, 0.25),
    Bar("D", "exact", "exact", "memory", 1.05, 1.02, "D1"),
    Bar("D", "exact", "exact", "part", 21, 20.2, "D1"),
]
WORDS = {
    "faster": "times faster than",
    "part": "of the time of",
    "ready": "of the import and load of",
    "memory": "of the peak memory of",
}


@dataclass
class Measured:
    """What was seen of a subject on a clip."""

    process: Process
    ready: float = 0.0
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    def ask(self) -> float:
        """Let it run once."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.read()["seconds"])

    def read(self) -> dict[str, Any]:
        """Return what it says next."""
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("A subject ended early; see above.")
        told: dict[str, Any] = json.loads(line)
        return told


def measure(wanted: dict[tuple[str, str], Path], rounds: int) -> dict[tuple[str, str], Measured]:
    """Run each (clip, subject) once to warm up, and then in turns."""
    done = {}
    variables = os.environ | {"DEEPFACE_HOME": str(MODELS)}  # or DeepFace makes directories in the user's home
    with ExitStack() as stack:
        for (clip, subject), file in wanted.items():
            command = [sys.executable, "-m", "benchmarks.subject", subject, str(file)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            process = stack.enter_context(started(command, variables, cwd=ROOT, **pipes))
            measured = done[clip, subject] = Measured(process)
            measured.ready = measured.read()["ready"]
            print(f"{clip} {subject}: ready in {measured.ready:.2f} s", file=sys.stderr, flush=True)
        for round_ in range(rounds + 1):
            for (clip, subject), measured in done.items():
                seconds = measured.ask()
                print(f"round {round_}, {clip} {subject}: {seconds:.3f} s", file=sys.stderr, flush=True)
                if round_:
                    measured.seconds.append(seconds)
        for measured in done.values():
            measured.process.stdin.close()
            measured.peak_mb = measured.read()["peak_mb"]
    return done


def figure(bar: Bar, mine: Measured, other: Measured) -> float:
    """Return what a bar is about."""
    if bar.figure == "ready":
        return mine.ready / other.ready
    if bar.figure == "memory":
        return mine.peak_mb / other.peak_mb
    one, two = statistics.median(mine.seconds), statistics.median(other.seconds)
    return two / one if bar.figure == "faster" else one / two


def table(bars: list[Bar], seen: dict[tuple[str, str], Measured], rounds: int) -> str:
    """Return the section for the page."""
    digest = hashlib.sha256(SEED.read_bytes()).hexdigest()
    lines = [
        f"`make bench`, {rounds} interleaved rounds after one that is not counted, medians. Machine: {machine()}.",
        f"The Flask app's loop is benchmarks/seed_loop.py, sha256 `{digest}`, on tensorflow; ours runs on onnx.",
        "",
        "| clip | what | seconds: median | fastest | slowest | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for (clip, subject), one in seen.items():
        low, high = min(one.seconds), max(one.seconds)
        median = statistics.median(one.seconds)
        lines.append(f"| {clip} | {subject} | {median:.3f} | {low:.3f} | {high:.3f} | {one.peak_mb:.0f} |")
    lines += ["", "| clip | what | is | must | aim | |", "|---|---|---|---|---|---|"]
    for bar in bars:
        other = bar.against_clip or bar.clip
        is_ = figure(bar, seen[bar.clip, bar.subject], seen[other, bar.against])
        kept = is_ >= bar.must if bar.figure == "faster" else is_ <= bar.must
        against = f"{bar.against} on {other}" if bar.against_clip else bar.against
        lines.append(
            f"| {bar.clip} | {bar.subject} | {is_:.2f} {WORDS[bar.figure]} {against} | {bar.must:.2f} | {bar.aim:.2f} "
            f"| {'kept' if kept else '**not kept**'} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the page."""
    exit_on_term()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", default="ABCD", help="of the pinned ones; fewer are not written to the page")
    arguments = parser.parse_args()
    if arguments.video:
        wanted = {
            ("yours", subject): arguments.video for subject in ("seed", "floor", "exact at 0.5", "exact", "keyframes")
        }
        print(table([], measure(wanted, arguments.rounds), arguments.rounds))
        return
    bars = [bar for bar in BARS if bar.clip in arguments.clips]
    pairs = [pair for bar in bars for pair in ((bar.clip, bar.subject), (bar.against_clip or bar.clip, bar.against))]
    files = {clip: CLIPS[clip].file(clip) for clip, _ in pairs}
    seen = measure({pair: files[pair[0]] for pair in pairs}, arguments.rounds)
    section = table(bars, seen, arguments.rounds)
    print(section)
    if set(arguments.clips) == set("ABCD"):
        write_section("bench", section)


if __name__ == "__main__":
    main()
