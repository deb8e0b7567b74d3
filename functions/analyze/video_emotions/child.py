"""The process that reads one untrusted file: ``python -m video_emotions.child``.

It reads one request from standard input, answers on standard output (see `wire`), and ends. Beside the standard library
it imports PyAV, NumPy and OpenCV.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

from video_common import limits
from video_common.errors import InvalidOption, VideoError
from video_emotions import sandbox, wire
from video_emotions.remote_file import RemoteFile

_BUG_CHARACTERS = 4_000


class _Answer:
    """The records that this process sends."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._sent = time.monotonic()

    def send(self, message: dict[str, Any], *raw: memoryview | bytes) -> None:
        try:
            wire.send(self._file, message, *raw)
        except BrokenPipeError:
            sys.exit()  # the reader is gone, as after Ctrl-C: there is no one to tell
        self._sent = time.monotonic()

    def fetch(self, start: int, end: int) -> bytearray:
        """Ask for bytes of a remote file."""
        self.send({"range": [start, end]})
        _, raw = wire.receive(_exactly)
        if len(raw) != end - start:
            raise ValueError("a range of another size")
        return raw

    def beat(self) -> None:
        """Say that the work goes on, once a second at most."""
        if time.monotonic() - self._sent > limits.DECODER_BEAT_SECONDS:
            self.send({"beat": True})


def main() -> None:
    """Get ready, wait for the request, answer it."""
    nothing = os.open(os.devnull, os.O_WRONLY)  # which the sandbox forbids
    refused = sandbox.isolate()
    import cv2

    from video_emotions.memory import ran_short
    from video_emotions.tasks import answers

    request, raw = wire.receive(_exactly)
    cv2.setNumThreads(1)  # its resize is short, and the decoder has threads enough
    answer = _Answer(FileIO(os.dup(sys.stdout.fileno()), "wb"))
    answer.send({"ready": True, "refused": refused})
    sandbox.confine(request["memory_bytes"], request["cpu_seconds"])
    # What a library prints must not come between the records.
    os.dup2(nothing, sys.stdout.fileno())
    os.dup2(nothing, sys.stderr.fileno())
    outcome, is_whole = _outcome(request, raw, answer, answers)
    answer.send(outcome if is_whole or not ran_short() else {"no_memory": True})


def _outcome(
    request: dict[str, Any], raw: bytearray, answer: _Answer, answers: Callable[..., Any]
) -> tuple[dict[str, Any], bool]:
    """Answer the request. Return the last record, and whether the file was read as far as the options ask for.

    The caller sends that record when what a failure left in memory is released.
    """
    try:
        source = Path(request["path"]) if "path" in request else RemoteFile(request["size"], answer.fetch)
        records = answers(request, raw, source, answer.beat)
        while True:
            try:
                message, parts = next(records)
            except StopIteration as stop:
                return {"end": True}, stop.value
            answer.send(message, *parts)
    except MemoryError:
        return {"no_memory": True}, False
    except InvalidOption as error:
        return {"error": error.code, "detail": error.detail}, True
    except VideoError as error:
        return {"error": error.code, "detail": error.detail}, False
    except Exception as error:  # noqa: BLE001 - the reader logs it
        # Without its text, which can repeat what the file says.
        where = "".join(traceback.format_tb(error.__traceback__))
        return {"bug": f"{where[-_BUG_CHARACTERS:]}{type(error).__name__}"}, False


def _exactly(count: int) -> bytearray:
    data = bytearray(sys.stdin.buffer.read(count))
    if len(data) < count:
        sys.exit()  # the reader is gone, or never needed this process
    return data


if __name__ == "__main__":
    main()
