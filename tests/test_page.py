"""The page of a grading: everything that was found stands in it, and nothing of a submission's is more than text."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.course.language import use_language
from fargrade.reports.page import page
from fargrade.verdict import CheckResult, Finding, Grade, ItemResult, Picture

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><!-- {{7*7}} \x1b[31m\u202e"
SERIES = Picture(
    "series",
    HOSTILE,
    {
        "x": [0.0, 60.0], "x_label": HOSTILE, "levels": [],
        "lines": [{"name": HOSTILE, "values": [1.0, 2.0], "axis": "left", "steps": False}],
    },
)  # fmt: skip


def _grade(text: str = "plain", *, begun: bool = True) -> Grade:
    finding = Finding(text, text, text, text, "https://docs.aws.amazon.com/x", text)
    checks = (
        CheckResult("one", text, "passed", 1, "state", Finding(docs=text), pictures=(SERIES,)),
        CheckResult("two", text, "failed", 2, "state", finding, (text,)),
        CheckResult("three", "Another", "not_judged", 3, "container", Finding(reason=text)),
    )
    items = (
        ItemResult("1.2", "repository", text, 1, checks, begun=begun, notes=(text,)),
        ItemResult("1.3", "image", "An image", 1, checks[:1]),
    )
    return Grade(items, 7, {"name": text}, {"python": "3"}, complete=False)


class _Elements(HTMLParser):
    """The elements, attributes and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.hrefs: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.hrefs += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += f" {data} "


def test_what_was_found_stands_in_it() -> None:
    words = _Elements(page(_grade(), replay="make grade week=1")).words
    for said in (
        "Score 2 of 4", "1 passed", "1 failed", "expected", "found", "on AWS", "hint", "1 point", "2 points",
        "what your code called", "make hint item=1.2", "make learned item=1.3", "make grade week=1 seed=7",
        "Not judged here: 3 of 7 points.", "interrupted",
    ):  # fmt: skip
        assert said in words, said
    assert "pytest" not in words


def test_what_is_not_begun_is_to_do() -> None:
    words = _Elements(page(_grade(begun=False))).words
    assert "1 to do" in words
    assert "exercises/week1/02_repository/README.md" in words
    assert "expected" not in words


def test_it_is_in_russian() -> None:
    try:
        use_language("ru")
        words = _Elements(page(_grade(), language="ru")).words
    finally:
        use_language("en")
    assert {"нужно", "найдено", "подсказка"} <= set(re.findall(r"\w+", words))


@given(st.text(alphabet=st.sampled_from("<>&\"'/ =javscript:onerx!-{}%\x00\x1b\u202e"), max_size=60) | st.just(HOSTILE))
def test_a_text_is_only_a_text(text: str) -> None:
    plain, made = _Elements(page(_grade())), _Elements(page(_grade(text)))
    assert made.tags <= plain.tags
    assert made.attributes <= plain.attributes
    assert set(made.hrefs) <= set(plain.hrefs)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", made.words)


def test_only_a_web_address_becomes_a_link() -> None:
    assert not any("javascript" in one for one in _Elements(page(_grade("javascript:alert(1)"))).hrefs)


@pytest.mark.browser
def test_a_browser_runs_nothing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(f"<!DOCTYPE html><title>ours</title><body>{page(_grade(HOSTILE))}", encoding="utf-8")
    browser = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    shown = subprocess.run(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--virtual-time-budget=2000", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=90, check=True,
    ).stdout  # fmt: skip
    assert "<title>ours</title>" in shown
    assert "<img" not in shown
