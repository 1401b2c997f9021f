"""Gathers every check's verdict into one Grade, complete at every moment.

It starts from what was selected, not from what reported: a check that never came to run is there, as not
judged, with the reason. grade.json is written anew, atomically, whenever an item is done.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from fargrade.course.checks import read_checks
from fargrade.course.language import translate as t
from fargrade.course.tree import Course, Item
from fargrade.plugin.evidence import from_wire
from fargrade.plugin.options import Options
from fargrade.verdict import CheckResult, Finding, Grade, ItemResult

PACKAGES = ("fargrade", "pytest", "boto3", "moto")


@dataclass
class _Gathered:
    """One item's checks so far."""

    item: Item
    selected: list[str]
    results: dict[str, CheckResult] = field(default_factory=dict)
    begun: bool = True
    notes: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return all(check in self.results for check in self.selected)

    def result(self) -> ItemResult:
        """The item's result; what has not run is not judged."""
        missing = t("It did not come to run: the grading ended before.")
        specs = {spec.id: spec for spec in read_checks(self.item.grader)}
        checks = [
            self.results.get(check)
            or CheckResult(
                check,
                specs[check].title,
                "not_judged",
                specs[check].points,
                specs[check].evidence,
                Finding(reason=missing),
                hidden=specs[check].hidden,
                fault=True,
            )
            for check in self.selected
        ]
        return ItemResult(
            self.item.id,
            self.item.slug,
            self.item.title,
            self.item.week,
            tuple(checks),
            begun=self.begun,
            notes=tuple(self.notes),
        )


class Results:
    """Everything known so far. `on_item` is called with each item's result as soon as it is whole."""

    def __init__(self, course: Course, options: Options, on_item: Callable[[ItemResult], None]) -> None:
        self._course = course
        self._options = options
        self._on_item = on_item
        self._gathered: dict[str, _Gathered] = {}
        self.backend: dict[str, Any] = {"name": options.backend}
        self.problems: list[str] = []

    def expect(self, checks: Iterable[tuple[Item, str]]) -> None:
        """Say which checks were selected, in order. May be called again with the same ones (xdist)."""
        for item, check in checks:
            gathered = self._gathered.setdefault(item.id, _Gathered(item, []))
            if check not in gathered.selected:
                gathered.selected.append(check)
        self.write(complete=False)

    def add(self, wire: dict[str, Any]) -> None:
        """Take in one check's verdict, as the plugin attached it to pytest's report."""
        gathered = self._gathered.get(wire["item"])
        if gathered is None:
            return
        result = from_wire(wire["check"])
        if result.id not in gathered.selected:
            gathered.selected.append(result.id)
        gathered.results[result.id] = result
        gathered.begun = wire["begun"]
        gathered.notes += [note for note in wire["notes"] if note not in gathered.notes]
        if gathered.done:
            self.write(complete=False)
            self._on_item(gathered.result())

    def grade(self, *, complete: bool = True) -> Grade:
        """The grade as it stands. `complete` says whether every selected check came to run."""
        chosen = sorted(self._gathered.values(), key=lambda one: (one.item.week, one.item.number))
        return Grade(
            items=tuple(one.result() for one in chosen),
            seed=self._options.seed,
            backend=self.backend,
            versions=dict(_versions()),
            language=self._options.language,
            submission=str(self._options.submission),
            complete=complete and all(one.done for one in chosen),
        )

    def unfinished(self) -> list[ItemResult]:
        """The items some of whose checks never ran."""
        return [one.result() for one in self._gathered.values() if not one.done]

    def write(self, *, complete: bool) -> None:
        """Write grade.json where it was asked for; a place that cannot be written is a problem, said once."""
        targets = [self._options.reports / "grade.json"] if self._options.reports else []
        if self._options.json:
            targets.append(self._options.json)
        if not targets:
            return
        # Between the items it need not be pretty: that takes ten times as long.
        form = self.grade(complete=complete).as_json()
        text = json.dumps(form, ensure_ascii=False, indent=1 if complete else None) + "\n"
        for target in targets:
            try:
                write_whole(target, text)
            except OSError as error:
                problem = t("{file} cannot be written: {why}.", file=target, why=error.strerror or error)
                if problem not in self.problems:
                    self.problems.append(problem)


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    return (("python", python_version()), *((name, version(name)) for name in PACKAGES))


def write_whole(target: Path, text: str) -> None:
    """Write `text` to `target`; a reader sees the old file or the new, never half. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
