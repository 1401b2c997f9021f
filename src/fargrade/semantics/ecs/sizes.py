"""Fargate's task sizes, and how cpu and memory are written.

Source: Amazon ECS Developer Guide, "Task definition parameters for Fargate", Task size
(AmazonECS/latest/developerguide/task_definition_parameters.html#task_size).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

GIB = 1024


def _steps(first: int, last: int, step: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1, step))


# cpu units (1024 are one vCPU) → memory in MiB.
FARGATE_SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1 * GIB, 2 * GIB),
    512: _steps(1 * GIB, 4 * GIB, GIB),
    1024: _steps(2 * GIB, 8 * GIB, GIB),
    2048: _steps(4 * GIB, 16 * GIB, GIB),
    4096: _steps(8 * GIB, 30 * GIB, GIB),
    8192: _steps(16 * GIB, 60 * GIB, 4 * GIB),
    16384: _steps(32 * GIB, 120 * GIB, 8 * GIB),
    32768: (60 * GIB, 120 * GIB, 244 * GIB),
}
LEAST_STORAGE, MOST_STORAGE, GIVEN_STORAGE = 21, 200, 20  # GiB of ephemeral storage
CPU = re.compile(r"\s*(\d*\.?\d+)\s*vcpus?\s*", re.I)
MEMORY = re.compile(r"\s*(\d*\.?\d+)\s*gb\s*", re.I)
WHOLE = re.compile(r"\s*\d{1,9}\s*")


@dataclass(frozen=True, order=True)
class Size:
    """A task size: `cpu` in units of 1/1024 vCPU, `memory` in MiB."""

    cpu: int
    memory: int

    @property
    def vcpu(self) -> float:
        return self.cpu / 1024

    @property
    def gigabytes(self) -> float:
        return self.memory / GIB


def cpu_units(text: object) -> int | None:
    """The cpu units of "256" or ".25 vCPU"; None where it is neither."""
    return _units(text, CPU)


def memory_mib(text: object) -> int | None:
    """The MiB of "512" or "0.5 GB"; None where it is neither."""
    return _units(text, MEMORY)


def _units(text: object, spelt: re.Pattern[str]) -> int | None:
    if text is None or isinstance(text, bool):
        return None
    if WHOLE.fullmatch(str(text)):
        return int(str(text))
    found = spelt.fullmatch(str(text))
    units = float(found[1]) * 1024 if found else None
    return int(units) if units is not None and units.is_integer() else None


def fargate_size(cpu: object, memory: object) -> Size | None:
    """The Fargate size that `cpu` and `memory`, in either spelling, stand for; None where there is no such size."""
    units, mib = cpu_units(cpu), memory_mib(memory)
    return Size(units, mib) if units is not None and mib in FARGATE_SIZES.get(units, ()) else None


def fargate_sizes() -> Iterator[Size]:
    """Every size there is, by cpu and then by memory."""
    return (Size(cpu, memory) for cpu, memories in FARGATE_SIZES.items() for memory in memories)


def smallest_size(cpu: float, memory: float) -> Size | None:
    """The smallest Fargate size with at least `cpu` units and `memory` MiB: least cpu first; None: nothing fits."""
    return next((one for one in fargate_sizes() if one.cpu >= cpu and one.memory >= memory), None)
