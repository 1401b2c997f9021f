"""Commands as people give them: `fargrade …` in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


Came = subprocess.CompletedProcess[str]
FARGRADE = [sys.executable, "-m", "fargrade.cli"]


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a command: COLUMNS is wide, so that sentences are whole."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("FARGRADE", "PYTEST"))}
    return {**own, "COLUMNS": "200", **more}


def fargrade(*arguments: str, cwd: Path = ROOT, seconds: float = 120, **environment: str) -> Came:
    """Run the command line to its end."""
    return subprocess.run(
        [*FARGRADE, *arguments],
        cwd=cwd,
        env=surroundings(**environment),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def submission(folder: Path, **items: str) -> Path:
    """A submission in `folder` with these items' answers: `solutions`, `exercises` or an answer's folder, by slug."""
    for slug, source in items.items():
        found = next((ROOT / "exercises").glob(f"week*/*_{slug}"))
        place = folder / found.relative_to(ROOT / "exercises")
        base = ROOT / "solutions" if source != "exercises" else ROOT / "exercises"
        shutil.copytree(base / found.relative_to(ROOT / "exercises"), place, dirs_exist_ok=True)
        if source not in ("solutions", "exercises"):
            answers = ROOT / "graders" / found.parent.name / "answers" / found.name / source
            shutil.copytree(answers, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("answer.toml"))
    return folder
