"""The nursery: an interpreter that is warm once, and forks a runner into each new confinement. Linux.

A confinement is made by bubblewrap as ever, with nothing in it but a process that sleeps; the runner is forked here,
enters the confinement's namespaces (setns(2)), gives up what it must not keep and loads the filter of system calls,
and only then is what `runner.py` started inside would be. The nursery itself never sees a learner's code or file, and
sees the machine read-only: what its children's /proc/self/exe leads to can be changed by nobody.

It speaks JSON frames: {"command", "numbers", "flags", "filter"} with handles comes in, {"ready"} or {"why"} goes out,
with a handle on the confinement's first process.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import frames
import identity

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
ALL = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 22, 2, 47, 4
HIGH = 300  # above every number that a command names
MOST_HANDLES = 24


def serve(channel: socket.socket, become_runner: Callable[[socket.socket, Sequence[str], bytes], None]) -> None:
    """Answer until the grader is gone. `become_runner(channel, flags, filter)` is what a child then is, for good."""
    identity.LIBC.prctl(identity.PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0)
    identity.LIBC.prctl(identity.PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)
    ended, ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(ends, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    frames.send(channel, {"ready": os.getpid()})
    while True:
        if ended in select.select([channel.fileno(), ended], [], [])[0]:
            _reap(ended)
            continue
        channel.settimeout(None)
        try:
            _, handles, _, _ = socket.recv_fds(channel, 1, MOST_HANDLES)
            asked = frames.receive(channel, frames.MAX_JOB, seconds=10)
        except (OSError, frames.Gone, TimeoutError):
            os._exit(0)
        try:
            init = _born(asked, handles, channel, become_runner)
            frames.send(channel, {"ready": True})
            socket.send_fds(channel, [b"I"], [init])
            os.close(init)
        except OSError as error:
            frames.send(channel, {"why": str(error)})
        finally:
            for handle in handles:
                os.close(handle)


def _reap(ended: int) -> None:
    """A runner's parent is outside of its pid namespace, which does not end before somebody has reaped the runner."""
    try:
        os.read(ended, 4096)
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except (BlockingIOError, ChildProcessError):
        return


def _born(
    asked: dict[str, Any],
    handles: Sequence[int],
    channel: socket.socket,
    become_runner: Callable[[socket.socket, Sequence[str], bytes], None],
) -> int:
    """A handle on the first process of a new confinement, with a runner in it. Raises OSError.

    The handles are: the runner's channel, its stderr, then those that bubblewrap reads, under `numbers`, then the
    control groups' `cgroup.procs`.
    """
    numbers = asked["numbers"]
    theirs, stderr, *rest = handles
    read, groups = dict(zip(numbers, rest[: len(numbers)], strict=True)), rest[len(numbers) :]
    init = _confinement(asked["command"], read, groups, stderr)
    entered, entering = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            channel.close()
            _enter(init, groups, asked["user"])
            if os.fork() == 0:  # only a child is in the new pid namespace
                os.write(entering, b"1")
                _alone((theirs, stderr))
                become_runner(socket.socket(fileno=3), asked["flags"], bytes.fromhex(asked["filter"]))
        except BaseException as error:
            os.write(stderr, f"the runner could not enter its confinement: {error}\n".encode())
        finally:
            os._exit(71)
    os.close(entering)
    try:
        if os.read(entered, 1):
            return init
    finally:
        os.close(entered)
    signal.pidfd_send_signal(init, signal.SIGKILL)
    os.close(init)
    raise OSError("the runner could not enter its confinement")


def _confinement(command: Sequence[str], read: dict[int, int], groups: Sequence[int], stderr: int) -> int:
    """Have bubblewrap make one; returns a handle on its first process once it stands. Raises OSError."""
    stands, standing = os.pipe()
    status, saying = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _execute(command, {**read, 1: standing, 2: stderr, max([9, *read]) + 1: saying}, groups)
        finally:
            os._exit(127)
    os.close(standing)
    os.close(saying)
    try:
        if not os.read(stands, 1):  # what it runs says so, which comes after everything
            raise OSError("bubblewrap made no confinement")
        return os.pidfd_open(int(json.loads(os.read(status, 4096).split(b"\n", 1)[0])["child-pid"]))
    except (ValueError, KeyError) as error:
        raise OSError(f"bubblewrap said what cannot be read: {error}") from None
    finally:
        os.close(stands)
        os.close(status)


def _execute(command: Sequence[str], handles: dict[int, int], groups: Sequence[int]) -> None:
    """Become bubblewrap, in its control groups, with the handles where it reads them."""
    _join(groups)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    # Without capabilities, where they are only those of a user namespace: bubblewrap has no use for them.
    if os.geteuid():
        identity.LIBC.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
    high = {number: fcntl.fcntl(handle, fcntl.F_DUPFD, HIGH) for number, handle in handles.items()}
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for number, handle in high.items():
        os.dup2(handle, number)
    for number in range(3, HIGH + 2 * MOST_HANDLES):
        if number not in handles:
            try:
                os.close(number)
            except OSError:
                continue
    os.execve(command[0], list(command), {"LANG": "C.UTF-8"})


def _join(groups: Sequence[int]) -> None:
    for group in groups:
        os.write(group, b"0")


def _enter(init: int, groups: Sequence[int], user: bool) -> None:
    """Into the control groups and the namespaces of the confinement. Raises OSError."""
    _join(groups)
    if identity.LIBC.setns(init, (ALL | CLONE_NEWUSER) if user else ALL):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _alone(kept: tuple[int, int]) -> None:
    """Leave the nursery's session and handles: the channel is 3, stderr 2."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    channel, stderr = (fcntl.fcntl(handle, fcntl.F_DUPFD, HIGH) for handle in kept)
    null = os.open(os.devnull, os.O_RDWR)
    for number, handle in ((0, null), (1, null), (2, stderr), (3, channel)):
        os.dup2(handle, number)
    os.closerange(4, 4096)
    os.chdir("/")
    os.environ.clear()
    os.environ.update({"LANG": "C.UTF-8"})


def filter_calls(program: bytes) -> None:
    """Load the filter of system calls, as bubblewrap would have. Raises OSError."""
    if not program:
        return
    held = ctypes.create_string_buffer(program, len(program))
    told = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    identity.LIBC.prctl(identity.PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0)
    if identity.LIBC.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), told, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"the filter of system calls: {os.strerror(number)}")
