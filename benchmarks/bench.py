"""Ours beside the Flask app's loop and beside the decoder alone, in one run.

::

    make bench                     the pinned clips; the first time they are made, which takes longer than the run
    make bench VIDEO=clip.mp4      one's own clip

Every subject is a process of its own, warmed up once. Rounds are interleaved, so that a busy moment of the machine hits
all; each round is compared separately, and the median counts. The table goes into docs/performance.md (of one's own
clip: to the screen only).
"""

import argparse
import statistics
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clips import CLIPS
from benchmarks.cost import cost_section
from benchmarks.measuring import Key, Measured, measure, our_command, readiness
from benchmarks.page import machine, write_section
from benchmarks.steps import steps_section
from local.engine import ROOT
from local.processes import exit_on_term
from video_common.errors import VideoEmotionsError
from video_emotions.probe import probe
from video_models.files import sha256_of

SEED = ROOT / "testbed" / "flask_app.py"


@dataclass(frozen=True)
class Bar:
    """One line of the table: a subject against another, in each round.

    Attributes
    ----------
    must : float
        The bar for ``figure``: at least for ``faster``, else at most. 0: no bar.
    """

    clip: str
    subject: str
    against: str
    figure: str
    must: float = 0
    against_clip: str = ""


BARS = [
    Bar("A", "default", "seed", "faster", 3.5),
    Bar("A", "yunet", "seed", "faster", 5),
    Bar("A", "yunet", "floor", "part", 0.95),
    Bar("A", "yunet at 0.5", "seed", "faster", 4.5),
    Bar("A", "yunet keyframes", "seed", "faster", 40),
    Bar("B", "default", "seed", "faster", 5),
    Bar("B", "yunet", "seed", "faster", 9),
    Bar("B", "yunet", "floor", "part", 0.5),
    Bar("A", "default", "seed", "ready", 1 / 5),
    Bar("A", "default", "seed", "memory", 0.30),
    Bar("D", "default", "default", "memory", 1.05, "D1"),
    Bar("D", "default", "default", "part", 21, "D1"),
]
BESIDES: list[Key] = [
    ("A", "default at 0.5"),
    ("A", "keyframes"),
    ("B", "default at 0.5"),
    ("B", "yunet at 0.5"),
    ("B", "keyframes"),
    ("B", "yunet keyframes"),
    ("C", "default"),
    ("C", "yunet"),
    ("C", "seed"),
    ("A", "default@1"),
    ("B", "default@1"),
]
"""Measured too, though no bar asks for it. ``@1``: on one processor."""

OURS = ("default", "yunet", "default at 0.5", "yunet at 0.5", "keyframes", "yunet keyframes")
"""What is measured on one's own clip, beside the Flask app and the floor."""

RUNS: dict[Key, int] = {("D1", "default"): 20}
"""In its turn: as long as D, so that the machine's speed has changed as often under both."""

FEWER_ROUNDS: dict[Key, int] = {("D", "default"): 1, ("D1", "default"): 1}
"""Each takes minutes, and their bars are about memory and cost with length, which hardly change."""

WORDS = {
    "faster": "times faster than",
    "part": "of the time of",
    "ready": "of the import and load of",
    "memory": "of the peak memory of",
}


def figures(bar: Bar, mine: Measured, other: Measured) -> list[float]:
    """Return what a bar is about, of each round: the machine's speed changes less within one than between them."""
    if bar.figure == "memory":
        return [mine.peak_mb / other.peak_mb]
    pairs = (
        zip(mine.ready, other.ready, strict=True)
        if bar.figure == "ready"
        else zip(mine.by_round, other.by_round, strict=True)
    )
    return [other / mine if bar.figure == "faster" else mine / other for mine, other in pairs]


def verdict(bar: Bar, is_: float) -> str:
    """Say whether a bar is kept."""
    kept = is_ >= bar.must if bar.figure == "faster" else is_ <= bar.must
    return "kept" if kept else "**not kept**"


def table(bars: list[Bar], seen: dict[Key, Measured], files: dict[str, Path]) -> str:
    """Return the section for the page."""
    rounds, seed = len(next(iter(seen.values())).rounds), sha256_of(SEED)
    clips = ", ".join(f"{clip} `{sha256_of(file)[:16]}`" for clip, file in files.items())
    lines = [
        f"`make bench`, interleaved rounds: {rounds} (D: 1) after one that is not counted; medians. A ratio compares",
        f'runs of one round: "is" is their median, "rounds" the least and the greatest. Machine: {machine()}.',
        f"The Flask app's loop is testbed/flask_app.py, sha256 `{seed}`, on tensorflow; ours runs on onnx.",
        f"The clips' sha256 begin with: {clips}.",
        "",
        "| clip | what | seconds: median | fastest | slowest | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for (clip, subject), one in seen.items():
        low, high = min(one.seconds), max(one.seconds)
        lines.append(f"| {clip} | {subject} | {one.median:.3f} | {low:.3f} | {high:.3f} | {one.peak_mb:.0f} |")
    for (clip, subject), one in seen.items():
        if one.ready:
            median, low, high = statistics.median(one.ready), min(one.ready), max(one.ready)
            lines.append(f"| {clip} | {subject}: import and load | {median:.3f} | {low:.3f} | {high:.3f} | |")
    lines += ["", "| clip | what | is | rounds | must | |", "|---|---|---|---|---|---|"]
    for bar in bars:
        mark = f"{bar.must:.2f}" if bar.must else ""
        other = bar.against_clip or bar.clip
        by_round = figures(bar, seen[bar.clip, bar.subject], seen[other, bar.against])
        is_, spread = statistics.median(by_round), f"{min(by_round):.2f} to {max(by_round):.2f}" if by_round[1:] else ""
        against = f"{bar.against} on {other}" if bar.against_clip else bar.against
        lines.append(
            f"| {bar.clip} | {bar.subject} | {is_:.2f} {WORDS[bar.figure]} {against} | {spread} "
            f"| {mark} | {verdict(bar, is_) if bar.must else ''} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the page."""
    exit_on_term()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", default="ABCD", help="of the pinned ones; fewer are not written to the page")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds: at least one")
    if not set(arguments.clips) or not set(arguments.clips) <= set("ABCD"):
        parser.error("--clips: some of ABCD")
    if arguments.video:
        try:
            probe(arguments.video, 1)
        except (OSError, VideoEmotionsError) as error:
            parser.error(str(error))
        commands = {("yours", subject): our_command(subject, arguments.video) for subject in ("seed", "floor", *OURS)}
        bars = [Bar("yours", subject, "seed", "faster") for subject in OURS]
        print(table(bars, measure(commands, arguments.rounds), {"yours": arguments.video}))
        return
    bars = [bar for bar in BARS if bar.clip in arguments.clips]
    pairs = [pair for bar in bars for pair in ((bar.clip, bar.subject), (bar.against_clip or bar.clip, bar.against))]
    pairs += [pair for pair in BESIDES if pair[0] in arguments.clips]
    files = {clip: CLIPS[clip].file(clip) for clip, _ in pairs}
    seen = measure({pair: our_command(pair[1], files[pair[0]]) for pair in pairs}, arguments.rounds, RUNS, FEWER_ROUNDS)
    loading = [bar for bar in bars if bar.figure == "ready"]
    starts = {
        (bar.clip, name): our_command(name, files[bar.clip]) for bar in loading for name in (bar.subject, bar.against)
    }
    for key, seconds in readiness(starts, arguments.rounds).items():
        seen[key].ready = seconds
    sections = {"bench": table(bars, seen, files)}
    if set(arguments.clips) == set("ABCD"):
        sections["cost"] = cost_section(
            {
                clip: (CLIPS[clip].seconds, seen[clip, "default@1"].median, seen[clip, "default"].median)
                for clip in ("A", "B")
            }
        )
        sections["steps"] = steps_section(files["A"], files["C"])
        for name, section in sections.items():
            write_section(name, section)
    print("\n\n".join(sections.values()))


if __name__ == "__main__":
    main()
