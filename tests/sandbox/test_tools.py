"""The stand-ins on the learner's PATH, by themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fargrade.sandbox.confinement import TOOLS


@pytest.mark.parametrize("folder", ["my courses & more", "Курсы", "x" * 200])
def test_the_aws_of_an_environment_runs_wherever_that_is(tmp_path: Path, folder: str) -> None:
    """pip writes the interpreter's path into the script's first line as it is: no kernel finds one with a space."""
    place = tmp_path / folder / "bin"
    place.mkdir(parents=True)
    (place / "python3").symlink_to(sys.executable)
    script = place / "aws"
    script.write_text(f"#!{place / 'python'}\nimport sys\nprint('ran', *sys.argv[1:])\n", encoding="utf-8")
    script.chmod(0o755)
    path = os.pathsep.join([str(TOOLS), str(place), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "aws ecr 'a b'"], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ran ecr a b\n"), done.stderr


def test_another_python_s_aws_is_left_to_its_own(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for place, name, text in ((ours, "python3", "echo wrong"), (theirs, "python", "shift; echo theirs $*")):
        place.mkdir()
        (place / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (theirs / "aws").write_text(f"#!{theirs / 'python'}\n", encoding="utf-8")
    for file in (*ours.iterdir(), *theirs.iterdir()):
        file.chmod(0o755)
    bash = shutil.which("bash") or "bash"
    path = os.pathsep.join([str(TOOLS), str(ours), str(theirs), "/usr/bin", "/bin"])
    done = subprocess.run([bash, "-c", "aws ecr"], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "theirs ecr\n"), done.stderr
