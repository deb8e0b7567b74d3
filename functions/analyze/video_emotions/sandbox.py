"""What the process that reads an untrusted file may use, see and reach. Linux; the standard library only.

=====================  ==============================================================================================
memory                 ``RLIMIT_DATA``. It counts what can be written, and not what libraries only reserve
processor              ``RLIMIT_CPU``, which ends the process even if its parent is gone
files                  none can be written (``RLIMIT_FSIZE``), few be open, no core
rights                 no capability and no way to gain one, root's included
network                none, where the kernel lets a process make a user namespace. Elsewhere it stays reachable
other processes        a process that called `close_to_others` cannot be read through /proc
environment            the parent gives none but what Python needs to start
=====================  ==============================================================================================
"""

import ctypes
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

from video_common import limits

_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVILEGES: Final = 38
_NEW_USER_AND_NETWORK: Final = 0x10000000 | 0x40000000
_CAPABILITY_VERSION: Final = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def close_to_others() -> None:
    """Close this process's memory and environment to other processes of the same user.

    Root with its capabilities reads them all the same; `isolate` takes those from the child.
    """
    _libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def isolate() -> None:
    """Give up the network, all rights, and the better place when the kernel must end a process for its memory.

    Call it before the process has a second thread: the kernel makes no user namespace for a process with several.
    """
    _libc.unshare(_NEW_USER_AND_NETWORK)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _libc.capset(header, (ctypes.c_uint32 * 6)())
    _libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def confine(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process, for good.

    Parameters
    ----------
    memory_bytes : int
        Memory that it can write to, all of it: libraries' own, and 8 MB for the stack of each thread.
    cpu_seconds : int
        Processor time from its start. The kernel then sends SIGXCPU.
    """
    for kind, soft, hard in (
        (resource.RLIMIT_DATA, memory_bytes, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, limits.DECODER_OPEN_FILES, limits.DECODER_OPEN_FILES),
    ):
        allowed = resource.getrlimit(kind)[1]
        most = hard if allowed == resource.RLIM_INFINITY else min(hard, allowed)
        resource.setrlimit(kind, (min(soft, most), most))
