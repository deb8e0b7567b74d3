"""The filter of system calls, run here instead of by the kernel, for each processor."""

import errno
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
X86 = {"clone": 56, "clone3": 435, "fcntl": 72, "kill": 62, "tgkill": 234, "prlimit64": 302, "read": 0}
ARM = {"clone": 220, "clone3": 435, "fcntl": 25, "kill": 129, "tgkill": 131, "prlimit64": 261, "read": 63}
NUMBERS = {"x86_64": X86, "aarch64": ARM}
REFUSED = {
    # fork, vfork, execve, execveat, socket, socketpair, io_uring_setup, ptrace, process_vm_readv and writev, unshare
    "x86_64": [57, 58, 59, 322, 41, 53, 425, 101, 310, 311, 272],
    "aarch64": [221, 281, 198, 199, 425, 117, 270, 271, 97],
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


def test_calls_of_another_architecture_end_the_process(machine):
    steps = program(machine, PID)
    assert {answer(steps, other, 0) for other in {*ARCHITECTURES.values(), I386} - {ARCHITECTURES[machine]}} == {KILL}
    assert answer(program("x86_64", PID), ARCHITECTURES["x86_64"], 0x40000000) == KILL  # x32


def test_an_unknown_processor_is_no_reason_to_go_without():
    with pytest.raises(NotImplementedError, match="riscv64"):
        program("riscv64", PID)
