"""Every row of the table is asked for real; the document says what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fidelity import moto_alone, table
from tests.fidelity.cli import Cli, CliAsker
from tests.fidelity.table import Asker, Row, agrees

ROWS = table.rows()
CLI_ROWS = list(table.sample_for_the_cli(ROWS))


def test_no_two_rows_are_one() -> None:
    ids = [row.id for row in ROWS]
    assert sorted({one for one in ids if ids.count(one) > 1}) == []


def test_every_row_says_where_it_is_from() -> None:
    assert [row.id for row in ROWS if not row.source or not row.why] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, served: Any) -> None:
    served.world.reset(1)
    came = Asker(served.client, served.world.control, served.world.account, served.world.region).ask(row)
    if row.differs:
        assert not agrees(row, came), "it agrees with AWS now: take `differs` away"
    else:
        assert agrees(row, came), f"AWS: {row.aws} {row.says}\nours: {came.said}"
    assert served.world.faults() == [] or row.differs


@pytest.fixture(scope="module")
def cli(served: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    started = Cli(served.url, tmp_path_factory.mktemp("shell"))
    yield started
    started.close()


@pytest.mark.parametrize("row", CLI_ROWS, ids=lambda row: row.id)
def test_row_through_the_cli(row: Row, served: Any, cli: Cli) -> None:
    """The AWS CLI asks as boto3 does, shows what was sent, and tells what was refused by the same name."""
    served.world.reset(1)
    came = CliAsker(cli, served).ask_at_a_shell(row)
    assert agrees(row, came), f"AWS: {row.aws} {row.says}\nours: {came.said}"


def test_the_document_is_the_table() -> None:
    assert table.written().read_text(encoding="utf-8") == table.document(ROWS, moto_alone.known()), (
        "write it anew: make fidelity"
    )
