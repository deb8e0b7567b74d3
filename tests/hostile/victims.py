"""Processes that read one damaged file after the other. One that crashes or hangs is replaced.

A new child process for each file would take half a second. These processes have the child's limits, and are not it.
"""

import json
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

from tests.hostile.outcomes import Outcome, watched
from video_common import limits
from video_emotions import sandbox

_ROOT = Path(__file__).resolve().parents[2]
_HUNG_SECONDS = 60.0


class Victim(AbstractContextManager["Victim"]):
    """A process that reads damaged files.

    Parameters
    ----------
    patch : str
        Code that the process runs first: a fault on purpose.
    hung_seconds : float
        A file that takes longer has no answer.
    """

    def __init__(self, patch: str = "", hung_seconds: float = _HUNG_SECONDS) -> None:
        self._command = [sys.executable, "-c", f"from tests.hostile import victims\n{patch}\nvictims.main()"]
        self._hung_seconds = hung_seconds
        self._folder = TemporaryDirectory()
        self._path = Path(self._folder.name) / "video"
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, data: bytes, options: Mapping[str, Any]) -> tuple[Outcome, Outcome]:
        """Read a file twice."""
        self._path.write_bytes(data)
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=_ROOT
            )
        requests, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        requests.write(json.dumps([str(self._path), dict(options)]).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([answers], [], [], self._hung_seconds)[0]:
                return self._failed("hung", f"no answer in {self._hung_seconds} s")
            part = answers.read(2**20)
            if not part:
                status = self._process.wait()
                return self._failed("crashed", signal.Signals(-status).name if status < 0 else f"exit status {status}")
            line += part
        first, second = json.loads(line)
        if "decoder_out_of_memory" in {first["code"], second["code"]}:
            self._end()  # the process cannot forget its peak
        return first, second

    def _failed(self, code: str, detail: str) -> tuple[Outcome, Outcome]:
        self._end()
        outcome = {"code": code, "detail": detail, "frames": []}
        return outcome, outcome

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __exit__(self, *_error: object) -> None:
        self._end()
        self._folder.cleanup()


def main() -> None:
    """Answer requests, one a line, with the child's limits."""
    import av

    av.logging.set_level(None)  # the child's standard error is closed
    peak = Path("/proc/self/clear_refs").open("w")  # noqa: SIM115 - for as long as the process lives
    sandbox.isolate()
    sandbox.confine(limits.DECODER_MEMORY_BYTES, limits.DECODER_CPU_SECONDS)
    for line in sys.stdin:
        path, options = json.loads(line)
        twice = [watched(Path(path), options, peak) for _ in range(2)]
        sys.stdout.write(json.dumps(twice) + "\n")
        sys.stdout.flush()
