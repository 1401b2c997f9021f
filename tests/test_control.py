"""A failure on a backend that is not ours counts only where the course's own solution passed the same check there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fargrade.course import Course
from fargrade.plugin.control import Control
from fargrade.verify.answers import known_answers
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
    control._home[ITEM.id] = {check: "failed"}
    assert (control.excuse(ITEM, check) == "") is counts


def test_a_solution_that_was_never_graded_excuses_everything() -> None:
    nobody: Any = None
    assert Control(nobody, "").excuse(ITEM, "aws_registers_it")


@pytest.mark.parametrize(("home", "counts"), [("passed", False), ("failed", True), ("not_judged", True)])
def test_what_is_right_at_home_is_not_wrong_elsewhere(home: str, counts: bool) -> None:
    nobody: Any = None
    control = Control(nobody, "http://127.0.0.1:9")
    control._verdicts[ITEM.id] = {"aws_registers_it": "passed"}
    control._home[ITEM.id] = {"aws_registers_it": home}
    assert (control.excuse(ITEM, "aws_registers_it") == "") is counts


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """moto's own server, as it comes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_on_plain_moto_a_right_answer_of_another_kind_fails_nothing_and_a_wrong_one_does(
    moto: str, tmp_path: Path, kind: str
) -> None:
    item = Course.find(ROOT).select(item="1.6")[0]
    known = {one.label: one for one in known_answers(item)}
    wrong = next(one for one in known.values() if one.kind == "wrong" and "*" not in one.fails)
    chosen = wrong if kind == "wrong" else known["right/production_rule_archives"]  # which moto's schema does not know
    result = tmp_path / "grade.json"
    with chosen.submission() as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "fargrade.cli", "grade", "--item=1.6", f"--backend={moto}"),
                *(f"--submission={folder}", f"--json={result}", f"--reports={tmp_path}"),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    statuses = {check["id"]: check["status"] for check in json.loads(result.read_text())["items"][0]["checks"]}
    if kind == "right":
        assert statuses["accepted"] == "not_judged", done.stdout
    assert {check for check, status in statuses.items() if status == "failed"} == set(chosen.fails), done.stdout
