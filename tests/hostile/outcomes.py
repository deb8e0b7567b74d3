"""What reading a file gives, as a value that can be compared, and what must hold for it with every file."""

import math
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

from video_common import limits
from video_common.errors import InvalidOption, VideoEmotionsError, VideoError
from video_common.schema import Options
from video_emotions import frames
from video_emotions.facts import Frame
from video_emotions.memory import ran_short

Outcome = dict[str, Any]
"""``code`` is ``ok``, an error's code, or one of `FAILED`. The rest came before: facts of the video, and frames."""

FAILED: Final = ("exception", "crashed", "hung")
"""Codes that are no answers."""
THREADS: Final = 2
_MOST_SILENT_SECONDS: Final = 5.0
"""Between two signs of progress. One picture of these clips takes milliseconds, and one of 8K a second."""
_MOST_MEMORY_BYTES: Final = 400_000_000
"""A clip takes 10 MB. A damaged one can claim pictures of another size, up to 8K: some of them fit."""


def outcome_of(path: Path, options: Mapping[str, Any], read: Callable[..., Any]) -> Outcome:
    """Read a file to its end.

    Parameters
    ----------
    path : Path
    options : mapping
        The members of `Options`.
    read : callable
        `Reader.read`, or a `frames.read`.
    """
    outcome: Outcome = {"code": "ok", "frames": []}
    try:
        info, chosen, pictures = read(path, Options(**options), THREADS)
        facts = getattr(chosen, "facts", chosen)
        outcome["video"] = _members(info)
        outcome["plan"] = _members(facts) | {"scales": list(facts.scales)}
        outcome["frames"].extend(_seen(frame) for frame in pictures)
    except VideoEmotionsError as error:
        is_answer = isinstance(error, VideoError | InvalidOption) and not type(error).__subclasses__()
        outcome |= {"code": error.code if is_answer else "exception", "detail": error.detail}
    except Exception as error:  # noqa: BLE001 - every other exception is a finding
        outcome |= {"code": "exception", "detail": f"{type(error).__name__}: {error}"}
    return outcome


def watched(path: Path, options: Mapping[str, Any], peak: IO[str]) -> Outcome:
    """Read a file in this process, and add what only this process sees.

    The signs of progress are ``beats``, up to the plan and after it, and the most processor time between two of them is
    ``silent_seconds``. The plan is ``indices``, and what the process used more at the worst moment is ``memory_bytes``.
    A lack of memory is an answer only if the memory was short. ``peak`` is the process's own
    ``/proc/self/clear_refs``, opened before the process isolated itself.
    """
    peak.write("5")  # forget it
    peak.flush()
    before = _peak_bytes()
    beats = [time.process_time()]
    planned: list[int] = []
    before_the_plan = 0

    def read(path: Path, options: Options, threads: int) -> tuple[Any, Any, Iterable[Frame]]:
        nonlocal before_the_plan
        info, chosen, pictures = frames.read(path, options, threads, lambda: beats.append(time.process_time()))
        before_the_plan = len(beats) - 1
        planned.extend(chosen.indices.tolist())
        return info, chosen, pictures

    outcome = outcome_of(path, options, read)
    if outcome.get("detail", "").startswith("MemoryError") and ran_short():
        outcome["code"] = "decoder_out_of_memory"
    longest = max(later - sooner for sooner, later in pairwise([*beats, time.process_time()]))
    counts = before_the_plan, len(beats) - 1 - before_the_plan
    seen = {"beats": counts, "silent_seconds": longest, "memory_bytes": _peak_bytes() - before}
    return outcome | {"indices": planned} | seen


def _peak_bytes() -> int:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024


def same(outcome: Outcome) -> Outcome:
    """Return what every reading of the file must give, in this process or a child."""
    return {name: outcome[name] for name in ("code", "detail", "video", "plan", "frames") if name in outcome}


def _members(facts: Any) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in facts.__slots__}


def _seen(frame: Frame) -> dict[str, Any]:
    facts = {name: getattr(frame, name) for name in ("index", "time_ms", "planned", "next_ms")}
    images = [[*image.shape, zlib.crc32(image.tobytes())] for image in frame.images]
    return facts | {"own_size": list(frame.own_size), "images": images}


def violations(outcome: Outcome) -> list[str]:
    """Return what does not hold for an outcome. It is empty if the service is right."""
    code = outcome["code"]
    wrong = {
        f"{code}: {outcome.get('detail')}": code in FAILED,
        "an error without a detail": code != "ok" and not outcome.get("detail"),
        "much memory for so small a clip": outcome.get("memory_bytes", 0) > _MOST_MEMORY_BYTES,
        "no sign of progress for long": outcome.get("silent_seconds", 0) > _MOST_SILENT_SECONDS,
    }
    if "video" in outcome:
        wrong |= _of_facts(outcome["video"], outcome["plan"]) | _of_frames(outcome)
    return [text for text, is_wrong in wrong.items() if is_wrong]


def _of_facts(video: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, bool]:
    wanted, part, count = plan["frames_wanted"], plan["pictures"], video["frame_count"]
    return {
        "a count that cannot be": not 1 <= wanted <= part <= count <= limits.MAX_FRAMES,
        "a size that cannot be": min(video["width"], video["height"]) < 1,
        "a frame rate that cannot be": not 0 <= video["frame_rate"] < math.inf,
        "a duration that cannot be": not 0 <= video["duration_ms"] <= 2 * limits.MAX_VIDEO_MS,
    }


def _of_frames(outcome: Outcome) -> dict[str, bool]:
    seen, count = outcome["frames"], outcome["video"]["frame_count"]
    beats_before, beats_after = outcome.get("beats", (math.inf, math.inf))
    indices, times = ([frame[name] for frame in seen] for name in ("index", "time_ms"))
    nexts = [frame["time_ms"] if frame["next_ms"] is None else frame["next_ms"] for frame in seen]
    return {
        "more frames than planned": len(seen) > outcome["plan"]["frames_wanted"],
        "a frame outside the plan": not set(indices) <= set(outcome.get("indices", indices)),
        "an index beyond the video": any(not 0 <= index < count for index in indices),
        "indices do not ascend": any(one >= other for one, other in pairwise(indices)),
        "times do not ascend": any(one > other for one, other in pairwise(times)),
        "a time that cannot be": any(not 0 <= time <= limits.MAX_VIDEO_MS for time in times),
        "the next time is before the frame's": any(other < one for one, other in zip(times, nexts, strict=True)),
        "fewer signs of progress than pictures": beats_before < count or beats_after < len(seen),
        "an image without pixels": any(min(image[:2]) < 1 for frame in seen for image in frame["images"]),
    }
