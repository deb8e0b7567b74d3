"""Processes that are measured in turns; `benchmarks.serving` is their other side."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.subject import MODELS
from local.engine import ROOT
from local.processes import Process, started

Key = tuple[str, str]
"""Clip and subject."""


@dataclass
class Measured:
    """What was seen of a subject on a clip."""

    process: Process
    ready: list[float] = field(default_factory=list)
    rounds: list[list[float]] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def seconds(self) -> list[float]:
        """Of all runs."""
        return [seconds for runs in self.rounds for seconds in runs]

    @property
    def by_round(self) -> list[float]:
        """Each round's median, in seconds."""
        return [statistics.median(runs) for runs in self.rounds]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    def ask(self) -> float:
        """Let it run once."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.read()["seconds"])

    def end(self) -> None:
        """Let it tell the peak of its memory, and end."""
        self.process.stdin.close()
        self.peak_mb = self.read()["peak_mb"]

    def read(self) -> dict[str, Any]:
        """Return what it says next."""
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("A subject ended early; see above.")
        told: dict[str, Any] = json.loads(line)
        return told


def our_command(subject: str, file: Path) -> list[str]:
    """Return the command that serves one of `benchmarks.subject`."""
    return [sys.executable, "-m", "benchmarks.subject", subject, str(file)]


@contextmanager
def serving(command: list[str]) -> Iterator[Measured]:
    """Start a process that serves, which ends with the block."""
    variables = os.environ | {
        "DEEPFACE_HOME": str(MODELS),  # or DeepFace makes directories in the user's home
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with started(command, variables, cwd=ROOT, **pipes) as process, process.stdin, process.stdout:
        yield Measured(process)


def readiness(commands: dict[Key, list[str]], rounds: int) -> dict[Key, list[float]]:
    """Return the seconds of import and load, of processes that are started in turns; the first turn is not counted."""
    seconds: dict[Key, list[float]] = {key: [] for key in commands}
    for _ in range(rounds + 1):
        for key, command in commands.items():
            with serving(command) as measured:
                seconds[key].append(float(measured.read()["ready"]))
                measured.end()
    return {key: counted for key, (_, *counted) in seconds.items()}


def measure(commands: dict[Key, list[str]], rounds: int, runs: Mapping[Key, int] | None = None) -> dict[Key, Measured]:
    """Run each once to warm up, and then in turns: a busy moment of the machine hits all.

    ``runs`` says which are run more than once in their turn, so that a short one is measured for as long as a long one.
    """
    done = {}
    with ExitStack() as stack:
        for key, command in commands.items():
            done[key] = stack.enter_context(serving(command))
            done[key].read()
            print(*key, "is ready", file=sys.stderr, flush=True)
        for round_ in range(rounds + 1):
            for (clip, subject), measured in done.items():
                asked = []
                for _ in range((runs or {}).get((clip, subject), 1) if round_ else 1):
                    asked.append(measured.ask())
                    print(f"round {round_}, {clip} {subject}: {asked[-1]:.3f} s", file=sys.stderr, flush=True)
                if round_:
                    measured.rounds.append(asked)
        for measured in done.values():
            measured.end()
    return done
