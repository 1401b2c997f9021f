"""The repositories on Git hosts that this world's connections lead to: commits arrive by the grader's hand.

A push starts whatever listens to the branch, as the host's webhook would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fargrade.emulator.extensions import control_op, on_reset


@dataclass(frozen=True)
class Commit:
    """What a branch holds after a push."""

    identity: str
    repository: str
    branch: str
    files: Mapping[str, bytes]
    message: str = ""
    author: str = "dev"


Listener = Callable[[Commit], list[str]]
_branches: dict[tuple[str, str], Commit] = {}
_listeners: list[Listener] = []


@on_reset
def _new() -> None:
    _branches.clear()


def on_push(listener: Listener) -> Listener:
    """Have `listener(commit)` called after every push; it returns the ids of the executions that it started."""
    _listeners.append(listener)
    return listener


def head(repository: str, branch: str) -> Commit | None:
    """The last commit of a branch; None where there is none."""
    return _branches.get((repository, branch))


@control_op("push_commit")
def push(repository: str, branch: str, files: dict[str, bytes], message: str = "", *, quietly: bool = False) -> Any:
    """Push a commit of these files; returns its id and what it started. `quietly`: before anybody listens."""
    content = hashlib.sha1(f"{repository} {branch} {message} {len(_branches)}".encode())
    previous = head(repository, branch)
    content.update((previous.identity if previous else "").encode())
    for name in sorted(files):
        content.update(name.encode() + b"\0" + files[name] + b"\0")
    commit = Commit(content.hexdigest(), repository, branch, dict(files), message)
    _branches[(repository, branch)] = commit
    started = [] if quietly else [one for listener in _listeners for one in listener(commit)]
    return {"commit": commit.identity, "started": started}
