"""Subjects run in processes of their own, in turns."""

import sys

import numpy as np
import pytest

from benchmarks.measuring import Measured, measure, readiness


def test_a_round_of_several_runs_counts_with_their_median():
    several = Measured(rounds=[[1.0, 2.0, 9.0], [3.0, 3.0, 3.0]])
    assert several.by_round == [2.0, 3.0]
    assert several.median == 3.0


def test_processes_run_in_turns_and_the_warm_up_is_not_counted(tmp_path):
    # Given two subjects that write down when they run
    program = """
import sys
from pathlib import Path
from benchmarks.serving import serve
def run(path):
    with path.open("a") as file:
        file.write(sys.argv[1])
serve(lambda: run, Path(sys.argv[2]))
"""
    diary = tmp_path / "diary"
    commands = {("clip", name): [sys.executable, "-c", program, name, str(diary)] for name in "ab"}
    done = measure(commands, rounds=2, fewer_rounds={("clip", "b"): 1})
    assert diary.read_text() == "ababa"
    assert [len(one.seconds) for one in done.values()] == [2, 1]
    assert all(1 < one.peak_mb < 100 for one in done.values())
    assert [len(seconds) for seconds in readiness(commands, rounds=2).values()] == [2, 2]
    assert diary.read_text() == "ababa"


def test_the_memory_of_a_subject_is_its_own_and_not_what_its_parent_held():
    # Given a parent that holds 200 MB
    held = np.ones(200 * 2**20, np.uint8)
    program = "from pathlib import Path; from benchmarks.serving import serve; serve(lambda: print, Path())"
    done = measure({("clip", "light"): [sys.executable, "-c", program]}, rounds=1)
    assert held.all()
    assert done["clip", "light"].peak_mb < 100


def test_the_memory_of_a_subject_has_that_of_its_child():
    # Given a subject whose child holds 200 MB for a moment
    program = """
import subprocess, sys
from pathlib import Path
from benchmarks.serving import serve
child = [sys.executable, "-c", "import time; held = b'1' * (200 * 2**20); time.sleep(0.3)"]
serve(lambda: lambda _: subprocess.run(child), Path())
"""
    done = measure({("clip", "parent"): [sys.executable, "-c", program]}, rounds=1)
    assert 200 < done["clip", "parent"].peak_mb < 300


def test_a_subject_that_ends_early_ends_the_benchmark():
    with pytest.raises(SystemExit, match="ended early"):
        measure({("clip", "none"): [sys.executable, "-c", ""]}, rounds=1)
