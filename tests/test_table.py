"""The table of items and backends is what the graders say, and the docs hold it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fargrade.course import Course
from fargrade.course.checks import read_checks
from fargrade.table import BEGIN, FILES, table, written


@pytest.fixture(scope="module")
def course(root: Path) -> Course:
    return Course(root)


@pytest.mark.parametrize("name", FILES)
def test_the_docs_hold_the_table_as_the_graders_have_it(course: Course, root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    assert BEGIN in text
    assert written(text, table(course)) == text, "run: make table"


def test_every_item_has_a_row_with_all_of_its_points(course: Course) -> None:
    rows = {line.split("|")[1].split()[0]: line for line in table(course).splitlines()[2:]}
    for item in course.items:
        if not item.grader.is_file():
            continue
        cells = [cell.strip() for cell in rows[item.id].split("|")[2:5]]
        points = sum(float(cell) for cell in cells if cell != "–")
        assert points == sum(check.points for check in read_checks(item.grader))


def test_a_file_without_markers_is_left_alone(course: Course) -> None:
    assert written("# nothing\n", table(course)) == "# nothing\n"
