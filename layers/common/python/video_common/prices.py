"""What Lambda costs: the metric `EstimatedDollars` and the benchmarks reckon with these."""

from typing import Final

GB_SECOND: Final = 0.0000166667
"""Dollars, of a function's memory: AWS's list price in US East (N. Virginia), x86, first tier, as of November 2026."""

REQUEST: Final = 0.20 / 1_000_000
"""Dollars, of an invocation."""


def invocation_dollars(seconds: float, memory_mb: int) -> float:
    """Return what a warm invocation costs. /tmp above 512 MB adds less than half a percent and is left out."""
    return seconds * memory_mb / 1024 * GB_SECOND + REQUEST
