"""GitHub's schema of workflow files, as check-jsonschema ships it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from fargrade.course.language import translate as t

SECONDS = 20


def lint_workflow(text: str) -> list[str]:
    """What GitHub's schema finds wrong in the workflow `text`, a sentence each: where, and what.

    Raises LinterMissing.
    """
    from fargrade.lint import LinterMissing

    found = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent)) or shutil.which("check-jsonschema")
    if found is None:
        raise LinterMissing(t("check-jsonschema is not installed: pip install check-jsonschema."))
    ended = subprocess.run(
        [
            found,
            "--builtin-schema",
            "vendor.github-workflows",
            "--default-filetype",
            "yaml",
            "--output-format",
            "json",
            "-",
        ],
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        check=False,
    )
    try:
        told = json.loads(ended.stdout)
        return [_said(one) for one in told["errors"]] + [
            str(one.get("message", one)) for one in told.get("parse_errors", [])
        ]
    except (ValueError, KeyError, TypeError):
        why = (ended.stderr or ended.stdout).decode("utf-8", "replace")[-200:]
        raise LinterMissing(t("check-jsonschema does not run here: {why}", why=why)) from None


def _said(error: dict[str, object]) -> str:
    """The deepest that the schema says of an error."""
    best = error.get("best_deep_match")
    told = best if isinstance(best, dict) else error
    return f"{str(told.get('path', '')).removeprefix('$.')}: {told.get('message', '')}"[:300]
