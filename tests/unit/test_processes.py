"""What is started is ended, with all that it started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.processes import ProcessError, listens, run, started, wait_until
from tests.conftest import ROOT

NEST = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=lambda: os.setpgid(0, 0))
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_in_a_group_of_its_own_ends_too():
    with started([sys.executable, "-c", NEST], os.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        assert alive(child)
    process.stdout.close()
    deadline = time.monotonic() + 5
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_ignores_term_is_killed():
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with started([sys.executable, "-c", deaf], os.environ, grace=0.2, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_run_ends_what_takes_too_long_and_says_so():
    with pytest.raises(ProcessError, match=r"did not end within 0.2 s"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], os.environ, 0.2)


def test_run_gives_input_and_returns_output():
    code = "import sys; print(sys.stdin.read().upper())"
    assert run([sys.executable, "-c", code], os.environ, 20, input="a", capture_output=True).stdout == "A\n"


def test_waiting_ends_when_the_process_does():
    with (
        started([sys.executable, "-c", "raise SystemExit(3)"], os.environ) as process,
        pytest.raises(ProcessError, match="code 3"),
    ):
        wait_until(lambda: listens(("127.0.0.1", 9)), process, 20)


def test_a_runners_term_ends_the_tests_and_what_they_started(tmp_path):
    # Given a run of two tests, of which the first waits with something started
    (tmp_path / "test_waits.py").write_text(
        "import os, sys, time\n"
        "from local.processes import started\n"
        "def test_one():\n"
        "    with started([sys.executable, '-c', 'import time; time.sleep(60)'], os.environ) as process:\n"
        f"        open({str(tmp_path / 'pid')!r}, 'w').write(str(process.pid))\n"
        "        time.sleep(60)\n"
        "def test_two():\n"
        f"    open({str(tmp_path / 'two')!r}, 'w').close()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "--rootdir", str(ROOT), str(tmp_path)]
    with started(command, os.environ, cwd=ROOT, stdout=subprocess.DEVNULL, grace=20) as runner:
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", runner, 60)
        child = int((tmp_path / "pid").read_text())
        # When it is told to end
        runner.terminate()
        runner.wait(timeout=30)
    # Then the second test was not run, and nothing is left
    assert not (tmp_path / "two").exists()
    assert not alive(child)
