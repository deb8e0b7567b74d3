"""The memory and the time of a merge with a long timeline: ``python -m benchmarks.merging [FRAMES] [FACES]``."""

import random
import sys
import time
from functools import reduce
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory

from video_emotions.aggregate import Observation, ScoredFace, summarise
from video_emotions.boxes import Box
from video_emotions.follower import Follower, compared
from video_emotions.merging import StoredTimeline
from video_emotions.outline import Partial, observations

SEGMENTS = 100
PLACES = ((10, 20), (30, 20), (20, 30), (10, 40), (30, 40))


def main() -> int:
    """Print how much more memory a merge holds than before it, at most, and its processor time."""
    frames, faces = (int(text) for text in (sys.argv[1:] + ["100000", "2"][len(sys.argv) - 1 :]))
    with TemporaryDirectory() as folder:
        texts = [_segment(Path(folder, str(number)), number, frames // SEGMENTS, faces) for number in range(SEGMENTS)]
        before, began, most = _held_mb(), time.process_time(), 0.0
        timeline, follower, reports = StoredTimeline(Path(folder, "timeline")), Follower(), []
        for number, sums in enumerate(texts):
            with Path(folder, str(number)).open(encoding="utf-8") as lines:
                report = Partial.model_validate_json(sums).report
                reports.append(follower.linked(report, observations(lines), timeline.keep))
            most = max(most, _held_mb())
        reduce(add, reports)
        written = sum(len(frame.model_dump_json()) for frame in timeline)
        seconds, most = time.process_time() - began, max(most, _held_mb())
    print(
        f"{frames:,} frames with {faces} faces each: {written / 1e6:.0f} MB of JSON, {seconds:.0f} s of processor time,"
    )
    print(f"{most - before:.0f} MB of memory on top of {before:.0f} MB")
    return 0


def _segment(path: Path, number: int, frames: int, faces: int) -> str:
    chance = random.Random(number)  # noqa: S311 - scores
    seen = (_observation(number * frames + place, faces, chance) for place in range(frames))
    report = summarise(compared(seen), frames_wanted=frames, keep_timeline=True)
    sums, lines = Partial(outline="", number=number, report=report, timings_ms={}).to_texts()
    path.write_text(lines, encoding="utf-8")
    return sums


def _observation(place: int, faces: int, chance: random.Random) -> Observation:
    found = tuple(
        ScoredFace(Box(100 * at, 100, 80, 80), True, tuple(chance.randrange(10**6) for _ in range(7)), 0.9, PLACES)
        for at in range(faces)
    )
    return Observation(30 * place, 1000 * place, True, found, 0, bytes(12_288))


def _held_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    sys.exit(main())
