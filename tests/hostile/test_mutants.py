"""Damaged clips: each one gets frames of its plan or one error that says what to do, and the same one each time."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from testbed.make_video import write_video
from testbed.pictures import moving
from tests.conftest import ROOT
from tests.hostile.fuzz import outcomes
from tests.hostile.mutants import CLIPS, PICTURES, good_clip, mutants
from tests.hostile.outcomes import outcome_of, same, violations
from tests.hostile.victims import Victim
from video_common.schema import Options
from video_emotions import frames
from video_emotions.decoder import open_video

SEED, COUNT = 14, 500
INPUTS = ROOT / "tests" / "data" / "inputs"
EACH = {"frame_interval": 1}


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    with Victim() as made:
        yield made


@contextmanager
def broken(patch: str, hung_seconds: float = 60) -> Iterator[Victim]:
    """Give a process that reads files with a fault of ours."""
    modules = "from video_emotions import frames, memory, probe, tables"
    with Victim(f"import ctypes, os, time\n{modules}\n{patch}", hung_seconds=hung_seconds) as made:
        yield made


def test_whatever_is_damaged_has_an_answer():
    codes: Counter[str] = Counter()
    findings = []
    for mutant, outcome, found in outcomes(mutants(SEED, COUNT)):
        codes[outcome["code"]] += 1
        if found:
            findings.append(f"{', '.join(found)} by {mutant.recipe}")
    assert findings == []
    # Then the damage was neither too little nor too much to say anything
    assert codes["ok"] > COUNT / 4
    assert COUNT - codes["ok"] > COUNT / 4
    assert len(codes) >= 4


def test_a_seed_makes_the_same_mutants_again():
    first, again, other = ([mutant.data for mutant in mutants(seed, 20)] for seed in (1, 1, 2))
    assert first == again
    assert sum(one != another for one, another in zip(first, other, strict=True)) > 15
    assert len(CLIPS) >= 8


@pytest.mark.parametrize("clip", CLIPS)
def test_the_clips_are_good_before_they_are_damaged(victim, clip):
    outcome, _ = victim.read(good_clip(clip), EACH)
    assert outcome["code"] == "ok"
    assert len(outcome["frames"]) == PICTURES
    assert violations(outcome) == []


def test_a_child_for_each_file_says_the_same(victim, reader, tmp_path):
    path = tmp_path / "video"
    codes = set()
    for mutant in mutants(SEED, 3 * len(CLIPS)):
        path.write_bytes(mutant.data)
        by_child = json.loads(json.dumps(outcome_of(path, mutant.options, reader.read)))
        assert by_child == same(victim.read(mutant.data, mutant.options)[0]), mutant.recipe
        codes.add(by_child["code"])
    assert len(codes) >= 3


# -- What the corpus found --------------------------------------------------------------------------------------------
def test_a_false_size_is_not_a_lack_of_memory(victim):
    outcome, _ = victim.read((INPUTS / "av1-sample-too-large.mp4").read_bytes(), EACH)
    assert outcome["code"] == "not_a_video"


def test_one_false_time_costs_no_other_frame(victim):
    outcome, _ = victim.read((INPUTS / "h264-early-time.flv").read_bytes(), EACH)
    assert [frame["index"] for frame in outcome["frames"]] == list(range(12))
    assert outcome["frames"][-1]["time_ms"] > 1_000_000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("h264-half-a-picture.ts", EACH),
        ("h264-damaged-keyframe.flv", EACH),
        ("h264-torn.ts", EACH | {"sampling": "keyframes"}),
        ("vp8-damaged.mkv", {"interval_ms": 70, "start_ms": 40, "end_ms": 350}),
    ],
)
def test_a_damaged_video_gives_the_same_pictures_each_time(victim, name, options):
    data = (INPUTS / name).read_bytes()
    seen = [same(outcome) for _ in range(15) for outcome in victim.read(data, options)]
    assert all(outcome == seen[0] for outcome in seen)
    # The decoder marks this picture as corrupt, but with several threads not always.
    assert name != "h264-half-a-picture.ts" or seen[0]["frames"] == []


def test_one_thread_decodes_the_damaged_video_only(tmp_path, monkeypatch):
    threads = []

    def noted(*given, **named):
        threads.append(given[1])
        return open_video(*given, **named)

    monkeypatch.setattr(frames, "open_video", noted)
    whole = write_video(tmp_path / "whole.mp4", moving(96, 64, 12))
    for path, expected in ((whole, [2]), (INPUTS / "h264-damaged-keyframe.flv", [2, 1])):
        threads.clear()
        list(frames.read(path, Options(frame_interval=1), 2)[2])
        assert threads == expected


# -- Each property can fail -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Break:
    """A fault of ours, a file, and what is said of it."""

    patch: str
    file: str
    said: str


BROKEN = {
    "a crash": Break("frames.read = lambda *_: ctypes.string_at(0)", "inputs/h264-early-time.flv", "crashed: SIGSEGV"),
    "an exit": Break("frames.read = lambda *_: os._exit(3)", "inputs/h264-early-time.flv", "crashed: exit status 3"),
    "a hang": Break("frames.read = lambda *_: time.sleep(60)", "inputs/h264-early-time.flv", "hung: no answer"),
    "another exception": Break("frames.read = lambda *_: {}['key']", "inputs/h264-early-time.flv", "KeyError"),
    "an error of the service": Break(
        "from video_common.errors import GaveUp\ndef gives_up(*_): raise GaveUp('detail')\nframes.read = gives_up",
        "inputs/h264-early-time.flv",
        "exception: detail",
    ),
    "an error without a detail": Break(
        "from video_common.errors import TooLong\ndef ends(*_): raise TooLong('')\nframes.read = ends",
        "inputs/h264-early-time.flv",
        "without a detail",
    ),
    "another outcome each time": Break(
        "from itertools import count\nplaces = count()\nreal = frames.Frame\n"
        "import dataclasses\n"
        "frames.Frame = lambda *given: dataclasses.replace(real(*given), own_size=(1, next(places)))",
        "inputs/h264-early-time.flv",
        "twice",
    ),
    "no beat of the decoder": Break(
        "real = frames.sample\nframes.sample = lambda *given: real(*given[:5])",
        "inputs/h264-early-time.flv",
        "fewer signs of progress",
    ),
    "no beat of the probe": Break(
        "real = frames.probe\nframes.probe = lambda *given: real(*given[:2])",
        "inputs/h264-early-time.flv",
        "fewer signs of progress",
    ),
    "no order": Break(
        "frames.in_order = lambda given, _: given", "inputs/h264-early-time.flv", "indices do not ascend"
    ),
    "no check of times": Break(
        "probe._refuse_unusable_times = lambda *_: None", "inputs/time-overflow.mp4", "exception: "
    ),
    "every lack of memory is real": Break(
        "memory.ran_short = lambda: True", "inputs/av1-sample-too-large.mp4", "exception: MemoryError"
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_each_property_is_seen_to_fail(fault):
    case = BROKEN[fault]
    with broken(case.patch, 5 if fault == "a hang" else 60) as victim:
        first, second = victim.read((ROOT / "tests" / "data" / case.file).read_bytes(), EACH)
    found = violations(first) + ["twice"] * (same(first) != same(second)) + [first["code"]]
    assert any(case.said in text for text in found)


def test_false_tables_cost_memory_if_nobody_checks_them(victim):
    bomb = (ROOT / "tests" / "data" / "bombs" / "stsz_const_85M.mp4").read_bytes()
    claim = bomb.replace((85_000_000).to_bytes(4, "big"), (20_000_000).to_bytes(4, "big"))
    assert claim != bomb
    assert violations(victim.read(claim, EACH)[0]) == []
    with broken("probe.refuse_false_tables = lambda *_: None") as careless:
        assert "much memory for so small a clip" in violations(careless.read(claim, EACH)[0])


def test_a_process_that_crashed_is_replaced():
    with broken("") as victim:
        good_command, victim._command = victim._command, [sys.executable, "-c", "raise SystemExit(9)"]
        assert victim.read(good_clip("h264.mp4"), EACH)[0]["code"] == "crashed"
        victim._command = good_command
        assert victim.read(good_clip("h264.mp4"), EACH)[0]["code"] == "ok"
