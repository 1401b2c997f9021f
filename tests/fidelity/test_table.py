"""Every row of the table is asked for real; the document says what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from tests.fidelity import table
from tests.fidelity.table import ACCEPTED, Asker, Row, agrees

ROWS = table.rows()
CLI_ROWS = list(table.sample_for_the_cli(ROWS))
CLI_NAMES = {"codedeploy": "deploy", "s3": "s3api"}


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


@pytest.mark.parametrize("row", CLI_ROWS, ids=lambda row: row.id)
def test_row_through_the_cli(row: Row, served: Any, tmp_path: Path) -> None:
    """The AWS CLI asks as boto3 does, and tells what was refused by the same name."""
    served.world.reset(1)
    asker = Asker(served.client, served.world.control, served.world.account, served.world.region)
    for step in row.given:
        asker._given(step)
    said = _aws(row, asker._filled(row.parameters), served, tmp_path)
    if row.aws == ACCEPTED:
        assert said.returncode == 0, said.stderr
    else:
        assert f"({row.aws})" in said.stderr, said.stderr or said.stdout


def _aws(row: Row, parameters: Any, served: Any, home: Path) -> subprocess.CompletedProcess[str]:
    here = Path(sys.executable).parent
    command = shutil.which("aws", path=f"/usr/local/bin:/usr/bin:/bin:{here}")
    if command is None:
        pytest.skip("there is no AWS CLI")
    asked = home / "asked.json"
    asked.write_text(json.dumps(parameters, default=str), encoding="utf-8")
    operation = xform_name(row.operation, "-")
    return subprocess.run(
        [command, CLI_NAMES.get(row.service, row.service), operation, "--cli-input-json", f"file://{asked}"],
        env={
            "PATH": os.environ["PATH"], "HOME": str(home), "AWS_ENDPOINT_URL": served.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": served.world.environment["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": "probe",
            "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_document_is_the_table() -> None:
    assert table.written().read_text(encoding="utf-8") == table.document(ROWS), "write it anew: make fidelity"
