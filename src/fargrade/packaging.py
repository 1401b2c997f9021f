"""Packages for platforms: Gradescope's autograder zip, and a GitHub workflow for a repository of one's own."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from pathlib import Path

from fargrade.course import Course, CourseProblem
from fargrade.course.language import SOURCE_LANGUAGE, current_language
from fargrade.course.language import translate as t
from fargrade.course.tree import relative_files
from fargrade.release import release

# https://gradescope-autograders.readthedocs.io/en/latest/specs/: both lie at the top of the zip, and run as root.
SETUP = """#!/usr/bin/env bash
# Runs once, when Gradescope builds the autograder's image.
set -euo pipefail
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv make git bubblewrap >/dev/null
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "fargrade needs Python 3.11: choose the base image Ubuntu 24.04" >&2; exit 1; }
cd /autograder/source/course
make -s .venv/.ready
# Where bubblewrap may not work, submissions run as nobody: they see the interpreter, and not the graders.
chmod -R go-rwx graders exercises
"""
RUN = """#!/usr/bin/env bash
# Runs for each submission. Without results.json Gradescope says that the autograder failed: a fault of ours is no zero.
set -u
cd /autograder/source/course
exec .venv/bin/fargrade gradescope {speaks}{choice}--submission /autograder/submission \\
  --results /autograder/results/results.json
"""
WORKFLOW = """# Grades the exercises in this repository on every push, and shows the result as the job's summary.
name: grade
on: [push, workflow_dispatch]
permissions:
  contents: read
jobs:
  grade:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Let bubblewrap confine the code
        run: |
          sudo apt-get update -qq
          sudo apt-get install -y -qq bubblewrap
          sudo sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 || true
      - name: Grade
        run: |
          make -s .venv/.ready
          .venv/bin/fargrade grade {speaks}{choice}--json grade.json || status=$?
          .venv/bin/fargrade report github {speaks}--grade grade.json
          exit "${{status:-0}}"
"""


def package_gradescope(course: Course, out: Path, choice: str = "") -> None:
    """Write the autograder's zip, with hidden checks in it and no answer. Raises CourseProblem, OSError."""
    _check_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fargrade-package-") as made:
        top = Path(made) / "course"
        release(course, top, hidden=True)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (("setup.sh", SETUP), ("run_autograder", RUN.format(speaks=_speaks(), choice=choice))):
                _add(archive, name, text.encode(), executable=True)
            for name in sorted(relative_files(top)):
                path = top / name
                executable = bool(path.stat().st_mode & stat.S_IXUSR)
                _add(archive, f"course/{name}", path.read_bytes(), executable=executable)


def package_workflow(out: Path, choice: str = "") -> None:
    """Write the workflow file. Raises CourseProblem, OSError."""
    _check_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(WORKFLOW.format(speaks=_speaks(), choice=choice), encoding="utf-8")


def _speaks() -> str:
    """The option that has a package speak the language in which it was asked for."""
    return "" if current_language() == SOURCE_LANGUAGE else f"--lang {current_language()} "


def _check_new(out: Path) -> None:
    if out.exists():
        raise CourseProblem(t("{file} is there already: name a new file.", file=out))


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, executable: bool) -> None:
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the same zip for the same course
    member.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, content)
