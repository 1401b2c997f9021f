"""A grade.json shown in the form of another tool, in a file or where that tool looks."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from fargrade.course import CourseProblem
from fargrade.course.language import translate as t
from fargrade.reports import github, gradescope, junit


def write_form(form: str, grade_file: Path, out: str) -> int:
    """Write the grade as "github", "gradescope" or "junit" to `out`, else to standard output; returns 0.

    For GitHub, with no `out`, the summary goes to the job's own ($GITHUB_STEP_SUMMARY) and annotations are printed.
    Raises CourseProblem where there is no grade to read.
    """
    grade = _read(grade_file)
    if form == "github":
        summary = out or os.environ.get("GITHUB_STEP_SUMMARY", "")
        if summary:
            with Path(summary).open("ab") as file:
                file.write(github.summary(grade))
        else:
            sys.stdout.write(github.summary(grade).decode())
        if not out:
            print(*github.annotated(grade), sep="\n")
        return 0
    body = gradescope.report(grade) if form == "gradescope" else junit.report(grade)
    if out:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_bytes(body)
    else:
        sys.stdout.buffer.write(body + b"\n")
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        grade = json.loads(path.read_text(encoding="utf-8"))
        return dict(grade) if grade["schema"] == 1 else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseProblem(
            t("{file} is no grade.json: {why}", file=path, why=getattr(error, "strerror", "") or error)
        ) from None
