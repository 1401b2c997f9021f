"""The course as the tree says it: items, their order and their texts. There is no registry to keep in step.

An item is a folder `exercises/weekN/NN_slug/`; its number, slug and week are its path, its title is the
first heading of its brief.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fargrade.course.language import SOURCE_LANGUAGE, current_language
from fargrade.course.language import translate as t

WEEK_FOLDER = re.compile(r"week(\d+)")
ITEM_FOLDER = re.compile(r"(\d\d)_([a-z0-9_]+)")
TEXT_NAMES = ("README", "hints", "learned")
COURSE_VARIABLE = "FARGRADE_COURSE"


class CourseProblem(Exception):
    """Something asked of the course is not there; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Item:
    """One item of the course, by its place in the tree."""

    root: Path
    week: int
    number: int
    slug: str

    @property
    def id(self) -> str:
        """As the catalogue writes it: week.number, e.g. "1.6"."""
        return f"{self.week}.{self.number}"

    @property
    def name(self) -> str:
        """The folder's name, e.g. "06_lifecycle"."""
        return f"{self.number:02}_{self.slug}"

    @property
    def folder(self) -> str:
        """Where the item stands below exercises/, solutions/ or a submission: "week1/06_lifecycle"."""
        return f"week{self.week}/{self.name}"

    @property
    def exercise(self) -> Path:
        return self.root / "exercises" / self.folder

    @property
    def solution(self) -> Path:
        return self.root / "solutions" / self.folder

    @property
    def grader(self) -> Path:
        return self.root / "graders" / f"week{self.week}" / f"test_{self.name}.py"

    @property
    def answers(self) -> Path:
        return self.root / "graders" / f"week{self.week}" / "answers" / self.name

    @property
    def title(self) -> str:
        """The brief's first heading, without its number, in the current language."""
        for line in self.text("README").splitlines():
            if line.startswith("#"):
                return re.sub(r"^#+\s*(\d+\.\d+)?\s*[·:.—–-]*\s*", "", line).strip()
        return self.slug

    def text(self, name: str, language: str | None = None) -> str:
        """A text of the item ("README", "hints", "learned") in `language`, else in English, else ""."""
        language = language or current_language()
        for suffix in (f".{language}.md", ".md") if language != SOURCE_LANGUAGE else (".md",):
            path = self.exercise / f"{name}{suffix}"
            if path.is_file():
                return path.read_text(encoding="utf-8")
        return ""

    def hints(self) -> list[str]:
        """The steps of hints.md, one per `## ` heading, from a nudge to nearly the answer."""
        return [step.strip() for step in re.split(r"^## ", self.text("hints"), flags=re.M)[1:]]

    def stub_names(self) -> list[str]:
        """The files a learner edits: what the solution holds, as paths below the item's folder."""
        # What learners get has no solutions; there the stub kept for the grader has the same names (`make verify`).
        return sorted(relative_files(self.solution if self.solution.is_dir() else self.answers / "stub"))


@dataclass(frozen=True)
class Course:
    """The course rooted at `root`, the folder that holds exercises/, solutions/ and graders/."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """The course at $FARGRADE_COURSE, or at or above `start` (default: here). Raises CourseProblem."""
        named = os.environ.get(COURSE_VARIABLE)
        here = Path(named) if named else (start or Path.cwd())
        for folder in [here, *here.resolve().parents]:
            if (folder / "exercises").is_dir() and (folder / "graders").is_dir():
                return cls(folder.resolve())
        raise CourseProblem(
            t(
                "There is no course here: run this in the folder that holds exercises/ and graders/, "
                "or set {variable} to it.",
                variable=COURSE_VARIABLE,
            )
        )

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Every item, in the order of the catalogue."""
        found = [
            Item(self.root, int(week[1]), int(number[1]), number[2])
            for week_folder in (self.root / "exercises").iterdir()
            if (week := WEEK_FOLDER.fullmatch(week_folder.name)) and week_folder.is_dir()
            for folder in week_folder.iterdir()
            if (number := ITEM_FOLDER.fullmatch(folder.name)) and folder.is_dir()
        ]
        return tuple(sorted(found, key=lambda item: (item.week, item.number)))

    @property
    def weeks(self) -> list[int]:
        return sorted({item.week for item in self.items})

    def select(self, *, week: str | None = None, item: str | None = None) -> list[Item]:
        """The items of `week` ("1") and/or the one called `item` ("1.6", "lifecycle" or "06_lifecycle").

        Raises CourseProblem for a week or item that is not there.
        """
        chosen = list(self.items)
        if week:
            chosen = [one for one in chosen if str(one.week) == week.strip()]
            if not chosen:
                raise CourseProblem(
                    t(
                        "There is no week {week}: choose one of {weeks}.",
                        week=week,
                        weeks=", ".join(map(str, self.weeks)),
                    )
                )
        if item:
            named = [one for one in chosen if item.strip() in (one.id, one.slug, one.name, one.folder)]
            if not named:
                raise CourseProblem(
                    t(
                        "There is no item {item}: choose one of {items}.",
                        item=item,
                        items=", ".join(one.id for one in chosen),
                    )
                )
            chosen = named
        return chosen

    def item_of_grader(self, grader: Path) -> Item | None:
        """The item that `grader` grades, or None where it is no item's grader."""
        return next((item for item in self.items if item.grader == grader), None)


def relative_files(folder: Path) -> Iterator[str]:
    """The regular files below `folder`, as posix paths relative to it, leaving out caches."""
    if not folder.is_dir():
        return
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()
