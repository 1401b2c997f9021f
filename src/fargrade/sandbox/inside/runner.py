"""The runner: waits warm inside the confinement, and forks (or becomes) the learner's process for each job.

`python runner.py --channel FD [--listen] [--uid N] [--open PATHS] [--confined] [--once] [--nursery] [--warm MODULES]`

It speaks JSON frames over one socket: a job comes in, a report goes out, then {"clean": …} once nothing of the
job is left. It runs as the same nobody as the learner's code, and what it says is worth as little.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import child  # noqa: E402
import folders  # noqa: E402
import frames  # noqa: E402
import identity  # noqa: E402
import nursery  # noqa: E402
import processes  # noqa: E402
import supervise  # noqa: E402
import warming  # noqa: E402

sys.path.remove(HERE)

PORT = 4566
WORK = "/answer"
CONFINED_FOLDERS = (WORK, "/tmp", "/dev/shm")


def main() -> None:
    """Serve jobs until the grader is gone."""
    given = _options(sys.argv[1:])
    channel = socket.socket(fileno=given.channel)
    channel.setblocking(True)
    if given.nursery:
        warming.warm(given.warm.split(","))
        nursery.serve(channel, _born)
    _run_jobs(given, channel, warm=True)


def _born(channel: socket.socket, flags: Sequence[str], filtering: bytes) -> None:
    """What a nursery's child does once it is in its confinement: the same, but for what it has already."""
    given = _options(["--channel", str(channel.fileno()), *flags])
    channel.setblocking(True)
    _run_jobs(given, channel, warm=False, filtering=filtering)


def _run_jobs(given: argparse.Namespace, channel: socket.socket, *, warm: bool, filtering: bytes = b"") -> None:
    if given.listen:
        _hand_over_listener(channel)
    if given.once:
        warming.warm(given.warm.split(","))
        frames.send(channel, {"ready": os.getpid()})
        _become_job(frames.receive(channel, frames.MAX_JOB), channel)
    try:
        _give_up_root(given)
        nursery.filter_calls(filtering)
    except (identity.CannotBecome, OSError) as error:
        print(f"the runner cannot give up root: {error}", file=sys.stderr, flush=True)
        os._exit(71)
    if warm:
        warming.warm(given.warm.split(","))
    frames.send(channel, {"ready": os.getpid()})
    while True:
        try:
            job = frames.receive(channel, frames.MAX_JOB)
        except frames.Gone:
            os._exit(0)
        _serve(job, channel, confined=given.confined)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--uid", type=int, default=0)
    parser.add_argument("--open", default="")
    parser.add_argument("--warm", default="boto3")
    for flag in ("--listen", "--confined", "--once", "--nursery", "--entered"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args(arguments)


def _hand_over_listener(channel: socket.socket) -> None:
    """Listen on the sandbox's own loopback and give the socket away: the world answers there, nothing else does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", PORT))
        listening.listen(128)
        socket.send_fds(channel, [b"L"], [listening.fileno()])  # no wait: the world may still be starting


def _give_up_root(given: argparse.Namespace) -> None:
    if given.uid:
        if not given.confined:
            identity.open_the_way(tuple(path for path in given.open.split(os.pathsep) if path))
        identity.become_nobody(given.uid, own=(WORK,) if given.confined else ())
    elif given.confined:
        if given.entered:
            identity.give_up_capabilities()
        identity.check_powerless()
    # Where it was forked into its confinement, the first process there reaps nobody.
    identity.protect_runner(subreaper=not given.confined or given.entered)


def _become_job(job: dict[str, Any], channel: socket.socket) -> None:
    """A spare runs its one job itself; whoever started it watches. Output and result go where it says."""
    channel.close()
    try:
        child.become(job, job["folder"], job["result"], 1, 2)
    finally:
        os._exit(70)


def _serve(job: dict[str, Any], channel: socket.socket, *, confined: bool) -> None:
    """Run one job, report, and clean up behind it: the grader goes on while this does."""
    folder = WORK if confined else tempfile.mkdtemp(prefix="fargrade-work-")
    clean = True
    try:
        report = _run(job, folder, channel, confined=confined)
        clean = bool(report.pop("clean", True))
        frames.send(channel, report)
    finally:
        if confined:
            for one in CONFINED_FOLDERS:
                clean = folders.empty(one) and clean
        else:
            folders.empty(folder)
            shutil.rmtree(folder, ignore_errors=True)
    frames.send(channel, {"clean": clean})


def _run(job: dict[str, Any], folder: str, channel: socket.socket, *, confined: bool) -> dict[str, Any]:
    problem = folders.lay(job["files"], folder)
    if problem:
        return {"stopped": "no_start", "result": problem}
    job["env"] = {**job["env"], "HOME": folder, "TMPDIR": "/tmp" if confined else folder, "PWD": folder}
    ends = {name: os.pipe() for name in ("stdout", "stderr", "result")}
    pid = os.fork()
    if pid == 0:
        _in_child(job, folder, ends, channel, confined=confined)
    for _, writing in ends.values():
        os.close(writing)
    reading = {name: end[0] for name, end in ends.items()}
    report: dict[str, Any] = supervise.watch(
        pid, reading, job["limits"], lambda: processes.end_all(pid, confined=confined)
    )
    report["files"] = folders.keep(job["keep"], folder)
    return report


def _in_child(
    job: dict[str, Any], folder: str, ends: dict[str, tuple[int, int]], channel: socket.socket, *, confined: bool
) -> None:
    try:
        os.setsid()
        channel.close()
        signal.set_wakeup_fd(-1)
        identity.become_child(dies_with_runner=not confined)
        child.become(job, folder, ends["result"][1], ends["stdout"][1], ends["stderr"][1])
    finally:
        with contextlib.suppress(BaseException):
            os._exit(70)


if __name__ == "__main__":
    main()
