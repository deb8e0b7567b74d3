"""A filter of system calls for the process that reads an untrusted file. Linux; the standard library only.

=====================  ==============================================================================================
new processes          refused; threads are allowed
other programs         refused
other processes        no signal to them, and none of their memory, open files and limits
network                no socket of any kind, and no io_uring, which creates sockets without a system call for each
files                  none is opened for writing, created, renamed, shortened or removed; reading is allowed
shared memory          none, because ``RLIMIT_DATA`` does not count it
namespaces             refused: in its own user namespace a process has capabilities again
=====================  ==============================================================================================

The filter allows every call that it does not name. A list of the calls that Python and the decoders need would leave an
attacker less, but each of their releases could break it.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html. `system_calls` has the calls' numbers.
"""

import ctypes
import errno
import os
from typing import Final, NamedTuple

from video_emotions import system_calls
from video_emotions.system_calls import number

_MACHINES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's number for each processor (``AUDIT_ARCH_...``)."""
_FIRST_OF_X32: Final = 0x40000000
"""An x86_64 kernel can have each call a second time, from this number on."""
_THREAD: Final = 0x00010000
"""``CLONE_THREAD``."""
_TO_WRITE: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
"""The flags of files that may be changed."""
_SHARED: Final = 1
"""``MAP_SHARED``, also a bit of ``MAP_SHARED_VALIDATE``."""
_SET_OWNER: Final = (8, 15)
"""``F_SETOWN`` and ``F_SETOWN_EX`` of fcntl. They name a process that gets signals."""

_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_DENY: Final = _FAIL | errno.EPERM
_SET_FILTER: Final = 1
_ALL_THREADS, _FULL_SPEED = 1, 4
"""Flags. Without the second one, kernels before 5.16 turn off speculative loads in a process with a filter."""
_REFUSALS: Final = {errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS}


class Instruction(NamedTuple):
    """One step of a filter (``struct sock_filter``). A jump skips that many steps."""

    code: int
    if_true: int
    if_false: int
    value: int


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Step)))


def install() -> bool:
    """Filter the calls of all threads of this process, for good. The process must have given up new privileges.

    Returns
    -------
    bool
        False if the platform refuses: the kernel has no filters, or a sandbox around the process forbids them.

    Raises
    ------
    OSError
        The kernel fails in another way.
    NotImplementedError
        The calls of this processor are not known.
    """
    machine = os.uname().machine
    steps = program(machine, os.getpid())
    filled = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    numbers = (number("seccomp", machine), _SET_FILTER, _ALL_THREADS | _FULL_SPEED)
    status = call(*map(ctypes.c_long, numbers), ctypes.byref(filled))
    if status > 0:
        raise OSError(errno.EBUSY, "seccomp: a thread has a filter of its own")
    problem = ctypes.get_errno()
    if status < 0 and problem not in _REFUSALS:
        raise OSError(problem, f"seccomp: {os.strerror(problem)}")
    return bool(status == 0)


def program(machine: str, pid: int) -> list[Instruction]:
    """Write the filter of the process ``pid`` on a processor of that name.

    Raises
    ------
    NotImplementedError
        The calls of this processor are not known.
    """
    if machine not in _MACHINES:
        raise NotImplementedError(f"seccomp: the system calls of {machine} are not known")
    return [
        Instruction(_LOAD, 0, 0, _MACHINE_AT),
        Instruction(_EQUAL, 1, 0, _MACHINES[machine]),
        Instruction(_RETURN, 0, 0, _KILL),
        Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *_answer(_AT_LEAST, _FIRST_OF_X32, _KILL),
        *(step for refused in system_calls.refused(machine) for step in _answer(_EQUAL, refused, _DENY)),
        # The C library then starts threads by `clone`, whose flags a filter can see.
        *_answer(_EQUAL, number("clone3", machine), _FAIL | errno.ENOSYS),
        *_by_argument(number("clone", machine), 0, _HAS_BITS, (_THREAD,), (_ALLOW, _DENY)),
        *_by_argument(number("kill", machine), 0, _EQUAL, (pid,), (_ALLOW, _DENY)),
        *_by_argument(number("tgkill", machine), 0, _EQUAL, (pid,), (_ALLOW, _DENY)),  # `abort` signals itself
        *_by_argument(number("prlimit64", machine), 0, _EQUAL, (0,), (_ALLOW, _DENY)),
        # The kernel reads what `openat2` gets from memory, which a filter cannot see.
        *_answer(_EQUAL, number("openat2", machine), _FAIL | errno.ENOSYS),
        *_by_argument(number("open", machine), 1, _HAS_BITS, (_TO_WRITE,), (_DENY, _ALLOW)),
        *_by_argument(number("openat", machine), 2, _HAS_BITS, (_TO_WRITE,), (_DENY, _ALLOW)),
        *_by_argument(number("mmap", machine), 3, _HAS_BITS, (_SHARED,), (_DENY, _ALLOW)),
        *_by_argument(number("fcntl", machine), 1, _EQUAL, _SET_OWNER, (_DENY, _ALLOW)),
        Instruction(_RETURN, 0, 0, _ALLOW),
    ]


def _answer(test: int, value: int, action: int) -> list[Instruction]:
    return [Instruction(test, 0, 1, value), Instruction(_RETURN, 0, 0, action)]


def _by_argument(
    call: int, place: int, test: int, values: tuple[int, ...], actions: tuple[int, int]
) -> list[Instruction]:
    """Answer a call by the lower half of an argument: the first action if a value passes the test, else the second."""
    tests = [Instruction(test, len(values) - skipped, 0, value) for skipped, value in enumerate(values)]
    return [
        Instruction(_EQUAL, 0, len(tests) + 3, call),
        Instruction(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * place),
        *tests,
        Instruction(_RETURN, 0, 0, actions[1]),
        Instruction(_RETURN, 0, 0, actions[0]),
    ]
