"""A container engine: Docker or Podman, whichever works; where neither does, Podman from Debian's packages.

Standard library only: it runs before anything is set up.
"""

import hashlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".cache" / "engine"
"""Podman's images and settings, where it runs as root: nothing of the machine's own Podman is touched."""

PACKAGES = (
    *("podman", "buildah", "runc", "fuse-overlayfs", "netavark", "aardvark-dns", "iptables", "nftables"),
    "mmdebstrap",
)
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
[engine]
{runtime}cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{state}/storage"
runroot = "{run}"
"""


class EngineError(RuntimeError):
    """No container engine, or it failed; the text says what to do."""


@dataclass(frozen=True)
class Engine:
    """A command that takes Docker's arguments.

    Attributes
    ----------
    name : str
        ``docker`` or ``podman``.
    environment : mapping of str to str
        What it is told besides this process's environment.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment to start it with."""
        return {**os.environ, **self.environment}

    def run(
        self, *arguments: str, seconds: int = 120, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the engine; it is killed, with what it started, when its time is up.

        Raises
        ------
        EngineError
            It failed, and ``check`` was asked for, or it ran out of time.
        """
        done = _run([self.name, *arguments], self.variables, seconds, **options)
        if check and done.returncode != 0:
            said = (done.stderr or done.stdout or "").strip()[-3000:]
            raise EngineError(f"{self.name} {' '.join(arguments[:2])} failed with code {done.returncode}. {said}")
        return done

    def output(self, *arguments: str, seconds: int = 120) -> str:
        """Return what a command writes to standard output."""
        return self.run(*arguments, seconds=seconds, capture_output=True).stdout.strip()

    def has(self, image: str) -> bool:
        """Tell whether an image is there."""
        return self.run("image", "inspect", image, check=False, capture_output=True).returncode == 0

    @contextmanager
    def docker_host(self) -> Iterator[dict[str, str]]:
        """Give the variables with which Docker's clients (SAM) find the engine; what it needs ends with the block."""
        if self.name == "docker":
            yield {}
            return
        # A socket's path may have no more than 107 bytes: not below the project.
        with TemporaryDirectory(prefix="engine-") as folder:
            path = Path(folder, "podman.sock")
            process = subprocess.Popen(
                [self.name, "system", "service", "--time=0", f"unix://{path}"],
                env=self.variables,
                start_new_session=True,
            )
            try:
                _wait_for_socket(path, process)
                # Podman takes the classic build request only.
                yield {"DOCKER_HOST": f"unix://{path}", "DOCKER_BUILDKIT": "0"}
            finally:
                _end(process)


def find_engine() -> Engine:
    """Return an engine that works, and install one where that is possible.

    Raises
    ------
    EngineError
        Saying what was tried.
    """
    if shutil.which("docker") and _works(docker := Engine("docker")):
        return docker
    if shutil.which("podman") is None:
        _install()
    podman = Engine("podman", _podman_settings() if os.geteuid() == 0 else {})
    if not _works(podman):
        raise EngineError("Docker does not answer and Podman does not work: see what `podman info` says.")
    return podman


def say(text: str) -> None:
    """Tell people something, beside the output."""
    print(text, file=sys.stderr, flush=True)


def _works(engine: Engine) -> bool:
    try:
        return engine.run("info", seconds=60, check=False, capture_output=True).returncode == 0
    except EngineError:
        return False


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineError(
            "The image needs a container engine, and neither Docker nor Podman works here. Install one "
            "(on Debian, as root, this command does it by itself) and start again."
        )
    say("Neither Docker nor Podman works here; installing Podman from Debian's packages, once.")
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        done = _run(["apt-get", *command], variables, 600, capture_output=True)
        # A source of no interest to us may be out of reach; what counts is that the packages arrive.
        if done.returncode != 0 and command[0] == "install":
            raise EngineError(f"Podman cannot be installed: {done.stderr.strip()[-2000:]}")


def _podman_settings() -> dict[str, str]:
    """Write settings that work without rights over limits and cgroups (a container, a build machine)."""
    STATE.mkdir(parents=True, exist_ok=True)
    run = Path("/run/video-emotions", hashlib.sha256(str(STATE).encode()).hexdigest()[:8])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 20_000 if hard == resource.RLIM_INFINITY else min(hard, 20_000)
    # crun, Podman's first choice, fails where both cgroup hierarchies are mounted.
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    (STATE / "containers.conf").write_text(CONTAINERS_CONF.format(files=files, runtime=runtime))
    (STATE / "storage.conf").write_text(STORAGE_CONF.format(state=STATE, run=run))
    return {
        "CONTAINERS_CONF": str(STATE / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(STATE / "storage.conf"),
    }


def _run(
    command: list[str], variables: Mapping[str, str], seconds: int, **options: Any
) -> subprocess.CompletedProcess[str]:
    given = options.pop("input", None)
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(
        command,
        env=dict(variables),
        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        output, errors = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise EngineError(f"{' '.join(command[:3])} did not end within {seconds} s.") from None
    except BaseException:
        _end(process)
        raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a process and its own session: TERM, and after ten seconds KILL."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _wait_for_socket(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.05)
    raise EngineError("Podman's service did not start within 30 s.")
