"""The result as a page: what a learner looks at after the terminal has scrolled away.

It is the body of an HTML document, made of verdicts alone; pytest-html writes it (plugin/page.py). Everything that
somebody else wrote is data: it is escaped, and control characters are taken out, so that neither markup nor scripts of
a submission reach the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from fargrade.course.language import translate as t
from fargrade.reports.pictures import svg
from fargrade.reports.terminal import UNICODE_SIGNS, brief_of, number, plain, word_of, worth
from fargrade.verdict import CheckResult, Finding, Grade, ItemResult, count

AWS_DOCS = re.compile(r"https://[A-Za-z0-9.-]+(/[^\s\"'<>]*)?")


def page(grade: Grade, *, replay: str = "", language: str = "en") -> str:
    """The page's body. `replay` is the command that grades the same inputs again, without its seed."""
    return "".join(
        [
            f'<main class="fargrade" lang="{escape(language)}">',
            _head(grade),
            _remarks(grade),
            _contents(grade.items),
            *(_item(result) for result in grade.items),
            _foot(grade, replay),
            "</main>",
        ]
    )


def _said(text: str) -> str:
    """Somebody's text, safe to stand in the page."""
    return escape(plain(text))


def _word(result: ItemResult) -> tuple[str, str]:
    """(the verdict's class, its word) of an item: what is not begun is to do, not failed."""
    status = word_of(result)
    words = {"passed": t("passed"), "failed": t("failed"), "not_judged": t("not judged"), "to_do": t("to do")}
    return status, words[status]


def _sign(status: str) -> str:
    return f'<span class="sign {status}" aria-hidden="true">{getattr(UNICODE_SIGNS, status)}</span>'


def _head(grade: Grade) -> str:
    weeks = sorted({item.week for item in grade.items})
    where = t("Week {weeks}", weeks=", ".join(map(str, weeks))) if weeks else ""
    share = round(100 * grade.score / grade.max_score) if grade.max_score else 0
    tally = count(item.status for item in grade.items)
    to_do = sum(_word(item)[0] == "to_do" for item in grade.items)
    parts = [
        ("passed", tally["passed"], t("passed")),
        ("failed", tally["failed"] - to_do, t("failed")),
        ("to_do", to_do, t("to do")),
        ("not_judged", tally["not_judged"], t("not judged")),
    ]
    chips = "".join(f"<li>{_sign(one)}{amount} {word}</li>" for one, amount, word in parts if amount)
    score = t("Score {score} of {most}", score=number(grade.score), most=number(grade.max_score))
    return (
        f'<header><p class="where">{_said(where)}</p><p class="score">{_said(score)}</p>'
        f'<div class="bar" role="img" aria-label="{share} %"><span style="width:{share}%"></span></div>'
        f'<ul class="tally">{chips}</ul></header>'
    )


def _remarks(grade: Grade) -> str:
    remarks = []
    everything = sum(item.points for item in grade.items)
    if grade.max_score < everything:
        left = number(everything - grade.max_score)
        remarks.append(t("Not judged here: {points} of {all} points.", points=left, all=number(everything)))
    if grade.backend.get("confined") is False:
        remarks.append(str(grade.backend.get("note") or t("The code ran unconfined: not a grade, a self-check.")))
    if not grade.complete:
        remarks.append(t("The grading was interrupted: what did not run is not judged."))
    return "".join(f'<p class="remark">{_said(one)}</p>' for one in remarks)


def _contents(items: Sequence[ItemResult]) -> str:
    if len(items) < 2:
        return ""
    rows = "".join(
        f'<li><a href="#item-{_said(one.id)}">{_sign(_word(one)[0])}<b>{_said(one.id)}</b> '
        f'<span class="title">{_said(one.title)}</span><span class="points">{_points(one)}</span></a></li>'
        for one in items
    )
    return f'<nav aria-label="{_said(t("Items"))}"><ul>{rows}</ul></nav>'


def _points(result: ItemResult) -> str:
    return f"{number(result.score)}/{number(result.points)}"


def _item(result: ItemResult) -> str:
    status, word = _word(result)
    title = (
        f'<h2>{_sign(status)}<span class="number">{_said(result.id)}</span> '
        f'<span class="title">{_said(result.title)}</span>'
        f'<span class="points">{_points(result)}</span><span class="word {status}">{_said(word)}</span></h2>'
    )
    notes = "".join(f'<p class="remark">{_said(note)}</p>' for note in result.notes)
    if status == "to_do":
        start = t("Not begun yet: its brief is {file}.", file=brief_of(result))
        body = f'<p class="to-do">{_said(start)}</p>{_titles(result.checks)}'
    else:
        body = _pictures(result) + "".join(_checks(result.checks))
    help_ = _help(result, status)
    return f'<section id="item-{_said(result.id)}" class="{status}">{title}{notes}{body}{help_}</section>'


def _pictures(result: ItemResult) -> str:
    """Each picture that the checks showed, once."""
    shown = {(one.title, str(one.data)): one for check in result.checks for one in check.pictures}
    return "".join(f'<figure class="picture">{plain(drawn)}</figure>' for one in shown.values() if (drawn := svg(one)))


def _titles(checks: Iterable[CheckResult]) -> str:
    """What will be checked, before anything is."""
    rows = "".join(f"<li>{_said(one.title)}</li>" for one in checks)
    return f'<ul class="titles">{rows}</ul>'


def _help(result: ItemResult, status: str) -> str:
    if status in ("failed", "to_do"):
        return f'<p class="next">{_said(t("help"))} <code>make hint item={_said(result.id)}</code></p>'
    if status == "passed":
        return f'<p class="next">{_said(t("learned"))} <code>make learned item={_said(result.id)}</code></p>'
    return ""


def _checks(checks: Iterable[CheckResult]) -> list[str]:
    """The checks in order; one cause that fails several is told once."""
    told: dict[tuple[str, str, str], str] = {}
    shown = []
    for check in checks:
        cause = check.finding.cause
        same = told.get(cause, "") if check.status != "passed" and any(cause) else ""
        if not same:
            told[cause] = check.title
        shown.append(_check(check, same))
    return shown


def _check(check: CheckResult, same: str) -> str:
    title = f'<span class="title">{_said(check.title)}</span>'
    head = f'{_sign(check.status)}{title}<span class="worth">{_said(worth(check.points))}</span>'
    if check.status == "passed":
        docs = _link(check.finding.docs)
        more = f'<div class="more">{docs}</div>' if docs else ""
        return f'<details class="check passed"><summary>{head}</summary>{more}</details>'
    said = _same(same) if same else _finding(check.finding)
    calls = "" if same else _calls(check.calls)
    more = f'<div class="more">{said}{_printed(check.printed)}{calls}</div>'
    return f'<details open class="check {check.status}"><summary>{head}</summary>{more}</details>'


def _same(title: str) -> str:
    words = t("the same as for “{check}”", check=title)
    return f"<dl><dt>{_said(t('cause'))}</dt><dd>{_said(words)}</dd></dl>"


def _finding(finding: Finding) -> str:
    rows = [
        (t("why"), finding.reason, ""),
        (t("expected"), finding.expected, "expected"),
        (t("found"), finding.found, "found"),
        (t("on AWS"), finding.on_aws, "aws"),
        (t("hint"), finding.hint, "hint"),
    ]
    told = "".join(
        f'<dt>{_said(label)}</dt><dd class="{kind}">{_said(text)}</dd>' for label, text, kind in rows if text
    )
    return f"<dl>{told}</dl>{_link(finding.docs)}"


def _link(docs: str) -> str:
    """A link to the documentation; what is none is shown as text."""
    if not docs:
        return ""
    label = _said(t("docs"))
    if not AWS_DOCS.fullmatch(docs):
        return f'<p class="docs">{label}: {_said(docs)}</p>'
    return f'<p class="docs"><a rel="noreferrer" href="{escape(docs)}">{label}: {_said(docs)}</a></p>'


def _calls(calls: Sequence[str]) -> str:
    if not calls:
        return ""
    rows = "".join(f"<li><code>{_said(call)}</code></li>" for call in calls)
    return f'<details class="calls"><summary>{_said(t("what your code called"))}</summary><ol>{rows}</ol></details>'


def _printed(text: str) -> str:
    if not text:
        return ""
    said = f"<summary>{_said(t('what your code printed'))}</summary><pre>{_said(text)}</pre>"
    return f'<details open class="printed">{said}</details>'


def _foot(grade: Grade, replay: str) -> str:
    command = f"{replay} seed={grade.seed}" if replay else f"seed={grade.seed}"
    versions = ", ".join(f"{name} {version}" for name, version in grade.versions.items())
    return (
        f"<footer><p>{_said(t('again'))} <code>{_said(command)}</code></p>"
        f'<p class="versions">{_said(str(grade.backend.get("name", "")))} · {_said(versions)}</p></footer>'
    )
