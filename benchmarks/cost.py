"""Seconds on one and two processors, turned into vCPUs, memory and dollars. Pure: `benchmarks.bench` measures."""

from collections.abc import Mapping
from typing import Final

from video_common.prices import invocation_dollars

PRICES: Final = """\
AWS list prices, US East (N. Virginia), x86, first tier, free tier not used: [Lambda pricing](https://aws.amazon.com/lambda/pricing/),
as known on 2026-11-26. That page fills in its figures by script and could not be opened from here; AWS's whitepaper
[How AWS Pricing Works](https://docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/lambda.html) says the same
of memory and requests. SnapStart's charges have no second source of AWS's: look again."""
SNAPSHOT_GB_SECOND: Final = 0.0000015046
"""Dollars for keeping a published version's snapshot, by the function's memory."""

RESTORED_GB: Final = 0.0001397998
"""Dollars for each start from a snapshot, by the function's memory."""

MB_PER_VCPU: Final = 1769
"""docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: there a function has one vCPU."""

MEMORY: Final = {1: 1769, 1.7: 3008, 2: 3538, 4: 7076, 6: 10_240}
"""MB by vCPUs. 3008 is the template's default; at the most that can be had AWS gives six."""

MONTH: Final = 30 * 24 * 3600


def seconds_on(vcpus: float, one: float, two: float) -> float:
    """Return the seconds on so many vCPUs, from what was measured on one and on two (Amdahl's law).

    A part that no second processor helps stays; the rest is shared out evenly.
    """
    shared = max(0.0, 2 * (one - two))
    return one - shared + shared / vcpus


def cost_section(measured: Mapping[str, tuple[float, float, float]]) -> str:
    """Return the page's section.

    Parameters
    ----------
    measured : mapping of str to tuple of float
        By clip: its own seconds, and the seconds of the analysis on one and on two processors.
    """
    lines = [
        "One and two processors are measured in the run above, on the machine above and not in Lambda. The others are",
        "calculated from those two medians, and only as exact: the part that did not get faster stays, and the",
        "processors share the rest. A warm function, the analysis alone; S3, the gateway, SQS and storage above 512 MB",
        "come on top.",
        PRICES,
        "",
        "| clip | vCPUs | memory, MB | seconds | | dollars for 1,000 videos | minutes of video for a dollar |",
        "|---|---|---|---|---|---|---|",
    ]
    for clip, (own_seconds, one, two) in measured.items():
        for vcpus, memory_mb in MEMORY.items():
            seconds = seconds_on(vcpus, one, two)
            price = invocation_dollars(seconds, memory_mb)
            how = "measured here" if vcpus in (1, 2) else "calculated"
            lines.append(
                f"| {clip} | {vcpus:g} | {memory_mb} | {seconds:.2f} | {how} | {1000 * price:.2f} "
                f"| {own_seconds / 60 / price:,.0f} |"
            )
    gigabytes = MEMORY[1.7] / 1024
    kept, started = gigabytes * SNAPSHOT_GB_SECOND * MONTH, 1000 * gigabytes * RESTORED_GB
    lines += [
        "",
        f"SnapStart, for the function behind POST at {MEMORY[1.7]} MB: ${kept:.2f} for each published version kept for",
        f"30 days, and ${started:.2f} for 1,000 starts from it.",
    ]
    return "\n".join(lines)
