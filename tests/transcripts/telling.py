"""The golden transcripts: each wrong answer of an item, and what its learner is told, a file an item.

`python -m tests.transcripts.telling [ITEM …]` writes them anew; read the difference before committing it. The seed is
fixed; what still differs from run to run (digests of times, tokens) is blotted out.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fargrade.course import Course, Item
from fargrade.run import Request, grade
from fargrade.verify.answers import KnownAnswer, known_answers
from fargrade.workbench import close_workbench, keep_workbench
from tests.commands import ROOT, surroundings

SEED = "20"
HERE = Path(__file__).resolve().parent
# Told by texts, by state and by recorded calls alone: the same words in each run.
ITEMS = ("1.1", "1.2", "1.6")
BLOTTED = (
    (re.compile(r"sha256:[0-9a-f]{6,64}"), "sha256:…"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?[\d.+:Z]*"), "<time>"),
    (re.compile(r"/\S*?fargrade-[\w-]+/"), "<folder>/"),
    (re.compile(r"0x[0-9a-f]{6,}"), "<address>"),
)


def file_of(item: str) -> Path:
    return HERE / f"{item}.txt"


def told(item: Item) -> str:
    """The item's transcript, from a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-m", "tests.transcripts.telling", "--show", item.id],
        cwd=ROOT, env=surroundings(PYTHONIOENCODING="utf-8"), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def _told_here(item: Item) -> str:
    """The item's transcript: graded in this process, with everything warm."""
    wrong = [answer for answer in known_answers(item) if answer.kind == "wrong"]
    keep_workbench()
    try:
        return "\n".join(_answer(item, answer) for answer in wrong)
    finally:
        close_workbench()


def _answer(item: Item, answer: KnownAnswer) -> str:
    with answer.submission() as folder, tempfile.TemporaryDirectory() as reports:
        result = Path(reports) / "grade.json"
        request = Request(submission=str(folder), seed=SEED, json=str(result), containers="off", face=False)
        with contextlib.redirect_stdout(io.StringIO()):
            grade(Course.find(ROOT), [item], request)
        (graded,) = json.loads(result.read_text(encoding="utf-8"))["items"]
    lines = [f"## {answer.name}", f"({answer.why})", ""]
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
    return [course.select(item=name)[0] for name in names or ITEMS]


if __name__ == "__main__" and sys.argv[1:2] == ["--show"]:
    sys.stdout.write(_told_here(items(sys.argv[2:])[0]))
elif __name__ == "__main__":
    for one in items(sys.argv[1:]):
        file_of(one.id).write_text(told(one), encoding="utf-8")
        print(file_of(one.id).name, flush=True)
