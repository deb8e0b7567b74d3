"""``python -m local.openapi``: write the description, check it, record its examples, fuzz the server with it."""

import argparse
import json
import sys
from typing import Final

from local.engine import ROOT
from local.openapi import recording
from local.openapi.breaking import breaking_changes, is_allowed
from local.openapi.document import build, text
from local.openapi.fuzzing import fuzz
from local.processes import exit_on_term

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
RELEASED: Final = ROOT / "docs" / "openapi.released.json"
"""The description of the last release. A release replaces it with the current one."""


def write() -> int:
    """Write the description."""
    DOCUMENT.write_text(text(build(recording.load())), encoding="utf-8")
    return 0


def check() -> int:
    """Return 1 if the committed description is out of date, or breaks callers of the released one."""
    made = build(recording.load())
    if DOCUMENT.read_text(encoding="utf-8") != text(made):
        return _failed("docs/openapi.json is out of date. Run: make openapi")
    released = json.loads(RELEASED.read_text(encoding="utf-8"))
    broken = breaking_changes(released, made)
    if broken and not is_allowed(released, made):
        return _failed(
            "These changes break callers of the released API:",
            *(f"  {change}" for change in broken),
            "Keep what callers use, or raise the major version.",
        )
    return 0


def examples() -> int:
    """Record the examples, then write the description with them."""
    with recording.served() as url:
        recording.save(recording.record(url))
    return write()


def fuzzed() -> int:
    """Return 1 if the examples are out of date, or if an answer is not as described."""
    with recording.served() as url:
        different = recording.differences(recording.load(), recording.record(url))
        if different:
            return _failed("docs/examples.json is out of date. Run: make openapi-examples", *different)
        return fuzz(url, DOCUMENT)


def _failed(*lines: str) -> int:
    print(*lines, sep="\n", file=sys.stderr)
    return 1


COMMANDS: Final = {"write": write, "check": check, "examples": examples, "fuzz": fuzzed}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS, nargs="?", default="write")
    exit_on_term()
    sys.exit(COMMANDS[parser.parse_args().command]())
