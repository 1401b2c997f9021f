"""What a backend that is not ours can show, found out by grading the course's own solution on it.

A check that the solution does not pass either says nothing about a learner: the backend is poorer than the check.
So a failure counts, on any backend but the embedded one and AWS itself, only where the solution passed.
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

    def run(self, item: Item) -> None:
        """Grade the solution of `item` on the backend, unless that was done."""
        if item.id not in self._verdicts:
            self._verdicts[item.id] = self._graded(item)

    def _graded(self, item: Item) -> Mapping[str, str]:
        with tempfile.TemporaryDirectory(prefix="fargrade-control-") as folder:
            result = Path(folder, "grade.json")
            command = [sys.executable, "-m", "pytest", str(item.grader), "-q", "--disable-plugin-autoload"]
            command += ["-p", "no:cacheprovider", "--rootdir", str(item.root), "-c", str(item.root / "pyproject.toml")]
            command += [f"--submission={item.root / 'solutions'}", f"--seed={self._options.seed + 1}", "--as-control"]
            command += [f"--backend={self._url}", f"--grade-json={result}", f"--confine={self._options.confine}"]
            command += [f"--aws-region={self._options.wanted.region}", f"--containers={self._options.containers}"]
            try:
                subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, cwd=item.root)
                graded: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
                return {check["id"]: check["status"] for check in graded["items"][0]["checks"]}
            except (OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError):
                return {}

    def excuse(self, item: Item, check: str) -> str:
        """Why a failure of this check says nothing; "" where it counts."""
        verdicts = self._verdicts.get(item.id)
        if verdicts is not None and verdicts.get(check) == "passed":
            return ""
        return t(
            "On this backend the course's own solution does not pass this check either: the backend cannot show it."
        )
