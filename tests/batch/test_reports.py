"""What a batch writes for people and tools: a submission's text is data in all of it."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fargrade.batch.class_view import class_page
from fargrade.batch.gradebook import cell, csv_of, json_of, row_of
from fargrade.batch.policy import Policy, read_policy
from fargrade.batch.records import Records, Result, Settings, write_json
from fargrade.batch.similarity import Pair
from fargrade.batch.task import Terms
from fargrade.course import Course, CourseProblem
from fargrade.reports import github, gradescope, junit
from fargrade.reports.submission import submission_page

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>{{7*7}}{% raw %}\x1b[2J\u202egnp.exe\ud800\x00]]>"
    "\n::error file=x::stolen\n=cmd|'/C calc'!A0 [link](javascript:alert(1)) @everyone %0A &lt;"
)
VOID = {"meta", "input", "br", "img", "link"}


def a_check(**more: Any) -> dict[str, Any]:
    check = {"id": "tags", "title": "Tags stay", "status": "failed", "points": 2.0, "score": 0.0, "evidence": "state",
             "expected": HOSTILE, "found": HOSTILE, "on_aws": HOSTILE, "hint": HOSTILE, "docs": "https://docs.aws.amazon.com/x",
             "reason": HOSTILE, "calls": [HOSTILE], "seconds": 0.1, "hidden": False, "fault": False}  # fmt: skip
    return check | more


def a_grade(*checks: dict[str, Any]) -> dict[str, Any]:
    checks = checks or (a_check(),)
    score = sum(check["score"] for check in checks)
    points = sum(check["points"] for check in checks)
    judged = sum(check["points"] for check in checks if check["status"] != "not_judged")
    status = "failed" if any(check["status"] == "failed" for check in checks) else "passed"
    item = {"id": "1.2", "slug": "repository", "title": "A private repository", "week": 1, "points": points,
            "score": score, "max_score": judged, "status": status, "begun": True, "seconds": 0.2, "notes": [HOSTILE],
            "checks": list(checks)}  # fmt: skip
    return {"schema": 1, "complete": True, "backend": {"name": "moto", "confined": True, "note": ""}, "seed": 5,
            "language": "en", "submission": HOSTILE, "versions": {}, "score": score, "max_score": judged,
            "items": [item]}  # fmt: skip


def a_result(student: str = HOSTILE, place: str = "place", **more: Any) -> Result:
    return Result(student, place, "graded", "key", "source", notes=(HOSTILE,), problem=HOSTILE, **more)


SETTINGS = Settings(Terms(("1.2",), 5, course="abc"), "where", True, 0.0)


class Structure(HTMLParser):
    """The elements of a page, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attributes}
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def structure(page: bytes) -> Structure:
    found = Structure()
    found.feed(page.decode("utf-8"))
    assert found.open == []
    return found


def is_clean(text: str) -> bool:
    return not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text)


def test_a_submissions_text_is_no_markup_on_its_page() -> None:
    quiet = json.loads(json.dumps(a_grade()).replace(json.dumps(HOSTILE)[1:-1], "quiet"))
    page = submission_page(a_grade(), title=HOSTILE, problem=HOSTILE, notes=[HOSTILE], guesses={"1.2": HOSTILE})
    plain = submission_page(quiet, title="quiet", problem="quiet", notes=["quiet"], guesses={"1.2": "quiet"})
    assert structure(page).elements == structure(plain).elements
    assert not any(name.startswith("on") for name in structure(page).attributes)
    assert set(structure(page).links) == {"https://docs.aws.amazon.com/x"}
    assert "script" not in structure(page).elements
    assert is_clean(page.decode())
    assert b"49" not in page.replace(b"149", b"")


def test_a_picture_is_drawn_and_its_texts_are_letters() -> None:
    hops = [{"name": HOSTILE, "status": "failed", "detail": HOSTILE}]
    page = submission_page(
        a_grade(a_check(pictures=[{"kind": "path", "title": HOSTILE, "data": {"hops": hops}}])), title="x"
    )
    found = structure(page)
    assert "svg" in found.elements
    assert "script" not in found.elements
    assert "img" not in found.elements
    assert not any(name.startswith("on") for name in found.attributes)
    assert is_clean(page.decode())


def test_a_link_that_is_no_address_of_ours_is_no_link() -> None:
    page = submission_page(a_grade(a_check(docs="javascript:alert(1)")), title="x")
    assert structure(page).links == []


def test_the_page_of_the_class_runs_no_script_but_its_own() -> None:
    rows = [row_of(a_result(place=f"p{n}", guesses={"1.2": ["x", HOSTILE]}), a_grade(), Policy()) for n in range(3)]
    page = class_page(Course(ROOT), SETTINGS, rows, [Pair("p0", "p1", 0.9, ("1.2",))], submission_file="index.html")
    found = structure(page)
    assert found.elements.count("script") == 1
    assert not any(name.startswith("on") for name in found.attributes)
    assert all(link.startswith("submissions/p") for link in found.links)
    assert is_clean(page.decode())
    assert b"script-src &#39;sha256-" in page
    assert b"http:" not in page


def test_hidden_checks_are_the_instructors() -> None:
    grade = a_grade(a_check(title="SECRET", id="secret", hidden=True), a_check(status="passed", score=2.0))
    assert b"SECRET" not in submission_page(grade, title="x")
    assert "Of 1 hidden checks, 0 passed." in submission_page(grade, title="x").decode()
    assert b"SECRET" in submission_page(grade, title="x", hidden=True)
    assert b"SECRET" not in github.summary(grade)
    assert not any("SECRET" in line for line in github.annotated(grade))
    assert json.loads(gradescope.report(grade))["tests"][0]["visibility"] == "hidden"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_csv_is_read_back_whole() -> None:
    rows = [row_of(a_result(student), a_grade(), Policy()) for student in ("ada", "=cmd|x", 'q"uo,te\nd', "Ада")]
    body = csv_of(rows, Course(ROOT), SETTINGS)
    read = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert [one["student"] for one in read] == ["ada", "'=cmd|x", 'q"uo,te d', "Ада"]
    assert {one["1.2"] for one in read} == {"0"}
    assert {one["confined"] for one in read} == {"yes"}
    assert body.count(b"\r\n") == 5


def test_gradebook_json_is_json_for_everybody(tmp_path: Path) -> None:
    rows = [row_of(a_result(), a_grade(), Policy())]
    write_json(tmp_path / "x.json", json_of(rows, SETTINGS, {}))
    body = (tmp_path / "x.json").read_bytes()
    assert json.loads(body.decode("utf-8"))["submissions"][0]["score"] == 0
    assert b"\\ud800" not in body


def test_gradescopes_schema() -> None:
    told = json.loads(gradescope.report(a_grade(a_check(), a_check(id="x", status="not_judged", points=1.0))))
    assert told["score"] == 0
    assert told["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
    assert told["stdout_visibility"] == "hidden"
    assert [test.get("status") for test in told["tests"]] == ["failed", None]
    assert [test["max_score"] for test in told["tests"]] == [2, 0]
    for test in told["tests"]:
        assert test["output_format"] == "text"
        assert is_clean(test["output"] + test["name"])


def test_junit_is_xml() -> None:
    root = ElementTree.fromstring(
        junit.report(a_grade(a_check(), a_check(status="not_judged"), a_check(status="passed")))
    )
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert [child.tag for case in suite for child in case] == ["failure", "skipped"]


def test_github_takes_no_command_from_a_submission() -> None:
    lines = list(github.annotated(a_grade(a_check(found=f"repository.py, line 7, raised {HOSTILE}"))))
    assert len(lines) == 1
    assert "\n" not in lines[0]
    assert lines[0].startswith("::error file=exercises/week1/02_repository/repository.py,line=7,title=1.2::Tags stay: ")
    summary = github.summary(a_grade()).decode()
    assert "<script" not in summary
    assert "<img" not in summary
    assert "](javascript" not in summary
    assert not re.search(r"(?m)^::", summary)


def test_weights_and_being_late(tmp_path: Path) -> None:
    policy = tmp_path / "course.toml"
    policy.write_text("""
[weights]
"1.2" = 3
week1 = 1
[late]
deadline = 2026-12-01T00:00:00Z
grace_minutes = 10
per_day = 10
most = 25
[late.extensions]
ada = 2026-12-03T00:00:00Z
""")
    read = read_policy(policy, Course(ROOT))
    deadline = read.deadline
    assert deadline is not None
    for after, days, penalty in ((-1, 0, 0), (599, 0, 0), (601, 1, 10), (86_401, 2, 20), (10 * 86_400, 10, 25)):
        assert read.days_late("bob", deadline + after) == days
        assert read.penalty(days) == penalty
    assert read.days_late("ada", deadline + 86_400) == 0
    items = [{"id": "1.2", "score": 1, "max_score": 2}, {"id": "1.3", "score": 2, "max_score": 2}]
    assert read.mark(items, 0) == 62.5
    assert read.mark(items, 1) == 56.25
    assert read.mark([{"id": "1.2", "score": 0, "max_score": 0}], 0) is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[weights]\n'9.9' = 1",
        "[late]\nper_day = 1",
        "[late]\ndeadline = 'soon'",
        "[weights]\nweek1 = -1",
        "[lat]\n",
    ],
)
def test_a_wrong_policy_is_told_before_anything_is_graded(tmp_path: Path, text: str) -> None:
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(CourseProblem, match=r"course\.toml"):
        read_policy(tmp_path / "course.toml", Course(ROOT))


def test_a_result_that_was_cut_short_is_none(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.keep(a_result("ada"), a_grade())
    whole = (tmp_path / "submissions/place/result.json").read_text()
    assert records.result("place") is not None
    (tmp_path / "submissions/place/result.json").write_text(whole[: len(whole) // 2])
    assert records.result("place") is None
