"""What a child cannot do, tried by a process that did what a child does."""

import json
import subprocess
import sys

import pytest

from video_common import limits

TRIES = """
import ctypes, errno, json, os, socket, sys, threading
from pathlib import Path
from video_emotions import sandbox

def number(attempt):
    try:
        attempt()
    except MemoryError:
        return "ENOMEM"
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def connects():
    socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=5).close()

def opens():
    files = [open("/dev/null") for _ in range(100)]

if sys.argv[1] == "child":
    sandbox.isolate()
    sandbox.confine(300 * 2**20, 20)
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps({
    "capabilities": int(status["CapEff"], 16),
    "no_new_privileges": status["NoNewPrivs"],
    "namespace": os.readlink("/proc/self/ns/net"),
    "network": number(connects),
    "memory": number(lambda: bytearray(400 * 2**20)),
    "parent": number(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
    "write": number(lambda: Path(sys.argv[3]).write_text("text")),
    "files": number(opens),
}))
"""
PARENT = """
import subprocess, sys
from video_emotions import sandbox
sandbox.close_to_others()
sys.exit(subprocess.run([sys.executable, "-c", *sys.argv[1:]]).returncode)
"""


@pytest.fixture
def tries(tmp_path):
    """Return what a process tries and gets, as a child or as any process."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])

        def run(who: str) -> dict:
            command = [sys.executable, "-c", PARENT, TRIES, who, port, str(tmp_path / "written")]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        yield run


def test_a_child_has_no_rights_no_files_and_little_memory(tries, tmp_path):
    # Given any process, which can do all of it
    free = tries("anybody")
    assert (free["memory"], free["write"], free["files"]) == ("done", "done", "done")
    # Then a child cannot, and it cannot read its parent, not even as root
    child = tries("child")
    assert child["capabilities"] == 0
    assert child["no_new_privileges"] == "1"
    assert (child["memory"], child["write"], child["files"]) == ("ENOMEM", "EFBIG", "EMFILE")
    assert child["parent"] == "EACCES"


def test_a_child_has_no_network_where_the_kernel_allows_it(tries):
    free, child = tries("anybody"), tries("child")
    assert free["network"] == "done"
    if free["namespace"] == child["namespace"]:
        pytest.skip("this kernel makes no user namespace for this user")
    assert child["network"] == "ENETUNREACH"


def test_the_processor_time_ends_a_process_with_sigxcpu():
    spin = "from video_emotions import sandbox\nsandbox.confine(2**30, 1)\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", spin]).returncode == -24
    assert limits.DECODER_CPU_SECONDS >= 900


def test_a_function_is_closed_to_processes_of_its_user():
    # prctl(PR_GET_DUMPABLE): 1 is the kernel's default, 0 closes /proc
    look = "import ctypes\nprint(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    close = "from video_emotions import sandbox\nsandbox.close_to_others()"
    for before, seen in (("", "1\n"), (close, "0\n")):
        done = subprocess.run([sys.executable, "-c", f"{before}\n{look}"], capture_output=True, text=True, check=True)
        assert done.stdout == seen
