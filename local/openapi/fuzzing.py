"""Schemathesis against a server: it makes requests of the description, right and wrong ones, and checks each answer."""

import os
from pathlib import Path
from typing import Final

from local.engine import ROOT
from local.processes import ProcessError, run

SCHEMATHESIS: Final = ROOT / ".checks" / "bin" / "schemathesis"
CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
SECONDS: Final = 300
"""For all requests, which took two minutes beside other work. Each run makes the same ones: schemathesis's own
limit of time would make more of them on a faster machine."""


def fuzz(url: str, document: Path) -> int:
    """Return 0 if all answers are as described. Schemathesis prints what it finds."""
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIG), "run", str(document), "--url", url]
    try:
        return run(command, {**os.environ, "PYTHONPATH": str(ROOT)}, SECONDS, cwd=ROOT).returncode
    except ProcessError as error:
        print(error)
        return 1
