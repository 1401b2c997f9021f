"""The table of what is judged where: item by backend, read from the graders and written between markers in the docs.

Nothing in it is claimed by hand: points by evidence come from the checks' own marks, what LocalStack has from the
services that a grader names, what makes sense on an account from its ACCOUNT_DOLLARS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from fargrade.backends.lacking import PLANS
from fargrade.course import Course, Item
from fargrade.course.checks import account_dollars, not_on_an_account, read_checks
from fargrade.verdict import Evidence
from fargrade.workbench import services_of

BEGIN, END = "<!-- backends: written by `make table` -->", "<!-- end of backends -->"
FILES = ("README.md", "docs/backends.md")
ORDER = ("Hobby", "Base", "Ultimate")
# What a grader does that only the embedded world can; a check that needs it elsewhere is not judged.
EMBEDDED_ONLY = {
    "advance": "a clock that moves",
    "docker_log": "the course's docker",
    "seed_findings": "chosen scan findings",
    "request": "a load balancer that serves",
    "load": "load curves",
    "task_environment": "the credentials of a task",
}
HEAD = (
    "| item | state | behaviour | container | LocalStack or an endpoint | real account |",
    "|---|---|---|---|---|---|",
)


def table(course: Course) -> str:
    """The table in Markdown: points by evidence, and the other backends."""
    return "\n".join([*HEAD, *(_row(item) for item in course.items if item.grader.is_file())])


def _row(item: Item) -> str:
    points = dict.fromkeys(get_args(Evidence), 0.0)
    for check in read_checks(item.grader):
        points[check.evidence] += check.points
    cells = [f"{item.id} {item.slug.replace('_', ' ')}"]
    cells += [f"{points[kind]:g}" if points[kind] else "–" for kind in ("state", "behaviour", "container")]
    cells += [_endpoint(item), _account(item)]
    return f"| {' | '.join(cells)} |"


def _endpoint(item: Item) -> str:
    source = item.grader.read_text(encoding="utf-8")
    services = services_of([item])
    if not services and "world" not in source:
        return "yes: no AWS needed"
    plans = {PLANS[one] for one in services if one in PLANS}
    plan = max(plans, key=ORDER.index) if plans else ORDER[0]
    lacks = _embedded_only(source)
    pushed_long_ago = ["images of the past"] if re.search(r"pushed_at=|behaviour=\{", source) else []
    needs = lacks + pushed_long_ago
    return f"plan {plan}" + (f"; not what needs {', '.join(needs)}" if needs else "")


def _account(item: Item) -> str:
    dollars = account_dollars(item.grader)
    if dollars is not None:
        return f"yes, about ${dollars:.2f}"
    source = item.grader.read_text(encoding="utf-8")
    if "world" not in source:
        return "yes: makes nothing"
    why = not_on_an_account(item.grader) or ", ".join(_embedded_only(source))
    return f"no: {why}" if not_on_an_account(item.grader) else f"no: takes {why}"


def _embedded_only(source: str) -> list[str]:
    """What the grader does that only the embedded world can."""
    return [said for name, said in EMBEDDED_ONLY.items() if re.search(rf"\bworld\.{name}\(", source)]


def written(text: str, made: str) -> str:
    """`text` with the table between its markers replaced; unchanged where it has none."""
    pattern = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.S)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{made}\n\n{END}", text)


def write(course: Course, files: Iterable[str] = FILES) -> list[Path]:
    """Write the table where the markers are; returns the files that changed."""
    changed = []
    for name in files:
        path = course.root / name
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        after = written(before, table(course))
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed
