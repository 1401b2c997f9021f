"""A process of ours beside us that may die, hang or be killed at any time, and what came of it is found out.

Not pebble and not multiprocessing: their workers share pipes and locks with one another (one that is killed while it
holds a lock can stop the rest), and end a process but not what it started. A socket of its own for each, JSON on it,
and an end that takes all descendants along are all that is needed here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fargrade.sandbox.inside import frames, processes

START_SECONDS = 120.0
MOST = 256 << 20
SOURCE = Path(__file__).resolve().parents[2]


class Died(Exception):
    """The helper is gone, or was ended for taking too long; the message says which, in one sentence."""


class Helper:
    """A worker process, started on first use and again after each death. Use it from one thread at a time."""

    def __init__(self, course_root: Path, *flags: str) -> None:
        self._root = course_root
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._said: Any = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, where there is one."""
        return self._process.pid if self._process else None

    def ask(self, message: dict[str, Any], seconds: Callable[[], float]) -> Iterator[dict[str, Any]]:
        """Send a message and yield the frames that come, the last one being the answer.

        `seconds` says how long to wait for each. Raises Died; the next question starts another process.
        """
        try:
            channel = self._channel or self._start()
            frames.send(channel, message, seconds=START_SECONDS)
            while True:
                wait = seconds()
                try:
                    told = frames.receive(channel, MOST, seconds=wait)
                except TimeoutError:
                    raise Died(f"it took more than {wait:.0f} seconds and was ended") from None
                yield told
                if "at" not in told:
                    return
        except frames.Gone:
            why = self._how_it_ended()
            self.kill()
            raise Died(why) from None
        except TimeoutError:
            self.kill()
            raise Died("it did not answer and was ended") from None
        except BaseException:
            self.kill()
            raise

    def _start(self) -> socket.socket:
        if self._closed:
            raise Died("the batch is ending")
        ours, theirs = socket.socketpair()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {"PYTHONPATH": str(SOURCE), "FARGRADE_COURSE": str(self._root)}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - kept for as long as the process lives
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fargrade.batch.worker", "--channel", str(theirs.fileno()), *self._flags],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                env=environment,
                cwd=self._root,
                start_new_session=True,  # Ctrl-C is the batch's to handle
            )
        self._channel = ours
        frames.receive(ours, 1 << 16, seconds=START_SECONDS)
        return ours

    def _how_it_ended(self) -> str:
        process = self._process
        if process is None:
            return "it is gone"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        code = process.returncode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"it was ended by {signal.Signals(-code).name}"
        return f"it ended with status {code}{self._last_words()}"

    def _last_words(self) -> str:
        self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, self._said.tell() - 4000))
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        return next((f" ({line.strip()[:300]})" for line in reversed(lines) if line.strip()), "")

    def kill(self) -> None:
        """End the process and all that came of it, and wait for that. Idempotent."""
        process, self._process = self._process, None
        channel, self._channel = self._channel, None
        if process is not None:
            family = processes.descendants(process.pid)
            process.kill()
            for pid in family:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        if channel is not None:
            channel.close()
        if self._said is not None:
            self._said.close()
            self._said = None

    def close(self) -> None:
        """End it for good: gently, so that it gives back what it holds. Idempotent."""
        self._closed = True
        if self._process is not None and self._channel is not None:
            with contextlib.suppress(frames.Gone, TimeoutError):
                frames.send(self._channel, {"end": True}, seconds=1)
            until = time.monotonic() + 5
            while self._process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
        self.kill()
