"""Every way in which a learner's code can end has an outcome of its own, and a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from fargrade.sandbox import Outcome

# Outcomes are the runner's, however it came into its confinement: test_attacks.py and test_confinement.py ask of both.
EVERY = [pytest.param("born", marks=pytest.mark.bubblewrap), "process", "spare"]
pytestmark = pytest.mark.parametrize("sandbox", EVERY, indirect=True)


def test_a_value_comes_back(run: Any) -> None:
    code = """
        import datetime
        def f(a, b=2, **more):
            return {"sum": a + b, "more": more, "tuple": (1, 2), "when": datetime.datetime(2026, 1, 2, 3, 4)}
    """
    outcome = run(code, 1)
    assert outcome.ok
    assert outcome.value == {"sum": 3, "more": {}, "tuple": [1, 2], "when": "2026-01-02T03:04:00"}


def test_helpers_beside_the_file_are_imported(run: Any) -> None:
    outcome = run("import helper\ndef f(): return helper.N", files={"helper.py": b"N = 7\n"})
    assert outcome.value == 7


@pytest.mark.parametrize("name", ["child", "frames", "runner", "supervise", "processes", "identity"])
def test_a_helper_may_have_the_name_of_a_module_of_ours(run: Any, name: str) -> None:
    outcome = run(f"import {name}\ndef f(): return {name}.N", files={f"{name}.py": b"N = 7\n"})
    assert outcome.value == 7


@pytest.mark.parametrize("name", ["json.py", "socket.py", "sitecustomize.py", "conftest.py", "boto3.py", "os.py"])
def test_a_file_named_like_a_library_breaks_nothing(run: Any, name: str) -> None:
    outcome = run(
        "import json, boto3\ndef f(): return json.loads('[1]')", files={name: b"raise SystemExit('shadowed')\n"}
    )
    assert outcome.value == [1]


def test_boto3_reaches_the_world_and_is_the_ordinary_one(run: Any) -> None:
    outcome = run("""
        import boto3, urllib.request, os
        def f():
            ecr = boto3.client("ecr")
            assert boto3.client("ecr").meta is not ecr.meta
            with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"]) as answer:
                said = answer.read().decode()
            return [ecr.meta.region_name, ecr.meta.endpoint_url == os.environ["AWS_ENDPOINT_URL"], said]
    """)
    assert outcome.value == ["us-east-1", True, "world"], outcome


def test_the_environment_holds_nothing_of_ours(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SECRET", "x")
    names = set(run("import os\ndef f(): return sorted(os.environ)").value)
    assert names == {
        "PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "PWD", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH",
        "AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "AWS_PAGER", "AWS_MAX_ATTEMPTS",
        "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    }  # fmt: skip


ENDS: dict[str, tuple[str, str, str]] = {
    "no function": ("def g(): pass", "no_function", "There is no function f in the file."),
    "a syntax error": ("x = 1\ndef f(:\n", "no_import", "answer.py, line 2"),
    "a null byte": ("x = '\0'", "no_import", "answer.py, line 1"),
    "an exception at import": ("1/0", "raised", "answer.py, line 1, raised ZeroDivisionError: division by zero"),
    "an exception in the call": (
        "def g(): {}['x']\ndef f(): g()",
        "raised",
        "answer.py, line 1, raised KeyError: 'x'",
    ),
    "a stub": ("def f(): raise NotImplementedError", "raised", "raised NotImplementedError"),
    "a wrong signature": ("def f(a, b): pass", "wrong_arguments", "f(a, b): missing a required argument: 'a'"),
    "sys.exit at import": ("import sys; sys.exit(3)", "exited", "exit status 3"),
    "sys.exit in the call": ("import sys\ndef f(): sys.exit()", "exited", "exit status 0"),
    "sys.exit with a text": ("import sys\ndef f(): sys.exit('no')", "exited", "exit status 1"),
    "os._exit": ("import os\ndef f(): os._exit(0)", "exited", "exit status 0"),
    "os._exit at import": ("import os; os._exit(5)", "exited", "exit status 5"),
    "bytes": ("def f(): return b'x'", "not_json", "It returned bytes"),
    "bytes inside": ("def f(): return {'a': [b'x']}", "not_json", "It returned dict holding bytes"),
    "NaN": ("def f(): return float('nan')", "not_json", "It returned float"),
    "a circle": ("def f():\n a = []\n a.append(a)\n return a", "not_json", "It returned list"),
    "a huge result": ("def f(): return 'x' * 300_000", "too_large", "too large"),
    "a signal of its own": ("import os\ndef f(): os.kill(os.getpid(), 11)", "killed", "SIGSEGV"),
    "half a surrogate": ("def f(): raise ValueError('\\ud800')", "raised", "ValueError: \ufffd"),
    "an exception that cannot be told": (
        "class E(Exception):\n def __str__(self): raise self\ndef f(): raise E",
        "raised",
        "raised E",
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_each_end_is_told(run: Any, name: str) -> None:
    code, kind, said = ENDS[name]
    outcome = run(code)
    assert (outcome.kind, outcome.ok) == (kind, False), outcome
    assert said in outcome.sentence()


def test_a_missing_file_is_told(run: Any) -> None:
    outcome = run("", file="absent.py")
    assert (outcome.kind, outcome.sentence()) == ("no_file", "There is no file absent.py.")


def test_where_it_was_raised_is_the_learners_own_line(run: Any) -> None:
    code = """
        import boto3
        def f():
            boto3.client("no-such-service")
    """
    error = run(code).error
    assert error is not None
    assert (error.type, error.file, error.line) == ("UnknownServiceError", "answer.py", 4)
    assert "Exception" in error.bases
    assert error.frames == ("answer.py, line 4, in f",)


def test_output_is_kept_from_both_ends(run: Any) -> None:
    outcome = run("def f():\n print('first'); print('x' * 200_000); print('last')", output_bytes=1000)
    assert outcome.ok
    assert outcome.truncated
    assert outcome.stdout.startswith("first\nxxx")
    assert outcome.stdout.endswith("xxx\nlast\n")
    assert len(outcome.stdout) < 1100


def test_output_cannot_paint_over_a_report(run: Any) -> None:
    outcome = run("def f():\n print('\\x1b[2J\\x1b[Hpassed\\rall')")
    assert outcome.stdout == "[2J[Hpassed\nall\n"


def test_stdin_is_empty(run: Any) -> None:
    assert run("import sys\ndef f(): return sys.stdin.read()").value == ""
    assert run("def f(): return input()").error.type == "EOFError"


def test_threads_and_processes_of_its_own_work(run: Any) -> None:
    code = """
        import concurrent.futures, subprocess, sys
        def f():
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                squares = list(pool.map(lambda n: n * n, range(4)))
            said = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
            return [squares, said.stdout, said.stderr]
    """
    assert run(code).value == [[0, 1, 4, 9], "42\n", ""]


def test_a_program_runs_and_its_files_come_back(run: Any) -> None:
    script = b"read x; echo out $1 $AWS_DEFAULT_REGION; echo err >&2; echo kept > made.txt; exit 3\n"
    outcome: Outcome = run(
        "", argv=("bash", "push.sh", "one"), files={"push.sh": script}, keep=("made.txt", "absent.txt")
    )
    assert (outcome.kind, outcome.exit_code, outcome.ok) == ("exited", 3, False)
    assert (outcome.stdout, outcome.stderr) == ("out one us-east-1\n", "err\n")
    assert outcome.files == {"made.txt": b"kept\n"}
    assert outcome.sentence() == "The program ended with exit status 3."


def test_a_program_that_is_not_there(run: Any) -> None:
    outcome = run("", argv=("no-such-program",))
    assert (outcome.kind, outcome.exit_code) == ("exited", 127)
    assert "no-such-program" in outcome.stderr


def test_a_pipe_that_closes_ends_a_program_as_ever(run: Any) -> None:
    outcome = run("", argv=("bash", "-c", "set -o pipefail; yes | head -1"))
    assert (outcome.stdout, outcome.exit_code) == ("y\n", 141)


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py"])
def test_a_file_name_that_leads_out_is_refused(run: Any, name: str) -> None:
    outcome = run("def f(): return 1", files={name: b""})
    assert outcome.kind == "no_start"
    assert "leads out" in outcome.sentence()


def test_too_many_files_are_refused(run: Any) -> None:
    assert run("", files={"big": b"x" * (49 << 20)}).kind == "no_start"
