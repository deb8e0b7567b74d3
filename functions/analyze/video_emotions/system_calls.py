"""The system calls that the filter of `seccomp` knows by name, and those that it refuses in any case.

Sources: the kernel's ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``.
"""

from typing import Final

_MACHINES: Final = ("x86_64", "aarch64")
_NONE: Final = 0xFFFFFFFF
"""No call has this number."""

_PROCESSES: Final[dict[str, tuple[int, int]]] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, _NONE),
    "setns": (308, 268),
    "unshare": (272, 97),
    "vfork": (58, _NONE),
}
_NETWORK: Final[dict[str, tuple[int, int]]] = {
    "io_uring_setup": (425, 425),
    "socket": (41, 198),
    "socketpair": (53, 199),
}
_OTHER_PROCESSES: Final[dict[str, tuple[int, int]]] = {
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
}
_CHANGES_OF_FILES: Final[dict[str, tuple[int, int]]] = {
    "chmod": (90, _NONE),
    "chown": (92, _NONE),
    "creat": (85, _NONE),
    "fallocate": (285, 47),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "fremovexattr": (199, 16),
    "fsetxattr": (190, 7),
    "ftruncate": (77, 46),
    "futimesat": (261, _NONE),
    "lchown": (94, _NONE),
    "link": (86, _NONE),
    "linkat": (265, 37),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "mkdir": (83, _NONE),
    "mkdirat": (258, 34),
    "mknod": (133, _NONE),
    "mknodat": (259, 33),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "rename": (82, _NONE),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "rmdir": (84, _NONE),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "symlink": (88, _NONE),
    "symlinkat": (266, 36),
    "truncate": (76, 45),
    "unlink": (87, _NONE),
    "unlinkat": (263, 35),
    "utime": (132, _NONE),
    "utimensat": (280, 88),
    "utimes": (235, _NONE),
}
_SHARED_MEMORY: Final[dict[str, tuple[int, int]]] = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mq_open": (240, 180),
    "shmget": (29, 194),
}
"""`RLIMIT_DATA` does not count such memory."""

_REFUSED: Final = _PROCESSES | _NETWORK | _OTHER_PROCESSES | _CHANGES_OF_FILES | _SHARED_MEMORY
_BY_ARGUMENT: Final[dict[str, tuple[int, int]]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "fcntl": (72, 25),
    "kill": (62, 129),
    "mmap": (9, 222),
    "open": (2, _NONE),
    "openat": (257, 56),
    "openat2": (437, 437),
    "prlimit64": (302, 261),
    "seccomp": (317, 277),
    "tgkill": (234, 131),
}


def number(name: str, machine: str) -> int:
    """Return a call's number on a processor of that name, ``x86_64`` or ``aarch64``."""
    return (_REFUSED | _BY_ARGUMENT)[name][_MACHINES.index(machine)]


def refused(machine: str) -> list[int]:
    """Return the numbers of the calls that are always refused, with any arguments."""
    numbers = (of_machines[_MACHINES.index(machine)] for of_machines in _REFUSED.values())
    return [found for found in numbers if found != _NONE]
