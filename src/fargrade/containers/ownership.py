"""What a grading makes on the engine is its own by label, and gone afterwards, also when the grader is killed.

A small process of its own (`reaper`) holds the reading end of a pipe whose writing end the grader holds. When the
grader ends, however it ends, the kernel closes the pipe, and the reaper removes all that carries the run's label.
Should the machine have taken both, the next grading sweeps what belongs to graders that are gone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from fargrade.containers.finding import Engine

RUN = "fargrade.run"
OWNER = "fargrade.owner"
KEPT = "fargrade.kept"  # for the next item of this grading, too: a registry
SOURCE = Path(__file__).resolve().parents[2]


class Ownership:
    """One grading's claim on what it makes on the engine. `labels` go on every container, network and image."""

    def __init__(self, engine: Engine, labels: dict[str, str] | None = None) -> None:
        """With `labels`, those of another process's claim, which watches over what is made here, too."""
        self.engine = engine
        self._others = labels is not None
        self.run = labels[RUN] if labels else uuid.uuid4().hex[:16]
        self.labels = labels or {RUN: self.run, OWNER: _owner(os.getpid())}
        self._watched: int | None = None
        self._reaper: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Sweep what graders that are gone left behind, and have this one's own watched. Idempotent."""
        if self._reaper is not None or self._others:
            return
        sweep_orphans(self.engine)
        reading, self._watched = os.pipe()
        with os.fdopen(reading, "rb") as handle:
            self._reaper = subprocess.Popen(
                [sys.executable, "-m", "fargrade.containers.reaper", self.engine.address, self.run],
                stdin=handle,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(SOURCE)},
                start_new_session=True,  # Ctrl-C must not take it along
            )

    def clear(self) -> None:
        """Remove all that was made until now."""
        if self._watched is not None:
            remove_labelled(self.engine.client, f"{RUN}={self.run}", but=KEPT)

    def close(self) -> None:
        """Remove all that this grading made, and wait until it is gone. Idempotent."""
        if self._watched is not None:
            remove_labelled(self.engine.client, f"{RUN}={self.run}")
            os.close(self._watched)
            self._watched = None
        if self._reaper is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._reaper.wait(timeout=30)
            self._reaper = None


def _owner(pid: int) -> str:
    """This machine's name for a process that no other process ever has: host, pid and start time."""
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def _started(pid: int) -> str:
    """The process's start, in clock ticks since boot (proc(5), stat, field 22); "" where there is no such process."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def sweep_orphans(engine: Engine) -> None:
    """Remove what belongs to graders of this machine that are gone."""
    gone = set()
    client = engine.client
    listed = [*client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)]
    listed += client.networks.list(filters={"label": OWNER})
    for one in listed:
        labels = one.labels if hasattr(one, "labels") else one.attrs.get("Labels") or {}
        host, _, rest = str(labels.get(OWNER, "")).partition(":")
        pid, _, started = rest.partition(":")
        if host == socket.gethostname() and pid.isdecimal() and started and _started(int(pid)) != started:
            gone.add(str(labels.get(RUN)))
    for run in gone:
        remove_labelled(client, f"{RUN}={run}")


def remove_labelled(client: Any, label: str, but: str = "") -> None:
    """Remove every container, network and image with the label, running or not; none that has the label `but`."""
    import docker

    for container in client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
        if but and but in container.labels:
            continue
        with contextlib.suppress(docker.errors.APIError):
            container.remove(force=True, v=True)
    for network in client.networks.list(filters={"label": label}):
        with contextlib.suppress(docker.errors.APIError):
            network.remove()
    for image in client.images.list(all=False, filters={"label": label}):
        with contextlib.suppress(docker.errors.APIError):
            # Its parents may be what another grading builds on at this moment: they are the engine's cache.
            client.api.remove_image(image.id, force=True, noprune=True)
