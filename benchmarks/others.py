"""Beside ours on clip C: the packages fer and py-feat, each in a virtual environment of its own.

::

    make bench-others              installs both into .cache/others first: some 9 GB, ten minutes

py-feat fetches its networks from Hugging Face when it is first used. Where that cannot be reached its row says so.
"""

import argparse
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.clips import CLIPS
from benchmarks.measuring import Key, measure, our_command, readiness
from benchmarks.page import machine, write_section
from local.engine import ROOT
from local.processes import exit_on_term

FOLDER = ROOT / ".cache" / "others"
COMPUTES = {
    "ours": "largest face a frame by OpenCV's cascade, eyes levelled, seven emotions by mini-XCEPTION, eye contact",
    "fer": "all faces by OpenCV's cascade (from 50 pixels on), no eyes, seven emotions by the same mini-XCEPTION",
    "py-feat": "all faces by RetinaFace, 68 landmarks, pose, gaze, 20 action units, seven emotions, identity",
}
UNREACHABLE = "huggingface_hub.errors.LocalEntryNotFoundError"


def python_with(name: str) -> Path:
    """Return the interpreter of the package's own environment, which is made where it is not there yet."""
    folder, requirements = FOLDER / name, ROOT / "requirements" / f"bench-{name}.txt"
    python, done = folder / "bin" / "python", folder / ".done"
    if not done.exists() or done.read_text() != requirements.read_text():
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements], check=True)
        done.write_text(requirements.read_text())
    return python


def command_of(name: str, file: Path) -> list[str]:
    """Return the command that serves one of `benchmarks.other_subject`."""
    return [str(python_with(name)), "-m", "benchmarks.other_subject", name, str(file)]


def unreachable(command: list[str]) -> str | None:
    """Return what says that a subject's networks cannot be fetched; None where it can be made ready.

    Raises
    ------
    SystemExit
        It fails for another reason.
    """
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    tried = subprocess.run(command, cwd=ROOT, env=variables, input="", capture_output=True, text=True, check=False)
    if not tried.returncode:
        return None
    last = tried.stderr.strip().splitlines()[-1]
    if not last.startswith(UNREACHABLE):
        raise SystemExit(tried.stderr)
    return last.partition(". ")[0]


def main() -> None:
    """Install, measure, print, and write the page."""
    exit_on_term()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    clip = CLIPS["C"]
    file = clip.file("C")
    commands: dict[Key, list[str]] = {("C", "exact"): our_command("exact", file)}
    failed = {}
    for name in ("fer", "py-feat"):
        command = command_of(name, file)
        if reason := unreachable(command):
            failed[name] = reason
            print(f"{name}: {reason}", file=sys.stderr, flush=True)
        else:
            commands["C", name] = command
    seen, ready = measure(commands, arguments.rounds), readiness(commands, arguments.rounds)
    frames = clip.seconds  # every thirtieth of thirty a second
    lines = [
        f"`make bench-others`, clip C, {arguments.rounds} interleaved rounds after one that is not counted, medians.",
        f"Machine: {machine()}. Every thirtieth picture, decoding included.",
        "",
        "| package | frames a second | seconds until ready | peak MB | what it computes |",
        "|---|---|---|---|---|",
    ]
    for name, computes in COMPUTES.items():
        if name in failed:
            lines.append(f"| {name} | not run: {failed[name]} | | | {computes} |")
            continue
        key = "C", "exact" if name == "ours" else name
        one, start = seen[key], statistics.median(ready[key])
        lines.append(f"| {name} | {frames / one.median:.1f} | {start:.1f} | {one.peak_mb:.0f} | {computes} |")
    section = "\n".join(lines)
    print(section)
    write_section("others", section)


if __name__ == "__main__":
    main()
