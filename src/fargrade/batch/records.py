"""The folder a batch writes: each result is whole on disk the moment it is there, and is found again.

out/batch.json                        how everything was graded
out/submissions/PLACE/result.json     what became of one submission: written last, so that it vouches for the rest
out/submissions/PLACE/grade.json      the grading, as `make grade` writes it
out/submissions/PLACE/files/          what was graded, as it was read: regular files of the course's items, no others
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from fargrade.batch.task import Terms
from fargrade.course import CourseProblem
from fargrade.course.language import translate as t

SCHEMA = 1
Kind = Literal["graded", "refused", "fault"]


@dataclass(frozen=True)
class Result:
    """What became of one submission.

    `graded`; `refused`: it could not be taken in, and `problem` says why; `fault`: ours, wholly or for the items
    `lost`, so that a later run tries again.
    """

    student: str
    place: str
    kind: Kind
    key: str
    source: str
    form: str = ""
    digest: str = ""
    handed_in: float = 0.0
    graded_at: float = 0.0
    seconds: float = 0.0
    problem: str = ""
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    guesses: Mapping[str, list[str]] = field(default_factory=dict)  # item → known wrong answer, misconception
    schema: int = SCHEMA


@dataclass(frozen=True)
class Settings:
    """What out/batch.json says."""

    terms: Terms
    submissions: str
    confined: bool
    started: float
    schema: int = SCHEMA
    versions: Mapping[str, str] = field(default_factory=dict)


def key_of(digest: str, terms: Terms) -> str:
    """What makes a result this submission's under these terms: any change of either makes another."""
    return sha256(json.dumps([digest, asdict(terms)], sort_keys=True).encode()).hexdigest()


class Records:
    """The folder `out`."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def prepare(self) -> None:
        """Make the folder. Raises CourseProblem where it cannot be written."""
        try:
            (self.out / "submissions").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.out):
                return
        except OSError as error:
            raise CourseProblem(
                t("{folder} cannot be written ({why}): name another with out=DIR.", folder=self.out, why=error.strerror)
            ) from None

    def folder(self, place: str) -> Path:
        """Where the submission's results are."""
        return self.out / "submissions" / place

    def settings(self) -> Settings | None:
        """Of the batch that wrote here last; None where none did."""
        told = self._json(self.out / "batch.json")
        if told is None or told.get("schema") != SCHEMA:
            return None
        return Settings(**{**told, "terms": Terms.from_json(told["terms"])})

    def keep_settings(self, settings: Settings) -> None:
        """Write them. Raises OSError."""
        write_json(self.out / "batch.json", asdict(settings))

    def result(self, place: str) -> Result | None:
        """The submission's result; None where there is none that can be read."""
        told = self._json(self.folder(place) / "result.json")
        if told is None or told.get("schema") != SCHEMA:
            return None
        return Result(**{**told, **{name: tuple(told[name]) for name in ("notes", "faults", "lost")}})

    def grade(self, place: str) -> dict[str, Any] | None:
        """The submission's grade.json; None where there is none."""
        return self._json(self.folder(place) / "grade.json")

    def files(self, place: str) -> dict[str, bytes]:
        """What was graded, by name."""
        top = self.folder(place) / "files"
        return {
            path.relative_to(top).as_posix(): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def keep_files(self, place: str, files: Mapping[str, bytes]) -> None:
        """Write what is graded, in place of what was there. Raises OSError."""
        folder = self.folder(place)
        folder.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".files.", dir=folder))
        try:
            for name, content in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
            new.chmod(0o755)
            shutil.rmtree(folder / "files", ignore_errors=True)
            new.rename(folder / "files")
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def keep(self, result: Result, grade: dict[str, Any] | None) -> None:
        """Write a result, whole or not at all. Raises OSError."""
        folder = self.folder(result.place)
        folder.mkdir(parents=True, exist_ok=True)
        if grade is not None:
            write_json(folder / "grade.json", grade)
        else:
            (folder / "grade.json").unlink(missing_ok=True)
        write_json(folder / "result.json", asdict(result))

    def _json(self, path: Path) -> dict[str, Any] | None:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) else None


def write_json(path: Path, content: Any) -> None:
    """Write JSON that any reader takes, atomically. Raises OSError."""
    write_atomically(path, (json.dumps(plain_text(content), ensure_ascii=False, indent=1) + "\n").encode())


def write_atomically(path: Path, body: bytes) -> None:
    """Write `body`; a reader, and a machine that loses power, sees the old file or the new. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def plain_text(value: Any) -> Any:
    """The value with every half surrogate replaced: JSON with one in it is no JSON to most readers."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
    if isinstance(value, dict):
        return {plain_text(name): plain_text(one) for name, one in value.items()}
    return [plain_text(one) for one in value] if isinstance(value, list | tuple) else value
