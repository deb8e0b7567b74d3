"""Children that go wrong on purpose, with real signals. A `Reader` is given one as its command."""

import sys

_ASKED = """
import os, resource, signal, struct, sys, time
from io import FileIO
from video_emotions import wire

answers = FileIO(1, "wb", closefd=False)

def send(**message):
    wire.send(answers, message)

def frame(**facts):
    wire.send(answers, {"frame": facts}, b"123")

def receive():
    return wire.receive(lambda count: bytearray(sys.stdin.buffer.read(count)))[0]
"""
_VIDEO = """
request = receive()
send(ready=True)
send(
    video=dict(codec="h264", width=8, height=4, rotation=0, frame_rate=25.0, duration_ms=80, size_bytes=1,
               sha256="0" * 64, frame_count=2),
    plan=dict(frames_wanted=2, pictures=2, until_ms=None, scales=[1.0]),
)
"""


def child_that(does: str) -> list[str]:
    """Return the command of a child that runs this code when it has its request and has sent the facts of a video."""
    return [sys.executable, "-c", _ASKED + _VIDEO + does]


def child_that_only(does: str) -> list[str]:
    """Return the command of a child that runs this code, with ``send`` and ``receive``, and nothing before it."""
    return [sys.executable, "-c", _ASKED + does]


CRASH = "import ctypes; ctypes.string_at(0)"
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
HANG = "time.sleep(60)"
SPIN = "resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass"
EXIT = "os._exit(0)"
