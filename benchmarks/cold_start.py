"""Sizes of the images, and container start to first Result, side by side: slim on ONNX, full on TensorFlow.

::

    make cold-start            or: .venv/bin/python -m benchmarks.cold_start --rounds 7

Rounds are interleaved, so that a busy moment of the machine hits all. It writes its table into docs/performance.md and
exits with 1 if a budget is not kept.
"""

import argparse
import json
import statistics
import sys
import time

from benchmarks.page import machine, write_section
from events.make_events import CLIP, clip_event
from local.engine import Engine, find_engine
from local.image import REPOSITORY
from local.processes import exit_on_term

KINDS = {"slim": "onnx", "full": "tensorflow"}
FRAMES = {1: 1_000_000, 12: 30}
"""Frames analyzed of the sample, and the ``frame_interval`` that gives them.

The time budget is for one: all that a new container does once is in it, and little of the analysis, the same in both.
"""

SIZE_BUDGET = 0.35
"""Of the full image's bytes, base included."""

TIME_BUDGET = 1 / 3
"""Of the full image's time on TensorFlow."""

MEMORY_MB = 3008
MAIN = """
import socket, subprocess, sys, time, urllib.request
started = subprocess.Popen(["/lambda-entrypoint.sh", sys.argv[1]], stdin=subprocess.DEVNULL, stdout=sys.stderr)
event = sys.stdin.buffer.read()
while socket.socket().connect_ex(("127.0.0.1", 8080)):
    time.sleep(0.002)
url = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"
answer = urllib.request.urlopen(urllib.request.Request(url, data=event), timeout=120).read().decode()
print(time.time(), answer, flush=True)
started.kill()
"""
"""What a container runs: the image's entry point, and a caller inside, since there is no network to call through."""

Times = dict[tuple[str, int], list[float]]
"""Seconds by image and number of frames."""


def first_result(engine: Engine, kind: str, frames: int) -> float:
    """Return the seconds from starting a container to having its first Result."""
    image = f"{REPOSITORY}:{kind}"
    handler = json.loads(engine.output("image", "inspect", "--format", "{{json .Config.Cmd}}", image))[0]
    event = clip_event(CLIP.read_bytes(), f"frame_interval={FRAMES[frames]}")
    confined = ("--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--user", "1000:1000")  # noqa: S108
    settings = ("--env", f"EMOTION_ENGINE={KINDS[kind]}", "--env", "AWS_LAMBDA_FUNCTION_TIMEOUT=120")
    flags = (*confined, "--memory", f"{MEMORY_MB}m", *settings)
    started = time.time()
    said = engine.once(image, "python3", "-c", MAIN, handler, flags=flags, given=json.dumps(event))
    ended, _, answer = said.partition(" ")
    response = json.loads(answer)
    if response["statusCode"] != 200 or json.loads(response["body"])["total_frames_analyzed"] != frames:
        raise SystemExit(f"{kind} answered {answer[:500]}")
    return float(ended) - started


def report(engine: Engine, sizes: dict[str, int], times: Times, base: str) -> str:
    """Return the section for docs/performance.md."""
    rounds = len(next(iter(times.values())))
    lines = [
        f"`make cold-start`, {rounds} interleaved rounds after one that is not counted, the sample clip",
        f"`tests/data/sample.mp4`, confined to {MEMORY_MB} MB, no network, a read-only disk.",
        f"Machine: {machine()}; {engine.name}; {base}.",
        "",
        "| image | engine | uncompressed, base included | frames | start to first Result: median | fastest | slowest |",
        "|---|---|---|---|---|---|---|",
    ]
    for (kind, frames), seconds in times.items():
        lines.append(
            f"| {kind} | {KINDS[kind]} | {sizes[kind] / 1e6:.0f} MB | {frames} | {statistics.median(seconds):.2f} s "
            f"| {min(seconds):.2f} s | {max(seconds):.2f} s |"
        )
    lines += [
        "",
        verdict("slim's part of full's bytes", sizes["slim"] / sizes["full"], SIZE_BUDGET),
        verdict("slim's part of full's time to a Result of one frame", ratio(times, 1), TIME_BUDGET),
        f"- slim's part of full's time to a Result of twelve frames: {ratio(times, 12):.1%}",
    ]
    return "\n".join(lines)


def ratio(times: Times, frames: int) -> float:
    """Return slim's median time as a part of full's."""
    return statistics.median(times["slim", frames]) / statistics.median(times["full", frames])


def verdict(what: str, part: float, budget: float) -> str:
    """Say whether a budget is kept."""
    return f"- {what}: {part:.1%}, at most {budget:.1%} wanted: {'kept' if part <= budget else '**not kept**'}"


def main() -> int:
    """Measure, write the page, and compare with the budgets."""
    exit_on_term()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="compare with the budgets, and leave the page as it is")
    arguments = parser.parse_args()
    engine = find_engine()
    sizes = {
        kind: int(engine.output("image", "inspect", "--format", "{{.Size}}", f"{REPOSITORY}:{kind}")) for kind in KINDS
    }
    times: Times = {(kind, frames): [] for kind in KINDS for frames in FRAMES}
    for round_ in range(arguments.rounds + 1):
        for (kind, frames), measured in times.items():
            seconds = first_result(engine, kind, frames)
            print(f"round {round_} {kind}, {frames} frames: {seconds:.2f} s", file=sys.stderr, flush=True)
            if round_:
                measured.append(seconds)
    stand_in = "Debian" in engine.once(f"{REPOSITORY}:slim", "cat", "/etc/os-release")
    section = report(engine, sizes, times, "a stand-in base of Debian's" if stand_in else "AWS's base")
    print(section)
    if not arguments.check:
        write_section("cold-start", section)
    return 0 if sizes["slim"] <= SIZE_BUDGET * sizes["full"] and ratio(times, 1) <= TIME_BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
