"""How often the intervals of shares hold the true share, on sequences whose truth is known.

::

    make accuracy      writes docs/accuracy.md

`sequences` has the simulated videos. An interval holds if the true share is in it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.page import ACCURACY, write_section
from benchmarks.sequences import INSIDE, OUTSIDE, SELDOM, SHARES, Case
from video_common.schema import EMOTION_LABELS
from video_emotions import interval

CLIPS: Final = 1_000

Compared = list[tuple[interval.Interval, float]]
"""Intervals, and the true shares that they should hold."""

_CONTACT: Final = EMOTION_LABELS.index("happy")


def plain(ballots: NDArray[np.int64], _: np.random.Generator) -> list[interval.Interval]:
    """Return Wilson's intervals of independent votes."""
    found = []
    for label in range(len(SHARES)):
        share, votes, squared = float((ballots == label).mean()), len(ballots), 1.96**2
        middle = (share + squared / (2 * votes)) / (1 + squared / votes)
        half = np.sqrt(squared * (share * (1 - share) / votes + squared / (4 * votes**2))) / (1 + squared / votes)
        found.append((middle - half, middle + half))
    return found


def blocks(ballots: NDArray[np.int64], random: np.random.Generator) -> list[interval.Interval]:
    """Return the percentiles of the moving-block bootstrap (Kuensch, 1989), in blocks of twice the votes' root."""
    votes, drawn = len(ballots), 200
    length = min(votes, round(2 * votes**0.5))
    begins = random.integers(0, votes - length + 1, (drawn, -(-votes // length)))
    samples = ballots[(begins[..., None] + np.arange(length)).reshape(drawn, -1)[:, :votes]]
    shares = np.stack([(samples == label).mean(axis=1) for label in range(len(SHARES))])
    return [(float(low), float(high)) for low, high in np.percentile(shares, [2.5, 97.5], axis=1).T]


def ours(ballots: NDArray[np.int64], _: np.random.Generator) -> list[interval.Interval] | None:
    """Return the intervals of the service."""
    return interval.vote_intervals(ballots[:, None].tolist(), len(SHARES))


Way = Callable[[NDArray[np.int64], np.random.Generator], list[interval.Interval] | None]

WAYS: Final[dict[str, Way]] = {"independent votes": plain, "moving blocks": blocks, "ours": ours}


def coverage(case: Case, clips: int, ways: Mapping[str, Way] = WAYS) -> dict[str, tuple[float, float, float]]:
    """Return for each way: the part of intervals that hold, their mean width, the part of clips without intervals.

    Only labels that the person shows count. Each clip is drawn from its own seed, so every run gives the same table.
    """
    shown = np.flatnonzero(SHARES)
    held: dict[str, list[float]] = {name: [] for name in ways}
    widths: dict[str, list[float]] = {name: [] for name in ways}
    for clip in range(clips):
        random = np.random.default_rng([clip, case.votes, round(1000 * case.every), round(1000 * case.lasts)])
        ballots = case.sequence(random)
        for name, way in ways.items():
            if found := way(ballots, random):
                held[name] += [float(found[label][0] <= case.truth[label] <= found[label][1]) for label in shown]
                widths[name] += [found[label][1] - found[label][0] for label in shown]
    return {
        name: (float(np.mean(held[name])), float(np.mean(widths[name])), 1 - len(held[name]) / len(shown) / clips)
        for name in ways
    }


def rows(cases: list[Case], clips: int) -> Iterator[str]:
    """Yield a row of the table for each case."""
    for case in cases:
        found = coverage(case, clips)
        changes = case.votes * case.every / case.lasts
        cells = [f"{case.votes}", f"{case.every:g} s", f"{case.lasts:g} s", f"{case.mistaken:.0%}", f"{case.regular:g}"]
        cells += [f"{changes:.0f}", *(f"{100 * found[name][0]:.0f} %" for name in WAYS)]
        _, width, without = found["ours"]
        row = f"| {' | '.join([*cells, f'± {50 * width:.0f} points', f'{without:.0%}'])} |"
        print(row, flush=True)
        yield row


def eye_contact(case: Case, random: np.random.Generator) -> Compared:
    """Take frames of one expression for frames with eye contact."""
    found = interval.contact_interval((case.sequence(random) == _CONTACT).tolist())
    return [(found, float(case.truth[_CONTACT]))] if found else []


def three_faces(case: Case, random: np.random.Generator) -> Compared:
    """Let three people vote in each frame, each of whom shows the expressions as long as the others do."""
    return _compared(case, np.stack([case.sequence(random) for _ in range(3)], axis=1).tolist())


def now_and_then(case: Case, random: np.random.Generator) -> Compared:
    """Let a face be seen in 10 of each 50 frames."""
    labels = replace(case, votes=5 * case.votes).sequence(random)
    return _compared(case, [(int(label),) if frame % 50 < 10 else () for frame, label in enumerate(labels)])


def seldom(case: Case, part: float, random: np.random.Generator) -> Compared:
    """Let a face be found in a part of the frames, at random."""
    found = random.random(case.votes) < part
    return _compared(
        case, [(int(label),) if seen else () for label, seen in zip(case.sequence(random), found, strict=True)]
    )


def _compared(case: Case, ballots: Sequence[Sequence[int]]) -> Compared:
    found = interval.vote_intervals(ballots, len(SHARES))
    return [(found[label], float(case.truth[label])) for label in np.flatnonzero(SHARES)] if found else []


MORE_WAYS: Final = {"contact": eye_contact, "three votes": three_faces, "in a fifth": now_and_then}


def more_rows(cases: list[Case], clips: int) -> Iterator[str]:
    """Yield a row for each case: how often the intervals hold in which the votes are not those of one face in view."""
    for case in cases:
        cells = [f"{case.votes}", f"{case.every:g} s", f"{case.lasts:g} s", f"{case.mistaken:.0%}", f"{case.regular:g}"]
        for way in MORE_WAYS.values():
            cells += _figures(case, clips, way)
        row = f"| {' | '.join(cells)} |"
        print(row, flush=True)
        yield row


def seldom_rows(clips: int) -> Iterator[str]:
    """Yield a row for each case of `SELDOM`."""
    for case, part in SELDOM:
        cells = [f"{case.votes}", f"{case.every:g} s", f"{case.lasts:g} s", f"{part:.0%}", f"{part * case.votes:.0f}"]
        row = f"| {' | '.join([*cells, *_figures(case, clips, partial(seldom, part=part))])} |"
        print(row, flush=True)
        yield row


def _figures(case: Case, clips: int, way: Callable[..., Compared]) -> list[str]:
    compared = [each for clip in range(clips) for each in way(case, random=np.random.default_rng([clip, case.votes]))]
    held = np.mean([low <= truth <= high for (low, high), truth in compared])
    width = np.mean([high - low for (low, high), _ in compared])
    return [f"{100 * held:.0f} %", f"± {50 * width:.0f} points"]


def main() -> None:
    """Simulate, print, and write the page."""
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else CLIPS
    head = "| votes | sampled each | an expression lasts | mistaken | shape | expressions | " + " | ".join(WAYS)
    table = [f"{head} | mean width | none |", "|" + "---|" * (8 + len(WAYS))]
    shares = ", ".join(f"{label} {share:g}" for label, share in zip(EMOTION_LABELS, SHARES, strict=True) if share)
    lines = [
        f"How many of the 95 % intervals hold the true share, over {clips:,} simulated clips in each row.",
        f"True shares before mistakes: {shares}.",
        "",
        *table,
        *rows(INSIDE, clips),
        "",
        "A video that shows fewer than ten expressions cannot tell how long one lasts. Its intervals are too narrow:",
        "",
        *table,
        *rows(OUTSIDE, clips),
        "",
        "Contact: eye contact in the frames in which the person is happy. It changes half as often as expressions,",
        "so ten of them are few. Three votes: of three people in each frame. In a fifth: of one person who is seen in",
        "10 of each 50 frames, so there are five times as many frames. In the last two rows an expression lasts five",
        "times as long as the face is in view at a time:",
        "",
        f"| votes | sampled each | an expression lasts | mistaken | shape | {' | width | '.join(MORE_WAYS)} | width |",
        "|" + "---|" * (5 + 2 * len(MORE_WAYS)),
        *more_rows(INSIDE, clips),
        "",
        "A face that the detector finds in some frames only, at random:",
        "",
        "| frames | sampled each | an expression lasts | found in | votes | holds | width |",
        "|---|---|---|---|---|---|---|",
        *seldom_rows(clips),
    ]
    if clips == CLIPS:
        write_section("intervals", "\n".join(lines), ACCURACY)


if __name__ == "__main__":
    main()
