"""The filter of system calls, run here instead of by the kernel, for each processor."""

import errno
import os
import struct

import pytest

from video_emotions.seccomp import Instruction, program

PID = 4711
KILL, ALLOW = "kill", "allow"
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386 = 0x40000003
F_GETFL, F_SETOWN, F_SETOWN_EX = 3, 8, 15
THREAD_FLAGS, FORK_FLAGS = 0x3D0F00, 0x01200011
"""What the C library gives to ``clone``."""
X86 = {"clone": 56, "clone3": 435, "fcntl": 72, "kill": 62, "tgkill": 234, "prlimit64": 302, "openat": 257, "mmap": 9}
ARM = {
    "clone": 220,
    "clone3": 435,
    "fcntl": 25,
    "kill": 129,
    "tgkill": 131,
    "prlimit64": 261,
    "openat": 56,
    "mmap": 222,
}
NUMBERS = {"x86_64": X86, "aarch64": ARM}
REFUSED = {
    # fork, vfork, execve, execveat, socket, socketpair, io_uring_setup, ptrace, process_vm_readv and writev, unshare;
    # unlink, rename, mkdir, symlink, link and their newer forms, truncate, fchmodat; memfd_create, shmget
    "x86_64": [
        *(57, 58, 59, 322, 41, 53, 425, 101, 310, 311, 272),
        *(87, 263, 82, 264, 316, 83, 258, 88, 266, 86, 265, 76, 77, 268, 319, 29),
    ],
    "aarch64": [
        *(221, 281, 198, 199, 425, 117, 270, 271, 97),
        *(35, 38, 276, 34, 36, 37, 45, 46, 53, 279, 194),
    ],
}
USUAL = {
    # read, mmap, futex, openat, exit_group
    "x86_64": [0, 9, 202, 257, 231],
    "aarch64": [63, 222, 98, 56, 94],
}


def answer(steps: list[Instruction], architecture: int, number: int, *arguments: int) -> str:
    """Return what a filter says of a call."""
    data = struct.pack("<iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    place = loaded = 0
    while True:
        step = steps[place]
        place += 1
        match step.code:
            case 0x20:
                (loaded,) = struct.unpack_from("<I", data, step.value)
            case 0x15:
                place += step.if_true if loaded == step.value else step.if_false
            case 0x35:
                place += step.if_true if loaded >= step.value else step.if_false
            case 0x45:
                place += step.if_true if loaded & step.value else step.if_false
            case 0x06:
                kinds = {0x80000000: KILL, 0x7FFF0000: ALLOW}
                return kinds.get(step.value) or errno.errorcode[step.value - 0x00050000]
            case _:
                raise ValueError(step)


@pytest.fixture(params=ARCHITECTURES)
def machine(request):
    return request.param


@pytest.fixture
def told(machine):
    """Return what the filter of a processor says of one of its calls."""
    steps = program(machine, PID)
    return lambda number, *arguments: answer(steps, ARCHITECTURES[machine], number, *arguments)


def test_the_usual_calls_pass_and_the_refused_ones_do_not(machine, told):
    assert {told(number) for number in USUAL[machine]} == {ALLOW}
    assert {told(number) for number in REFUSED[machine]} == {"EPERM"}


def test_threads_start_and_processes_do_not(machine, told):
    calls = NUMBERS[machine]
    assert told(calls["clone"], THREAD_FLAGS) == ALLOW
    assert told(calls["clone"], FORK_FLAGS) == "EPERM"
    assert told(calls["clone"], FORK_FLAGS | 0x10000 << 32) == "EPERM"  # the kernel reads the lower half
    assert told(calls["clone3"], THREAD_FLAGS) == "ENOSYS"


def test_a_process_signals_and_limits_itself_only(machine, told):
    calls = NUMBERS[machine]
    for name in ("kill", "tgkill"):
        assert told(calls[name], PID) == ALLOW
        assert {told(calls[name], other) for other in (1, 0, 0xFFFFFFFF, 2**64 - PID)} == {"EPERM"}
    assert told(calls["prlimit64"], 0) == ALLOW
    assert told(calls["prlimit64"], 1) == "EPERM"


def test_no_file_signals_another_process(machine, told):
    calls = NUMBERS[machine]
    assert told(calls["fcntl"], 0, F_GETFL) == ALLOW
    assert {told(calls["fcntl"], 0, command, 1) for command in (F_SETOWN, F_SETOWN_EX)} == {"EPERM"}


def test_files_are_opened_to_be_read_only(machine, told):
    calls = NUMBERS[machine]
    assert told(calls["openat"], 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_TMPFILE | os.O_RDWR):
        assert told(calls["openat"], 0, 0, flags | os.O_CLOEXEC) == "EPERM"
    assert told(437, 0, 0, 0, 0) == "ENOSYS"  # openat2, whose flags a filter cannot see
    if machine == "x86_64":
        assert (told(2, 0, os.O_RDONLY), told(2, 0, os.O_RDWR), told(85)) == (ALLOW, "EPERM", "EPERM")


def test_no_memory_is_shared(machine, told):
    # MAP_PRIVATE is 2, MAP_SHARED 1, MAP_SHARED_VALIDATE 3, MAP_ANONYMOUS 32
    number = NUMBERS[machine]["mmap"]
    assert {told(number, 0, 4096, 3, flags) for flags in (2, 2 | 32)} == {ALLOW}
    assert {told(number, 0, 4096, 3, flags) for flags in (1, 3, 1 | 32, 3 | 32)} == {"EPERM"}


def test_calls_of_another_architecture_end_the_process(machine):
    steps = program(machine, PID)
    assert {answer(steps, other, 0) for other in {*ARCHITECTURES.values(), I386} - {ARCHITECTURES[machine]}} == {KILL}
    assert answer(program("x86_64", PID), ARCHITECTURES["x86_64"], 0x40000000) == KILL  # x32


def test_an_unknown_processor_is_no_reason_to_go_without():
    with pytest.raises(NotImplementedError, match="riscv64"):
        program("riscv64", PID)
