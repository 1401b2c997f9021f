"""Root is not who grades at home: the tests that run code again, as an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fargrade.sandbox.confinement import INSIDE, interpreter_paths, is_root

HERE = Path(__file__).resolve().parent
ORDINARY_UID = 61999
AGAIN = ("outcomes", "attacks", "confinement", "opening")
BECOME = """
import os, runpy, sys
sys.path.insert(0, {inside!r})
import identity
identity.open_the_way({paths!r})
identity.become_nobody({uid})
del sys.path[0], sys.modules["identity"]
os.environ.update(HOME="/nonexistent", USER="ordinary", LOGNAME="ordinary")
sys.argv = ["pytest", "-q", "-p", "no:cacheprovider", "--basetemp", {basetemp!r}, *{tests!r}]
runpy.run_module("pytest", run_name="__main__")
"""


@pytest.mark.bubblewrap
def test_everything_holds_for_an_ordinary_user() -> None:
    if not is_root():
        pytest.skip("this is an ordinary user already: the other tests have said it")
    basetemp = Path("/tmp", f"fargrade-ordinary-{os.getpid()}")
    paths = tuple(map(str, [*interpreter_paths(), INSIDE.parent.parent.parent.parent]))
    tests = [str(HERE / f"test_{name}.py") for name in AGAIN]
    code = BECOME.format(inside=str(INSIDE), paths=paths, uid=ORDINARY_UID, basetemp=str(basetemp), tests=tests)
    course = HERE.parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=course, capture_output=True, text=True, check=False, timeout=900
    )
    subprocess.run(["rm", "-rf", str(basetemp)], check=True)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout
