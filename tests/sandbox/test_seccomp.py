"""The filter, run by an interpreter of classic BPF: for the machines that the tests do not run on, too."""

from __future__ import annotations

import struct
from functools import lru_cache

import pytest

from fargrade.sandbox.seccomp import ALLOW, DENIED, ERRNO_ENOSYS, ERRNO_EPERM, KILL, MACHINES, program

_program = lru_cache(program)


def decide(machine: str, number: int, *args: int, arch: int | None = None) -> int:
    """What the filter of `machine` says to a call (linux/bpf_common.h; struct seccomp_data)."""
    code = list(struct.iter_unpack("<HBBI", _program(machine)))
    given = [*args, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<iIQ6Q", number, MACHINES[machine][1] if arch is None else arch, 0, *given)
    at, value = 0, 0
    while True:
        operation, when_true, when_false, operand = code[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x45: bool(value & operand), 0x35: value >= operand}[operation]
            at += when_true if holds else when_false


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_listed_is_refused_and_the_rest_allowed(machine: str) -> None:
    column, _, special = MACHINES[machine]
    listed = {numbers[column] for numbers in DENIED.values()} - {None}
    for number in range(470):
        if number in special.values():
            continue
        assert decide(machine, number) == (ERRNO_EPERM if number in listed else ALLOW), number


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_that_depend_on_their_arguments(machine: str) -> None:
    calls = MACHINES[machine][2]
    assert decide(machine, calls["clone3"]) == ERRNO_ENOSYS
    assert decide(machine, calls["clone"], 17) == ALLOW  # fork
    assert decide(machine, calls["clone"], 0x3D0F00) == ALLOW  # pthread_create
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert decide(machine, calls["clone"], flag | 17) == ERRNO_EPERM
    for command, said in ((0x5412, ERRNO_EPERM), (0x541C, ERRNO_EPERM), (0x5401, ALLOW), (0x5413, ALLOW)):
        assert decide(machine, calls["ioctl"], 0, command) == said
        assert decide(machine, calls["ioctl"], 0, command | 1 << 32) == said  # the kernel looks at 32 bits only
    for family in range(50):
        assert decide(machine, calls["socket"], family) == (ALLOW if family in (1, 2, 10) else ERRNO_EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architectures_calls_kill(machine: str) -> None:
    assert decide(machine, 1, arch=0x40000003) == KILL  # i386


def test_the_x32_table_is_no_way_around() -> None:
    assert decide("x86_64", 0x40000000 | 101) == ERRNO_ENOSYS


def test_an_unknown_machine_has_no_filter() -> None:
    assert program("riscv64") == b""
