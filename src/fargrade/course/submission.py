"""A submission's files, read once and safely: what was read is what is graded.

A submission is a folder shaped like `exercises/`. It may be hostile: links that lead out, devices and
FIFOs that block, files without end. Everything is opened without following links and without blocking,
and only regular files within the limits are taken.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fargrade.course.language import translate as t
from fargrade.course.tree import Item

MAX_FILE_BYTES = 1 << 20
MAX_ITEM_BYTES = 8 << 20
MAX_FILES = 300
MAX_DEPTH = 8
IGNORED_FOLDERS = {"__pycache__", ".git", ".venv", "node_modules", ".terraform"}
COURSE_TEXTS = ("README.md", "hints.md", "learned.md")


class AnswerProblem(Exception):
    """The learner's files cannot be graded as they are; the message is one sentence that says what to do."""


def is_course_text(name: str) -> bool:
    """Whether `name` is one of the course's own texts (README.md, hints.ru.md …), not part of an answer."""
    stem, _, rest = name.partition(".")
    return f"{stem}.md" in COURSE_TEXTS and (rest == "md" or (rest.endswith(".md") and len(rest) == 5))


@dataclass(frozen=True)
class Answer:
    """The learner's files of one item: name → content; and what was wrong with the rest."""

    item: Item
    files: Mapping[str, bytes]
    problems: Mapping[str, str] = field(default_factory=dict)

    def bytes(self, name: str) -> bytes:
        """The file's content. Raises AnswerProblem where it is missing, unreadable or empty."""
        if name in self.problems:
            raise AnswerProblem(self.problems[name])
        if name not in self.files:
            raise AnswerProblem(self.problems.get("") or self._missing(name))
        if not self.files[name].strip():
            raise AnswerProblem(t("{file} is empty: write your answer into it.", file=name))
        return self.files[name]

    def _missing(self, name: str) -> str:
        """That there is no such file, and which one was meant for it, if any looks like that."""
        end = Path(name).suffix
        others = set(self.files) - set(self.item.stub_names())
        likely = sorted(one for one in others if "/" not in one and end and Path(one).suffix == end)
        likely = get_close_matches(name, others, n=1, cutoff=0.75) or (likely if len(likely) == 1 else [])
        if likely:
            return t("{file} is missing, but there is {other}: rename it to {file}.", file=name, other=likely[0])
        return t("{file} is missing: put it into {folder}/.", file=name, folder=self.item.folder)

    def text(self, name: str) -> str:
        """The file as text. Raises AnswerProblem, also where it is not UTF-8."""
        try:
            return self.bytes(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.files[name][: error.start].count(b"\n") + 1
            raise AnswerProblem(
                t("{file} is not UTF-8 text (line {line}): save it again as UTF-8.", file=name, line=line)
            ) from None

    def json(self, name: str) -> Any:
        """The file as JSON. Raises AnswerProblem, also where it does not parse (with line and column)."""
        try:
            return json.loads(self.text(name))
        except json.JSONDecodeError as error:
            raise AnswerProblem(
                t(
                    "{file} is not valid JSON: {problem} at line {line}, column {column}.",
                    file=name,
                    problem=error.msg,
                    line=error.lineno,
                    column=error.colno,
                )
            ) from None
        except RecursionError:
            raise AnswerProblem(t("{file} is nested too deeply to be read.", file=name)) from None


@dataclass(frozen=True)
class Submission:
    """A folder shaped like exercises/, whose items can be read."""

    folder: Path

    def answer(self, item: Item) -> Answer:
        """The learner's files for `item`. Never raises: what could not be read is in `problems`."""
        reader = _Reader(item)
        where = self.folder / item.folder
        try:
            if _leads_out(self.folder, item.folder):
                reader.problems[""] = t(
                    "{folder} is a link: put the folder itself into the submission.", folder=item.folder
                )
            elif not where.exists():
                reader.problems[""] = t("There is no folder {folder} in the submission.", folder=item.folder)
            elif not where.is_dir():
                reader.problems[""] = t("{folder} should be a folder, but is a file.", folder=item.folder)
            else:
                reader.read(where, "", 0)
        except OSError as error:
            reader.problems[""] = t("{folder} cannot be read: {why}.", folder=item.folder, why=error.strerror)
        return Answer(item, reader.files, reader.problems)


def _leads_out(folder: Path, relative: str) -> bool:
    """Whether a part of `relative` below `folder` is a link (the submission's own folder may be one)."""
    step = folder
    for part in relative.split("/"):
        step = step / part
        if step.is_symlink():
            return True
    return False


class _Reader:
    """Reads one item's folder within the limits; what it refuses, it says."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.files: dict[str, bytes] = {}
        self.problems: dict[str, str] = {}
        self.total = 0

    def read(self, folder: Path, prefix: str, depth: int) -> None:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                name = prefix + entry.name
                if entry.is_symlink():
                    self.problems[name] = t("{file} is a link: put the file itself there.", file=name)
                elif entry.is_dir(follow_symlinks=False):
                    if name in self.item.stub_names():
                        self.problems[name] = t("{file} should be a file, but is a folder.", file=name)
                    elif entry.name not in IGNORED_FOLDERS and depth < MAX_DEPTH:
                        self.read(Path(entry.path), f"{name}/", depth + 1)
                elif not (depth == 0 and is_course_text(name)):
                    self._take(Path(entry.path), name)

    def _take(self, path: Path, name: str) -> None:
        try:
            name.encode("utf-8")
            content = read_regular_file(path, MAX_FILE_BYTES)
        except UnicodeEncodeError:
            return  # a name that is no text cannot be part of an answer
        except OSError as error:
            self.problems[name] = t("{file} cannot be read: {why}.", file=name, why=error.strerror or str(error))
            return
        self.total += len(content)
        if len(self.files) >= MAX_FILES or self.total > MAX_ITEM_BYTES:
            self.problems[name] = t(
                "{file} was left out: an item may hold {count} files and {size} MiB.",
                file=name,
                count=MAX_FILES,
                size=MAX_ITEM_BYTES >> 20,
            )
            return
        self.files[name] = content


def read_regular_file(path: Path, limit: int) -> bytes:
    """The content of the regular file at `path`, never through a link, never blocking on a FIFO or device.

    Raises OSError: not a regular file, larger than `limit` bytes, or what the system says.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - opened by descriptor, on purpose
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(t("it is not a regular file"))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(t("it is larger than {size} KiB", size=limit >> 10))
    return content
