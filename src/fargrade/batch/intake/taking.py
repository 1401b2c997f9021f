"""From what was handed in to the files that are graded."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fargrade.batch.intake import archives, repositories
from fargrade.batch.intake.limits import ARCHIVE_BYTES, NESTED, WANTED_BYTES, Notes, Refused
from fargrade.batch.intake.unpacking import Unpacking, shown
from fargrade.course import Course, Submission
from fargrade.course.language import translate as t

DEPTH = 3
MOST_FOLDERS = 2000
WEEK = re.compile(r"week\d+")


@dataclass(frozen=True)
class TakenIn:
    """What is graded: files below exercises/ ("week1/05_scanning/scanning.py"), and notes on what is not."""

    kind: str
    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Of the files and of the notes, and of nothing else: packed anew, a submission is unchanged."""
        sum_ = sha256()
        for name, content in sorted(self.files.items()):
            sum_.update(f"{len(name.encode())} {len(content)} ".encode() + name.encode() + content)
        sum_.update("\n".join(self.notes).encode())
        return sum_.hexdigest()


def take_in(course: Course, path: Path) -> TakenIn:
    """The submission at `path`, whatever it is. Raises Refused, with one sentence."""
    notes = Notes()
    try:
        with tempfile.TemporaryDirectory(prefix="fargrade-intake-", ignore_cleanup_errors=True) as made:
            kind, root = _opened(path, Path(made), notes, 0)
            files = _answers(course, root, notes)
    except OSError as error:
        raise Refused(t("It cannot be read: {why}.", why=error.strerror or error)) from None
    if sum(map(len, files.values())) > WANTED_BYTES:
        raise Refused(t("Its answers are larger than {size} MiB.", size=WANTED_BYTES >> 20))
    if notes.more:
        notes.said.append(t("… and {count} more remarks like these.", count=notes.more))
    return TakenIn(kind, files, tuple(notes.said))


def _opened(path: Path, workspace: Path, notes: Notes, depth: int) -> tuple[str, Path]:
    """What `path` is, and the folder shaped like exercises/ in it."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise Refused(t("It is a link: hand in the folder or archive itself."))
    if stat.S_ISDIR(mode):
        return _folder(path, workspace, notes, depth)
    if not stat.S_ISREG(mode):
        raise Refused(t("It is neither a folder nor an archive."))
    if path.stat().st_size > ARCHIVE_BYTES:
        raise Refused(t("The archive is larger than {size} MiB.", size=ARCHIVE_BYTES >> 20))
    if path.stat().st_size == 0:
        raise Refused(t("The file is empty."))
    return _archive(path, workspace, notes)


def _folder(path: Path, workspace: Path, notes: Notes, depth: int) -> tuple[str, Path]:
    root = _shaped(path)
    if root is not None:
        return "folder", root
    for git_folder in (path, path / ".git"):
        if not git_folder.is_symlink() and repositories.is_repository(git_folder):
            target = workspace / "repository"
            target.mkdir()
            repositories.unpack_repository(git_folder, Unpacking(target, notes))
            return "repository", _found_in(target)
    inside = [one for one in sorted(path.iterdir()) if not one.name.startswith(".")]
    archived = [one for one in inside if stat.S_ISREG(one.lstat().st_mode) and archives.kind_of(one)]
    if len(archived) == 1 and depth < NESTED:
        return _opened(archived[0], workspace, notes, depth + 1)
    raise _shapeless()


def _archive(path: Path, workspace: Path, notes: Notes) -> tuple[str, Path]:
    unpack = {
        "zip": archives.unpack_zip,
        "tar": archives.unpack_tar,
        "bundle": repositories.unpack_bundle,
    }
    kind = archives.kind_of(path)
    if not kind:
        raise Refused(t("It is neither a folder nor an archive that can be opened (zip, tar, git bundle)."))
    target = workspace / kind
    target.mkdir()
    unpack[kind](path, Unpacking(target, notes))
    return kind, _found_in(target)


def _found_in(target: Path) -> Path:
    root = _shaped(target)
    if root is None:
        raise _shapeless()
    return root


def _shapeless() -> Refused:
    return Refused(t("It holds no week1/…: hand in the exercises folder itself, or one that holds it."))


def _shaped(top: Path) -> Path | None:
    """The folder at or below `top` that holds weeks. The shallowest, and of several the one called exercises.

    Raises Refused where there is no telling which of several is meant.
    """
    level = [top]
    seen = 0
    for _ in range(DEPTH + 1):
        holding = [folder for folder in level if _holds_weeks(folder)]
        named = [folder for folder in holding if folder.name == "exercises"]
        if len(holding) == 1 or len(named) == 1:
            return (named or holding)[0]
        if holding:
            both = ", ".join(shown(str(folder.relative_to(top))) for folder in holding[:3])
            raise Refused(t("It holds several folders of weeks ({folders}): hand in one.", folders=both))
        level = [below for folder in level for below in _folders(folder)]
        seen += len(level)
        if seen > MOST_FOLDERS:
            break
    return None


def _holds_weeks(folder: Path) -> bool:
    return any(WEEK.fullmatch(one.name) for one in _folders(folder))


def _folders(folder: Path) -> list[Path]:
    """The folders in `folder`, links and hidden ones left out."""
    try:
        with os.scandir(folder) as found:
            return sorted(
                Path(one.path) for one in found if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")
            )
    except OSError:
        return []


def _answers(course: Course, root: Path, notes: Notes) -> dict[str, bytes]:
    """The answers to the course's items, as `Submission` reads them: one way for home and batch."""
    submission = Submission(root)
    files: dict[str, bytes] = {}
    for item in course.items:
        answer = submission.answer(item)
        files |= {f"{item.folder}/{name}": content for name, content in answer.files.items()}
        if os.path.lexists(root / item.folder):
            for problem in answer.problems.values():
                notes.add(f"{item.id}: {_plain(problem)}")
    if not files:
        notes.add(t("It holds no file of any item."))
    return files


def _plain(sentence: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in sentence)[:300]
