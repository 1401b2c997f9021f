"""One grading as a page: for its learner, or, with what is hidden from them, for the instructor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.course.language import translate as t
from fargrade.reports.pages import page
from fargrade.reports.pictures import svg
from fargrade.reports.terminal import number, plain, worth
from fargrade.verdict import Finding, Picture

SIGNS = {"passed": "✓", "failed": "✗", "not_judged": "–", "to_do": "○"}


def word_of(item: Mapping[str, Any]) -> str:
    """An item's status, or "to_do" where the learner has not begun it."""
    return "to_do" if not item["begun"] and item["status"] == "failed" else str(item["status"])


def status_text(word: str) -> str:
    """The status as it is read."""
    return {
        "passed": t("passed"),
        "failed": t("failed"),
        "not_judged": t("not judged"),
        "to_do": t("to do"),
        "refused": t("refused"),
    }[word]


def submission_page(
    grade: Mapping[str, Any] | None,
    *,
    title: str,
    problem: str = "",
    notes: Sequence[str] = (),
    guesses: Mapping[str, str] | None = None,
    replay: str = "",
    hidden: bool = False,
    back: bool = False,
) -> bytes:
    """The page. `guesses` are misconceptions by item; `hidden` shows hidden checks; `back`, the way to the class."""
    items = [_item(one, (guesses or {}).get(one["id"], ""), hidden=hidden) for one in (grade or {}).get("items", ())]
    return page(
        "submission.html",
        title=title,
        summary=_summary(grade),
        banners=_banners(grade, problem),
        notes=list(notes),
        items=items,
        hidden_summary="" if hidden else _hidden_summary(grade),
        replay=replay,
        back=back,
        say={
            "class_": t("the class"),
            "remarks": t("Remarks on what was handed in"),
            "guess": t("It looks like this:"),
            "hidden": t("hidden"),
            "calls": t("calls"),
            "printed": t("printed"),
            "docs": t("docs"),
            "again": t("The same run again"),
        },
    )


def _summary(grade: Mapping[str, Any] | None) -> str:
    if grade is None:
        return ""
    score = t("Score {score} of {most}", score=number(grade["score"]), most=number(grade["max_score"]))
    return f"{score} · seed {grade['seed']}"


def _banners(grade: Mapping[str, Any] | None, problem: str) -> list[str]:
    banners = [problem] if problem else []
    if grade is not None and grade["backend"].get("confined") is False:
        banners.append(str(grade["backend"].get("note") or t("The code ran unconfined: not a grade, a self-check.")))
    if grade is not None and any(check.get("fault") for item in grade["items"] for check in item["checks"]):
        banners.append(t("Some of this is not judged by a fault of the grader, not of the answer."))
    return banners


def _hidden_summary(grade: Mapping[str, Any] | None) -> str:
    checks = [check for item in (grade or {}).get("items", ()) for check in item["checks"] if check.get("hidden")]
    if not checks:
        return ""
    passed = sum(1 for check in checks if check["status"] == "passed")
    return t("Of {count} hidden checks, {passed} passed.", count=len(checks), passed=passed)


def _item(item: Mapping[str, Any], guess: str, *, hidden: bool) -> dict[str, Any]:
    word = word_of(item)
    shown = [check for check in item["checks"] if hidden or not check.get("hidden")]
    return {
        "id": item["id"],
        "title": item["title"],
        "score": number(item["score"]),
        "points": number(item["points"]),
        "word": word,
        "status": status_text(word),
        "open": word in ("failed", "not_judged"),
        "notes": item["notes"],
        "guess": guess,
        "pictures": [] if word == "to_do" else _pictures(shown),
        "checks": [] if word == "to_do" else _checks(_by_trouble(shown)),
    }


def _pictures(checks: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The pictures that the checks show, drawn, each once. Their texts are escaped where they are drawn."""
    from markupsafe import Markup

    found = {(one["title"], str(one["data"])): one for check in checks for one in check.get("pictures") or ()}
    drawn = (svg(Picture(one["kind"], one["title"], one["data"])) for one in found.values())
    return [Markup(plain(one)) for one in drawn if one]


def _by_trouble(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    order = {"failed": 0, "not_judged": 1, "passed": 2}
    return sorted(checks, key=lambda check: order[check["status"]])


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The checks as they are shown; one cause that fails several is told once."""
    told: dict[object, str] = {}
    shown = []
    for check in checks:
        cause = Finding(**{name: check[name] for name in ("expected", "found", "reason")}).cause
        same = told.get(cause, "") if check["status"] != "passed" and any(cause) else ""
        told.setdefault(cause, check["title"])
        shown.append(_check(check) | (_same_as(same) if same else {}))
    return shown


def _same_as(title: str) -> dict[str, Any]:
    return {"rows": [(t("cause"), t("the same as for “{check}”", check=title))], "calls": "", "docs": ""}


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    passed = check["status"] == "passed"
    rows = [
        (t("why"), check["reason"]),
        (t("expected"), check["expected"]),
        (t("found"), check["found"]),
        (t("on AWS"), check["on_aws"]),
        (t("hint"), check["hint"]),
    ]
    return {
        "title": check["title"],
        "word": check["status"],
        "sign": SIGNS[check["status"]],
        "worth": worth(check["points"]),
        "hidden": check.get("hidden", False),
        "rows": [] if passed else [(label, text) for label, text in rows if text],
        "calls": "" if passed else "\n".join(check["calls"]),
        "printed": "" if passed else check.get("printed", ""),
        "docs": check["docs"] if not passed and str(check["docs"]).startswith("https://") else "",
    }
