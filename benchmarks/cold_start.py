"""Sizes of the images, and container start to first Result, side by side: slim on ONNX, full on TensorFlow.

::

    make cold-start            or: .venv/bin/python -m benchmarks.cold_start --rounds 7

Rounds are interleaved, so that a busy moment of the machine hits both. It writes its table into docs/performance.md and
exits with 1 if a budget is not kept.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import time
from pathlib import Path

from local.engine import ROOT, Engine, find_engine
from local.image import REPOSITORY

PAGE = ROOT / "docs" / "performance.md"
EVENT = ROOT / "events" / "clip-raw-v1.json"
KINDS = {"slim": "onnx", "full": "tensorflow"}
SIZE_BUDGET = 0.35
"""Of the full image's bytes, base included."""

TIME_BUDGET = 1 / 3
"""Of the full image's time on TensorFlow."""

MEMORY_MB = 3008
MAIN = """
import socket, subprocess, sys, urllib.request
started = subprocess.Popen(["/lambda-entrypoint.sh", sys.argv[1]], stdin=subprocess.DEVNULL, stdout=sys.stderr)
event = sys.stdin.buffer.read()
while socket.socket().connect_ex(("127.0.0.1", 8080)):
    pass
url = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"
print(urllib.request.urlopen(urllib.request.Request(url, data=event), timeout=120).read().decode(), flush=True)
started.kill()
"""
"""What a container runs: the image's entry point, and a caller inside, since there is no network to call through."""


def first_result(engine: Engine, kind: str) -> float:
    """Return the seconds from starting a container to having its first Result, container and all gone."""
    image = f"{REPOSITORY}:{kind}"
    handler = json.loads(engine.output("image", "inspect", "--format", "{{json .Config.Cmd}}", image))[0]
    settings = ("--env", f"EMOTION_ENGINE={KINDS[kind]}", "--env", "AWS_LAMBDA_FUNCTION_TIMEOUT=120")
    confined = ("--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--user", "1000:1000")  # noqa: S108
    limits = ("--memory", f"{MEMORY_MB}m", *settings)
    started = time.perf_counter()
    answer = engine.run(
        *("run", "--rm", "--interactive", *confined, *limits, "--entrypoint", "python3", image, "-c", MAIN, handler),
        input=EVENT.read_text(encoding="utf-8"),
        seconds=150,
        capture_output=True,
    ).stdout
    seconds = time.perf_counter() - started
    if json.loads(answer)["statusCode"] != 200:
        raise SystemExit(f"{kind} answered {answer[:500]}")
    return seconds


def machine() -> str:
    """Describe this machine in a line."""
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = cpu[1] if cpu else platform.machine()
    return f"{os.cpu_count()} x {name}, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}"


def report(engine: Engine, sizes: dict[str, int], times: dict[str, list[float]], base: str) -> str:
    """Return the section for docs/performance.md."""
    lines = [
        f"`make cold-start`, {len(times['slim'])} interleaved rounds after one that is not counted, the sample clip of",
        f"`events/clip-raw-v1.json` (12 frames), confined to {MEMORY_MB} MB, no network, a read-only disk.",
        f"Machine: {machine()}; {engine.name}; {base}.",
        "",
        "| image | engine | uncompressed, base included | start to first Result: median | fastest | slowest |",
        "|---|---|---|---|---|---|",
    ]
    for kind, seconds in times.items():
        lines.append(
            f"| {kind} | {KINDS[kind]} | {sizes[kind] / 1e6:.0f} MB | {statistics.median(seconds):.2f} s "
            f"| {min(seconds):.2f} s | {max(seconds):.2f} s |"
        )
    lines += [
        "",
        verdict("slim's part of full's bytes", sizes["slim"] / sizes["full"], SIZE_BUDGET),
        verdict("slim's part of full's time", ratio(times), TIME_BUDGET),
    ]
    return "\n".join(lines)


def ratio(times: dict[str, list[float]]) -> float:
    """Return slim's median time as a part of full's."""
    return statistics.median(times["slim"]) / statistics.median(times["full"])


def verdict(what: str, part: float, budget: float) -> str:
    """Say whether a budget is kept."""
    return f"- {what}: {part:.1%}, at most {budget:.1%} wanted: {'kept' if part <= budget else '**not kept**'}"


def write(section: str) -> None:
    """Put a section between the page's two marks."""
    begin, end = "<!-- cold-start: written by benchmarks/cold_start.py -->", "<!-- cold-start: end -->"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"# Performance\n\n## Cold start\n\n{begin}\n{end}\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{section}\n{end}{after}", encoding="utf-8")


def main() -> int:
    """Measure, write the page, and compare with the budgets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="compare with the budgets, and leave the page as it is")
    arguments = parser.parse_args()
    engine = find_engine()
    sizes = {
        kind: int(engine.output("image", "inspect", "--format", "{{.Size}}", f"{REPOSITORY}:{kind}")) for kind in KINDS
    }
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for round_ in range(arguments.rounds + 1):
        for kind in KINDS:
            seconds = first_result(engine, kind)
            print(f"round {round_} {kind}: {seconds:.2f} s", file=sys.stderr, flush=True)
            if round_:
                times[kind].append(seconds)
    stand_in = "Debian" in engine.output("run", "--rm", "--entrypoint", "cat", f"{REPOSITORY}:slim", "/etc/os-release")
    section = report(engine, sizes, times, "a stand-in base of Debian's" if stand_in else "AWS's base")
    print(section)
    if not arguments.check:
        write(section)
    return 0 if sizes["slim"] <= SIZE_BUDGET * sizes["full"] and ratio(times) <= TIME_BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
