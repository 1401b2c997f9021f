"""How learner code can be confined on this machine, found out by trying."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fargrade.course.language import translate as t

INSIDE = Path(__file__).resolve().parent / "inside"
TOOLS = INSIDE / "bin"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "passwd", "group", "nsswitch.conf", "localtime")
SIZES = {"/answer": 256 << 20, "/tmp": 256 << 20, "/dev/shm": 16 << 20}
FIRST_UID = 61000
UIDS = 2000


@dataclass(frozen=True)
class Confinement:
    """What stands between the learner's code and this machine; `note` says what is missing, if anything."""

    name: str
    confined: bool
    note: str = ""


def is_root() -> bool:
    """Whether this process is root, and so must give that up for the learner's code."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def nobody() -> int:
    """An unprivileged uid for this grader's sandboxes: limits on processes are counted by uid."""
    return FIRST_UID + os.getpid() % UIDS


@lru_cache(maxsize=1)
def bubblewrap_problem() -> str:
    """Why bubblewrap cannot be used here, in one sentence; "" where it can. Tried once a process."""
    if not sys.platform.startswith("linux"):
        return t("This system has no bubblewrap: the code runs unconfined, a self-check and not a grade.")
    if shutil.which("bwrap") is None:
        return t(
            "bubblewrap is not installed, so the code runs unconfined: a self-check, protected from accidents "
            "only. Install it with your package manager (apt install bubblewrap)."
        )
    tried = subprocess.run(
        ["bwrap", *namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "true"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    if tried.returncode == 0:
        return ""
    return t(
        "bubblewrap does not work here ({why}), so the code runs unconfined: a self-check only. On Ubuntu, "
        "allow it with an AppArmor profile for bwrap; in a container, allow user namespaces.",
        why=(tried.stderr.strip().splitlines() or ["?"])[-1],
    )


def namespaces() -> list[str]:
    """bwrap's options for new namespaces: as root without a user namespace, so that root can be given up inside."""
    common = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if is_root():
        return [
            *common,
            "--cap-drop",
            "ALL",
            "--cap-add",
            "CAP_SETUID",
            "--cap-add",
            "CAP_SETGID",
            "--cap-add",
            "CAP_CHOWN",
        ]
    return [*common, "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]


def bubblewrap_command(seccomp: int) -> list[str]:
    """bwrap and its options, up to the program: nothing but the interpreter, the system and the tools is seen."""
    command = ["bwrap", *namespaces(), "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for folder, size in SIZES.items():  # before the binds: the course may itself lie below /tmp
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", folder]
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            command += ["--ro-bind", name, name]
    command += parents([Path("/etc/x"), INSIDE, *interpreter_paths()])
    for name in ETC:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for path in interpreter_paths():
        command += ["--ro-bind", str(path), str(path)]
    command += ["--ro-bind", str(INSIDE), str(INSIDE)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--hostname", "learner"]
    return [*command, "--seccomp", str(seccomp)] if seccomp >= 0 else command


def parents(paths: Sequence[Path]) -> list[str]:
    """Options that make the folders above `paths`, open to all: bubblewrap alone would make them root's only."""
    above = dict.fromkeys(folder for path in paths for folder in reversed(path.parents) if folder != Path("/"))
    taken = [Path(name) for name in (*SYSTEM, *SIZES)]
    made = [folder for folder in above if not any(folder.is_relative_to(one) for one in taken[: len(SYSTEM)])]
    return [part for folder in made if folder not in taken for part in ("--perms", "0755", "--dir", str(folder))]


def interpreter_paths() -> list[Path]:
    """What the interpreter needs beside /usr: its installation, and the environment it runs in."""
    wanted = [Path(sys.base_prefix), Path(sys.prefix)]
    wanted += [Path(sysconfig.get_path("purelib")), Path(sys.executable).resolve().parent.parent]
    found: list[Path] = []
    for path in wanted:
        if not path.is_dir() or any(path.is_relative_to(one) for one in [Path("/usr"), *found]):
            continue
        found.append(path)
    return found


def program_search_path() -> str:
    """PATH for the learner's programs: our stand-ins first, then the environment's, then the system's."""
    return os.pathsep.join(
        [str(TOOLS), str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    )


def runner_command(channel: int, *flags: str, warm: Sequence[str] = ()) -> list[str]:
    """The runner's own command line. -I: nothing of the caller's environment or folder is imported."""
    return [
        sys.executable,
        "-I",
        "-B",
        str(INSIDE / "runner.py"),
        "--channel",
        str(channel),
        "--warm",
        ",".join(warm),
        *flags,
    ]
