"""One slot: a worker process that grades one submission at a time, and whatever befalls it, a report comes of it.

An item that takes the worker down is tried again; the second time it is not judged, with its cause, and the rest of
the submission is graded without it. So no answer can keep another's points, nor its own learner's other ones.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from fargrade.batch.helper import Died, Helper
from fargrade.batch.task import Report, Task, stitched
from fargrade.course import Course, Item
from fargrade.course.checks import read_checks
from fargrade.course.language import load_catalogue_beside
from fargrade.course.language import translate as t
from fargrade.verdict import CheckResult, Finding, ItemResult

ITEM_SECONDS = 300.0  # an item's jobs together have 90 of them (fargrade.plugin.supervision)
TRIES = 2


class Slot:
    """Grades tasks, one at a time. `busy` says what it is at, for whoever shows it."""

    def __init__(self, course: Course, *, item_seconds: float = ITEM_SECONDS) -> None:
        self._course = course
        self._item_seconds = item_seconds
        self._helper = Helper(course.root)
        self._stopped = threading.Event()
        self.busy = ""

    def grade(self, task: Task) -> Report:
        """The report on the task. Raises Stopped where `stop` was called meanwhile."""
        run = _Grading(self._course, task)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fargrade-slot-", ignore_cleanup_errors=True) as folder:
            while run.todo:
                self._attempt(run, Path(folder))
                if self._stopped.is_set():
                    raise Stopped
        self.busy = ""
        return replace(run.report(), seconds=round(time.monotonic() - started, 3))

    def _attempt(self, run: _Grading, folder: Path) -> None:
        """Grade what is to do; what comes of it is in `run`."""
        message = {
            **json.loads(run.task.to_bytes()),
            "items": run.todo,
            "seed": run.task.terms.seed,
            "language": run.task.terms.language,
            "confine": run.task.terms.confine,
            "folder": str(folder),
        }
        at = ""
        try:
            for told in self._helper.ask(message, lambda: self._item_seconds):
                if "at" in told:
                    at = told["at"] or at
                    self.busy = f"{run.task.place} {at}"
                elif "refused" in told:
                    run.refused(told["refused"])
                else:
                    run.take(told["grade"], complete=True)
        except Died as died:
            run.take(_partial(folder / "grade.json"), complete=False, at=at)
            run.died(at, str(died))

    def stop(self) -> None:
        """From another thread: end what is being graded, at once."""
        self._stopped.set()
        self._helper.kill()

    def close(self) -> None:
        """End the worker. Idempotent."""
        self._helper.close()


class Stopped(Exception):
    """The batch was interrupted: there is no report."""


def _partial(path: Path) -> dict[str, Any] | None:
    """What the dead worker had written so far, None where that is nothing."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
    except (OSError, ValueError):
        return None
    return told


class _Grading:
    """One task's attempts, and what has come of them."""

    def __init__(self, course: Course, task: Task) -> None:
        self.task = task
        self._course = course
        self.todo = list(task.terms.items)
        self._strikes: Counter[str] = Counter()
        self._grades: list[dict[str, Any]] = []
        self._items: dict[str, dict[str, Any]] = {}
        self._faults: list[str] = []
        self._lost: list[str] = []

    def take(self, grade: dict[str, Any] | None, *, complete: bool, at: str = "") -> None:
        """Take in the items of an attempt: those before `at` where the worker died, those without a fault of ours."""
        if grade is None:
            return
        self._grades.append(grade)
        for item in grade["items"]:
            if not complete and item["id"] == at:
                break
            fault = next((check["reason"] for check in item["checks"] if check.get("fault")), "")
            if fault:
                if not complete and "did not come to run" in fault:
                    break
                self._strikes[item["id"]] += 1
                self._faults.append(f"{item['id']}: {fault}")
                if self._strikes[item["id"]] < TRIES:
                    continue
                self._lost.append(item["id"])
            self._done(item)

    def _done(self, item: dict[str, Any]) -> None:
        self._items[item["id"]] = item
        if item["id"] in self.todo:
            self.todo.remove(item["id"])

    def died(self, at: str, why: str) -> None:
        """The worker died at an item ("": before it came to any)."""
        self._strikes[at] += 1
        self._faults.append(t("{item}: the grading process failed: {why}", item=at or "–", why=why))
        if self._strikes[at] >= TRIES:
            self._give_up([at] if at else list(self.todo), why)

    def refused(self, why: str) -> None:
        """The worker cannot grade at all."""
        self._strikes[""] += 1
        self._faults.append(why)
        if self._strikes[""] >= TRIES:
            self._give_up(list(self.todo), why)

    def _give_up(self, ids: list[str], why: str) -> None:
        for one in self._course.items:
            if one.id in ids:
                self._lost.append(one.id)
                self._done(not_judged(one, t("Grading this took the grader down twice ({why}).", why=why)))
        self.todo = [one for one in self.todo if one not in ids]

    def report(self) -> Report:
        """The report, once nothing is to do."""
        frame = self._grades or [empty_grade(self.task)]
        grade = stitched(frame, self._items, self.task.terms.items)
        return Report(self.task.place, grade, tuple(dict.fromkeys(self._faults)), tuple(self._lost))


def not_judged(item: Item, reason: str) -> dict[str, Any]:
    """An item's result in grade.json where no check of it came to a verdict, by a fault of ours."""
    load_catalogue_beside(item.grader)
    checks = tuple(
        CheckResult(
            spec.id,
            spec.title,
            "not_judged",
            spec.points,
            spec.evidence,
            Finding(reason=reason),
            hidden=spec.hidden,
            fault=True,
        )
        for spec in read_checks(item.grader)
    )
    return ItemResult(item.id, item.slug, item.title, item.week, checks).as_json()


def empty_grade(task: Task) -> dict[str, Any]:
    """The frame of a grade.json for a task of which nothing could be graded."""
    return {
        "schema": 1,
        "complete": False,
        "backend": {"name": "moto"},
        "seed": task.terms.seed,
        "language": task.terms.language,
        "submission": task.place,
        "versions": {},
        "score": 0.0,
        "max_score": 0.0,
        "items": [],
    }
