"""The pages as a browser shows them: the class's own script runs under its policy, and nothing else does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from test_reports import HOSTILE, SETTINGS, a_check, a_grade, a_result

from fargrade.batch.class_view import class_page
from fargrade.batch.gradebook import row_of
from fargrade.batch.policy import Policy
from fargrade.course import Course
from fargrade.reports.submission import submission_page

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def shown(page: Path, folder: Path, *more: str) -> str:
    """The page's document after its script has run."""
    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    line = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
            "--disable-component-update", "--disable-sync", f"--user-data-dir={folder}", *more, "--dump-dom",
            f"file://{page}"]  # fmt: skip
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=90).stdout


def test_the_class_filters_and_sorts_and_runs_nothing_of_a_submissions(tmp_path: Path) -> None:
    attack = "<script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\">"
    rows = [
        row_of(a_result(f"s{n} {attack} {HOSTILE}", f"p{n}"), a_grade(a_check(points=2.0)), Policy()) for n in range(3)
    ]
    body = class_page(Course(ROOT), SETTINGS, rows, [], submission_file="index.html")
    (tmp_path / "index.html").write_bytes(body)
    document = shown(tmp_path / "index.html", tmp_path / "profile")
    assert ">3 / 3<" in document  # written by our script: the policy lets it run
    assert "<title>stolen" not in document
    assert document.count("<img") == 0


def test_without_its_script_the_table_is_there(tmp_path: Path) -> None:
    rows = [row_of(a_result("ada", "ada"), a_grade(), Policy())]
    body = class_page(Course(ROOT), SETTINGS, rows, [], submission_file="index.html")
    (tmp_path / "index.html").write_bytes(body.replace(b"<script>", b"<!--").replace(b"</script>", b"-->"))
    document = shown(tmp_path / "index.html", tmp_path / "profile")
    assert "submissions/ada/index.html" in document
    assert 'class="filters" hidden' in document


def test_a_submissions_page_runs_nothing(tmp_path: Path) -> None:
    attack = "</dd></dl><script>document.title='stolen'</script><svg onload=\"document.title='stolen'\">"
    page = submission_page(a_grade(a_check(found=attack, calls=[attack], title=attack)), title=attack, problem=attack)
    (tmp_path / "index.html").write_bytes(page)
    document = shown(tmp_path / "index.html", tmp_path / "profile")
    assert "<title>stolen" not in document
    assert "<svg" not in document
