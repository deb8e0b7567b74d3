"""A container engine: Docker or Podman, whichever works; where neither does, Podman from Debian's packages.

Standard library only: it runs before anything is set up.
"""

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local import processes
from local.processes import ProcessError

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".cache" / "engine"
"""Podman's images and settings, where it runs as root: the machine's own images, networks and locks are left alone."""
RUN = Path("/run/video-emotions", hashlib.sha256(str(STATE).encode()).hexdigest()[:8])
"""What Podman keeps while the machine runs."""

PACKAGES = ("podman", "buildah", "runc", "fuse-overlayfs", "netavark", "aardvark-dns", "iptables", "nftables")
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
[engine]
{runtime}cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{run}/libpod"
[network]
network_config_dir = "{state}/networks"
"""
STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{state}/storage"
runroot = "{run}"
"""


class EngineError(ProcessError):
    """No container engine, or it failed; the text says what to do."""


@dataclass(frozen=True)
class Engine:
    """A command with Docker's arguments.

    Attributes
    ----------
    name : str
        ``docker`` or ``podman``.
    environment : mapping of str to str
        More variables than this process's environment has.
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
            It failed, and ``check`` was asked for.
        ProcessError
            It ran out of time.
        """
        done = processes.run([self.name, *arguments], self.variables, seconds, **options)
        if check and done.returncode != 0:
            said = (done.stderr or done.stdout or "").strip()[-3000:]
            raise EngineError(f"{self.name} {' '.join(arguments[:2])} failed with code {done.returncode}. {said}")
        return done

    def output(self, *arguments: str, seconds: int = 120) -> str:
        """Return what a command writes to standard output."""
        return self.run(*arguments, seconds=seconds, capture_output=True).stdout.strip()

    def once(self, image: str, *command: str, flags: tuple[str, ...] = (), seconds: int = 280, given: str = "") -> str:
        """Run a program in a container of its own and return what it prints; the container is always removed.

        Parameters
        ----------
        image : str
        *command : str
            The program and its arguments, instead of the image's entry point.
        flags : tuple of str
            Of the engine's ``run``.
        given : str
            What the program reads from standard input.
        """
        name = f"video-emotions-{uuid.uuid4()}"
        entry = ("--entrypoint", command[0], image, *command[1:])
        try:
            return self.run(
                *("run", "--rm", "--interactive", "--name", name, *flags, *entry),
                seconds=seconds,
                input=given,
                capture_output=True,
            ).stdout
        except BaseException:
            self.remove(name)
            raise

    def remove(self, container: str) -> None:
        """End a container and remove it; killed first, since Podman's `rm` alone would wait for it to end."""
        for command in (("kill",), ("rm", "--force")):
            self.run(*command, container, check=False, capture_output=True)

    def has(self, image: str) -> bool:
        """Report whether an image is there."""
        return self.run("image", "inspect", image, check=False, capture_output=True).returncode == 0

    @contextmanager
    def docker_host(self) -> Iterator[dict[str, str]]:
        """Give the variables with which Docker's clients (SAM) find the engine; what it needs ends with the block."""
        if self.name == "docker":
            yield {}
            return
        # A socket's path may have no more than 107 bytes: not below the project.
        with TemporaryDirectory(prefix="engine-") as folder:
            path = str(Path(folder, "podman.sock"))
            service = [self.name, "system", "service", "--time=0", f"unix://{path}"]
            with processes.started(service, self.variables) as process:
                processes.wait_until(lambda: processes.listens(path), process, 30)
                # Podman supports the classic build request only.
                yield {"DOCKER_HOST": f"unix://{path}", "DOCKER_BUILDKIT": "0"}


def find_engine() -> Engine:
    """Return an engine that works; where there is none, install one if that is possible.

    Raises
    ------
    EngineError
        Saying what was tried.
    """
    if shutil.which("docker") and not _wrong_with(docker := Engine("docker")):
        return docker
    if shutil.which("podman") is None:
        say("Neither Docker nor Podman works here; installing Podman from Debian's packages, once.")
        install(PACKAGES)
    podman = Engine("podman", _podman_settings() if os.geteuid() == 0 else {})
    if wrong := _wrong_with(podman):
        settings = " ".join(f"{name}={value}" for name, value in podman.environment.items())
        raise EngineError(f"Docker does not answer, and `{settings} podman info` says: {wrong}")
    return podman


def install(packages: tuple[str, ...]) -> None:
    """Install packages of Debian's.

    Raises
    ------
    EngineError
        Saying what is needed, where they cannot be installed from here.
    """
    wanted = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineError(
            f"Missing here: {wanted}. This command installs them on Debian as root only. Install them "
            "(Docker will do as an engine) and start again."
        )
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = processes.run(["apt-get", *command], variables, 600, capture_output=True)
        # A source of no interest to us may be out of reach; what counts is that the packages arrive.
        if done.returncode != 0 and command[0] == "install":
            raise EngineError(f"{wanted} cannot be installed: {done.stderr.strip()[-2000:]}")


def say(text: str) -> None:
    """Print a message for people, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _wrong_with(engine: Engine) -> str:
    """Return why an engine does not work; nothing if it does."""
    try:
        engine.run("info", seconds=60, capture_output=True)
    except ProcessError as error:
        return str(error)
    return ""


def _podman_settings() -> dict[str, str]:
    """Write settings that work without rights over limits and cgroups (a container, a build machine)."""
    STATE.mkdir(parents=True, exist_ok=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 20_000 if hard == resource.RLIM_INFINITY else min(hard, 20_000)
    # crun, Podman's first choice, fails where both cgroup hierarchies are mounted.
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    (STATE / "containers.conf").write_text(CONTAINERS_CONF.format(files=files, runtime=runtime, state=STATE, run=RUN))
    (STATE / "storage.conf").write_text(STORAGE_CONF.format(state=STATE, run=RUN))
    return {
        "CONTAINERS_CONF": str(STATE / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(STATE / "storage.conf"),
    }
