"""The entries of the folder of submissions: one a learner."""

from __future__ import annotations

import re
import stat
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fargrade.course import CourseProblem
from fargrade.course.language import translate as t

ARCHIVE_ENDS = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tzst|bundle|git|rar|7z|tar\.(gz|bz2|xz|lzma|zst))$", re.IGNORECASE)
NOT_SUBMISSIONS = {"course.toml", "times.csv"}
PLAIN = re.compile(r"[^\w.@+-]+")


@dataclass(frozen=True)
class Entry:
    """One submission as it was handed in. `student` is its name, `place` the same as a folder's name of ours."""

    student: str
    place: str
    path: Path
    handed_in: float


def entries(folder: Path) -> list[Entry]:
    """What is in the folder of submissions, by name. Raises CourseProblem: there is no such folder, or none in it."""
    if not folder.is_dir():
        raise CourseProblem(t("There is no folder {folder}: name the folder of submissions.", folder=folder))
    found = [path for path in sorted(folder.iterdir()) if not _is_aside(path)]
    if not found:
        raise CourseProblem(t("{folder} holds no submission: each is a folder or an archive in it.", folder=folder))
    names = [_student(path) for path in found]
    students = [path.name if names.count(name) > 1 else name for name, path in zip(names, found, strict=True)]
    places: set[str] = set()
    made = []
    for student, path in zip(students, found, strict=True):
        place = place_of(student, places)
        places.add(place.casefold())
        made.append(Entry(_text(student), place, path, path.lstat().st_mtime))
    return made


def _is_aside(path: Path) -> bool:
    return path.name.startswith(".") or path.name in NOT_SUBMISSIONS or path.name == "__MACOSX"


def _student(path: Path) -> str:
    folder = stat.S_ISDIR(path.lstat().st_mode)
    return path.name if folder and not path.name.endswith(".git") else ARCHIVE_ENDS.sub("", path.name) or path.name


def _text(name: str) -> str:
    """The name as text that any file can hold: what is no UTF-8 is shown as such."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def place_of(student: str, taken: set[str]) -> str:
    """A folder's name for `student`, on any system: never one of `taken`, which are casefolded."""
    plain = PLAIN.sub("_", unicodedata.normalize("NFC", _text(student))).strip("._")[:60]
    if plain == student and plain.casefold() not in taken:
        return plain
    digest = sha256(student.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest
