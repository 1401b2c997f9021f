"""What GitHub Actions shows of a grade: a job summary in Markdown, and annotations at the learner's files.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fargrade.course.language import translate as t
from fargrade.reports.submission import SIGNS, status_text, word_of
from fargrade.reports.terminal import number, plain

# As the harness says it in each language: a grade.json keeps the words it was made with.
PLACE = re.compile(r"([\w./-]+\.\w+), (?:line|строка) (\d+)")
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~@$:-])")
MOST_SUMMARY = 1000 << 10  # GitHub takes 1 MiB a step
MOST_ANNOTATIONS = 10  # of each kind a step


def summary(grade: Mapping[str, Any]) -> bytes:
    """The job summary."""
    score = t("Score {score} of {most}", score=number(grade["score"]), most=number(grade["max_score"]))
    lines = [f"## {_data(score)}", "", f"seed {grade['seed']}", "", "| | | | |", "|---|---|---|---|"]
    for item in grade["items"]:
        word = word_of(item)
        cells = [SIGNS[word], item["id"], _data(item["title"])]
        lines.append(f"| {' | '.join(cells)} | {number(item['score'])}/{number(item['points'])} {status_text(word)} |")
    for item in grade["items"]:
        if word_of(item) == "failed":
            lines += ["", f"### {item['id']} {_data(item['title'])}", ""]
            lines += [
                _check(check) for check in item["checks"] if check["status"] == "failed" and not check.get("hidden")
            ]
    return "\n".join(lines).encode("utf-8", "replace")[:MOST_SUMMARY] + b"\n"


def _check(check: Mapping[str, Any]) -> str:
    rows = [(t("expected"), "expected"), (t("found"), "found"), (t("on AWS"), "on_aws"), (t("hint"), "hint")]
    said = [f"  - {label}: {_data(check[key])}" for label, key in rows if check[key]]
    why = [f"  - {_data(check['reason'])}"] if check["reason"] else []
    return "\n".join([f"- **{_data(check['title'])}**", *why, *said])


def _data(text: str) -> str:
    """A text as Markdown shows it and nothing else: no markup, link, mention, HTML, or line of its own."""
    return MARKDOWN.sub(r"\\\1", html.escape(" ".join(plain(text).split()), quote=False))[:2000]


def annotated(grade: Mapping[str, Any], folder: str = "exercises") -> Iterator[str]:
    """Workflow commands, a line each, for the first failed checks. `folder` is where the submission lies."""
    count = 0
    for item in grade["items"]:
        for check in item["checks"]:
            if check["status"] != "failed" or not item["begun"] or check.get("hidden") or count >= MOST_ANNOTATIONS:
                continue
            count += 1
            place = f"{folder}/week{item['week']}/{_folder(item)}"
            found = PLACE.search(check["found"])
            where = f"file={_property(f'{place}/{found[1]}')},line={found[2]}" if found else f"file={_property(place)}"
            text = f"{check['title']}: {check['found'] or check['reason']}"
            yield f"::error {where},title={_property(item['id'])}::{_message(text)}"


def _folder(item: Mapping[str, Any]) -> str:
    return f"{int(item['id'].partition('.')[2]):02}_{item['slug']}"


def _message(text: str) -> str:
    """Escaped as GitHub's own toolkit does, so that no text starts a command of its own."""
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
