"""The result model: what a check, an item and a whole grading came to, and its JSON form.

Three values only (design.md, promise 4): *passed*, *failed*, *not judged*. Not judged is never
passed and never failed; it takes its points out of what the mark is out of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = 1

Status = Literal["passed", "failed", "not_judged"]
Evidence = Literal["state", "behaviour", "container", "account"]


@dataclass(frozen=True)
class Finding:
    """Why a check came out as it did, in the learner's language. Every field may be empty."""

    expected: str = ""
    found: str = ""
    on_aws: str = ""
    hint: str = ""
    docs: str = ""
    reason: str = ""

    @property
    def cause(self) -> tuple[str, str, str]:
        """What tells one trouble from another. A file that cannot be loaded is one, whatever was expected of it."""
        return ("" if self.reason else self.expected, self.found, self.reason)


@dataclass(frozen=True)
class Picture:
    """Something a check shows beside its words, as data: whoever reports draws it (reports/pictures.py).

    `kind` "series": {"x": [number, …], "x_label": text, "lines": [{"name", "values": [number or None, …], "axis":
    "left"|"right", "steps": bool}, …], "levels": [{"name", "at": number, "axis"}, …]}.
    `kind` "path": {"hops": [{"name", "status": "passed"|"failed"|"not_judged", "detail"}, …]}, in the order of the way.
    """

    kind: Literal["series", "path"]
    title: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class CheckResult:
    """One check's verdict. `points` is what it is worth, `score` what was earned.

    `printed`: the last that the learner's code printed. `hidden`: for instructors only. `fault`: not judged by a fault
    of ours, so that grading again may judge it.
    """

    id: str
    title: str
    status: Status
    points: float
    evidence: Evidence
    finding: Finding = field(default_factory=Finding)
    calls: tuple[str, ...] = ()
    printed: str = ""
    seconds: float = 0.0
    hidden: bool = False
    fault: bool = False
    pictures: tuple[Picture, ...] = ()

    @property
    def score(self) -> float:
        """All of the points or none."""
        return self.points if self.status == "passed" else 0.0

    def as_json(self) -> dict[str, Any]:
        """The form of `checks[]` in grade.json."""
        return {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "points": self.points,
            "score": self.score,
            "evidence": self.evidence,
            **asdict(self.finding),
            "calls": list(self.calls),
            "printed": self.printed,
            "seconds": round(self.seconds, 3),
            "hidden": self.hidden,
            "fault": self.fault,
            "pictures": [asdict(picture) for picture in self.pictures],
        }


@dataclass(frozen=True)
class ItemResult:
    """One item's verdict: its checks, and whether the learner had begun it at all."""

    id: str
    slug: str
    title: str
    week: int
    checks: tuple[CheckResult, ...]
    begun: bool = True
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where the item stands in a submission, and its brief in `exercises/`."""
        return f"week{self.week}/{int(self.id.partition('.')[2]):02d}_{self.slug}"

    @property
    def status(self) -> Status:
        """Failed if any check failed; else passed if any passed; else not judged."""
        statuses = {check.status for check in self.checks}
        if "failed" in statuses:
            return "failed"
        return "passed" if "passed" in statuses else "not_judged"

    @property
    def score(self) -> float:
        return sum(check.score for check in self.checks)

    @property
    def max_score(self) -> float:
        """What the judged checks are worth: not judged is out of nothing."""
        return sum(check.points for check in self.checks if check.status != "not_judged")

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def seconds(self) -> float:
        return sum(check.seconds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The form of `items[]` in grade.json."""
        return {
            "id": self.id,
            "slug": self.slug,
            "title": self.title,
            "week": self.week,
            "points": self.points,
            "score": self.score,
            "max_score": self.max_score,
            "status": self.status,
            "begun": self.begun,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "checks": [check.as_json() for check in self.checks],
        }


@dataclass(frozen=True)
class Grade:
    """A whole grading."""

    items: tuple[ItemResult, ...]
    seed: int
    backend: Mapping[str, Any]
    versions: Mapping[str, str]
    language: str = "en"
    submission: str = ""
    complete: bool = True

    @property
    def score(self) -> float:
        return sum(item.score for item in self.items)

    @property
    def max_score(self) -> float:
        return sum(item.max_score for item in self.items)

    @property
    def exit_status(self) -> int:
        """0 all passed, 1 something failed, 3 nothing could be judged (design.md, Commands)."""
        statuses = {item.status for item in self.items}
        if "failed" in statuses:
            return 1
        return 0 if "passed" in statuses else 3

    def as_json(self) -> dict[str, Any]:
        """The whole of grade.json, schema 1."""
        return {
            "schema": SCHEMA,
            "complete": self.complete,
            "backend": dict(self.backend),
            "seed": self.seed,
            "language": self.language,
            "submission": self.submission,
            "versions": dict(self.versions),
            "score": self.score,
            "max_score": self.max_score,
            "items": [item.as_json() for item in self.items],
        }


def count(statuses: Iterable[Status]) -> dict[Status, int]:
    """How many of each status there are; all three keys are always present."""
    counts: dict[Status, int] = {"passed": 0, "failed": 0, "not_judged": 0}
    for status in statuses:
        counts[status] += 1
    return counts
