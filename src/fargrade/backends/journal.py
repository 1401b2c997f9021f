"""What a grading makes on a real account, written down before it is made: a crash must not lose it.

A file a run, a line an entry, each on the disk before the call goes out. The file goes once nothing of the run is left.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VARIABLE = "FARGRADE_STATE"


@dataclass(frozen=True)
class Run:
    """A run: its id, where it grades, and the process that grades. `prefix` begins every name that it gives."""

    id: str
    account: str
    regions: tuple[str, ...]
    endpoint: str
    pid: int
    started: str

    @property
    def prefix(self) -> str:
        return prefix_of(self.id)

    @property
    def alive(self) -> bool:
        """Whether the process that grades is still there."""
        return self.started != "" and start_of(self.pid) == self.started


def prefix_of(run: str) -> str:
    """What every name begins with that the run gives."""
    return f"fargrade-{run}-"


def folder() -> Path:
    """Where journals lie: $FARGRADE_STATE, else $XDG_STATE_HOME/fargrade, else ~/.local/state/fargrade."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "fargrade"


class Journal:
    """The journal of a run."""

    def __init__(self, run: Run, path: Path) -> None:
        self.run = run
        self.path = path
        self._lock = threading.Lock()

    @classmethod
    def begin(cls, run: Run) -> Journal:
        """A new journal. Raises OSError: without one nothing may be made."""
        folder().mkdir(parents=True, exist_ok=True)
        journal = cls(run, folder() / f"{run.id}.jsonl")
        journal.write({"run": asdict(run)})
        return journal

    def write(self, entry: dict[str, Any]) -> None:
        """Append an entry; it is on the disk when this returns. Raises OSError."""
        line = json.dumps(entry, default=str) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def entries(self) -> list[dict[str, Any]]:
        """All entries after the first; a line that a crash cut short is left out."""
        return list(_lines(self.path))[1:]

    def end(self) -> None:
        """Nothing of the run is left: forget it."""
        self.path.unlink(missing_ok=True)


def unfinished() -> list[Journal]:
    """The journals of runs of which something may be left, oldest first, whether they still go on or not."""
    found = []
    paths = folder().glob("*.jsonl") if folder().is_dir() else ()
    for path in sorted(paths, key=lambda one: one.stat().st_mtime):
        first = next(_lines(path), {}).get("run")
        if isinstance(first, dict):
            found.append(Journal(Run(**{**first, "regions": tuple(first["regions"])}), path))
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def start_of(pid: int) -> str:
    """The process's start in clock ticks (proc(5)), or its pid where there is no /proc; "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return str(pid)
