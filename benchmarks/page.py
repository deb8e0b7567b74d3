"""docs/performance.md and docs/accuracy.md: each benchmark writes its own section, and says on which machine."""

import os
import platform
import re
from pathlib import Path

from local.engine import ROOT

PAGE = ROOT / "docs" / "performance.md"
ACCURACY = ROOT / "docs" / "accuracy.md"


def write_section(name: str, section: str, path: Path | None = None) -> None:
    """Put a section between its two marks on a page, or at its end.

    Parameters
    ----------
    name : str
        Of the benchmark.
    section : str
    path : Path, optional
        Default: docs/performance.md.

    Raises
    ------
    ValueError
        The mark of its beginning is there and that of its end is not: the text after it is not ours.
    """
    begin, end = f"<!-- {name}: written by benchmarks/{name.replace('-', '_')}.py -->", f"<!-- {name}: end -->"
    path = path or PAGE
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    if not found:
        before, rest = f"{before.rstrip()}\n\n", f"{end}\n"
    after = rest[rest.index(end) + len(end) :]
    path.write_text(f"{before}{begin}\n{section}\n{end}{after}", encoding="utf-8")


def machine() -> str:
    """Describe this machine in a line."""
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = cpu[1] if cpu else platform.machine()
    return f"{os.cpu_count()} x {name}, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}"
