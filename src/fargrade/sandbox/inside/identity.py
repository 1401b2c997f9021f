"""Who the learner's code is to the kernel: nobody, for good. Linux."""

from __future__ import annotations

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 36, 38
CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
OPEN_TO_ALL = 0o005
CAPABILITIES = 64
CAPABILITY_HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread


class CannotBecome(Exception):
    """The process could not give up what it must not keep; the message says what."""


def become_nobody(uid: int, *, own: tuple[str, ...] = ()) -> None:
    """Turn root into `uid` without a capability, now and over exec. `own`: folders that are made its own first.

    Raises CannotBecome, when anything of root is left.
    """
    for folder in own:
        os.chown(folder, uid, uid)
    _bound_capabilities()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    give_up_capabilities()
    check_powerless()


def _bound_capabilities() -> None:
    for capability in range(CAPABILITIES):
        LIBC.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)  # needs CAP_SETPCAP; see check_powerless


def give_up_capabilities() -> None:
    """Keep none, nor get one by exec: the inheritable ones outlive a change of uid."""
    _bound_capabilities()
    LIBC.capset(CAPABILITY_HEADER, (ctypes.c_uint32 * 6)())
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0)


def check_powerless() -> None:
    """Raise CannotBecome when this process is root, holds a capability or can get one by exec."""
    with open("/proc/self/status", encoding="utf-8") as file:
        status = {name: value for name, found, value in (line.strip().partition(":\t") for line in file) if found}
    uids, gids = set(status["Uid"].split()), set(status["Gid"].split())
    held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(status[name], 16)]
    if "0" in uids | gids or held or status.get("NoNewPrivs", "1") != "1":
        raise CannotBecome(f"uid {status['Uid']}, {held}, no_new_privs {status.get('NoNewPrivs')}")


def protect_runner(*, subreaper: bool) -> None:
    """No neighbour may look into this process; orphans of the learner's come to it where it has no pid namespace."""
    LIBC.prctl(PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0)
    if subreaper:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)


def become_child(*, dies_with_runner: bool) -> None:
    """An ordinary process again; the first to go when memory runs out."""
    LIBC.prctl(PR_SET_DUMPABLE, ctypes.c_ulong(1), 0, 0, 0)
    if dies_with_runner:
        LIBC.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(9), 0, 0, 0)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        pass


def closed_folder(path: str) -> str:
    """The topmost folder on the way to `path` that not everybody may enter; "" where all are open."""
    way = ""
    for part in os.path.realpath(path).split("/")[1:]:
        way += "/" + part
        if os.path.isdir(way) and os.stat(way).st_mode & OPEN_TO_ALL != OPEN_TO_ALL:
            return way
    return ""


def open_the_way(paths: tuple[str, ...]) -> None:
    """Let everybody reach `paths`, seen from this process only: a private view of the file system.

    A Python below root's home (mode 700) is closed to the learner's uid. Each closed folder on the way is covered
    by an empty one that shows those paths and nothing else. Needs CAP_SYS_ADMIN. Raises CannotBecome.
    """
    closed = {path: folder for path in paths if (folder := closed_folder(path))}
    if not closed:
        return
    _must(LIBC.unshare(CLONE_NEWNS), "unshare")
    handles = {path: os.open(path, os.O_PATH) for path in closed}  # of the new namespace: no other can be mounted
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    for folder in dict.fromkeys(closed.values()):
        _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
    for path, handle in handles.items():
        os.makedirs(path, mode=0o755, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, None, MS_BIND | MS_REC)
        os.close(handle)
    still = [path for path in closed if closed_folder(path)]
    if still:
        raise CannotBecome(f"{still[0]} is closed to other users")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    given = (source.encode(), target.encode(), kind.encode() if kind else None)
    _must(LIBC.mount(*given, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def _must(result: int, what: str) -> None:
    if result != 0:
        raise CannotBecome(f"{what}: {os.strerror(ctypes.get_errno())}")
