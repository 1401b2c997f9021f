"""course.toml: how points become a mark. Optional; without it a mark is the share of the judged points, on time or not.

[weights]              # how much an item, or a whole week, counts beside the others (1)
week1 = 1
"1.6" = 2
[late]
deadline = 2026-12-01T23:59:00+01:00
grace_minutes = 15
per_day = 10           # per cent of the mark, for each day begun
most = 50
[late.extensions]      # another deadline for one learner
ada = 2026-12-03T23:59:00+01:00
[decided.ada]          # points given by hand, as where a fault of ours left an item not judged
"2.4" = 3
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fargrade.course import Course, CourseProblem
from fargrade.course.language import translate as t

DAY = 86_400.0
LATE_KEYS = {"deadline", "grace_minutes", "per_day", "most", "extensions"}


@dataclass(frozen=True)
class Policy:
    """Weights by item id, and what being late costs."""

    weights: Mapping[str, float] = field(default_factory=dict)
    deadline: float | None = None
    grace: float = 0.0
    per_day: float = 0.0
    most: float = 100.0
    extensions: Mapping[str, float] = field(default_factory=dict)
    decided: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # learner → item → points

    def weight(self, item: str) -> float:
        """How much the item counts beside the others."""
        return self.weights.get(item, self.weights.get(f"week{item.partition('.')[0]}", 1.0))

    def days_late(self, student: str, handed_in: float) -> int:
        """Days begun since the learner's deadline; 0 within the grace, and where there is no deadline."""
        deadline = self.extensions.get(student, self.deadline)
        if deadline is None or handed_in <= deadline + self.grace:
            return 0
        return math.ceil((handed_in - deadline) / DAY)

    def penalty(self, days: int) -> float:
        """What so many days late cost, in per cent of the mark."""
        return min(self.most, self.per_day * days)

    def mark(self, items: list[dict[str, Any]], days: int) -> float | None:
        """The mark out of 100 for graded items; None where nothing was judged. What is not judged is out of nothing."""
        most = float(sum(self.weight(item["id"]) * item["max_score"] for item in items))
        if most <= 0:
            return None
        earned = float(sum(self.weight(item["id"]) * item["score"] for item in items))
        return round(100 * earned / most * (1 - self.penalty(days) / 100), 2)

    def bounds(self, items: list[dict[str, Any]], open_points: Mapping[str, float], days: int) -> tuple[float, float]:
        """The least and the most that the mark can come to, where so many points of some items are not decided."""
        marks = [
            self.mark(
                [
                    {
                        **item,
                        "score": item["score"] + share * open_points.get(item["id"], 0.0),
                        "max_score": item["max_score"] + open_points.get(item["id"], 0.0),
                    }
                    for item in items
                ],
                days,
            )
            for share in (0, 1)
        ]
        return marks[0] or 0.0, marks[1] or 0.0


def read_policy(path: Path | None, course: Course) -> Policy:
    """The policy in `path`. Raises CourseProblem, saying what is wrong with the file."""
    if path is None:
        return Policy()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        return _policy(told, course)
    except OSError as error:
        raise CourseProblem(t("{file} cannot be read: {why}.", file=path, why=error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        raise CourseProblem(f"{path}: {error}") from None


def _policy(told: dict[str, Any], course: Course) -> Policy:
    _known(told, {"weights", "late", "decided"}, "")
    weights = {str(name): _number(value, f"weights.{name}") for name, value in told.get("weights", {}).items()}
    _known(weights, {item.id for item in course.items} | {f"week{week}" for week in course.weeks}, "weights.")
    late = told.get("late", {})
    _known(late, LATE_KEYS, "late.")
    if late and "deadline" not in late:
        raise ValueError("[late] needs a deadline")
    return Policy(
        weights,
        _moment(late["deadline"], "late.deadline") if late else None,
        60 * _number(late.get("grace_minutes", 0), "late.grace_minutes"),
        _number(late.get("per_day", 0), "late.per_day"),
        min(100.0, _number(late.get("most", 100), "late.most")),
        {name: _moment(at, f"late.extensions.{name}") for name, at in late.get("extensions", {}).items()},
        {name: _decided(name, given, course) for name, given in told.get("decided", {}).items()},
    )


def _decided(student: str, given: Any, course: Course) -> dict[str, float]:
    """The points that were given by hand to one learner."""
    if not isinstance(given, dict):
        raise ValueError(f"decided.{student} is a table of items and points, not {given!r}")
    _known(given, {item.id for item in course.items}, f"decided.{student}.")
    return {item: _number(points, f"decided.{student}.{item}") for item, points in given.items()}


def _known(told: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(told) - known)
    if unknown:
        raise ValueError(f"there is no {where}{unknown[0]}; known: {', '.join(sorted(known))}")


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError(f"{where} must be a number from 0 on, not {value!r}")
    return float(value)


def _moment(value: Any, where: str) -> float:
    """A time as seconds since 1970; one that names no zone is in UTC."""
    if not isinstance(value, datetime):
        raise ValueError(f"{where} must be a date and time, as 2026-12-01T23:59:00+01:00, not {value!r}")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
