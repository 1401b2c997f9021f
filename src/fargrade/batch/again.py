"""From what a batch wrote: one submission graded again as it was, and the gradebook made anew."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console

from fargrade.batch.classbook import write_class
from fargrade.batch.policy import read_policy
from fargrade.batch.records import Records, Result, Settings
from fargrade.batch.version import course_version
from fargrade.course import Course, CourseProblem
from fargrade.course.language import translate as t
from fargrade.course.language import use_language
from fargrade.run import Request, grade


def replay(course: Course, out: Path, student: str, item: str) -> int:
    """Grade the submission again with the batch's seed, language and confinement; returns the exit status.

    Raises CourseProblem where the batch or the submission is not there.
    """
    records, settings = _opened(out)
    result = _find(_results(records), student)
    terms = settings.terms
    use_language(terms.language)
    if course_version(course) != terms.course:
        print(t("The course has changed since the batch: this run need not come out the same."))
    folder = records.folder(result.place) / "files"
    if not any(folder.glob("week*")):
        raise CourseProblem(t("There are no files of {student} to grade.", student=student))
    chosen = [one for one in course.select(item=item) if one.id in terms.items]
    request = Request(
        submission=str(folder),
        seed=str(terms.seed),
        lang=terms.language,
        confine=terms.confine,
        containers=terms.containers,
        job_seconds=f"{terms.job_seconds:g}" if terms.job_seconds else "",
        replay=" ".join(
            f"{name}={shlex.quote(str(value))}" if value else name
            for name, value in (("make replay", ""), ("out", out), ("student", student), ("item", item))
            if value or name.startswith("make")
        ),
    )
    return grade(course, chosen, request)


def gradebook(course: Course, out: Path, policy: Path | None) -> int:
    """Make the gradebook of the batch in `out` anew; returns the exit status. Raises CourseProblem."""
    records, settings = _opened(out)
    beside = Path(settings.submissions) / "course.toml"
    read = read_policy(policy or (beside if beside.is_file() else None), course)
    places = [result.place for result in _results(records)]
    rows = write_class(course, records, settings, read, places, {}, {}, Console(highlight=False))
    return 0 if {row.status for row in rows} == {"passed"} else 1


def _opened(out: Path) -> tuple[Records, Settings]:
    records = Records(out)
    settings = records.settings()
    if settings is None:
        raise CourseProblem(t("{folder} holds no batch: name the folder that make batch wrote.", folder=out))
    return records, settings


def _results(records: Records) -> list[Result]:
    places = sorted(path.parent.name for path in records.out.glob("submissions/*/result.json"))
    return [result for place in places if (result := records.result(place))]


def _find(results: list[Result], student: str) -> Result:
    for result in results:
        if student in (result.student, result.place):
            return result
    names = ", ".join(result.student for result in results[:12])
    raise CourseProblem(t("There is no submission {student}: choose one of {names}.", student=student, names=names))
