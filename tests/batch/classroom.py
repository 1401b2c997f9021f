"""What the tests of the batch share: a small course, submissions to it, and the command that grades them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fargrade.course import Course

ROOT = Path(__file__).resolve().parents[2]
SLUGS = ("02_repository", "04_push", "06_lifecycle")


def small_course(where: Path, names: Iterable[str] = SLUGS) -> Course:
    """Some of the course's items, as a course of its own."""
    for name in names:
        for top in ("exercises", "solutions"):
            shutil.copytree(ROOT / top / "week1" / name, where / top / "week1" / name)
        graders = where / "graders" / "week1"
        graders.mkdir(parents=True, exist_ok=True)
        for path in (ROOT / "graders" / "week1").glob(f"test_{name}.*"):
            shutil.copy(path, graders)
        shutil.copytree(ROOT / "graders" / "week1" / "answers" / name, graders / "answers" / name)
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, where)
    return Course(where.resolve())


@dataclass(frozen=True)
class Ran:
    """A batch that ran to its end: its exit status, what it printed, and the folder it wrote."""

    status: int
    said: str
    out: Path

    def book(self) -> dict[str, dict[str, Any]]:
        """The gradebook's rows by learner."""
        path = self.out / "gradebook.json"
        assert path.exists(), self.said
        told = json.loads(path.read_text(encoding="utf-8"))
        return {row["student"]: row for row in told["submissions"]}

    def grade(self, student: str) -> dict[str, Any]:
        """grade.json of a submission."""
        folder = self.out / self.book()[student]["folder"]
        found: dict[str, Any] = json.loads((folder / "grade.json").read_text(encoding="utf-8"))
        return found

    def item(self, student: str, item: str) -> dict[str, Any]:
        """An item's result of a submission."""
        return next(one for one in self.grade(student)["items"] if one["id"] == item)


Batch = Callable[..., Ran]


def command(submissions: Path, out: Path, *more: str) -> list[str]:
    """The command line of a batch."""
    where = ["--submissions", str(submissions), "--out", str(out)]
    return [sys.executable, "-m", "fargrade.cli", "batch", *where, *more]


def environment(course: Course) -> dict[str, str]:
    return {**os.environ, "FARGRADE_COURSE": str(course.root), "FARGRADE_LANG": "en", "COLUMNS": "200"}


def run_batch(course: Course, submissions: Path, out: Path, *more: str, seconds: float = 300) -> Ran:
    """Run a batch as its own process."""
    ran = subprocess.run(
        command(submissions, out, *more),
        env=environment(course),
        cwd=course.root,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout + ran.stderr, out)


def hand_in(course: Course, folder: Path, *, answers: str = "solutions", **files: bytes) -> Path:
    """A submission: the solutions (or "exercises": untouched stubs), with `files` by item slug over them."""
    shutil.copytree(course.root / answers, folder)
    for item in course.items:
        if item.slug in files:
            (folder / item.folder / item.stub_names()[0]).write_bytes(files[item.slug])
    return folder
