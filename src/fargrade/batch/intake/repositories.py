"""Reads a git repository or bundle, whose configuration and hooks are the learner's and are never used.

Only objects and references are taken over, into a bare repository of ours (git's own CVE-2022-24765 is what comes
of trusting a stranger's .git/config), and read with plumbing that runs no filter, hook, pager or fsmonitor.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fargrade.batch.intake.limits import FILE_BYTES, GIT_BYTES, GIT_SECONDS, Refused
from fargrade.batch.intake.unpacking import Unpacking
from fargrade.course.language import translate as t

ALWAYS = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.packedGitLimit=128m"),
    *("-c", "core.bigFileThreshold=4m"),
    *("-c", "protocol.allow=never"),
    *("-c", "gc.auto=0"),
)
HEAD = re.compile(r"ref: refs/heads/[A-Za-z0-9][A-Za-z0-9._/-]*|[0-9a-f]{40}|[0-9a-f]{64}")
ROW = re.compile(rb"(\d{6}) (blob|commit|tree) ([0-9a-f]+) +(\d+|-)\t(.*)", re.S)


def is_repository(folder: Path) -> bool:
    """Whether `folder` is a repository without files beside it: a bare one, or the inside of a .git."""
    return all((folder / name).is_dir() for name in ("objects", "refs")) and (folder / "HEAD").is_file()


def unpack_repository(git_folder: Path, into: Unpacking) -> None:
    """Unpack the last commit of the repository at `git_folder` (bare, or a .git). Raises Refused."""
    _need_git()
    with _ours() as ours:
        _copy_objects(git_folder, ours)
        _unpack_head(ours, into)


def unpack_bundle(path: Path, into: Unpacking) -> None:
    """Unpack the last commit of a `git bundle`. Raises Refused."""
    _need_git()
    with _ours() as ours:
        _git(ours, "bundle", "unbundle", str(path.absolute()))
        said = _git(ours, "bundle", "list-heads", str(path.absolute())).decode("utf-8", "replace")
        heads = {name: oid for oid, _, name in (line.partition(" ") for line in said.splitlines())}
        for name in ("HEAD", "refs/heads/main", "refs/heads/master", *sorted(heads)):
            if re.fullmatch(r"[0-9a-f]{40,64}", heads.get(name, "")):
                (ours / "HEAD").write_text(heads[name] + "\n")
                _unpack_head(ours, into)
                return
    raise Refused(t("The bundle holds no branch."))


def _need_git() -> None:
    if shutil.which("git") is None:
        raise Refused(t("It is a git repository, and this machine has no git: install it."))


@contextmanager
def _ours() -> Iterator[Path]:
    """An empty bare repository of our own making."""
    with tempfile.TemporaryDirectory(prefix="fargrade-git-") as made:
        ours = Path(made) / "repository"
        _git(Path(made), "init", "--quiet", "--bare", "--template=", str(ours))
        yield ours


def _copy_objects(source: Path, ours: Path) -> None:
    """Take over objects and references: regular files only, and no way to another repository's objects."""
    budget = GIT_BYTES
    for top in ("objects", "refs"):
        for root, folders, files in os.walk(source / top, followlinks=False):
            relative = Path(root).relative_to(source)
            if relative == Path("objects/info"):
                folders.clear()
                continue
            for name in files:
                path = Path(root, name)
                found = path.lstat()
                budget -= found.st_size
                if budget < 0:
                    raise Refused(t("Its history is larger than {size} MiB.", size=GIT_BYTES >> 20))
                if stat.S_ISREG(found.st_mode):
                    (ours / relative).mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, ours / relative / name, follow_symlinks=False)
    for name in ("packed-refs", "HEAD"):
        path = source / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < (8 << 20):
            shutil.copyfile(path, ours / name, follow_symlinks=False)
    if not HEAD.fullmatch((ours / "HEAD").read_text(encoding="utf-8", errors="replace").strip()):
        raise Refused(t("Its HEAD names no branch."))


def _unpack_head(ours: Path, into: Unpacking) -> None:
    commit = _commit(ours)
    with _running(ours, "cat-file", "--batch") as reader:
        for mode, oid, size, name in _tree(ours, commit):
            into.count()
            wanted = into.wanted(name)
            if not wanted:
                continue
            if mode not in (b"100644", b"100755"):
                into.leave_out(wanted, t("no regular file (a link, a device), left out"))
            elif size > FILE_BYTES:
                into.leave_out(wanted, t("larger than {size} KiB, left out", size=FILE_BYTES >> 10))
            else:
                content = _blob(reader, oid)
                into.take(wanted, lambda most, content=content: content[:most])  # type: ignore[misc]


def _commit(ours: Path) -> str:
    """The commit that HEAD names, else that of the only branch."""
    said = _git(ours, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).decode().strip()
    if said:
        return said
    branches = _git(ours, "for-each-ref", "--format=%(objectname)", "refs/heads").decode().split()
    if len(set(branches)) != 1:
        raise Refused(t("It is a git repository without a commit to grade (HEAD names none)."))
    return branches[0]


def _tree(ours: Path, commit: str) -> Iterator[tuple[bytes, bytes, int, str]]:
    """(mode, object, size, path) of everything in the commit's tree, as it is found."""
    with _running(ours, "ls-tree", "-r", "-l", "-z", "--full-tree", commit) as lister:
        rest = b""
        assert lister.stdout is not None
        while part := lister.stdout.read(1 << 16):
            *rows, rest = (rest + part).split(b"\0")
            for row in rows:
                found = ROW.fullmatch(row)
                if found:
                    size = 0 if found[4] == b"-" else int(found[4])
                    yield found[1], found[3], size, found[5].decode("utf-8", "surrogateescape")


def _blob(reader: subprocess.Popen[bytes], oid: bytes) -> bytes:
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(oid + b"\n")
    reader.stdin.flush()
    header = reader.stdout.readline().split()
    if len(header) != 3 or not header[2].isdigit():
        raise Refused(t("Its history is damaged: an object is missing."))
    content = _exactly(reader.stdout, int(header[2]))
    reader.stdout.read(1)
    return content


def _exactly(stream: IO[bytes], size: int) -> bytes:
    if size > FILE_BYTES:
        raise Refused(t("Its history is damaged: an object is larger than it says."))
    return stream.read(size)


@contextmanager
def _running(ours: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        ["git", *ALWAYS, *arguments],
        cwd=ours,
        env=_environment(ours),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _git(ours: Path, *arguments: str, check: bool = True) -> bytes:
    try:
        ran = subprocess.run(
            ["git", *ALWAYS, *arguments],
            cwd=ours,
            env=_environment(ours),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(t("git did not finish reading it.")) from None
    if check and ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Refused(t("git cannot read it: {why}", why=said[-1][:200] if said else ran.returncode))
    return ran.stdout


def _environment(ours: Path) -> dict[str, str]:
    """git without anybody's configuration: not this machine's, not the grader's, not the learner's."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(ours.parent),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        **({"GIT_DIR": str(ours)} if (ours / "HEAD").exists() else {}),
    }
