"""Whatever is wrong with what was given: one sentence that says what to do, the right exit status, nothing lost."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fargrade.course import Answer, Course
from fargrade.course.submission import AnswerProblem
from tests.commands import ROOT, fargrade, submission

USAGE = 2
FILE = "lifecycle-policy.json"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["grade", "--week", "9"], "9"),
        (["grade", "--week", "one"], "one"),
        (["grade", "--item", "1.99"], "1.99"),
        (["grade", "--item", "nothing"], "nothing"),
        (["grade", "--week", "1", "--item", "9.1"], "9.1"),
        (["grade", "--week", "1", "--submission", "/no/such/folder"], "no folder"),
        (["grade", "--week", "1", "--submission", "pyproject.toml"], "file"),
        (["grade", "--week", "1", "--submission", "docs"], "no week"),
        (["grade", "--item", "1.6", "--seed", "many"], "whole number"),
        (["grade", "--item", "1.6", "--seed", "-1"], "whole number"),
        (["grade", "--item", "1.6", "--lang", "xx"], "xx"),
        (["grade", "--item", "1.6", "--backend", "moon"], "moon"),
        (["hint", "--item", "9.9"], "9.9"),
        (["hint"], "make hint item=…"),
        (["batch"], "make batch submissions=… out=…"),
        (["batch", "--submissions", "exercises", "--out", "exercises/results"], "among the submissions"),
        (["package"], "make package kind=… out=…"),
        (["release", "--out", "/dev/null/course"], "/dev/null/course"),
        (["report", "junit", "--grade", "/no/such/file"], "No such file or directory"),
        ([], "batch"),
        (["grade", "--nothing"], "--nothing"),
        (["hint", "--item", "1.6", "--lang", "xx"], "There is no language 'xx'"),
        (["learned", "--item", "9.9"], "9.9"),
        (["verify", "--item", "9.9"], "9.9"),
        (["watch", "--item", "1.6", "--submission", "/no/such/folder"], "no folder"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_one_sentence(arguments: list[str], sentence: str) -> None:
    came = fargrade(*arguments)
    said = (came.stderr + came.stdout).strip()
    assert came.returncode == USAGE, said
    assert sentence in said
    assert "Traceback" not in said
    assert len([line for line in said.splitlines() if line.strip()]) == 1, said


def test_outside_of_a_course(tmp_path: Path) -> None:
    came = fargrade("grade", "--week", "1", cwd=tmp_path)
    assert came.returncode == USAGE
    assert "Traceback" not in came.stderr
    assert len(came.stderr.strip().splitlines()) == 1


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        came = fargrade("emulator", "--port", port)
    assert came.returncode == USAGE
    assert f"Port {port}" in came.stderr
    assert len(came.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("item", "files", "name", "told"),
    [
        ("1.2", ["repo.py"], "repository.py", "there is repo.py"),
        ("1.2", ["notes.txt"], "repository.py", "put it into week1/02_repository/"),
        ("1.2", ["a.py", "b.py"], "repository.py", "put it into week1/02_repository/"),
        ("1.3", ["app.py", "dockerfile"], "Dockerfile", "there is dockerfile"),
        ("1.7", ["push-policy.json"], "pull-policy.json", "put it into week1/07_access/"),
    ],
)
def test_a_wrong_name_is_told_from_a_missing_file(item: str, files: list[str], name: str, told: str) -> None:
    answer = Answer(Course.find(ROOT).select(item=item)[0], dict.fromkeys(files, b"x"))
    with pytest.raises(AnswerProblem, match=told):
        answer.text(name)


def _not_utf8(file: Path) -> None:
    file.write_bytes(b'{"rules": "\xff\xfe"}')


def _no_json(file: Path) -> None:
    file.write_text('{"rules": [' + '{"rulePriority": 1},' * 20, encoding="utf-8")


def _empty(file: Path) -> None:
    file.write_text("", encoding="utf-8")


def _missing(file: Path) -> None:
    file.unlink()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _link_out(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/hostname")


def _fifo(file: Path) -> None:
    import os

    file.unlink()
    os.mkfifo(file)


def _huge(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(200 << 20)


@pytest.mark.parametrize("spoil", [_not_utf8, _no_json, _empty, _missing, _folder, _link_out, _fifo, _huge])
def test_an_answer_that_cannot_be_read_costs_its_item_only(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    given = submission(tmp_path / "given", lifecycle="solutions", architecture="solutions")
    spoil(given / "week1" / "06_lifecycle" / FILE)
    came = fargrade("grade", "--week", "1", "--submission", str(given), "--reports", str(tmp_path / "reports"))
    assert came.returncode == 1, came.stderr
    assert "Traceback" not in came.stdout + came.stderr
    items = _items(tmp_path)
    assert items["1.1"]["status"] == "passed"
    assert (items["1.6"]["status"], items["1.6"]["score"]) == ("failed", 0)
    reasons = {check["reason"] or check["found"] for check in items["1.6"]["checks"]}
    assert all(reasons), reasons
    assert any(FILE in one or "JSON" in one for one in reasons), reasons
    assert items["1.2"]["status"] == "failed"  # not handed in
    assert items["1.2"]["checks"][0]["reason"]


def _items(tmp_path: Path) -> dict[str, Any]:
    grade = json.loads((tmp_path / "reports" / "grade.json").read_text(encoding="utf-8"))
    assert grade["complete"]
    return {item["id"]: item for item in grade["items"]}


def test_a_script_with_windows_line_ends_is_told_so(tmp_path: Path) -> None:
    given = submission(tmp_path / "given", push="solutions")
    script = given / "week1" / "04_push" / "push.sh"
    script.write_bytes(script.read_bytes().replace(b"\n", b"\r\n"))
    came = fargrade("grade", "--item", "1.4", "--submission", str(given), "--reports", str(tmp_path / "reports"))
    assert came.returncode == 1
    assert "push.sh has Windows' line ends" in came.stdout


def test_reports_that_cannot_be_written_go_elsewhere(tmp_path: Path) -> None:
    given = submission(tmp_path / "given", lifecycle="solutions")
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    wanted = str(tmp_path / "taken" / "reports")
    came = fargrade("grade", "--item", "1.6", "--submission", str(given), "--reports", wanted, TMPDIR=str(tmp_path))
    assert came.returncode == 0, came.stderr
    assert f"{wanted} cannot be written" in came.stderr
    (instead,) = tmp_path.glob("fargrade-reports-*")
    assert json.loads((instead / "grade.json").read_text(encoding="utf-8"))["items"][0]["status"] == "passed"


def test_a_json_file_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    given = submission(tmp_path / "given", lifecycle="solutions")
    arguments = ["--submission", str(given), "--reports", str(tmp_path / "reports"), "--json", "/proc/nothing/x.json"]
    came = fargrade("grade", "--item", "1.6", *arguments)
    assert came.returncode == 0, came.stderr
    assert "/proc/nothing/x.json cannot be written" in came.stdout
    assert _items(tmp_path)["1.6"]["status"] == "passed"
