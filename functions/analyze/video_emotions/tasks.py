"""What the child process can be asked for. Each task yields the records of its answer; see `wire`."""

from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

from video_emotions.boxes import size_of
from video_emotions.facts import Frame, SegmentFacts
from video_emotions.frames import read, sample_slice
from video_emotions.plan import Plan, plan
from video_emotions.probe import survey
from video_emotions.progress import Beat
from video_emotions.remote_file import Source
from video_emotions.segments import costs, spans
from video_emotions.slices import Slice

Record: TypeAlias = tuple[dict[str, Any], list[memoryview | bytes]]
Answer: TypeAlias = Generator[Record, None, bool]
"""Records. It returns whether the file was read as far as the options ask for."""


def answers(request: Mapping[str, Any], raw: bytes, source: Source, beat: Beat) -> Answer:
    """Do what a request asks for.

    Parameters
    ----------
    request : mapping
    raw : bytes
        What came with it.
    source : Source
    beat : Beat

    Raises
    ------
    VideoError, InvalidOption
        The file or the options are rejected.
    """
    options, threads = SimpleNamespace(**request["options"]), int(request["threads"])
    if "segments" in request:
        return _segments(source, options, threads, request["segments"], beat)
    if "slice" in request:
        return _slice(source, Slice.of_bytes(raw), options, threads, beat)
    if not isinstance(source, Path):
        raise TypeError("a remote file is read in segments only")
    return _whole(source, options, threads, beat)


def _whole(path: Path, options: Any, threads: int, beat: Beat) -> Answer:
    info, chosen, frames = read(path, options, threads, beat)
    yield {"video": asdict(info), "plan": asdict(chosen.facts)}, []
    return (yield from _sent(frames, chosen))


def _slice(source: Source, part: Slice, options: Any, threads: int, beat: Beat) -> Answer:
    yield {"slice": True}, []
    return (yield from _sent(sample_slice(source, part, options, threads, beat), part.chosen))


def _sent(frames: Generator[Frame], chosen: Plan) -> Answer:
    sent = 0
    for frame in frames:
        sizes = [size_of(image) for image in frame.images]
        facts = {"index": frame.index, "time_ms": frame.time_ms, "own_size": frame.own_size}
        facts |= {"planned": frame.planned, "next_ms": frame.next_ms, "sizes": sizes}
        yield {"frame": facts}, [image.data.cast("B") for image in frame.images]
        sent += 1
    return sent == len(chosen.indices)


def _segments(source: Source, options: Any, threads: int, wanted: Mapping[str, Any], beat: Beat) -> Answer:
    info, index = survey(source, threads, beat)
    chosen = plan(info, index, options)
    yield {"video": asdict(info), "plan": asdict(chosen.facts)}, []
    both = costs(index, chosen, info.size)
    for first, end in spans(index, chosen, both[0], wanted["seconds"], wanted["at_least"]):
        shown = index.times_ms[chosen.indices[[first, end - 1]]]
        took = (float(seconds[end - 1] - (seconds[first - 1] if first else 0)) for seconds in both)
        facts = SegmentFacts(end - first, int(shown[0]), int(shown[1]), *took)
        yield {"segment": asdict(facts)}, [bytes(Slice.of(index, chosen, first, end))]
    return True
