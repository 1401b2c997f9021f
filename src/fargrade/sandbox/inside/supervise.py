"""Watches one child from start to end: reads what it prints, ends it in time, says how it ended."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.005


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
        if part:
            self._tail = (self._tail + part)[-self._half :]

    @property
    def truncated(self) -> bool:
        return self.total > len(self._head) + len(self._tail)

    def text(self) -> str:
        """What is kept, as text."""
        middle = b"\n[...]\n" if self.truncated else b""
        return (self._head + middle + self._tail).decode("utf-8", "replace")


def watch(pid: int, pipes: dict[str, int], limits: dict[str, Any], end: Callable[[], bool]) -> dict[str, Any]:
    """Wait for the child; returns a report: how it ended, what it said, unread. `end` kills all that it started.

    `pipes` are the reading ends of "stdout", "stderr" and "result". They are read until the child has ended, not
    until they close: a grandchild may hold them open for ever. What came through "result" is passed on as text.
    """
    started = time.monotonic()
    # A result is at most its value, and a frame of words around it.
    most = {"result": 2 * limits["result_bytes"] + (64 << 10)}
    kept = {name: Capped(most.get(name, limits["output_bytes"])) for name in pipes}
    stopped, status = _read(pid, pipes, kept, limits, started)
    seconds = time.monotonic() - started
    if status is None:
        status = _kill(pid)
    clean = end()
    for name, pipe in pipes.items():
        _drain(pipe, kept[name])
    return {
        "stopped": stopped,
        "exit_code": os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "stdout": kept["stdout"].text(),
        "stderr": kept["stderr"].text(),
        "truncated": kept["stdout"].truncated or kept["stderr"].truncated,
        "result": None if kept["result"].truncated else kept["result"].text(),
        "seconds": round(seconds, 4),
        "clean": clean,
    }


def _read(
    pid: int, pipes: dict[str, int], kept: dict[str, Capped], limits: dict[str, Any], started: float
) -> tuple[str, int | None]:
    """Read until the child ends; why it was stopped ("" where it ended by itself), and its status."""
    with selectors.DefaultSelector() as selector:
        for name, pipe in pipes.items():
            os.set_blocking(pipe, False)
            selector.register(pipe, selectors.EVENT_READ, name)
        ended = _pidfd(pid, selector)
        try:
            while True:
                left = limits["wall_seconds"] - (time.monotonic() - started)
                if left <= 0:
                    return "timed_out", None
                for key, _ in selector.select(min(left, 1.0 if ended >= 0 else POLL_SECONDS)):
                    if key.data != "ended" and not _take(key.fd, kept[key.data]):
                        selector.unregister(key.fd)
                if sum(one.total for one in kept.values()) > limits["flood_bytes"]:
                    return "flooded", None
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    return "", status
        finally:
            if ended >= 0:
                os.close(ended)


def _pidfd(pid: int, selector: selectors.BaseSelector) -> int:
    """A descriptor that becomes readable when the child ends, where the system has them; else -1."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1
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


def _kill(pid: int) -> int:
    """End the child itself and reap it."""
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        time.sleep(0.001)
    return signal.SIGKILL
