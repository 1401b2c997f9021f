"""The runner: waits warm inside the confinement, and forks (or becomes) the learner's process for each job.

`python runner.py --channel FD [--listen] [--uid N [--keep-reading]] [--confined] [--once] [--warm MODULES]`
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import ctypes
import importlib
import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import child  # noqa: E402
import frames  # noqa: E402
import supervise  # noqa: E402

sys.path.remove(HERE)

PORT = 4566
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER, PR_SET_KEEPCAPS, PR_CAP_AMBIENT = 4, 38, 36, 8, 47
CAP_DAC_READ_SEARCH = 2
CONFINED_FOLDERS = ("/answer", "/tmp", "/dev/shm")
MAX_KEPT = 4 << 20


def main() -> None:
    """Serve jobs until the grader is gone."""
    given = _options()
    channel = socket.socket(fileno=given.channel)
    channel.setblocking(True)
    if given.listen:
        _hand_over_listener(channel)
    if given.uid:
        _become_nobody(given.uid, keep_reading=given.keep_reading)
    _protect(subreaper=not given.confined and not given.once)
    _warm(given.warm.split(","))
    frames.send(channel, {"ready": os.getpid(), "uid": os.getuid() if hasattr(os, "getuid") else -1})
    while True:
        try:
            job = frames.receive(channel, frames.MAX_JOB)
        except frames.Gone:
            os._exit(0)
        if given.once:
            _become_job(job, channel)
        frames.send(channel, _run(job, channel, confined=given.confined))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--uid", type=int, default=0)
    parser.add_argument("--warm", default="boto3")
    for flag in ("--listen", "--confined", "--once", "--keep-reading"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def _hand_over_listener(channel: socket.socket) -> None:
    """Listen on the sandbox's own loopback and give the socket away: the world answers there, nothing else does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", PORT))
        listening.listen(128)
        socket.send_fds(channel, [b"L"], [listening.fileno()])
        channel.recv(1)  # the grader has it; ours can go


def _prctl(option: int, *arguments: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, *(ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0, 0)[:4]))


def _become_nobody(uid: int, *, keep_reading: bool) -> None:
    """Give up root for good. `keep_reading` leaves the right to read files, where the interpreter is root's own."""
    for folder in ("/answer",):
        if os.path.isdir(folder) and os.stat(folder).st_uid == 0:
            with contextlib.suppress(OSError):
                os.chown(folder, uid, uid)
    if keep_reading:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if keep_reading:
        _only_capability(CAP_DAC_READ_SEARCH)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _only_capability(capability: int) -> None:
    """Keep one capability, also over exec (capset(2), capabilities(7): ambient)."""
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    ctypes.CDLL(None, use_errno=True).capset(header, data)
    _prctl(PR_CAP_AMBIENT, 2, capability)


def _protect(*, subreaper: bool) -> None:
    """No neighbour may look into this process; orphans of the learner's come to it where it has no pid namespace."""
    _prctl(PR_SET_DUMPABLE, 0)
    if subreaper:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _warm(modules: list[str]) -> None:
    """Import what the learner's code will, once; and let every fresh botocore session share one loader's cache."""
    for name in filter(None, modules):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "botocore" not in sys.modules:
        return
    import botocore.loaders
    import botocore.session

    shared: dict[str | None, Any] = {}
    create = botocore.loaders.create_loader

    def create_loader(search_path_string: str | None = None) -> Any:
        if search_path_string not in shared:
            shared[search_path_string] = create(search_path_string)
        return shared[search_path_string]

    botocore.loaders.create_loader = create_loader
    import boto3

    for service in ("ecr", "sts"):
        with contextlib.suppress(Exception):
            boto3.Session().client(
                service, region_name="us-east-1", aws_access_key_id="warm", aws_secret_access_key="warm"
            )


def _become_job(job: dict[str, Any], channel: socket.socket) -> None:
    """A spare runs its one job itself; whoever started it watches. Output and result go where it says."""
    folder = job["folder"]
    channel.close()
    child.become(job, folder, job["result"], 1, 2)


def _run(job: dict[str, Any], channel: socket.socket, *, confined: bool) -> dict[str, Any]:
    folder = "/answer" if confined else tempfile.mkdtemp(prefix="fargrade-work-")
    try:
        problem = lay(job["files"], folder)
        if problem:
            return {"kind": "lost", "detail": problem}
        job["env"] = {**job["env"], "HOME": folder, "TMPDIR": "/tmp" if confined else folder, "PWD": folder}
        ends = {name: os.pipe() for name in ("stdout", "stderr", "result")}
        pid = os.fork()
        if pid == 0:
            _in_child(job, folder, ends, channel)
        for _, writing in ends.values():
            os.close(writing)
        reading = {name: end[0] for name, end in ends.items()}
        outcome: dict[str, Any] = supervise.watch(
            pid, reading, job["limits"], lambda: _end(pid, confined=confined), python=bool(job["python"])
        )
        outcome["files"] = keep(job["keep"], folder)
        return outcome
    finally:
        _wipe(CONFINED_FOLDERS if confined else (folder,), itself=not confined)


def _in_child(job: dict[str, Any], folder: str, ends: dict[str, tuple[int, int]], channel: socket.socket) -> None:
    try:
        os.setsid()
        channel.close()
        for reading, _ in ends.values():
            os.close(reading)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL if job["argv"] else signal.SIG_IGN)
        child.become(job, folder, ends["result"][1], ends["stdout"][1], ends["stderr"][1])
    finally:
        os._exit(70)


def lay(files: dict[str, str], folder: str) -> str:
    """Write the job's files; a sentence about what is wrong, or nothing."""
    for name, content in files.items():
        path = os.path.normpath(os.path.join(folder, name))
        if not path.startswith(folder + os.sep):
            return f"the file name {name!r} leads out of the work folder"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(base64.b64decode(content))
            os.chmod(path, 0o755 if name.endswith(".sh") else 0o644)
        except (OSError, ValueError) as error:
            return f"the file {name!r} could not be laid out: {error}"
    return ""


def keep(names: list[str], folder: str) -> dict[str, str]:
    """The regular files among `names`, base64; links, devices and what is too large stay behind."""
    kept = {}
    for name in names:
        try:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    content = file.read(MAX_KEPT + 1)
                    if len(content) <= MAX_KEPT:
                        kept[name] = base64.b64encode(content).decode()
        except OSError:
            continue
    return kept


def _end(pid: int, *, confined: bool) -> None:
    """Kill the child and everything that came of it, until nothing is left."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        if confined:
            with contextlib.suppress(OSError):
                os.kill(-1, signal.SIGKILL)  # everything in this pid namespace that is ours, but this process
        left = _others(confined=confined)
        for other in left:
            with contextlib.suppress(OSError):
                os.kill(other, signal.SIGKILL)
        with contextlib.suppress(OSError):
            while _reap_others(pid):
                pass
        if not [one for one in left if one != pid]:
            return
        time.sleep(0.002)


def _reap_others(pid: int) -> bool:
    """Reap an orphan that came to us; the child itself is left for whoever waits for its status."""
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None or found.si_pid in (0, pid):
        return False
    os.waitpid(found.si_pid, 0)
    return True


def _others(*, confined: bool) -> list[int]:
    """The pids that came of the learner's code: all but ours in our own namespace, else all our descendants."""
    me = os.getpid()
    parents: dict[int, int] = {}
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            parents[pid] = int(fields[1])
    if confined:
        return [pid for pid in parents if pid not in (me, 1) and parents[pid] != 0 and pid != os.getppid()]
    return [pid for pid in parents if _descends(pid, me, parents)]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def _wipe(folders: tuple[str, ...], *, itself: bool) -> None:
    for folder in folders:
        if itself:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                if entry.is_dir(follow_symlinks=False):
                    _unlock(entry.path)
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)


def _unlock(folder: str) -> None:
    """A folder whose owner took its own rights away can still be removed by the same owner."""
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                _unlock(entry.path)


if __name__ == "__main__":
    main()
