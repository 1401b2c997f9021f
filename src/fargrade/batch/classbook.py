"""Writes what a whole class comes to: gradebook.csv, gradebook.json, index.html. From disk, at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from fargrade.batch.class_view import class_page
from fargrade.batch.gradebook import Row, csv_of, json_of, row_of
from fargrade.batch.policy import Policy
from fargrade.batch.records import Records, Result, Settings, write_atomically, write_json
from fargrade.batch.similarity import Comparison, Pair
from fargrade.batch.submission_page import page_for_instructors
from fargrade.course import Course
from fargrade.course.language import translate as t

Unsaved = Mapping[str, tuple[Result, dict[str, Any] | None]]


def write_class(
    course: Course,
    records: Records,
    settings: Settings,
    policy: Policy,
    places: Sequence[str],
    keys: Mapping[str, str],
    unsaved: Unsaved,
    console: Console,
) -> list[Row]:
    """Write the class's files; says where they are, or why not. Returns the rows.

    `keys` are what the present terms would give each place: another key makes a row an earlier run's.
    """
    rows = []
    for place in places:
        result, grade = unsaved.get(place) or (records.result(place), None)
        if result is not None:
            rows.append(row_of(result, grade or records.grade(place), policy, keys.get(place, "")))
    rows.sort(key=lambda row: row.result.student.casefold())
    pairs = _alike(course, records, settings, rows)
    alike = {"alike": [{"one": p.one, "other": p.other, "share": p.share, "items": list(p.items)} for p in pairs]}
    try:
        write_atomically(records.out / "gradebook.csv", csv_of(rows, course, settings))
        write_json(records.out / "gradebook.json", json_of(rows, settings, alike))
        index = class_page(course, settings, rows, pairs, submission_file=page_for_instructors(course))
        write_atomically(records.out / "index.html", index)
    except OSError as error:
        console.print(
            t("{folder} cannot be written: {why}.", folder=records.out, why=error.strerror or error), style="red"
        )
    else:
        console.print(t("The gradebook: {file}", file=records.out / "index.html"), soft_wrap=True)
    return rows


def _alike(course: Course, records: Records, settings: Settings, rows: Sequence[Row]) -> list[Pair]:
    comparison = Comparison(item for item in course.items if item.id in settings.terms.items)
    for row in rows:
        if row.items:
            comparison.add(row.result.place, records.files(row.result.place))
    return comparison.pairs()
