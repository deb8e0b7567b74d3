"""How long videos spread over functions: a simulation from the measured pace. ``python -m benchmarks.scale``.

Nothing here was measured in AWS. The assumptions are in `Assumptions`, and the page lists them.
"""

import heapq
import random
import sys
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Final

from benchmarks.page import write_section
from local.engine import ROOT
from video_common import limits
from video_common.prices import invocation_dollars

PAGE: Final = ROOT / "docs" / "scale.md"
TRANSITION: Final = 0.025 / 1000
"""Dollars of a state transition: aws.amazon.com/step-functions/pricing, US East (N. Virginia)."""
S3_GET: Final = 0.0004 / 1000
"""Dollars of a GET: aws.amazon.com/s3/pricing, US East (N. Virginia), as known; the page was not opened."""
REKOGNITION_MINUTE: Final = 0.10
"""Dollars of a minute of stored video, one feature (faces): the list price as known. The page shows no figures without
scripts, so look again."""
_TRANSITIONS_EACH: Final = 3
"""Of a segment: its own execution's start, its task, its end."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the simulation rests on.

    Attributes
    ----------
    width, height, fps : int
    frame_interval : int
    megabits : float
        A second of the video.
    vcpus : float
        Of a function with 3,008 MB.
    slowness : float
        How many times longer a vCPU of Lambda takes than a processor of the machine that was measured.
    cold_seconds : float
        From the request to the first frame where no environment waits: image, models, child process.
    megabytes_a_second : float
        One function from S3.
    spread : float
        Standard deviation of the logarithm of a segment's time.
    stragglers : float
        Part of the segments that take twice as long.
    failures : float
        Part of the tries that fail half-way and come again.
    at_once : int
        Segments at the same time: the account's concurrency.
    ramp : int
        New environments in ten seconds.
    """

    width: int = 1920
    height: int = 1080
    fps: int = 30
    frame_interval: int = 30
    megabits: float = 8.0
    vcpus: float = 1.7
    slowness: float = 1.3
    cold_seconds: float = 6.0
    megabytes_a_second: float = 90.0
    spread: float = 0.15
    stragglers: float = 0.02
    failures: float = 0.005
    at_once: int = 1000
    ramp: int = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of all videos: segments, seconds until the last one has its result, seconds of functions, dollars."""

    segments: int
    wall_seconds: float
    function_seconds: float
    dollars: float


def cost_seconds(hours: float, given: Assumptions) -> float:
    """Return the processor time of a video, as `video_emotions.segments.costs` reckons it."""
    pixels, frames = given.width * given.height, hours * 3600 * given.fps
    analyzed = pixels * min(1.0, limits.DEFAULT_LONG_SIDES[0] / given.width) ** 2
    each = limits.ANALYZE_PIXEL_SECONDS * analyzed + limits.CONVERT_PIXEL_SECONDS * pixels
    return limits.DECODE_PIXEL_SECONDS * pixels * frames + each * frames / given.frame_interval


def simulate(videos: int, hours: float, given: Assumptions, seed: int = 1) -> Outcome:
    """Run the segments of so many videos on as many functions as there may be, the first ones first."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    cost = cost_seconds(hours, given)
    segments = ceil(cost / limits.SEGMENT_SECONDS)
    megabytes = hours * 3600 * given.megabits / 8 / segments
    free: list[float] = []
    begun, spent, ends, calls = 0, 0.0, [0.0] * videos, 0
    queue = [(video, cost / segments) for video in range(videos) for _ in range(segments)]
    for video, processor in queue:
        tries = 1 + (chance.random() < given.failures)
        for number in range(tries):
            slow = 2.0 if chance.random() < given.stragglers else 1.0
            seconds = processor * given.slowness / given.vcpus * slow * chance.lognormvariate(0, given.spread)
            seconds = max(seconds, megabytes / given.megabytes_a_second)
            if number < tries - 1:
                seconds /= 2  # it fails half-way
            if begun < given.at_once:
                start, cold = 10.0 * (begun // given.ramp), given.cold_seconds
                begun += 1
            else:
                start, cold = heapq.heappop(free), 0.0
            end = start + cold + seconds
            heapq.heappush(free, end)
            spent, calls, ends[video] = spent + cold + seconds, calls + 1, max(ends[video], end)
    gets = videos * segments * (megabytes * 1e6 / limits.RANGE_BYTES + 4)
    per_call = invocation_dollars(spent / calls, limits.MEMORY_MB)
    dollars = calls * per_call + videos * segments * _TRANSITIONS_EACH * TRANSITION + gets * S3_GET
    return Outcome(videos * segments, max(ends) + 10.0, spent, dollars)  # planning and merging: ten seconds


CASES: Final = ((1, 1.0), (1, 6.0), (1, 24.0), (1000, 1 / 6))
VARIED: Final[tuple[tuple[str, dict[str, float]], ...]] = (
    ("as above", {}),
    ("2 at the same time (MaxSegments as it is)", {"at_once": 2}),
    ("10 at the same time (a new account)", {"at_once": 10}),
    ("100 at the same time", {"at_once": 100}),
    ("vCPUs twice as slow", {"slowness": 2.6}),
    ("frame_interval=5", {"frame_interval": 5}),
    ("one segment in five takes twice as long", {"stragglers": 0.2}),
    ("one try in twenty fails", {"failures": 0.05}),
    ("cold starts of 30 s", {"cold_seconds": 30.0}),
    ("S3 at 5 MB/s", {"megabytes_a_second": 5.0}),
    ("4K", {"width": 3840, "height": 2160, "megabits": 30.0}),
)


def section() -> str:
    """Return the page's section."""
    given = Assumptions()
    lines = [
        "## What it should cost (a simulation)",
        "",
        "Not measured in AWS: `benchmarks/scale.py` calculates it from this machine's pace (`limits.py`)",
        "and from these assumptions:",
        ", ".join(f"{name} {value:g}" for name, value in asdict(given).items()) + ".",
        "",
        "| videos | segments | minutes until the last result | function hours | dollars | Rekognition Video, dollars |",
        "|---|---|---|---|---|---|",
    ]
    for videos, hours in CASES:
        got = simulate(videos, hours, given)
        length = f"{videos} of {hours:g} h" if hours >= 1 else f"{videos:,} of {60 * hours:g} min"
        lines.append(
            f"| {length} | {got.segments:,} | {got.wall_seconds / 60:.1f} | {got.function_seconds / 3600:.1f} | "
            f"{got.dollars:.2f} | {videos * hours * 60 * REKOGNITION_MINUTE:.2f} |"
        )
    lines += ["", "One video of six hours, with one assumption changed:", ""]
    lines += ["| assumption | minutes | dollars |", "|---|---|---|"]
    for name, changed in VARIED:
        got = simulate(1, 6.0, replace(given, **changed))  # type: ignore[arg-type]
        lines.append(f"| {name} | {got.wall_seconds / 60:.1f} | {got.dollars:.2f} |")
    lines += [
        "",
        "Rekognition Video finds faces in every frame and has other emotions, so the column compares prices only.",
        f"Its list price is assumed to be {REKOGNITION_MINUTE:.2f} dollars a minute for one feature. Look it up first.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Write the page's section."""
    write_section("scale", section(), PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
