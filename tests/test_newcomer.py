"""A fresh clone on a machine with Python and make alone: the two commands of the README work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT

pytestmark = pytest.mark.newcomer


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("newcomer") / "fargrade"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(place)], check=True)
    return place


def make(clone: Path, *arguments: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
    """make, with no variable of ours in its environment but where packages come from."""
    kept = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
    bare = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(clone.parent), "LANG": "C.UTF-8", **kept}
    command = [shutil.which("make") or "make", f"PYTHON={sys._base_executable}", *arguments]  # type: ignore[attr-defined]
    return subprocess.run(command, cwd=clone, env=bare, capture_output=True, text=True, timeout=seconds, check=False)


def test_grading_sets_everything_up(clone: Path) -> None:
    came = make(clone, "grade", "week=1", "submission=solutions")
    assert came.returncode == 0, came.stdout + came.stderr
    assert "Making the environment" in came.stdout
    assert "Installing" in came.stdout
    graded = json.loads((clone / "reports" / "grade.json").read_text(encoding="utf-8"))
    assert {item["status"] for item in graded["items"]} == {"passed"}
    assert len(graded["items"]) == 8


def test_the_tests_set_themselves_up(clone: Path) -> None:
    came = make(clone, "test", "args=-q tests/test_layers.py tests/test_translation.py")
    assert came.returncode == 0, came.stdout + came.stderr
    assert "passed" in came.stdout


def test_nothing_is_left_behind_in_the_tree(clone: Path) -> None:
    said = subprocess.run(["git", "status", "--short"], cwd=clone, capture_output=True, text=True, check=True).stdout
    assert said == ""
