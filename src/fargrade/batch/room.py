"""How much room this machine has for grading."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY_A_WORKER = 2 << 30  # a world, a warm runner, and a job at its limit


def workers() -> int:
    """How many submissions at a time suit this machine: its processors, as far as memory goes."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, memory() // MEMORY_A_WORKER)) if memory() else processors


def memory() -> int:
    """Bytes of memory that this process may have; 0 where nobody says."""
    try:
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            said = Path(path).read_text().strip()
        except OSError:
            continue
        if said.isdecimal():
            most = min(most, int(said))
    return most
