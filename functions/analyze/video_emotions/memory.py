"""How much memory decoding may use, as `sandbox.confine` limits this process, and whether that was too little.

A decoder that gets no memory often says that the file is damaged, or nothing at all. So the process asks the kernel.
"""

import resource
from pathlib import Path
from typing import Final

from video_common.errors import DecoderOutOfMemory
from video_emotions.boxes import Size

_FEWEST_PICTURES: Final = 4
"""Pictures that a decoder holds at least: a reference, two in progress, and the one that is converted."""
_PICTURES_A_THREAD: Final = 8
"""Pictures in memory for each decoder thread, with room for the references that they share."""


def threads_for(size: Size, bits_per_pixel: int, threads: int) -> int:
    """Return how many threads may decode pictures of that size: fewer than ``threads`` where memory is short.

    Raises
    ------
    DecoderOutOfMemory
        The memory is too small for even the fewest pictures that a decoder holds.
    """
    limit = _limit()
    if limit is None:
        return threads
    picture_bytes = size[0] * size[1] * bits_per_pixel // 8
    if _FEWEST_PICTURES * picture_bytes > limit:
        raise DecoderOutOfMemory(
            f"Each picture takes {picture_bytes // 10**6} MB, and the decoder may use {limit // 10**6} MB. "
            "Scale the video down, then send the new file."
        )
    return max(1, min(threads, limit // max(1, _PICTURES_A_THREAD * picture_bytes)))


def ran_short() -> bool:
    """Report whether an allocation may have failed: so little was left at the worst moment.

    What was left is compared with the largest picture that `threads_for` admits: no allocation is larger.
    """
    limit = _limit()
    if limit is None:
        return False
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, now, data = (int(lines[name].split()[0]) * 1024 for name in ("VmPeak", "VmSize", "VmData"))
    # The kernel keeps the peak of all memory, and code and files in it stay as they are.
    return limit - (peak - (now - data)) < limit // _FEWEST_PICTURES


def raise_if_short(error: Exception) -> None:
    """Raise a real lack of memory again. FFmpeg also reports a false size in the file as one."""
    if isinstance(error, MemoryError) and ran_short():
        raise error


def _limit() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return None if limit == resource.RLIM_INFINITY else limit
