"""moto by itself, asked the same rows: which of them it has right is written down, and what it had wrong, it has still.

When moto has mended something, this fails with the row and with where our part of it stands.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fidelity import gaps, moto_alone, table
from tests.fidelity.table import Row

ROWS = table.rows()
BY_NAME = {row.name: row for row in ROWS}
GAPS = [*gaps.BREAKS, *gaps.TAKES]


@pytest.fixture(scope="module")
def right() -> set[str]:
    """The rows that moto has right."""
    return set(moto_alone.right_by_itself())


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.words)
def test_every_gap_that_is_known_has_rows_that_close_it(gap: gaps.Gap) -> None:
    assert gap.rows
    missing = [name for name in gap.rows if name not in BY_NAME]
    assert not missing, f"there is no such row: {missing}"
    assert [name for name in gap.rows if BY_NAME[name].differs] == []


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.words)
def test_moto_has_the_gap_still(gap: gaps.Gap, right: set[str]) -> None:
    mended = [name for name in gap.rows if name in right]
    assert len(mended) < len(gap.rows), f"moto has mended it: see whether ours can go: {_where(mended)}"


def test_what_moto_has_right_is_written_down(right: set[str]) -> None:
    known = set(moto_alone.known())
    newly = sorted(right - known)
    assert not newly, f"moto has these right by now; see whether ours can go, then `make fidelity`: {_where(newly)}"
    assert not sorted(known - right), "moto has these right no longer, or their rows are gone: `make fidelity`"


def test_every_part_of_ours_says_whether_it_should_go_to_moto() -> None:
    for row in ROWS:
        moto_alone.ours(row)  # loads what answers it
    named = {one.__module__ for one in moto_alone.parts()}
    silent = [name for name in sorted(named) if not any("pstream" in text for text in _texts(name))]
    assert not silent, f"neither these nor their packages say whether it should go upstream: {silent}"


def _texts(module: str) -> list[str]:
    """The source of a module, and of its package."""
    own = sys.modules[module]
    package = sys.modules[module.rpartition(".")[0]]
    return [Path(str(one.__file__)).read_text(encoding="utf-8") for one in (own, package)]


def _where(names: list[str]) -> list[str]:
    return [f"{name} ({', '.join(moto_alone.ours(_row(name)))})" for name in names]


def _row(name: str) -> Row:
    return BY_NAME[name]
