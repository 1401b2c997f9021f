"""The gradebook: a row a submission, made of what is on disk, so that it can be made again at any time."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fargrade.batch.policy import Policy
from fargrade.batch.records import Records, Result, Settings
from fargrade.course import Course
from fargrade.verdict import SCHEMA

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
ITEM_KEYS = ("id", "slug", "title", "week", "points", "score", "max_score", "status", "begun")


@dataclass(frozen=True)
class Row:
    """One submission in the gradebook. `items` are as in grade.json, without the checks that passed."""

    result: Result
    status: str  # passed, failed, not_judged; refused
    mark: float | None
    days_late: int = 0
    penalty: float = 0.0
    items: tuple[dict[str, Any], ...] = ()
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # item → the ids of its failed checks
    stale: bool = False
    confined: bool | None = None
    lost: tuple[str, ...] = ()  # items that a fault of ours left not judged, and nobody has decided by hand
    between: tuple[float, float] | None = None  # the least and the most that the mark can come to: there is none yet

    @property
    def score(self) -> float:
        return float(sum(item["score"] for item in self.items))

    @property
    def max_score(self) -> float:
        return float(sum(item["max_score"] for item in self.items))

    @property
    def points(self) -> float:
        return float(sum(item["points"] for item in self.items))

    @property
    def needs_a_look(self) -> str:
        """Why an instructor should look at this row, in a word; "" for an ordinary one."""
        if self.result.kind == "refused":
            return "refused"
        if self.lost or (self.result.kind == "fault" and not self.items):
            return "fault"
        return "stale" if self.stale else ""


def row_of(result: Result, grade: Mapping[str, Any] | None, policy: Policy, key: str = "") -> Row:
    """The row for a result. `key` is what the present terms would give it: another makes it an earlier run's."""
    days = policy.days_late(result.student, result.handed_in)
    if grade is None:
        return Row(result, "refused" if result.kind == "refused" else "not_judged", None, days)
    decided = policy.decided.get(result.student, {})
    items = [_by_hand(item, decided[item["id"]]) if item["id"] in decided else item for item in grade["items"]]
    lost = tuple(one for one in result.lost if one not in decided)
    # No mark while points are open by a fault of ours: neither may the fault cost the learner anything, nor may one
    # who knows how to provoke it get out of a zero.
    between = policy.bounds(items, {one["id"]: _open_points(one) for one in items if one["id"] in lost}, days)
    statuses = {item["status"] for item in items}
    status = "failed" if "failed" in statuses else "passed" if "passed" in statuses else "not_judged"
    return Row(
        result,
        status,
        None if lost else policy.mark(items, days),
        days,
        policy.penalty(days),
        tuple({name: item[name] for name in ITEM_KEYS} for item in items),
        {
            item["id"]: tuple(check["id"] for check in item["checks"] if check["status"] == "failed")
            for item in items
            if item["status"] == "failed" and item["begun"]
        },
        stale=bool(key) and result.key != key,
        confined=grade.get("backend", {}).get("confined"),
        lost=lost,
        between=between if lost else None,
    )


def _by_hand(item: Mapping[str, Any], points: float) -> dict[str, Any]:
    """The item with these points, at most all, given by an instructor."""
    score = min(points, item["points"])
    status = "passed" if score == item["points"] else "failed"
    return {**item, "score": score, "max_score": item["points"], "status": status}


def _open_points(item: Mapping[str, Any]) -> float:
    return float(sum(check["points"] for check in item["checks"] if check.get("fault")))


def csv_of(rows: Sequence[Row], course: Course, settings: Settings) -> bytes:
    """gradebook.csv. With the mark that makes spreadsheets read UTF-8, and nothing in it that they would run."""
    ids = [item for item in settings.terms.items if any(item == one.id for one in course.items)]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    head = ["student", "status", "mark", "mark_from", "mark_to", "score", "max_score", "points", "days_late"]
    head += ["penalty", *ids]
    writer.writerow([*head, "not_judged", "look", "remarks", "confined", "seed", "course", "handed_in", "folder"])
    for row in rows:
        by_id = {item["id"]: item for item in row.items}
        unjudged = [one["id"] for one in row.items if one["max_score"] < one["points"]]
        remarks = [row.result.problem, *row.result.faults, *row.result.notes]
        writer.writerow(
            [
                cell(row.result.student),
                row.status,
                "" if row.mark is None else f"{row.mark:g}",
                *(f"{one:g}" for one in row.between or ()),
                *(() if row.between else ("", "")),
                f"{row.score:g}" if row.items else "",
                f"{row.max_score:g}" if row.items else "",
                f"{row.points:g}" if row.items else "",
                row.days_late,
                f"{row.penalty:g}",
                *(_item_cell(by_id.get(one)) for one in ids),
                " ".join(unjudged),
                row.needs_a_look,
                cell(" ".join(one for one in remarks if one)[:2000]),
                "" if row.confined is None else "yes" if row.confined else "NO",
                settings.terms.seed,
                settings.terms.course,
                moment(row.result.handed_in),
                row.result.place,
            ]
        )
    return written.getvalue().encode("utf-8-sig", "replace")


def _item_cell(item: dict[str, Any] | None) -> str:
    if item is None or item["status"] == "not_judged":
        return ""
    return f"{item['score']:g}"


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV Injection), on one line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return f"'{line}" if line.startswith(FORMULA) or text.startswith(FORMULA) else line


def json_of(rows: Sequence[Row], settings: Settings, findings: Mapping[str, Any]) -> dict[str, Any]:
    """gradebook.json."""
    return {
        "schema": SCHEMA,
        "made": moment(time.time()),
        "seed": settings.terms.seed,
        "language": settings.terms.language,
        "course": settings.terms.course,
        "confined": settings.confined,
        "items": list(settings.terms.items),
        **findings,
        "submissions": [_json_row(row) for row in rows],
    }


def _json_row(row: Row) -> dict[str, Any]:
    result = row.result
    return {
        "student": result.student,
        "folder": f"submissions/{result.place}",
        "form": result.form,
        "status": row.status,
        "look": row.needs_a_look,
        "mark": row.mark,
        "mark_between": list(row.between) if row.between else None,
        "score": row.score,
        "max_score": row.max_score,
        "points": row.points,
        "days_late": row.days_late,
        "penalty": row.penalty,
        "confined": row.confined,
        "handed_in": moment(result.handed_in),
        "graded_at": moment(result.graded_at),
        "seconds": result.seconds,
        "problem": result.problem,
        "notes": list(result.notes),
        "faults": list(result.faults),
        "lost": list(row.lost),
        "items": [{**item, "failed": list(row.failed.get(item["id"], ()))} for item in row.items],
    }


def moment(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601, in UTC; "" for none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else ""


def read_rows(records: Records, results: Iterable[Result], policy: Policy, keys: Mapping[str, str]) -> list[Row]:
    """The rows for these results, from disk; `keys` are the present terms' keys, by place."""
    return [row_of(one, records.grade(one.place), policy, keys.get(one.place, "")) for one in results]
