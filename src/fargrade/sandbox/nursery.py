"""The grader's side of the nursery: what a batch keeps warm, so that each submission's sandbox is forked from it.

Importing boto3 anew for every submission was half of the price of a short one. See fargrade.sandbox.inside.nursery
for why it is as tight.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack

from fargrade.course.language import translate as t
from fargrade.sandbox import confinement as confining
from fargrade.sandbox.inside import frames
from fargrade.sandbox.seccomp import program
from fargrade.sandbox.slots import Slot

START_SECONDS = 60.0
BIRTH_SECONDS = 20.0
# It says that the confinement stands, and waits for the end of it.
HOLDER = ("/bin/sh", "-c", "echo; exec sleep 10000000")


class NurseryFailed(Exception):
    """No runner came of it; the message says why."""


class Nursery:
    """A warm interpreter outside of every confinement, which sees the machine read-only."""

    def __init__(self, warm: Sequence[str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._ready = False
        self._bubblewrap = shutil.which("bwrap") or "bwrap"
        command = [self._bubblewrap, "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]
        # In pids of its own, whose first process reaps what it leaves: a confinement does not end before its runner has
        # been reaped, and what is pid 1 on this machine may reap nobody.
        command += ["--unshare-pid"]
        command += ["--cap-add", "ALL", "--die-with-parent", "--clearenv", "--setenv", "LANG", "C.UTF-8"]
        command += [] if confining.is_root() else ["--unshare-user"]
        with theirs:
            self._process = subprocess.Popen(
                [*command, *confining.runner_command(theirs.fileno(), "--nursery", warm=warm)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )

    def bear(self, theirs: socket.socket, stderr: int, flags: Sequence[str], slot: Slot | None, uid: int) -> int:
        """A runner in a confinement of its own, at the other end of `theirs`; a handle on the first process there.

        Raises NurseryFailed.
        """
        try:
            return self._bear(theirs, stderr, flags, slot, uid)
        except (OSError, frames.Gone, TimeoutError) as error:
            self.close()
            raise NurseryFailed(str(error)) from None

    def _bear(self, theirs: socket.socket, stderr: int, flags: Sequence[str], slot: Slot | None, uid: int) -> int:
        if not self._ready:
            frames.receive(self._channel, 1 << 16, seconds=START_SECONDS)
            self._ready = True
        with ExitStack() as stack:
            command, read = confining.bubblewrap_command(stack, uid=uid or confining.ORDINARY_UID)
            groups = [os.open(path, os.O_WRONLY) for path in (slot.entrances() if slot else ())]
            for group in groups:
                stack.callback(os.close, group)
            status = max([9, *read]) + 1
            asked = {
                "command": [self._bubblewrap, *command[1:], "--as-pid-1", "--json-status-fd", str(status), *HOLDER],
                "numbers": read,
                "flags": list(flags),
                "filter": program().hex(),
                "user": not confining.is_root(),
            }
            self._channel.settimeout(BIRTH_SECONDS)
            socket.send_fds(self._channel, [b"B"], [theirs.fileno(), stderr, *read, *groups])
            frames.send(self._channel, asked, seconds=BIRTH_SECONDS)
            told = frames.receive(self._channel, 1 << 16, seconds=BIRTH_SECONDS)
        if not told.get("ready"):
            raise OSError(told.get("why") or t("it is gone"))
        self._channel.settimeout(BIRTH_SECONDS)
        _, handles, _, _ = socket.recv_fds(self._channel, 1, 1)
        if not handles:
            raise OSError("no handle came")
        return handles[0]

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it; what it bore goes with its confinements. Idempotent."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # it ends by itself, and what it used is then counted
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
