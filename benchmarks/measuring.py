"""Processes that are measured in turns; `benchmarks.serving` is their other side."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from benchmarks.subject import MODELS
from local.engine import ROOT
from local.processes import started

Key = tuple[str, str]
"""Clip and subject."""

SETTLE_SECONDS = 0.7
"""After a run: the next file's child process gets ready then, and must not do so on another subject's time."""


@dataclass
class Measured:
    """What was seen of a subject on a clip.

    Attributes
    ----------
    ready : list of float
        Seconds of import and load.
    rounds : list of list of float
        Seconds of each run in each round.
    peak_mb : float
        The most memory that the subject held, and the largest of its children.
    """

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


@dataclass(frozen=True)
class Subject:
    """A process that `benchmarks.serving` serves, seen through its pipes."""

    stdin: IO[str]
    stdout: IO[str]

    def ready(self) -> float:
        """Wait until it is ready, and return the seconds that it needed."""
        return self._read("ready")

    def run(self) -> float:
        """Let it run once, and return the seconds."""
        self.stdin.write("\n")
        self.stdin.flush()
        return self._read("seconds")

    def end(self) -> float:
        """Let it end, and return the peak of its memory in MB."""
        self.stdin.close()
        return self._read("peak_mb")

    def _read(self, name: str) -> float:
        line = self.stdout.readline()
        if not line:
            raise SystemExit("A subject ended early; see above.")
        return float(json.loads(line)[name])


def our_command(subject: str, file: Path) -> list[str]:
    """Return the command that serves one of `benchmarks.subject`."""
    return [sys.executable, "-m", "benchmarks.subject", subject, str(file)]


@contextmanager
def serving(command: list[str]) -> Iterator[Subject]:
    """Start a subject, which ends with the block."""
    variables = os.environ | {
        "DEEPFACE_HOME": str(MODELS),  # or DeepFace makes directories in the user's home
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        started(command, variables, cwd=ROOT, **pipes) as process,
        cast("IO[str]", process.stdin) as stdin,  # with pipes, neither is None
        cast("IO[str]", process.stdout) as stdout,
    ):
        yield Subject(stdin, stdout)


def readiness(commands: dict[Key, list[str]], rounds: int) -> dict[Key, list[float]]:
    """Return the seconds of import and load, of processes that are started in turns; the first turn is not counted."""
    seconds: dict[Key, list[float]] = {key: [] for key in commands}
    for _ in range(rounds + 1):
        for key, command in commands.items():
            with serving(command) as subject:
                seconds[key].append(subject.ready())
                subject.end()
    return {key: counted for key, (_, *counted) in seconds.items()}


def measure(
    commands: dict[Key, list[str]],
    rounds: int,
    runs: Mapping[Key, int] | None = None,
    fewer_rounds: Mapping[Key, int] | None = None,
) -> dict[Key, Measured]:
    """Run each once to warm up, and then in turns: a busy moment of the machine hits all.

    ``runs`` says which are run more than once in their turn, so that a short one is measured for as long as a long one.
    ``fewer_rounds`` says which take part in the first rounds only.
    """
    done = {key: Measured() for key in commands}
    subjects: dict[Key, Subject] = {}
    with ExitStack() as stack:
        for key, command in commands.items():
            subjects[key] = stack.enter_context(serving(command))
            subjects[key].ready()
            print(*key, "is ready", file=sys.stderr, flush=True)
        for round_ in range(rounds + 1):
            for (clip, name), subject in subjects.items():
                if round_ > (fewer_rounds or {}).get((clip, name), rounds):
                    continue
                asked = []
                for _ in range((runs or {}).get((clip, name), 1) if round_ else 1):
                    asked.append(subject.run())
                    time.sleep(SETTLE_SECONDS)
                    print(f"round {round_}, {clip} {name}: {asked[-1]:.3f} s", file=sys.stderr, flush=True)
                if round_:
                    done[clip, name].rounds.append(asked)
        for key, subject in subjects.items():
            done[key].peak_mb = subject.end()
    return done
