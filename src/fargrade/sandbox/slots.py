"""A slot for one sandbox: a control group that caps what all of its processes use together. Linux, where writable.

RLIMIT_AS caps a process, and six of them use six times as much; a group's memory.max holds for all.
cgroup v2: a sibling of our own group, where its parent is ours to write in and hands memory and pids down
(Documentation/admin-guide/cgroup-v2.rst). cgroup v1: a group in the memory and in the pids hierarchy.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import time
from functools import lru_cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
NAME = re.compile(r"fargrade-(\d+)-(\d+)-\d+")  # the namespace of process numbers, the grader in it, and which one
ABANDONED = 24 * 3600  # seconds: older than any grading
# What a sandbox needs beside the job itself: the warm runner, bubblewrap, and files in memory (tmpfs).
MEMORY_BESIDE = 320 << 20
PROCESSES_BESIDE = 8
ENTER = 'for f; do shift; [ "$f" = -- ] && break; echo $$ > "$f/cgroup.procs" || exit 125; done; exec "$@"'
_numbers = itertools.count(1)


class Slot:
    """A control group of ours. `folders` is one (v2), or one a hierarchy (v1)."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        self._sizes = (0, 0)

    def entering(self, command: list[str]) -> list[str]:
        """`command`, begun inside the slot: nothing that it starts is ever outside."""
        return ["/bin/sh", "-c", ENTER, "sh", *map(str, self._folders), "--", *command]

    def entrances(self) -> list[Path]:
        """The files that take in the process that writes "0" to them."""
        return [folder / "cgroup.procs" for folder in self._folders]

    def resize(self, memory_bytes: int, processes: int) -> None:
        """Allow a job this much. Raises OSError."""
        if self._sizes == (memory_bytes, processes):
            return
        memory, pids = self._folders[0], self._folders[-1]
        most = str(memory_bytes + MEMORY_BESIDE)
        _write(pids / "pids.max", str(processes + PROCESSES_BESIDE))
        if (memory / "memory.max").exists():
            _write(memory / "memory.max", most)
            _write(memory / "memory.swap.max", "0", optional=True)
        else:
            swap = memory / "memory.memsw.limit_in_bytes"
            _write(swap, "-1", optional=True)  # it may never be less than the other
            _write(memory / "memory.limit_in_bytes", most)
            _write(swap, most, optional=True)
        self._sizes = (memory_bytes, processes)

    def killed_for_memory(self) -> int:
        """How many processes the kernel has ended here for want of memory."""
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                for line in (self._folders[0] / name).read_text().splitlines():
                    key, _, count = line.partition(" ")
                    if key == "oom_kill":
                        return int(count)
        return 0

    def processes(self) -> set[int]:
        """The pids in the slot."""
        pids: set[int] = set()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                pids |= {int(line) for line in (folder / "cgroup.procs").read_text().split()}
        pids.discard(0)  # a process that our own pid namespace cannot see; as an argument of kill, all of our group
        return pids

    def kill(self) -> bool:
        """Kill all that is in the slot; whether nothing is left."""
        until = time.monotonic() + 3
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > until:
                return False
            time.sleep(0.001)
        return True

    def remove(self) -> None:
        """Kill all that is in the slot, and give it back."""
        self.kill()
        for folder in self._folders:
            _remove(folder)


def open_slot() -> Slot | None:
    """A slot of our own, or None where this machine gives us none."""
    parents = _parents()
    if not parents:
        return None
    folders = tuple(parent / _name(next(_numbers)) for parent in parents)
    try:
        for folder in folders:
            folder.mkdir(exist_ok=True)
        return Slot(folders)
    except OSError:
        return None


@lru_cache(maxsize=1)
def _parents() -> tuple[Path, ...]:
    """Where groups of ours can be made, found out by making one and entering it. Tried once a process."""
    for parents in (_parents_v2(), _parents_v1()):
        if not parents:
            continue
        slot = Slot(tuple(parent / _name(0) for parent in parents))
        try:
            _sweep(parents)
            for folder in slot._folders:
                folder.mkdir(exist_ok=True)
            slot.resize(64 << 20, 8)
            tried = subprocess.run(slot.entering(["true"]), capture_output=True, check=False, timeout=10)
            if tried.returncode == 0:
                return parents
        except (OSError, subprocess.SubprocessError):
            continue
        finally:
            slot.remove()
    return ()


def _namespace() -> int:
    """Which process numbers ours are: graders in several containers may share one hierarchy of groups."""
    return Path("/proc/self/ns/pid").stat().st_ino


def _name(number: int) -> str:
    return f"fargrade-{_namespace()}-{os.getpid()}-{number}"


def _own(controller: str) -> str | None:
    """Our group's path in the hierarchy of `controller` ("" for v2), from /proc/self/cgroup."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                return path
    return None


def _parents_v2() -> tuple[Path, ...]:
    own = _own("")
    if own is None or not (ROOT / "cgroup.controllers").exists():
        return ()
    group = ROOT / own.strip("/")
    # A group with processes of its own cannot hand controllers down, so a sibling of ours it is; at the root a child.
    parent = group.parent if group != ROOT else ROOT
    try:
        handed_down = set((parent / "cgroup.subtree_control").read_text().split())
    except OSError:
        return ()
    writable = os.access(parent, os.W_OK) and os.access(parent / "cgroup.procs", os.W_OK)
    return (parent,) if {"memory", "pids"} <= handed_down and writable else ()


def _parents_v1() -> tuple[Path, ...]:
    parents = []
    for controller in ("memory", "pids"):
        own = _own(controller)
        parent = ROOT / controller / (own or "").strip("/")
        if own is None or not os.access(parent / "cgroup.procs", os.W_OK):
            return ()
        parents.append(parent)
    return tuple(parents)


def _sweep(parents: tuple[Path, ...]) -> None:
    """Remove the empty groups of graders that are gone."""
    for parent in parents:
        for folder in parent.iterdir():
            if _left(folder):
                with contextlib.suppress(OSError):  # it may not be empty, or another grader was quicker
                    folder.rmdir()


def _left(folder: Path) -> bool:
    """Whether it is a group of ours whose grader is gone, as far as can be told from here."""
    found = NAME.fullmatch(folder.name)
    if not found:
        return False
    if int(found[1]) == _namespace():
        return not Path("/proc", found[2]).exists()
    with contextlib.suppress(OSError):  # swept by another grader
        return time.time() - folder.stat().st_mtime > ABANDONED
    return False


def _remove(folder: Path) -> None:
    until = time.monotonic() + 1
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                return  # an empty group costs nothing, and the next grader sweeps it
            time.sleep(0.002)


def _write(path: Path, value: str, *, optional: bool = False) -> None:
    try:
        path.write_text(value)
    except OSError:
        if not optional:
            raise
