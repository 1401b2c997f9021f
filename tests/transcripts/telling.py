"""The golden transcripts: what the learner of a wrong answer is told.

Of three items every wrong answer, a file an item; of the others one each, handed in together and graded in one run.
`python -m tests.transcripts.telling [ITEM … | one_each]` writes them anew; read the difference before committing it.
The seed is fixed; what still differs from run to run (digests of times, tokens) is blotted out.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fargrade.course import Course, Item
from fargrade.run import Request, grade
from fargrade.verify.answers import KnownAnswer, known_answers
from fargrade.workbench import close_workbench, keep_workbench
from tests.commands import ROOT, surroundings

SEED = "20"
HERE = Path(__file__).resolve().parent
# Told by texts, by state and by recorded calls alone: the same words in each run.
ITEMS = ("1.1", "1.2", "1.6")
ONE_EACH = {
    "1.3": "root",
    "1.4": "latest",
    "1.5": "gate_reads_one_page",
    "1.7": "login_on_the_repository",
    "1.8": "token_not_decoded",
    "2.2": "size_that_does_not_exist",
    "2.5": "tasks_on_port_80",
    "2.7": "no_breaker",
    "3.4": "trusts_ec2",
    "3.6": "a_share",
    "4.1": "nat_in_a_private_subnet",
    "4.4": "one_minute_is_enough",
    "4.7": "script_runs_on",
    "4.9": "any_branch",
    "4.10": "no_way_out",
}
TOGETHER = "one_each"
BLOTTED = (
    (re.compile(r"sha256:[0-9a-f]{6,64}"), "sha256:…"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?[\d.+:Z]*"), "<time>"),
    (re.compile(r"/\S*?fargrade-[\w-]+/"), "<folder>/"),
    (re.compile(r"0x[0-9a-f]{6,}"), "<address>"),
    # Ids that EC2 and the load balancer give: others whenever one more of anything is made.
    (re.compile(r"\b(sg|subnet|rtb|nat|vpc|vpce|igw|eni|acl)-[0-9a-f]{8,17}\b"), r"\1-…"),
    (re.compile(r"(?<=/)[0-9a-f]{16}\b"), "…"),
)


def file_of(name: str) -> Path:
    return HERE / f"{name}.txt"


def told(name: str) -> str:
    """The transcript of an item, or of the one answer each, from a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-m", "tests.transcripts.telling", "--show", name],
        cwd=ROOT, env=surroundings(PYTHONIOENCODING="utf-8"), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def _told_here(name: str) -> str:
    """The transcript: graded in this process, with everything warm."""
    if name == TOGETHER:
        return _one_each()
    (item,) = items([name])
    wrong = [answer for answer in known_answers(item) if answer.kind == "wrong"]
    keep_workbench()
    try:
        return "\n".join(_answer(item, answer) for answer in wrong)
    finally:
        close_workbench()


def _answer(item: Item, answer: KnownAnswer) -> str:
    with answer.submission() as folder:
        (graded,) = _graded([item], folder)
    return _transcript(answer.name, answer, graded)


def _one_each() -> str:
    """A submission with one wrong answer an item: one run tells them all."""
    chosen = items(list(ONE_EACH))
    answers = [next(one for one in known_answers(item) if one.name == ONE_EACH[item.id]) for item in chosen]
    with tempfile.TemporaryDirectory() as made:
        for answer in answers:
            with answer.submission() as folder:
                shutil.copytree(folder, made, dirs_exist_ok=True)
        graded = _graded(chosen, Path(made))
    return "\n".join(
        _transcript(f"{answer.item.id} {answer.name}", answer, one) for answer, one in zip(answers, graded, strict=True)
    )


def _graded(chosen: list[Item], submission: Path) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as reports:
        result = Path(reports) / "grade.json"
        request = Request(submission=str(submission), seed=SEED, json=str(result), containers="off", face=False)
        with contextlib.redirect_stdout(io.StringIO()):
            grade(Course.find(ROOT), chosen, request)
        items: list[dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))["items"]
        return items


def _transcript(heading: str, answer: KnownAnswer, graded: dict[str, Any]) -> str:
    lines = [f"## {heading}", f"({answer.why})", ""]
    for check in graded["checks"]:
        if check["status"] != "failed":
            continue
        lines.append(f"✗ {check['title']}")
        rows = ("reason", "expected", "found", "on_aws", "hint")
        lines += [f"    {row}: {_blotted(check[row])}" for row in rows if check[row]]
    return "\n".join(lines) + "\n"


def _blotted(text: str) -> str:
    for pattern, instead in BLOTTED:
        text = pattern.sub(instead, text)
    return " ".join(text.split())


def items(names: list[str]) -> list[Item]:
    course = Course.find(ROOT)
    return [course.select(item=name)[0] for name in names]


if __name__ == "__main__" and sys.argv[1:2] == ["--show"]:
    sys.stdout.write(_told_here(sys.argv[2]))
elif __name__ == "__main__":
    for one in sys.argv[1:] or (*ITEMS, TOGETHER):
        file_of(one).write_text(told(one), encoding="utf-8")
        print(file_of(one).name, flush=True)
