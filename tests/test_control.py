"""A failure on a backend that is not ours counts only where the course's own solution passed the same check there."""

from __future__ import annotations

from typing import Any

import pytest

from fargrade.course import Course
from fargrade.plugin.control import Control
from tests.commands import ROOT

ITEM = Course.find(ROOT).select(item="2.2")[0]


@pytest.mark.parametrize(
    ("solution", "counts"), [("passed", True), ("failed", False), ("not_judged", False), ("", False)]
)
@pytest.mark.parametrize("check", ["aws_registers_it", "it_runs_in_a_real_container"])
def test_a_failure_counts_where_the_solution_passes(check: str, solution: str, counts: bool) -> None:
    nobody: Any = None
    control = Control(nobody, "http://127.0.0.1:9")
    control._verdicts[ITEM.id] = {check: solution} if solution else {}
    assert (control.excuse(ITEM, check) == "") is counts


def test_a_solution_that_was_never_graded_excuses_everything() -> None:
    nobody: Any = None
    assert Control(nobody, "").excuse(ITEM, "aws_registers_it")
