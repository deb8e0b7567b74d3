"""`make serve` in a process of its own, for tests that speak HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.processes import free_ports, listens, started, wait_until
from tests.conftest import ROOT


def environment_of(models_dir: object) -> dict[str, str]:
    """Return the variables that local programs need."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "EMOTION_MODEL": os.environ.get("EMOTION_MODEL", "compact"),
        "MODELS_DIR": str(models_dir),
    }


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[str]:
    """Run the server, and give its address."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "local.serve", "--port", str(port)]
    with started(command, environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: listens(("127.0.0.1", port)), process, 60)
        yield f"http://127.0.0.1:{port}"
