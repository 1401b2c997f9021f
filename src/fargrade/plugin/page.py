"""The grading as a page: pytest-html writes it, and what stands in it is ours (reports/page.py)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from fargrade.course.language import current_language
from fargrade.course.language import translate as t
from fargrade.reports.page import page
from fargrade.verdict import Grade

HEAD = "<!DOCTYPE html>\n<html>\n  <head>\n"


class Page:
    """pytest-html's hooks. `grade` gives the verdicts at the end of the run."""

    def __init__(self, file: Path, grade: Callable[[], Grade], replay: str) -> None:
        self._file = file
        self._grade = grade
        self._replay = replay

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        report.title = t("fargrade: your grading")

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        prefix.append(page(self._grade(), replay=self._replay, language=current_language()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, cells: list[str]) -> None:
        """A row a pytest node is noise here: every check stands in the page."""
        cells.clear()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        """pytest-html has no place for the language and for narrow screens: its file gets both afterwards."""
        yield
        try:
            text = self._file.read_text(encoding="utf-8")
            if text.startswith(HEAD):
                said = f'<!DOCTYPE html>\n<html lang="{current_language()}">\n  <head>\n'
                said += '    <meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
                self._file.write_text(said + text.removeprefix(HEAD), encoding="utf-8")
        except OSError:
            return  # grade.json and the terminal say all of it, and what cannot be written
