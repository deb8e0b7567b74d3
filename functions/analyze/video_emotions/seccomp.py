"""A filter of system calls for the process that reads an untrusted file. Linux; the standard library only.

=====================  ==============================================================================================
new processes          refused; threads are allowed
other programs         refused
other processes        no signal to them, and none of their memory, open files and limits
network                no socket of any kind, and no io_uring, which creates sockets without a system call for each
namespaces             refused: in its own user namespace a process has capabilities again
=====================  ==============================================================================================

The filter allows every call that it does not name. A list of the calls that Python and the decoders need would leave an
attacker less, but each of their releases could break it.

Sources: https://docs.kernel.org/userspace-api/seccomp_filter.html, and for the numbers the kernel's
``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``.
"""

import ctypes
import errno
import os
from typing import Final, NamedTuple

_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""The column of each processor in `_CALLS`, and the kernel's number for it (``AUDIT_ARCH_...``)."""
_NONE: Final = 0xFFFFFFFF
"""No call has this number."""
_CALLS: Final[dict[str, tuple[int, int]]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fcntl": (72, 25),
    "fork": (57, _NONE),
    "io_uring_setup": (425, 425),
    "kill": (62, 129),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "prlimit64": (302, 261),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "seccomp": (317, 277),
    "setns": (308, 268),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "unshare": (272, 97),
    "vfork": (58, _NONE),
}
_REFUSED: Final = (
    *("fork", "vfork", "execve", "execveat", "unshare", "setns"),
    *("socket", "socketpair", "io_uring_setup"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"),
    *("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"),
)
_FIRST_OF_X32: Final = 0x40000000
"""An x86_64 kernel can have each call a second time, from this number on."""
_THREAD: Final = 0x00010000
"""``CLONE_THREAD``."""
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
    numbers = (_number("seccomp", machine), _SET_FILTER, _ALL_THREADS | _FULL_SPEED)
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
        Instruction(_EQUAL, 1, 0, _MACHINES[machine][1]),
        Instruction(_RETURN, 0, 0, _KILL),
        Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *_answer(_AT_LEAST, _FIRST_OF_X32, _KILL),
        *(step for name in _REFUSED for step in _answer(_EQUAL, _number(name, machine), _DENY)),
        # The C library then starts threads by `clone`, whose flags a filter can see.
        *_answer(_EQUAL, _number("clone3", machine), _FAIL | errno.ENOSYS),
        *_by_argument(_number("clone", machine), 0, _HAS_BITS, (_THREAD,), (_ALLOW, _DENY)),
        *_by_argument(_number("kill", machine), 0, _EQUAL, (pid,), (_ALLOW, _DENY)),
        *_by_argument(_number("tgkill", machine), 0, _EQUAL, (pid,), (_ALLOW, _DENY)),  # `abort` signals itself
        *_by_argument(_number("prlimit64", machine), 0, _EQUAL, (0,), (_ALLOW, _DENY)),
        *_by_argument(_number("fcntl", machine), 1, _EQUAL, _SET_OWNER, (_DENY, _ALLOW)),
        Instruction(_RETURN, 0, 0, _ALLOW),
    ]


def _answer(test: int, number: int, action: int) -> list[Instruction]:
    return [Instruction(test, 0, 1, number), Instruction(_RETURN, 0, 0, action)]


def _by_argument(
    number: int, place: int, test: int, values: tuple[int, ...], actions: tuple[int, int]
) -> list[Instruction]:
    """Answer a call by the lower half of an argument: the first action if a value passes the test, else the second."""
    tests = [Instruction(test, len(values) - skipped, 0, value) for skipped, value in enumerate(values)]
    return [
        Instruction(_EQUAL, 0, len(tests) + 3, number),
        Instruction(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * place),
        *tests,
        Instruction(_RETURN, 0, 0, actions[1]),
        Instruction(_RETURN, 0, 0, actions[0]),
    ]


def _number(name: str, machine: str) -> int:
    return _CALLS[name][_MACHINES[machine][0]]
