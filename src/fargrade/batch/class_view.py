"""The page of the class: who stands where, what went wrong most, and what an instructor should look at."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.batch.gradebook import Row, moment
from fargrade.batch.records import Settings
from fargrade.batch.similarity import Pair, groups
from fargrade.course import Course
from fargrade.course.checks import read_checks
from fargrade.course.language import load_catalogue_beside
from fargrade.course.language import translate as t
from fargrade.reports.pages import page
from fargrade.reports.submission import status_text, word_of
from fargrade.reports.terminal import number

BINS = 10
MOST_SHOWN = 15


def class_page(
    course: Course, settings: Settings, rows: Sequence[Row], pairs: Sequence[Pair], *, submission_file: str
) -> bytes:
    """index.html. `submission_file` is the page of a submission that it leads to."""
    marks = [row.mark for row in rows if row.mark is not None]
    late = any(row.days_late for row in rows)
    items = _items(course, settings, rows)
    return page(
        "class.html",
        script="class.js",
        title=t("The class: {count} submissions", count=len(rows)),
        summary=_summary(settings, rows),
        banners=_banners(settings, rows),
        tiles=_tiles(rows, marks),
        bins=_bins(marks),
        look=_look(rows),
        late=late,
        items=items,
        rows=[_row(row, [item["id"] for item in items], course) for row in rows],
        kinds=_kinds(),
        legend=[(word, status_text(word)) for word in ("passed", "failed", "to_do", "not_judged")],
        average=number(round(statistics.fmean(marks), 1)) if marks else "",
        misconceptions=_misconceptions(rows),
        wrong=_wrong(course, rows),
        alike=_alike(rows, pairs),
        page=submission_file,
        say=_say(),
    )


def _say() -> dict[str, str]:
    return {
        "distribution": t("Marks"),
        "look": t("To look at"),
        "table": t("Submissions and items"),
        "find": t("find a name"),
        "show": t("show"),
        "all": t("all"),
        "student": t("submission"),
        "mark": t("mark"),
        "points": t("points"),
        "late": t("days late"),
        "average": t("average"),
        "misconceptions": t("What they seem to have misunderstood"),
        "wrong": t("What went wrong most"),
        "who": t("who"),
        "alike": t("Nearly the same"),
        "alike_note": t(
            "By what is written, names and layout aside, and what many wrote left out. A reason to look, no verdict."
        ),
    }


def _summary(settings: Settings, rows: Sequence[Row]) -> str:
    graded = max((row.result.graded_at for row in rows), default=0.0)
    when = moment(graded).replace("T", " ").removesuffix("+00:00")
    return f"seed {settings.terms.seed} · {t('course {version}', version=settings.terms.course)} · {when} UTC"


def _banners(settings: Settings, rows: Sequence[Row]) -> list[str]:
    banners = []
    if not settings.confined or any(row.confined is False for row in rows):
        banners.append(
            t("Graded unconfined: any submission could read and change what the grader can. Trust these marks as much.")
        )
    if waiting := sum(row.between is not None for row in rows):
        banners.append(
            t(
                "{count} have no mark yet: a fault of ours left points open, or was provoked. Grade them again "
                "(--resume); if it stays, look at what they handed in, and decide in course.toml.",
                count=waiting,
            )
        )
    if any(row.stale for row in rows):
        banners.append(t("Some rows are of an earlier run, on other terms: they are marked."))
    return banners


def _tiles(rows: Sequence[Row], marks: Sequence[float]) -> list[dict[str, str]]:
    passed = sum(row.status == "passed" for row in rows)
    look = sum(bool(row.needs_a_look) for row in rows)
    return [
        {"value": str(len(rows)), "label": t("submissions")},
        {"value": number(round(statistics.median(marks), 1)) if marks else "–", "label": t("median mark")},
        {"value": str(passed), "label": t("passed everything")},
        {"value": str(look), "label": t("to look at")},
    ]


def _bins(marks: Sequence[float]) -> list[dict[str, Any]]:
    counts = Counter(min(BINS - 1, int(mark * BINS / 100)) for mark in marks)
    most = max(counts.values(), default=1)
    return [
        {
            "label": f"{at * 10}–{at * 10 + 10}",
            "count": counts[at],
            "height": round(85 * counts[at] / most),
        }
        for at in range(BINS)
    ]


def _why(row: Row) -> str:
    if row.needs_a_look == "refused":
        return row.result.problem
    if row.needs_a_look == "fault":
        return " · ".join(
            [
                t("not judged, a fault of ours: {items}", items=", ".join(row.lost or row.result.lost)),
                *([t("no mark before you decide: {least} to {most}", **_range(row))] if row.between else []),
                *row.result.faults[:1],
            ]
        )
    return t("of an earlier run")


def _range(row: Row) -> dict[str, str]:
    least, most = row.between or (0.0, 0.0)
    return {"least": f"{least:.1f}", "most": f"{most:.1f}"}


def _look(rows: Sequence[Row]) -> list[dict[str, str]]:
    """What waits for a decision first."""
    order = {"fault": 0, "refused": 1, "stale": 2}
    found = sorted((row for row in rows if row.needs_a_look), key=lambda row: order[row.needs_a_look])
    return [{"place": row.result.place, "student": row.result.student, "why": _why(row)} for row in found]


def _items(course: Course, settings: Settings, rows: Sequence[Row]) -> list[dict[str, str]]:
    shares: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for item in row.items:
            if item["max_score"]:
                shares[item["id"]].append(item["score"] / item["max_score"])
    return [
        {
            "id": item.id,
            "title": item.title,
            "average": f"{100 * statistics.fmean(shares[item.id]):.0f} %" if shares[item.id] else "",
        }
        for item in course.items
        if item.id in settings.terms.items
    ]


def _kinds() -> list[tuple[str, str]]:
    return [
        ("passed", t("passed everything")),
        ("failed", t("something failed")),
        ("look", t("to look at")),
        ("late", t("late")),
    ]


def _row(row: Row, ids: Sequence[str], course: Course) -> dict[str, Any]:
    by_id = {item["id"]: item for item in row.items}
    kinds = [row.status, "look" if row.needs_a_look else "", "late" if row.days_late else ""]
    mark = "" if row.mark is None else f"{row.mark:.1f}"
    if row.between:
        mark = t("{least}–{most}?", **_range(row))
    return {
        "student": row.result.student,
        "place": row.result.place,
        "kinds": " ".join(kind for kind in kinds if kind),
        "mark": mark or status_text(row.status),
        "mark_value": "" if row.mark is None else row.mark,
        "score": row.score if row.items else "",
        "points": f"{number(row.score)}/{number(row.max_score)}" if row.items else "",
        "days": row.days_late,
        "cells": [_cell(one, by_id.get(one), row, course) for one in ids],
    }


def _cell(item_id: str, item: Mapping[str, Any] | None, row: Row, course: Course) -> dict[str, Any]:
    if item is None:
        return {"id": item_id, "word": "absent", "value": "", "about": "", "text": ""}
    word = word_of(item)
    text = {"to_do": "○", "not_judged": "–"}.get(word, number(item["score"]))
    if word == "failed" and item["score"] * 2 < item["max_score"]:
        word = "worse"
    titles = _titles(course)
    about = [titles.get((item_id, check), check) for check in row.failed.get(item_id, ())]
    if guess := row.result.guesses.get(item_id):
        about.append(f"≈ {guess[1]}")
    if word == "to_do":
        about = [status_text("to_do")]
    return {
        "id": item_id,
        "word": word,
        "value": item["score"] if item["max_score"] else "",
        "about": "; ".join(about)[:600],
        "text": text,
    }


def _titles(course: Course) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for item in course.items:
        load_catalogue_beside(item.grader)
        found |= {(item.id, spec.id): spec.title for spec in read_checks(item.grader)}
    return found


def _share(count: int, of: int) -> float:
    return round(100 * count / of, 1) if of else 0.0


def _misconceptions(rows: Sequence[Row]) -> list[dict[str, Any]]:
    having: dict[tuple[str, str], list[Row]] = defaultdict(list)
    tried: Counter[str] = Counter()
    for row in rows:
        tried.update(item["id"] for item in row.items if item["begun"])
        for item_id, (name, _) in row.result.guesses.items():
            having[item_id, name].append(row)
    ordered = sorted(having.items(), key=lambda one: (-len(one[1]), one[0]))
    return [
        {
            "item": item_id,
            "why": who[0].result.guesses[item_id][1],
            "count": t("{count} of {all}", count=len(who), all=tried[item_id]),
            "share": _share(len(who), tried[item_id]),
            "who": [{"place": row.result.place, "student": row.result.student} for row in who],
        }
        for (item_id, _), who in ordered[:MOST_SHOWN]
    ]


def _wrong(course: Course, rows: Sequence[Row]) -> list[dict[str, Any]]:
    failed: Counter[tuple[str, str]] = Counter()
    tried: Counter[str] = Counter()
    for row in rows:
        tried.update(item["id"] for item in row.items if item["begun"])
        failed.update((item_id, check) for item_id, checks in row.failed.items() for check in checks)
    titles = _titles(course)
    return [
        {
            "item": item_id,
            "title": titles.get((item_id, check), check),
            "count": t("{count} of {all}", count=count, all=tried[item_id]),
            "share": _share(count, tried[item_id]),
        }
        for (item_id, check), count in failed.most_common(MOST_SHOWN)
    ]


def _alike(rows: Sequence[Row], pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    by_place = {row.result.place: row.result.student for row in rows}
    found = []
    for group in groups(pairs):
        within = [pair for pair in pairs if pair.one in group]
        items = sorted({item for pair in within for item in pair.items})
        found.append(
            {
                "who": [{"place": place, "student": by_place.get(place, place)} for place in group],
                "about": t("{share} % in {items}", share=f"{100 * within[0].share:.0f}", items=", ".join(items)),
            }
        )
    return found
