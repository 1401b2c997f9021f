"""Ends what came of a job: every process, however it was started or hid itself."""

from __future__ import annotations

import contextlib
import os
import signal
import time

PATIENCE_SECONDS = 3.0


def end_all(pid: int, *, confined: bool) -> bool:
    """Kill the job's process `pid` and everything that came of it; whether nothing is left.

    `confined`: everything in this pid namespace that is not the runner or its init. Otherwise every descendant
    of this process, which is a subreaper, so that orphans are its children.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        if confined:
            with contextlib.suppress(OSError):
                os.kill(-1, signal.SIGKILL)  # all of this namespace that is ours, in one sweep, but this process
        left = others(confined=confined)
        for other in left:
            with contextlib.suppress(OSError):
                os.kill(other, signal.SIGKILL)
        with contextlib.suppress(OSError):
            while _reap_another(pid):
                pass
        if not [one for one in left if one != pid]:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.001)


def _reap_another(pid: int) -> bool:
    """Reap an orphan that came to us; the job's own process is left for whoever waits for its status."""
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None or found.si_pid in (0, pid):
        return False
    os.waitpid(found.si_pid, 0)
    return True


def others(*, confined: bool) -> list[int]:
    """The living pids that came of the learner's code: all but ours in our own namespace, else our descendants."""
    me, table = os.getpid(), _table()
    if confined:
        return [pid for pid, parent in table.items() if pid not in (me, 1, os.getppid()) and parent != 0]
    return [pid for pid in table if _descends(pid, me, table)]


def is_living(pid: int) -> bool:
    """Whether the process is there and is no zombie, which a container's pid 1 may leave for ever."""
    return pid in _table()


def descendants(ancestor: int) -> list[int]:
    """Every living process below `ancestor`, by /proc; none where there is no /proc."""
    table = _table()
    return [pid for pid in table if _descends(pid, ancestor, table)]


def _table() -> dict[int, int]:
    """Each living process and its parent."""
    parents: dict[int, int] = {}
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields and fields[0] not in (b"Z", b"X"):
            parents[pid] = int(fields[1])
    return parents


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False
