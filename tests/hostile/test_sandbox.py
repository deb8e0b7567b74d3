"""What a child cannot do, tried by a process that did what a child does."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SAMPLE
from video_common import limits
from video_common.errors import DecoderUnavailable
from video_common.schema import Options
from video_emotions.child_process import COMMAND
from video_emotions.reader import Reader

TRIES = """
import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, sys, threading
from pathlib import Path
from video_emotions import sandbox

libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()

def number(attempt):
    try:
        attempt()
    except MemoryError:
        return "ENOMEM"
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def call(name, *arguments):
    if libc[name](*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

def connects():
    socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=5).close()

def forks():
    if not os.fork():
        os._exit(0)
    os.wait()

def threads():
    thread = threading.Thread(target=done.append, args=["a thread"])
    thread.start()
    thread.join()

def opens():
    files = [open("/dev/null") for _ in range(100)]

folder = Path(sys.argv[3])
for name in "changed", "renamed", "removed":
    (folder / name).write_text("text")
kept = os.open(folder / "changed", os.O_WRONLY)

done, refused = [], None
if sys.argv[1] == "child":
    refused = sandbox.isolate()
    sandbox.confine(300 * 2**20, 20)
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
out, _ = os.pipe()
print(json.dumps({
    "refused": refused,
    "capabilities": int(status["CapEff"], 16),
    "no_new_privileges": status["NoNewPrivs"],
    "dumpable": libc.prctl(3, 0, 0, 0, 0),
    "network": number(connects),
    "local socket": number(lambda: socket.socket(socket.AF_UNIX)),
    "pair of sockets": number(socket.socketpair),
    "io_uring": number(lambda: call("syscall", 425, -1, None)),
    "fork": number(forks),
    "start": number(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "execute": number(lambda: os.execv("/nowhere", ["nowhere"])),
    "namespace": number(lambda: call("unshare", 0)),
    "signal": number(lambda: os.kill(parent, 0)),
    "signal of a pipe": number(lambda: fcntl.fcntl(out, 8, parent)),
    "limits": number(lambda: resource.prlimit(parent, resource.RLIMIT_CPU)),
    "debug": number(lambda: call("ptrace", 7, parent, None, None)),
    "memory of the parent": number(lambda: call("process_vm_readv", parent, None, 0, None, 0, 0)),
    "environment of the parent": number(lambda: Path(f"/proc/{parent}/environ").read_bytes()),
    "write": number(lambda: os.write(kept, b"text")),
    "shorten an open file": number(lambda: os.ftruncate(kept, 0)),
    "new file": number(lambda: os.open(folder / "new", os.O_CREAT)),
    "open to write": number(lambda: os.open(folder / "changed", os.O_WRONLY)),
    "open to change": number(lambda: os.open(folder / "changed", os.O_RDWR)),
    "empty": number(lambda: os.open(folder / "changed", os.O_RDONLY | os.O_TRUNC)),
    "shorten": number(lambda: os.truncate(folder / "changed", 0)),
    "rename": number(lambda: os.rename(folder / "renamed", folder / "other")),
    "remove": number(lambda: os.remove(folder / "removed")),
    "folder": number(lambda: os.mkdir(folder / "folder")),
    "link": number(lambda: os.symlink("changed", folder / "link")),
    "mode": number(lambda: os.chmod(folder / "changed", 0o777)),
    "times": number(lambda: os.utime(folder / "changed")),
    "read": number(lambda: (folder / "changed").read_bytes()),
    "shared memory": number(lambda: mmap.mmap(-1, 400 * 2**20)),
    "file in memory": number(lambda: os.memfd_create("")),
    "shared segment": number(lambda: call("shmget", 0, 4096, 0o1600)),
    "files": number(opens),
    "own signal": number(lambda: os.kill(os.getpid(), 0)),
    "thread": number(threads),
    "memory": number(lambda: bytearray(400 * 2**20)),
}))
"""
PARENT = """
import subprocess, sys
from video_emotions import sandbox
assert sandbox.close_to_others()
sys.exit(subprocess.run([sys.executable, "-c", *sys.argv[1:]]).returncode)
"""
CHANGES = [
    *("shorten an open file", "new file", "open to write", "open to change", "empty", "shorten", "rename", "remove"),
    *("folder", "link", "mode", "times", "shared memory", "file in memory", "shared segment"),
]
FREE = {
    **dict.fromkeys(["network", "local socket", "pair of sockets", "fork", "start", "namespace"], "done"),
    **dict.fromkeys(["signal", "signal of a pipe", "limits", "memory of the parent"], "done"),
    **dict.fromkeys(CHANGES, "done"),
    **dict.fromkeys(["write", "read", "files", "own signal", "thread", "memory"], "done"),
    "execute": "ENOENT",
    "debug": "ESRCH",
}
"""What any process gets. The errors are those of calls that are let through, with arguments that make no sense."""
CHILD = {
    **dict.fromkeys(["network", "local socket", "pair of sockets", "io_uring"], "EPERM"),
    **dict.fromkeys(["fork", "start", "execute", "namespace"], "EPERM"),
    **dict.fromkeys(["signal", "signal of a pipe", "limits", "debug", "memory of the parent"], "EPERM"),
    **dict.fromkeys(CHANGES, "EPERM"),
    "environment of the parent": "EACCES",
    "read": "done",
    "write": "EFBIG",
    "files": "EMFILE",
    "memory": "ENOMEM",
    "own signal": "done",
    "thread": "done",
    "refused": [],
    "capabilities": 0,
    "no_new_privileges": "1",
    "dumpable": 0,
}


@pytest.fixture
def tries(tmp_path):
    """Return what a process tries and gets, as a child or as any process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])

        def run(who: str) -> dict:
            command = [sys.executable, "-c", PARENT, TRIES, who, port, str(tmp_path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        yield run


def test_any_process_can_do_what_a_child_cannot(tries):
    seen = tries("anybody")
    assert {name: seen[name] for name in FREE} == FREE


def test_a_child_reaches_no_network_no_other_process_no_files_and_little_memory(tries):
    assert tries("child") == CHILD


def test_the_real_child_is_confined_when_it_reads_a_file():
    reader = Reader()
    reader.prepare()
    (child,) = reader._spares
    frames = reader.read(SAMPLE, Options(), 2)[2]
    text = Path(f"/proc/{child._process.pid}/status").read_text()
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    assert (status["Seccomp"], status["NoNewPrivs"], int(status["CapEff"], 16)) == ("2", "1", 0)
    assert len(list(frames)) == 12


REFUSES = """
import os, sys
from video_emotions import sandbox, seccomp
prctl = {"x86_64": 157, "aarch64": 167}[os.uname().machine]
numbers = prctl, seccomp.number("seccomp", os.uname().machine)
refuse = [step for number in numbers for step in seccomp._answer(seccomp._EQUAL, number, seccomp._DENY)]
begin, end = (seccomp.Instruction(code, 0, 0, value) for code, value in ((0x20, 0), (0x06, seccomp._ALLOW)))
seccomp.program = lambda *_: [begin, *refuse, end]
assert "seccomp" not in sandbox.isolate()
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_platform_that_refuses_is_logged_and_the_file_is_read(caplog):
    # Given a sandbox around the function that forbids prctl and seccomp
    reader = Reader(command=[sys.executable, "-c", REFUSES, *COMMAND])
    # When two files are read
    for _ in range(2):
        assert len(list(reader.read(SAMPLE, Options(), 2)[2])) == 12
    # Then the log has once what is refused
    (record,) = [record for record in caplog.records if "refuses" in record.message]
    assert record.refused == ["no_new_privileges", "closed_to_others", "seccomp"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("seccomp._MACHINES.clear()", "NotImplementedError: seccomp: the system calls of"),
        ("sandbox._libc.capset = lambda *_: -1; sandbox._has_capabilities = lambda: True", "capset"),
    ],
)
def test_what_is_no_refusal_ends_the_child_before_it_opens_a_file(capfd, fault, said):
    broken = f"from video_emotions import child, sandbox, seccomp\n{fault}\nchild.main()"
    with pytest.raises(DecoderUnavailable):
        Reader(command=[sys.executable, "-c", broken]).read(SAMPLE, Options(), 2)
    assert said in capfd.readouterr().err


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
