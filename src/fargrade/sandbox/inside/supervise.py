"""Watches one child from start to end: reads what it prints, ends it in time, says how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import time
from collections.abc import Callable
from typing import Any

GRACE_SECONDS = 0.3


class Capped:
    """Keeps the first half and the last half of a stream that may be longer than memory."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._head = b""
        self._tail = b""
        self.total = 0

    def add(self, part: bytes) -> None:
        """Take in a part."""
        self.total += len(part)
        room = self._half - len(self._head)
        if room > 0:
            self._head += part[:room]
            part = part[room:]
        self._tail = (self._tail + part)[-self._half :]

    @property
    def truncated(self) -> bool:
        return self.total > len(self._head) + len(self._tail)

    def text(self) -> str:
        """What is kept, as text."""
        middle = b"\n[...]\n" if self.truncated else b""
        return (self._head + middle + self._tail).decode("utf-8", "replace")


def watch(
    pid: int, pipes: dict[str, int], limits: dict[str, Any], end: Callable[[], None], *, python: bool
) -> dict[str, Any]:
    """Wait for the child; returns the outcome as JSON. `end` kills it and all that it started.

    `pipes` are the reading ends of "stdout", "stderr" and "result". They are read until the child has ended, not
    until they close: a grandchild may hold them open for ever.
    """
    started = time.monotonic()
    kept = {name: Capped(limits["result_bytes" if name == "result" else "output_bytes"] * 2) for name in pipes}
    verdict = _read(pid, pipes, kept, limits, started)
    status = verdict.pop("status", None)
    if status is None:
        end()
        status = _reap(pid)
    else:
        end()
    for name, pipe in pipes.items():
        _drain(pipe, kept[name])
    outcome: dict[str, Any] = {
        "stdout": kept["stdout"].text(),
        "stderr": kept["stderr"].text(),
        "truncated": kept["stdout"].truncated or kept["stderr"].truncated,
        "seconds": round(time.monotonic() - started, 4),
        **_exit(status),
    }
    if "kind" in verdict:
        return {**outcome, **verdict}
    if python and not kept["result"].truncated and kept["result"].total:
        with contextlib.suppress(ValueError, RecursionError):
            return {**outcome, **json.loads(kept["result"].text())}
    return outcome if python else {**outcome, "detail": "command"}


def _read(
    pid: int, pipes: dict[str, int], kept: dict[str, Capped], limits: dict[str, Any], started: float
) -> dict[str, Any]:
    with selectors.DefaultSelector() as selector:
        for name, pipe in pipes.items():
            os.set_blocking(pipe, False)
            selector.register(pipe, selectors.EVENT_READ, name)
        ended = _pidfd(pid, selector)
        try:
            while True:
                left = limits["wall_seconds"] - (time.monotonic() - started)
                if left <= 0:
                    return {"kind": "timed_out"}
                events = selector.select(min(left, 1.0 if ended else 0.02))
                for key, _ in events:
                    if key.data == "ended":
                        continue
                    if not _take(key.fd, kept[key.data]):
                        selector.unregister(key.fd)
                if kept["stdout"].total + kept["stderr"].total > limits["flood_bytes"]:
                    return {"kind": "flooded"}
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    return {"status": status}
        finally:
            if ended:
                os.close(ended)


def _pidfd(pid: int, selector: selectors.BaseSelector) -> int:
    """A descriptor that becomes readable when the child ends, where the system has them; else 0."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return 0
    selector.register(descriptor, selectors.EVENT_READ, "ended")
    return descriptor


def _take(pipe: int, kept: Capped) -> bool:
    """Read what is there; False at the end of the stream."""
    try:
        part = os.read(pipe, 1 << 16)
    except BlockingIOError:
        return True
    except OSError:
        return False
    kept.add(part)
    return bool(part)


def _drain(pipe: int, kept: Capped) -> None:
    for _ in range(64):
        before = kept.total
        if not _take(pipe, kept) or kept.total == before:
            break
    os.close(pipe)


def _reap(pid: int) -> int:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        time.sleep(0.005)
    return signal.SIGKILL


def _exit(status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        return {"kind": "killed", "signal": os.WTERMSIG(status)}
    return {"kind": "exited", "exit_code": os.waitstatus_to_exitcode(status)}
