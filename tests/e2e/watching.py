"""What Linux reports about the processes of a function under the emulator: memory, open files, children."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.emulator import Emulator

PAGE = 4096


def children(pid: int) -> list[int]:
    """Return the children of all threads of a process; none if it has ended."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:  # the thread ended meanwhile
            continue
    return found


def function_of(emulator: Emulator) -> int:
    """Return the process of the function, which starts with the first event."""
    (pid,) = children(emulator._process.pid)
    return pid


def resident_bytes(pid: int) -> int:
    """Return the memory of a process; 0 if it has ended. What processes share counts in each."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def open_files(pid: int) -> int | None:
    """Return how many files a process has open; None if only root may know."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except PermissionError:
        return None


def is_confined(pid: int) -> bool:
    """Tell whether a child has its request: then, and not before, it can write no file."""
    try:
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return False
    return any(line.split()[:4] == ["Max", "file", "size", "0"] for line in limits)


@dataclass
class Watch:
    """What a watcher has seen."""

    peak_bytes: int = 0
    killed: bool = False


@contextmanager
def watched(emulator: Emulator, limit_bytes: int) -> Iterator[Watch]:
    """Kill the function as soon as it and its children hold more memory, as Lambda does; until the block ends."""
    seen, over, function = Watch(), threading.Event(), function_of(emulator)

    def watch() -> None:
        while not over.is_set():
            held = sum(map(resident_bytes, [function, *children(function)]))
            seen.peak_bytes = max(seen.peak_bytes, held)
            if held > limit_bytes:
                seen.killed = True
                emulator.kill()
                return
            time.sleep(0.005)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
