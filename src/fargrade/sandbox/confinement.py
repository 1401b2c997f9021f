"""How learner code can be confined on this machine, found out by trying."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fargrade.course.language import translate as t
from fargrade.sandbox.seccomp import program

INSIDE = Path(__file__).resolve().parent / "inside"
TOOLS = INSIDE / "bin"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime")
SIZES = {"/answer": 256 << 20, "/tmp": 256 << 20, "/dev/shm": 16 << 20}
FIRST_UID, UIDS = 61200, 800
ORDINARY_UID = 1000
CAP_SYS_ADMIN = 21
# For as long as the runner needs them to become nobody; it checks that it has lost them.
BRIEFLY = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_CHOWN")


@dataclass(frozen=True)
class Confinement:
    """What stands between the learner's code and this machine; `note` says what is missing, if anything."""

    name: str
    confined: bool
    note: str = ""


def is_root() -> bool:
    """Whether this process is root, and so must give that up for the learner's code."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def lease_uid() -> tuple[int, socket.socket]:
    """An unprivileged uid for one sandbox, and what holds it until closed: processes are counted by uid.

    Held by an abstract socket's name, which the kernel frees with the process. Raises OSError: none is free.
    """
    holder = socket.socket(socket.AF_UNIX)
    for uid in range(FIRST_UID, FIRST_UID + UIDS):
        try:
            holder.bind(f"\0fargrade-uid-{uid}")
            return uid, holder
        except OSError:
            continue
    holder.close()
    raise OSError("every uid for sandboxes is taken")


def bubblewrap_problem() -> str:
    """Why bubblewrap cannot be used here, in one sentence; "" where it can."""
    return _probe()[0]


@lru_cache(maxsize=1)
def _probe() -> tuple[str, tuple[str, ...]]:
    """The problem with bubblewrap, and the options it has beyond the oldest we take (0.6). Tried once a process."""
    if not sys.platform.startswith("linux"):
        return t("This system has no bubblewrap: the code runs unconfined, a self-check and not a grade."), ()
    if shutil.which("bwrap") is None:
        return t(
            "bubblewrap is not installed, so the code runs unconfined: a self-check, protected from accidents "
            "only. Install it with your package manager (apt install bubblewrap)."
        ), ()
    said = ""
    for options in ((), ("--disable-userns",))[
        :: 1 if is_root() else -1
    ]:  # since bubblewrap 0.8, with a user namespace
        with ExitStack() as stack:
            command, handles = bubblewrap_command(stack, options=options)
            said = _try([*command, "true"], handles)
        if not said:
            return "", options
    return t(
        "bubblewrap does not work here ({why}), so the code runs unconfined: a self-check only. On Ubuntu, "
        "allow it with an AppArmor profile for bwrap; in a container, allow user namespaces.",
        why=said,
    ), ()


def _try(command: Sequence[str], handles: Sequence[int]) -> str:
    try:
        tried = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=20, pass_fds=handles, errors="replace"
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["?"])[-1]


def namespaces() -> list[str]:
    """bwrap's options for new namespaces: as root without a user namespace, so that root can be given up inside."""
    common = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    common += ["--cap-drop", "ALL"]
    if is_root():
        return common + [part for name in BRIEFLY for part in ("--cap-add", name)]
    return [*common, "--unshare-user", "--uid", str(ORDINARY_UID), "--gid", str(ORDINARY_UID)]


def bubblewrap_command(
    stack: ExitStack, *, options: Sequence[str] | None = None, uid: int = ORDINARY_UID
) -> tuple[list[str], list[int]]:
    """bwrap and its options, up to the program, and the handles it reads: only the interpreter and tools are seen.

    The handles close with `stack`. `uid` is whom /etc/passwd names; `options`, those beyond the oldest bubblewrap's.
    """
    handles: list[int] = []
    command = ["bwrap", *namespaces(), *(_probe()[1] if options is None else options)]
    command += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "learner"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for folder, size in SIZES.items():  # before the binds: the course may itself lie below /tmp
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", folder]
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            command += ["--ro-bind", name, name]
    shown = [*interpreter_paths(), INSIDE]
    command += parents([Path("/etc/x"), *shown])
    for name in ETC:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name, content in _etc(uid).items():
        handles.append(_in_memory(stack, content.encode()))
        command += ["--perms", "0444", "--ro-bind-data", str(handles[-1]), f"/etc/{name}"]
    for path in shown:
        command += ["--ro-bind", str(path), str(path)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    filtering = program()
    if filtering:
        handles.append(_in_memory(stack, filtering))
        command += ["--seccomp", str(handles[-1])]
    return command, handles


def _etc(uid: int) -> dict[str, str]:
    return {
        "passwd": f"root:x:0:0:root:/:/bin/sh\nlearner:x:{uid}:{uid}:learner:/answer:/bin/bash\n",
        "group": f"root:x:0:\nlearner:x:{uid}:\n",
        "hosts": "127.0.0.1 localhost learner\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }


def _in_memory(stack: ExitStack, content: bytes) -> int:
    handle = os.memfd_create("fargrade")
    stack.callback(os.close, handle)
    os.write(handle, content)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def parents(paths: Sequence[Path]) -> list[str]:
    """Options that make the folders above `paths`, open to all: bubblewrap alone would make them root's only."""
    above = dict.fromkeys(folder for path in paths for folder in reversed(path.parents) if folder != Path("/"))
    taken = [Path(name) for name in SYSTEM]
    made = [folder for folder in above if not any(folder.is_relative_to(one) for one in taken)]
    return [part for folder in made if str(folder) not in SIZES for part in ("--perms", "0755", "--dir", str(folder))]


def interpreter_paths() -> list[Path]:
    """What the interpreter needs beside /usr: its installation, and the environment it runs in, without the
    rest of the folder that the environment may have been made in."""
    wanted = [Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent]
    if sys.prefix != sys.base_prefix:
        wanted += [Path(sys.prefix, name) for name in ("pyvenv.cfg", "bin", "lib", "lib64")]
    wanted.append(Path(sysconfig.get_path("purelib")))
    found: list[Path] = []
    for path in wanted:
        if path.exists() and path != Path("/") and not _within(path, [Path("/usr"), *found]):
            found.append(path)
    return found


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(one) for one in folders)


def closed_to_nobody() -> list[Path]:
    """What the learner's uid could not reach if root merely dropped to it: a Python below root's home."""
    from fargrade.sandbox.inside.identity import closed_folder

    return [path for path in (*interpreter_paths(), INSIDE) if closed_folder(str(path))]


def has_capability(number: int) -> bool:
    """Whether this process holds the Linux capability now."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> number & 1)
    except OSError:
        return False
    return False


def plain_problem() -> str:
    """Why not even an unconfined process can be had here, in one sentence; "" where it can."""
    if sys.platform == "win32":
        return t("Grading needs Linux or macOS: on Windows, use WSL.")
    if not is_root():
        return ""
    if not sys.platform.startswith("linux"):
        return t("Do not grade as root here: become an ordinary user first.")
    closed = closed_to_nobody()
    if closed and not has_capability(CAP_SYS_ADMIN):
        return t(
            "Submissions never run as root, and other users cannot read {path}: grade as an ordinary user, or move "
            "the course and its Python to where everybody may read.",
            path=closed[0],
        )
    return ""


def program_search_path(*, confined: bool) -> str:
    """PATH for the learner's programs: our stand-ins first, then the environment's, then the system's.

    Unconfined, the folder of the machine's own AWS CLI is in it too, wherever that is.
    """
    folders = [str(TOOLS), os.path.join(sys.prefix, "bin"), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    aws = None if confined else shutil.which("aws")
    return os.pathsep.join(dict.fromkeys([*folders, *([os.path.dirname(aws)] if aws else [])]))


def runner_command(channel: int, *flags: str, warm: Sequence[str] = ()) -> list[str]:
    """The runner's own command line. -I: nothing of the caller's environment or folder is imported."""
    runner = str(INSIDE / "runner.py")
    return [sys.executable, "-I", "-B", runner, "--channel", str(channel), "--warm", ",".join(warm), *flags]
