"""A child that dies in any way is one answer, and the next request works. The faults are real."""

import math
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import cast

import pytest

from tests.conftest import SAMPLE
from tests.hostile.children import CRASH, EXIT, HANG, KILLED, SPIN, child_that, child_that_only
from video_common import errors, limits
from video_common.schema import Options
from video_emotions.child_process import COMMAND
from video_emotions.faces.finder import FaceFinder
from video_emotions.parallel import prefetched
from video_emotions.pipeline import Pipeline
from video_emotions.reader import Reader
from video_emotions.video_request import VideoRequest

FAULTS = {
    "segmentation fault": (CRASH, errors.DecoderCrashed),
    "abort": ("os.abort()", errors.DecoderCrashed),
    "killed for its memory": (KILLED, errors.DecoderOutOfMemory),
    "hang": (HANG, errors.DecoderHung),
    "processor time": (SPIN, errors.TooLong),
    "silent exit": (EXIT, errors.DecoderExited),
    "half a record": ("os.write(1, b'1234'); os._exit(0)", errors.DecoderExited),
    "no record": ("os.write(1, b'?' * 100); time.sleep(60)", errors.DecoderCrashed),
    "lists in lists": (
        "text = b'[' * 60000; os.write(1, struct.pack('>II', len(text), 0) + text); time.sleep(60)",
        errors.DecoderCrashed,
    ),
    "a number without end": (
        "frame(index=1e999, time_ms=0, sizes=[(1, 1)], own_size=(1, 1), planned=1, next_ms=None)",
        errors.DecoderCrashed,
    ),
    "no memory": ("send(no_memory=True)", errors.DecoderOutOfMemory),
    "an exception": ("send(bug='Traceback ...')", errors.DecoderCrashed),
    "an error of the service": ("send(error='configuration_error', detail='')", errors.DecoderCrashed),
    "an error of the file": ("send(error='not_a_video', detail='what to do')", errors.NotAVideo),
    "a frame before the last one": (
        "for place in (1, 0): frame(index=place, time_ms=0, sizes=[(1, 1)], own_size=(1, 1), planned=1, next_ms=None)",
        errors.DecoderCrashed,
    ),
    "half a character": ("send(error='not_a_video', detail=chr(0xD800))", errors.DecoderCrashed),
    "a frame without its pixels": (
        "send(frame=dict(index=0, time_ms=0, sizes=[(8, 4)], own_size=(8, 4), planned=1, next_ms=None))",
        errors.DecoderCrashed,
    ),
}
SILENT = {"hang": 5.0}
"""Seconds, where they are waited for. A child sends something sooner, its start included."""
PATIENT = 60.0
"""Seconds. A busy machine may take that for a second of processor time."""


def read_all(reader: Reader, seconds: float = math.inf) -> list:
    return list(reader.read(SAMPLE, Options(), 2, seconds)[2])


def first_then(first: list[str], later: list[str], folder: Path) -> list[str]:
    """Return the command of a child that runs one command the first time, and another one from then on."""
    switch = (
        f"import os\ntry: os.mkdir({str(folder / 'first')!r})\n"
        f"except FileExistsError: os.execv({later[0]!r}, {later!r})\nos.execv({first[0]!r}, {first!r})"
    )
    return [sys.executable, "-c", switch]


def without_children() -> bool:
    """Report whether this process has no child that waits to be reaped."""
    states = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in children()]
    return "Z" not in states


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_error_and_the_next_request_works(fault, tmp_path, settings, model):
    # Given a function whose first child has a fault, and whose next ones have none
    does, kind = FAULTS[fault]
    command = first_then(child_that(does), list(COMMAND), tmp_path)
    reader = Reader(command=command, silent_seconds=SILENT.get(fault, PATIENT))
    pipeline = Pipeline(settings, model, cast("FaceFinder", _NoFinder()), reader=reader)
    request = VideoRequest(SAMPLE.read_bytes(), Options())
    # When two requests come
    with pytest.raises(kind):
        pipeline.analyze(request)
    # Then the first one has its own error, which says what to do, and the second one is answered
    assert pipeline.analyze(request).total_frames_analyzed == 12
    assert without_children()
    assert not list(settings.work_dir.iterdir())


class _NoFinder:
    """Finds no face: these tests are about what comes before."""

    usable: tuple[str, ...] = ()

    class _Detector:
        from video_common.result import DetectorFacts

        facts = DetectorFacts(name="none", weights_sha256="0" * 64)
        smallest_face = sure_face = 1

        def detect(self, image):
            return iter(())

    def detector(self, name):
        return self._Detector()


@pytest.mark.parametrize("does", [CRASH, KILLED, EXIT, "raise ImportError"])
def test_a_child_that_does_not_start_is_our_fault(does):
    with pytest.raises(errors.DecoderUnavailable):
        read_all(Reader(command=child_that_only(does)))
    with pytest.raises(errors.DecoderUnavailable):
        read_all(Reader(command=["/nowhere"]))


def test_a_child_that_hangs_before_it_opens_the_file_is_our_fault():
    with pytest.raises(errors.DecoderUnavailable):
        read_all(Reader(command=child_that_only(HANG), silent_seconds=1))
    # Also where most of the request's time went by in this wait: the caller's video is not too long
    with pytest.raises(errors.DecoderUnavailable):
        Reader(command=child_that_only(HANG), silent_seconds=3).read(SAMPLE, Options(), 2, seconds=2)
    assert issubclass(errors.DecoderUnavailable, errors.TransientError)


def test_a_hang_is_reported_within_the_time_of_a_post():
    assert limits.DECODER_BEAT_SECONDS * 5 < limits.DECODER_SILENT_SECONDS < limits.API_SECONDS


def test_the_deadline_ends_a_child_that_is_at_work():
    busy = child_that("while True: send(beat=True); time.sleep(0.05)")
    reader = Reader(command=busy, silent_seconds=PATIENT)
    begun = time.monotonic()
    with pytest.raises(errors.TooLong):
        read_all(reader, 1.5)
    assert 1.4 < time.monotonic() - begun < 20
    assert without_children()


def test_a_deadline_in_the_past_is_too_long_at_once():
    begun = time.monotonic()
    with pytest.raises(errors.TooLong):
        read_all(Reader(command=child_that(HANG)), -1)
    assert time.monotonic() - begun < 20


def test_a_child_that_works_for_long_without_a_picture_is_not_hung():
    beats = child_that("for _ in range(30): send(beat=True); time.sleep(0.1)\nsend(end=True)")
    assert read_all(Reader(command=beats, silent_seconds=2)) == []


def test_facts_of_another_kind_than_ours_are_a_crash():
    told = "receive(); send(ready=True); send(video={'codec': []}, plan={}); time.sleep(60)"
    with pytest.raises(errors.DecoderCrashed):
        read_all(Reader(command=child_that_only(told)))


def test_closing_early_ends_the_child():
    # Given a child that has sent a picture and is at work on the next one
    facts = "dict(index=0, time_ms=0, sizes=[(1, 1)], own_size=(1, 1), planned=1, next_ms=None)"
    frame = f"wire.send(answers, {{'frame': {facts}}}, b'123')"
    reader = Reader(command=child_that(f"{frame}; {HANG}"))
    reader.prepare()
    (child,) = reader._spares
    frames = reader.read(SAMPLE, Options(), 2)[2]
    assert next(frames).image.tolist() == [[[49, 50, 51]]]
    assert child._process.returncode is None
    # When the caller has enough
    frames.close()
    # Then the child is gone
    assert child._process.returncode == -signal.SIGKILL


def test_nobody_waits_for_a_picture_that_is_not_wanted_any_more(caplog):
    # Given a child that has sent a picture, and a thread that waits for the next one
    facts = "index=0, time_ms=0, sizes=[(1, 1)], own_size=(1, 1), planned=1, next_ms=None"
    reader = Reader(command=child_that(f"frame({facts}); {HANG}"), silent_seconds=60)
    frames = reader.read(SAMPLE, Options(), 2)[2]
    coming = prefetched(frames)
    assert next(coming).index == 0
    while not frames._in_use.locked():
        time.sleep(0.01)
    # When the caller has enough
    closing = threading.Thread(target=coming.close)
    closing.start()
    closing.join(timeout=20)
    # Then that does not take as long as the child hangs, and the log does not call it a fault
    assert not closing.is_alive()
    assert without_children()
    assert "a decoder ended" not in caplog.text


def test_closing_before_the_first_picture_ends_the_child():
    reader = Reader(command=child_that(HANG))
    reader.prepare()
    (child,) = reader._spares
    reader.read(SAMPLE, Options(), 2)[2].close()
    assert child._process.returncode == -signal.SIGKILL


def test_closing_ends_a_child_that_nobody_asked_for_a_picture():
    reader = Reader(command=child_that(HANG))
    reader.prepare()
    (child,) = reader._spares
    frames = reader.read(SAMPLE, Options(), 2)[2]
    frames.close()
    assert child._process.returncode == -signal.SIGKILL
    assert len(reader._spares) == 1  # for the next file
    assert list(frames) == []


@pytest.mark.parametrize("ends", [KILLED, EXIT, "os._exit(1)"])
@pytest.mark.parametrize("asked", ["receive()", "pass"])
def test_a_spare_that_ends_before_it_opens_the_file_is_replaced(tmp_path, ends, asked):
    # Given a reader whose first child ends when it has its request, or at any moment before
    ending = child_that_only(f"{asked}; {ends}")
    reader = Reader(command=first_then(ending, list(COMMAND), tmp_path))
    reader.prepare()
    # Then the caller does not notice
    assert len(read_all(reader)) == 12
    assert without_children()


def test_a_file_that_ends_its_child_is_not_tried_again(tmp_path):
    ending = child_that_only(f"receive(); send(ready=True); {KILLED}")
    reader = Reader(command=first_then(ending, list(COMMAND), tmp_path))
    with pytest.raises(errors.DecoderOutOfMemory):
        read_all(reader)


def test_renewing_replaces_the_spare():
    reader = Reader()
    reader.prepare()
    (before,) = reader._spares
    reader.renew()
    (after,) = reader._spares
    assert before._process.returncode == -signal.SIGKILL
    assert after._process.pid != before._process.pid
    assert len(read_all(reader)) == 12


def test_a_spare_that_died_while_it_waited_is_replaced():
    reader = Reader()
    reader.prepare()
    (spare,) = reader._spares
    os.kill(spare._process.pid, signal.SIGKILL)
    spare._process.wait()
    assert len(read_all(reader)) == 12
