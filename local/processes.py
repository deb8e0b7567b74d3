"""Processes of other programs: started in a session of their own, and ended with all that they started.

Standard library only: it runs before anything is set up.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

Process = subprocess.Popen[Any]


class ProcessError(RuntimeError):
    """A process did not start, or did not end in time."""


def exit_on_term() -> None:
    """Let SIGTERM end this process as Ctrl-C does, so that what it started ends with it."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)


def run(
    command: Sequence[str], variables: Mapping[str, str], seconds: float, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; options are those of `subprocess.run`.

    Raises
    ------
    ProcessError
        It did not end in time and was ended, with what it had started.
    """
    given = options.pop("input", None)
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options["stdin"] = subprocess.DEVNULL if given is None else subprocess.PIPE
    with started(command, variables, text=True, **options) as process:
        try:
            output, errors = process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"{' '.join(command[:3])} did not end within {seconds} s.") from None
    return subprocess.CompletedProcess(list(command), process.returncode, output, errors)


@contextmanager
def started(
    command: Sequence[str], variables: Mapping[str, str], *, grace: float = 10, **options: Any
) -> Iterator[Process]:
    """Start a program, which ends with the block: TERM, ``grace`` seconds later KILL, and KILL for what is left."""
    process: Process = subprocess.Popen(command, env=dict(variables), start_new_session=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            signal_session(process, signal.SIGTERM)
            try:
                process.wait(timeout=grace)
            except subprocess.TimeoutExpired:
                signal_session(process, signal.SIGKILL)
        signal_session(process, signal.SIGKILL)
        process.wait()


def wait_until(ready: Callable[[], bool], process: Process, seconds: float) -> None:
    """Return as soon as ``ready`` returns true.

    Raises
    ------
    ProcessError
        The process ended, or the time is up.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise ProcessError(f"It ended at its start with code {process.returncode}.")
        if time.monotonic() > deadline:
            raise ProcessError(f"It was not ready within {seconds} s.")
        time.sleep(0.05)


def listens(address: tuple[str, int] | str) -> bool:
    """Report whether something listens at a host and port, or at a socket's path."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as probe:
        return probe.connect_ex(address) == 0


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports that nothing listens at."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((host, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def signal_session(process: Process, sign: signal.Signals) -> None:
    """Send a signal to a program and to all that it started, also to what made a process group of its own."""
    for pid in _session(process.pid):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:  # ended meanwhile
            continue


def _session(leader: int) -> list[int]:
    """Return the processes of a session; where there is no /proc, the leader alone."""
    if not Path("/proc/self").exists():
        return [leader]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
        except ProcessLookupError:
            continue
    return found
