"""What the process that reads an untrusted file may use, see and reach. Linux; the standard library only.

=====================  ==============================================================================================
memory                 ``RLIMIT_DATA``. It counts what can be written, and not what libraries only reserve. Shared
                       memory, which it does not count, is refused by `seccomp`. An attacker in it can
                       still fill memory and then make it read-only: the kernel ends it before the function
processor              ``RLIMIT_CPU``, which ends the process even if its parent is gone
files                  few can be open, none grow (``RLIMIT_FSIZE``), no core. Changes of files are refused by
                       `seccomp`
rights                 no capability and no way to gain one, root's included
system calls           none for new processes, other processes, networks and changes of files: see `seccomp`
other processes        a process that called `close_to_others` cannot be read through /proc
environment            the parent gives none but what Python needs to start
=====================  ==============================================================================================

A platform may refuse the prctl calls and the filter. Then `isolate` says which, and the child's parent logs it.
"""

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from video_common import limits
from video_emotions import seccomp

_SET_PARENT_DEATH_SIGNAL: Final = 1
_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVILEGES: Final = 38
_CAPABILITY_VERSION: Final = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def close_to_others() -> bool:
    """Close this process's memory and environment to other processes of the same user.

    Root with its capabilities reads them all the same; `isolate` takes those from the child.

    Returns
    -------
    bool
        False if the platform refuses, so they stay open.
    """
    return _prctl(_SET_DUMPABLE, 0)


def end_with_parent() -> None:
    """Have the kernel end this process with the thread that started it."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def isolate() -> tuple[str, ...]:
    """Give up all rights, other processes, networks, and the better place when the kernel needs memory.

    Call it before the process has a second thread: the others would keep their rights.

    Returns
    -------
    tuple of str
        What the platform refuses: ``no_new_privileges``, ``closed_to_others``, ``seccomp``.

    Raises
    ------
    OSError
        The process keeps a capability, or the kernel fails to set the filter.
    NotImplementedError
        The system calls of this processor are not known.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    if _libc.capset(header, (ctypes.c_uint32 * 6)()) and _has_capabilities():
        raise OSError(ctypes.get_errno(), f"capset: {os.strerror(ctypes.get_errno())}")
    with suppress(OSError):  # without it the kernel may end the function first
        Path("/proc/self/oom_score_adj").write_text("1000")
    done = {
        "no_new_privileges": _prctl(_SET_NO_NEW_PRIVILEGES, 1),
        "closed_to_others": close_to_others(),  # after the file above, which is root's from here on
        "seccomp": seccomp.install(),
    }
    return tuple(name for name, is_done in done.items() if not is_done)


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


def _prctl(option: int, value: int) -> bool:
    return bool(_libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))) == 0)


def _has_capabilities() -> bool:
    """Report whether this process may do what only root may do."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return any(int(lines[name], 16) for name in ("CapPrm", "CapEff"))
