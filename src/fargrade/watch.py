"""`make watch`: grades again what a save touched, and only that, with everything kept warm.

The folder is watched, not the file: editors save by writing in place, by renaming a temporary file over the old
one, or by deleting and making anew, and all of these are a change in the folder.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from watchfiles import DefaultFilter
from watchfiles import watch as changes_in

from fargrade.course import Course, CourseProblem, Item
from fargrade.course.language import translate as t
from fargrade.course.submission import is_course_text
from fargrade.run import Request, grade
from fargrade.workbench import close_workbench, keep_workbench

SETTLE_MILLISECONDS = 25  # an editor's rename and chmod come within it; a person does not notice it
# What watchfiles' own filter lets through: vim's trial file, Emacs' locks and auto-saves, kate's swap files.
EDITORS_OWN = re.compile(r"4913|\.?#.*|\..*\.kate-swp|___jb_\w+___")
CLEAR = "\x1b[2J\x1b[H"


def watch(course: Course, items: Sequence[Item], request: Request) -> int:
    """Grade `items` once, then whatever a save touches, until interrupted. Returns 0.

    Raises CourseProblem where there is no folder to watch.
    """
    folder = (Path(request.submission) if request.submission else course.root / "exercises").absolute()
    if not folder.is_dir():
        raise CourseProblem(t("There is no folder {folder}: name the folder to grade.", folder=folder))
    keep_workbench()
    try:
        _grade(course, items, request, watched=items)
        settle()
        for touched in saves(folder, items):
            again = request.only(touched[0]) if len(touched) == 1 else request
            _grade(course, touched, replace(again, reports=""), watched=items)
    except KeyboardInterrupt:
        print()
    finally:
        close_workbench()
    return 0


def settle() -> None:
    """What the first grading made stays: looking through it for garbage is a tenth of every later one."""
    gc.collect()
    gc.freeze()


def saves(folder: Path, items: Sequence[Item]) -> Iterable[list[Item]]:
    """The items that each save below `folder` touched, as it happens."""
    for changes in changes_in(
        folder,
        watch_filter=DefaultFilter(),
        debounce=SETTLE_MILLISECONDS,
        step=10,
        raise_interrupt=True,
    ):
        touched = touched_items(folder, items, (path for _, path in changes))
        if touched:
            yield touched


def touched_items(folder: Path, items: Sequence[Item], paths: Iterable[str]) -> list[Item]:
    """The items whose answers stand at `paths`."""
    relative = [Path(path).relative_to(folder).as_posix() for path in paths if Path(path).is_relative_to(folder)]
    return [
        item
        for item in items
        if any(
            name == item.folder or (name.startswith(f"{item.folder}/") and _may_be_answer(name.rpartition("/")[2]))
            for name in relative
        )
    ]


def _may_be_answer(name: str) -> bool:
    """A brief or a hint is no answer, and neither is what editors keep beside a file while they have it open."""
    return not is_course_text(name) and not EDITORS_OWN.fullmatch(name)


def _grade(course: Course, items: Sequence[Item], request: Request, *, watched: Sequence[Item]) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(CLEAR)
    grade(course, items, request)
    print(t("Waiting for a save in {items}; Ctrl-C ends it.", items=_span(watched)), flush=True)


def _span(items: Sequence[Item]) -> str:
    return ", ".join(item.folder for item in items) if len(items) < 3 else t("{count} items", count=len(items))
