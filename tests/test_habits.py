"""pytest's own habits keep working, and grade.json is whole whatever happens to the run."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.commands import FARGRADE, ROOT, Came, fargrade, submission, surroundings


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """1.2 and 1.6 wrong, 1.1 and 1.5 right, the rest as shipped."""
    names = {"architecture": "solutions", "scanning": "solutions", "access": "exercises", "public": "exercises"}
    wrong = {"repository": "wrong/capital_keys", "lifecycle": "wrong/any_rule_first"}
    return submission(tmp_path / "given", **names, **wrong)


def grade(tmp_path: Path, given: Path, *more: str, pytest_: tuple[str, ...] = ()) -> Came:
    arguments = [
        "--week",
        "1",
        "--submission",
        str(given),
        "--reports",
        str(tmp_path / "reports"),
        "--seed",
        "5",
        *more,
    ]
    return fargrade("grade", *arguments, *(("--", *pytest_) if pytest_ else ()))


def items(tmp_path: Path) -> dict[str, Any]:
    found = json.loads((tmp_path / "reports" / "grade.json").read_text(encoding="utf-8"))
    assert found["schema"] == 1
    return {item["id"]: item for item in found["items"]}


def test_who_reads_along_may_stop(tmp_path: Path, given: Path) -> None:
    """As `make grade week=1 | head`: the grading goes on to its end, and says nothing of the pipe."""
    grading = subprocess.Popen(
        [*FARGRADE, "grade", "--item", "1.1", "--submission", str(given), "--reports", str(tmp_path / "reports")],
        cwd=ROOT, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert grading.stdout is not None
    assert grading.stderr is not None
    grading.stdout.close()
    said = grading.stderr.read()
    assert grading.wait(60) == 0, said
    assert said == ""
    assert json.loads((tmp_path / "reports" / "grade.json").read_text(encoding="utf-8"))["complete"] is True


def test_a_whole_week(tmp_path: Path, given: Path) -> None:
    came = grade(tmp_path, given)
    assert came.returncode == 1
    found = items(tmp_path)
    assert [found[one]["status"] for one in ("1.1", "1.2", "1.5", "1.6")] == ["passed", "failed", "passed", "failed"]
    assert [found[one]["begun"] for one in ("1.1", "1.7", "1.8")] == [True, False, False]
    for said in ("expected", "found", "on AWS", "hint", "calls", "docs", "seed=5", "make hint item=", "grade.html"):
        assert said in came.stdout, said
    assert "to do" in came.stdout
    assert "Traceback" not in came.stdout + came.stderr
    _is_junit(tmp_path / "reports" / "junit.xml", found)
    page = (tmp_path / "reports" / "grade.html").read_text(encoding="utf-8")
    assert page.count("<section id=") == len(found)


def _is_junit(file: Path, found: dict[str, Any]) -> None:
    suite = ElementTree.parse(file).getroot().find("testsuite")
    assert suite is not None
    checks = [check for item in found.values() for check in item["checks"]]
    assert int(suite.attrib["tests"]) == len(checks)
    assert int(suite.attrib["failures"]) == sum(check["status"] == "failed" for check in checks)
    assert int(suite.attrib["skipped"]) == sum(check["status"] == "not_judged" for check in checks)
    assert suite.attrib["errors"] == "0"
    assert all("Traceback" not in (failure.text or "") for failure in suite.iter("failure"))


def test_the_same_seed_gives_the_same_marks(tmp_path: Path, given: Path) -> None:
    seen = []
    for _ in range(2):
        grade(tmp_path, given, "--item", "1.2")
        (item,) = items(tmp_path).values()
        seen.append([(check["id"], check["status"], check["expected"], check["found"]) for check in item["checks"]])
    assert seen[0] == seen[1]


def test_k_chooses_checks(tmp_path: Path, given: Path) -> None:
    grade(tmp_path, given, "--item", "1.2", pytest_=("-k", "tags"))
    (item,) = items(tmp_path).values()
    assert item["checks"]
    assert all("tags" in check["id"] for check in item["checks"])


def test_k_that_chooses_nothing(tmp_path: Path, given: Path) -> None:
    came = grade(tmp_path, given, "--item", "1.2", pytest_=("-k", "nothing_like_it"))
    assert came.returncode == 2
    assert "No check was chosen" in came.stderr


def test_x_stops_and_says_what_did_not_run(tmp_path: Path, given: Path) -> None:
    came = grade(tmp_path, given, pytest_=("-x",))
    assert came.returncode == 1
    found = items(tmp_path)
    assert sum(check["status"] == "failed" for item in found.values() for check in item["checks"]) == 1
    assert any("did not come to run" in check["reason"] for check in found["1.8"]["checks"])


def test_lf_grades_what_failed(tmp_path: Path, given: Path) -> None:
    (tmp_path / "cache").mkdir()
    cache = ("-o", f"cache_dir={tmp_path / 'cache'}")
    grade(tmp_path, given, "--item", "1.2", pytest_=cache)
    failed = {check["id"] for check in items(tmp_path)["1.2"]["checks"] if check["status"] == "failed"}
    grade(tmp_path, given, "--item", "1.2", pytest_=(*cache, "--lf"))
    assert {check["id"] for check in items(tmp_path)["1.2"]["checks"]} == failed


def test_n_grades_the_same_side_by_side(tmp_path: Path, given: Path) -> None:
    grade(tmp_path, given)
    alone = {id_: (item["status"], item["score"], item["begun"]) for id_, item in items(tmp_path).items()}
    came = grade(tmp_path, given, pytest_=("-n", "2"))
    assert came.returncode == 1, came.stdout + came.stderr
    assert {id_: (item["status"], item["score"], item["begun"]) for id_, item in items(tmp_path).items()} == alone


def test_nothing_judged_is_status_3(tmp_path: Path) -> None:
    given = submission(tmp_path / "given", image="solutions")
    came = grade(tmp_path, given, "--item", "1.3", "--containers", "off", pytest_=("-k", "builds"))
    assert came.returncode == 3, came.stdout


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_end_by_force_leaves_grade_json_whole(tmp_path: Path, given: Path, how: signal.Signals) -> None:
    """However it ends, grade.json holds every item: what did not run is not judged, and says so."""
    file = tmp_path / "reports" / "grade.json"
    arguments = ["grade", "--week", "1", "--submission", str(given), "--reports", str(file.parent)]
    running = subprocess.Popen(
        [*FARGRADE, *arguments],
        cwd=ROOT,
        env=surroundings(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not _judged(file) and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    running.send_signal(how)
    running.wait(30)
    found = items(tmp_path)
    assert len(found) == 8
    assert all(item["checks"] for item in found.values())
    assert not list(file.parent.glob(".grade.json.*")) or how is signal.SIGKILL


def _judged(file: Path) -> bool:
    """Whether some check has a verdict."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return False
    return any(check["status"] != "not_judged" for item in found["items"] for check in item["checks"])


def test_in_russian(tmp_path: Path, given: Path) -> None:
    came = grade(tmp_path, given, "--lang", "ru")
    assert {"нужно", "найдено", "подсказка", "предстоит"} <= set(came.stdout.split())
    assert json.loads((tmp_path / "reports" / "grade.json").read_text(encoding="utf-8"))["language"] == "ru"
    checks = [check for item in items(tmp_path).values() for check in item["checks"]]
    assert not [one["title"] for one in checks if not any("а" <= letter.lower() <= "я" for letter in one["title"])]


def test_hints_come_in_steps(tmp_path: Path) -> None:
    asked = ["hint", "--item", "1.6", "--reports", str(tmp_path)]
    first, second = fargrade(*asked).stdout, fargrade(*asked).stdout
    assert "hint 1 of" in first
    assert "hint 2 of" in second
    everything = fargrade(*asked, "--all").stdout
    assert "hint 1 of" in everything
    assert "hint 3 of" in everything
    assert (
        "подсказка 1 из" in fargrade("hint", "--item", "1.2", "--reports", str(tmp_path), "--lang", "ru").stdout.lower()
    )


def test_what_was_learned_is_told() -> None:
    assert len(fargrade("learned", "--item", "1.6").stdout) > 200
    assert fargrade("learned", "--item", "1.6", "--lang", "ru").stdout != fargrade("learned", "--item", "1.6").stdout


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_terminal(tmp_path: Path, given: Path, columns: str, encoding: str) -> None:
    arguments = ["--item", "1.2", "--submission", str(given), "--reports", str(tmp_path / "reports")]
    came = fargrade("grade", *arguments, COLUMNS=columns, PYTHONIOENCODING=encoding, TERM="dumb", NO_COLOR="1")
    assert came.returncode == 1, came.stderr
    assert "failed" in came.stdout
    assert "\x1b" not in came.stdout
    assert encoding == "utf-8" or came.stdout.isascii()
    too_long = [line for line in came.stdout.splitlines() if len(line) > int(columns) and "http" not in line]
    assert not [line for line in too_long if not line.startswith(("again", "report", "help"))]
