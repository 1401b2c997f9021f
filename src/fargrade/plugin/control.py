"""What a backend that is not ours can show, found out by grading the course's own solution on it.

A check that the solution does not pass either says nothing about a learner: the backend is poorer than the check.
Nor does one that the learner's work passes on the embedded backend: it is right in a way that the solution is not
(a policy by a newer schema, AWS's own policy attached), and this backend is poorer than that. So a failure counts, on
any backend but the embedded one and AWS itself, only where the solution passes and the work fails at home, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fargrade.course import Item
from fargrade.course.language import translate as t
from fargrade.plugin.options import Options

SECONDS = 900


class Control:
    """The solution's verdicts on a backend, an item at a time, each found out once."""

    def __init__(self, options: Options, url: str) -> None:
        self._options = options
        self._url = url
        self._verdicts: dict[str, Mapping[str, str]] = {}
        self._home: dict[str, Mapping[str, str]] = {}

    def run(self, item: Item) -> None:
        """Grade the solution of `item` on the backend, unless that was done."""
        if item.id not in self._verdicts:
            self._verdicts[item.id] = self._graded(item)

    def _graded(self, item: Item) -> Mapping[str, str]:
        """The solution's verdicts there, with other inputs."""
        wanted = self._options.wanted
        where = [f"--backend={self._url}", f"--aws-region={wanted.region}", "--as-control"]
        return self._verdicts_of(item, item.root / "solutions", self._options.seed + 1, where)

    def _at_home(self, item: Item) -> Mapping[str, str]:
        """The same work's verdicts on the embedded backend, with the same inputs, once an item."""
        if item.id not in self._home:
            submission = self._options.submission.absolute()
            self._home[item.id] = self._verdicts_of(item, submission, self._options.seed, ["--backend=moto"])
        return self._home[item.id]

    def _verdicts_of(self, item: Item, submission: Path, seed: int, where: list[str]) -> Mapping[str, str]:
        """Status by check, of a grading of its own; none where it came to nothing."""
        with tempfile.TemporaryDirectory(prefix="fargrade-control-") as folder:
            result = Path(folder, "grade.json")
            command = [sys.executable, "-m", "pytest", str(item.grader), "-q", "--disable-plugin-autoload"]
            command += ["-p", "no:cacheprovider", "--rootdir", str(item.root), "-c", str(item.root / "pyproject.toml")]
            command += [f"--submission={submission}", f"--seed={seed}", f"--grade-json={result}", *where]
            command += [f"--confine={self._options.confine}", f"--containers={self._options.containers}"]
            try:
                subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, cwd=item.root)
                graded: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
                return {check["id"]: check["status"] for check in graded["items"][0]["checks"]}
            except (OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError):
                return {}

    def excuse(self, item: Item, check: str) -> str:
        """Why a failure of this check says nothing; "" where it counts."""
        verdicts = self._verdicts.get(item.id)
        if verdicts is None or verdicts.get(check) != "passed":
            return t(
                "On this backend the course's own solution does not pass this check either: the backend cannot show it."
            )
        if self._at_home(item).get(check) == "passed":
            return t(
                "This work passes the check on the embedded backend (backend=moto): this backend is poorer than it."
            )
        return ""
