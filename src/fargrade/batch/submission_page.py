"""What is written for one submission beside its result: its page, and the forms that other tools read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fargrade.batch.misconceptions import nearest
from fargrade.batch.records import Records, Result, write_atomically
from fargrade.course import Course
from fargrade.course.checks import read_checks
from fargrade.reports import github, gradescope, junit
from fargrade.reports.submission import submission_page

LEARNERS, INSTRUCTORS = "index.html", "instructor.html"
FORMS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "junit": ("junit.xml", junit.report),
    "gradescope": ("results.json", gradescope.report),
    "github": ("summary.md", github.summary),
}


def page_for_instructors(course: Course) -> str:
    """The page that shows an instructor everything: another than the learner's where some checks are hidden."""
    hidden = any(spec.hidden for item in course.items for spec in read_checks(item.grader))
    return INSTRUCTORS if hidden else LEARNERS


def guesses(course: Course, grade: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The misconception behind each failed item, where one is recognised: item → [known answer, misconception]."""
    items = {item.id: item for item in course.items}
    found = {}
    for graded in grade["items"]:
        failed = [check["id"] for check in graded["checks"] if check["status"] == "failed"]
        if not failed or not graded["begun"] or graded["id"] not in items:
            continue
        item = items[graded["id"]]
        start = f"{item.folder}/"
        own = {name[len(start) :]: content for name, content in files.items() if name.startswith(start)}
        if match := nearest(item, failed, own):
            found[item.id] = [match.name, match.why]
    return found


def write_submission(
    course: Course,
    records: Records,
    result: Result,
    grade: Mapping[str, Any] | None,
    forms: Iterable[str] = (),
) -> None:
    """Write the submission's pages and the `forms` asked for. Raises OSError."""
    folder = records.folder(result.place)
    about: dict[str, Any] = {
        "title": result.student,
        "problem": result.problem,
        "notes": [*result.notes, *result.faults],
        "guesses": {item: why for item, (_, why) in result.guesses.items()},
    }
    write_atomically(folder / LEARNERS, submission_page(grade, **about, back=page_for_instructors(course) == LEARNERS))
    if page_for_instructors(course) == INSTRUCTORS:
        write_atomically(folder / INSTRUCTORS, submission_page(grade, **about, hidden=True, back=True))
    if grade is not None:
        for form in forms:
            name, report = FORMS[form]
            write_atomically(folder / name, report(grade))
