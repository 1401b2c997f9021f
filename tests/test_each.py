"""Several calls in one process: each ends as it would alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fargrade.course import Course
from fargrade.course.submission import Answer
from fargrade.grading import CheckFailed
from fargrade.plugin.learner import Learner, slip
from fargrade.sandbox import Job, Outcome, Sandbox, open_sandbox
from fargrade.sandbox.job import Raised

CODE = """
import os, sys

def half(number):
    if number == 1:
        raise ValueError("odd")
    if number == 3:
        sys.exit(4)
    if number == 5:
        os._exit(5)
    if number == 7:
        return {1, "a"} and object()
    return number / 2
"""


class Counted:
    """A sandbox that counts its jobs."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.jobs = sandbox, 0

    def run(self, job: Job) -> Any:
        self.jobs += 1
        return self.sandbox.run(job)


@pytest.fixture(scope="module")
def sandbox() -> Any:
    opened = open_sandbox(lambda _: 4566, confine="auto", warm=())
    yield opened
    opened.close()


@pytest.fixture
def learner(sandbox: Sandbox) -> Learner:
    item = Course.find(Path(__file__).resolve().parent.parent).select(item="1.8")[0]
    answer = Answer(item, {"public.py": CODE.encode()}, {})
    return Learner(Counted(sandbox), answer, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("numbers", "kinds", "jobs"),
    [
        ((0, 2, 4), ["returned"] * 3, 1),
        ((0, 1, 2), ["returned", "raised", "returned"], 2),
        ((0, 3, 2), ["returned", "exited", "returned"], 2),
        ((5, 2), ["exited", "returned"], 3),  # it took the process down: each is made alone
        ((2, 7), ["returned", "not_json"], 3),
        ((), [], 1),
    ],
)
def test_each_call_ends_as_it_would_alone(
    learner: Learner, numbers: tuple[int, ...], kinds: list[str], jobs: int
) -> None:
    outcomes = learner.attempt_each("public.py", "half", [(number,) for number in numbers])
    found = [one.kind for one in outcomes]
    alone = [learner.attempt("public.py", "half", number).kind for number in numbers]
    assert found == alone
    assert found == kinds
    assert [one.value for one in outcomes if one.kind == "returned"] == [n / 2 for n in numbers if n % 2 == 0]
    assert learner._sandbox.jobs == jobs + len(numbers)  # type: ignore[attr-defined]


def test_what_did_not_return_fails_the_check_with_its_cause(learner: Learner) -> None:
    assert learner.call_each("public.py", "half", [(0,), (2,)]) == [0, 1]
    with pytest.raises(CheckFailed) as raised:
        learner.call_each("public.py", "half", [(0,), (1,)])
    assert "ValueError: odd" in raised.value.finding.found
    assert "public.py, line" in raised.value.finding.found


def test_what_the_code_prints_is_heard(sandbox: Sandbox) -> None:
    code = b"import sys\ndef half(number):\n    print('given', number)\n    print('odd', file=sys.stderr)\n"
    item = Course.find(Path(__file__).resolve().parent.parent).select(item="1.8")[0]
    heard: list[str] = []
    learner = Learner(sandbox, Answer(item, {"public.py": code}, {}), {}, heard=heard.append)
    learner.elsewhere(AWS_REGION="eu-west-1").call("public.py", "half", 3)
    assert heard == ["given 3\nodd"]


@pytest.mark.parametrize(
    ("error", "message", "told"),
    [
        ("ModuleNotFoundError", "No module named 'requests'", "boto3 are there"),
        ("EOFError", "EOF when reading a line", "leave out input()"),
        ("ClientError", "… The security token included in the request is invalid.", "leave keys"),
        ("EndpointConnectionError", "Could not connect to the endpoint URL", "leave keys"),
        ("ClientError", "An error occurred (AccessDeniedException)", ""),
        ("KeyError", "'repositoryUri'", ""),
    ],
)
def test_a_slip_that_has_nothing_to_do_with_aws_gets_a_hint(error: str, message: str, told: str) -> None:
    hint = slip(Outcome("raised", error=Raised(error, message)))
    assert told in hint
    assert bool(hint) == bool(told)
