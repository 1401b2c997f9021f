"""verify finds a grader that cannot fail, fails what is right, or fails elsewhere than the answer says."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from fargrade.course import Course
from fargrade.verify import Proof, _graded, concerns, in_containers
from fargrade.verify.answers import KnownAnswer, known_answers
from tests.commands import ROOT

ITEM = Course.find(ROOT).select(item="1.6")[0]
KNOWN = {answer.label: answer for answer in known_answers(ITEM)}


def _wrong() -> KnownAnswer:
    """A wrong answer that fails some checks and passes others."""
    return next(one for one in KNOWN.values() if one.kind == "wrong" and one.fails != ("*",) and len(one.fails) < 3)


@pytest.fixture(scope="module")
def proofs() -> dict[str, Proof]:
    """What verify says of answers that lie about themselves."""
    wrong, check = _wrong(), _wrong().fails[0]
    lies = {
        "true": wrong,
        "the solution as a wrong answer": replace(KNOWN["solution"], kind="wrong", name="x", fails=(check,)),
        "a wrong answer as a right one": replace(wrong, kind="right", fails=()),
        "a wrong answer as the solution": replace(wrong, kind="solution", fails=()),
        "fails elsewhere": replace(wrong, fails=("no_such_check",)),
        "the stub as an answer": replace(KNOWN["stub"], kind="right"),
        "the solution as the stub": replace(KNOWN["solution"], kind="stub", folder=ITEM.solution),
    }
    found = _graded([(answer, 3, "off") for answer in lies.values()], Console(file=io.StringIO()))
    return dict(zip(lies, found, strict=True))


def test_what_is_true_is_no_hole(proofs: dict[str, Proof]) -> None:
    assert proofs["true"].hole == ""


@pytest.mark.parametrize(
    "lie",
    [
        "the solution as a wrong answer",
        "a wrong answer as a right one",
        "a wrong answer as the solution",
        "fails elsewhere",
        "the stub as an answer",
        "the solution as the stub",
    ],
)
def test_a_lie_is_a_hole(proofs: dict[str, Proof], lie: str) -> None:
    assert proofs[lie].hole
    assert "(seed 3)" in proofs[lie].hole


def test_a_grader_that_cannot_fail_is_named(proofs: dict[str, Proof]) -> None:
    assert f"passes {_wrong().fails[0]}, which it must fail" in proofs["the solution as a wrong answer"].hole


def test_of_the_checks_in_containers_only_what_concerns_them_is_graded() -> None:
    item = Course.find(ROOT).select(item="2.3")[0]
    checks = in_containers(item)
    chosen = {answer.label for answer in known_answers(item) if concerns(answer, checks)}
    assert checks == {"a_task_of_real_containers"}
    assert {"solution", "right/polling_loop", "wrong/any_container_runs"} <= chosen
    assert not {"stub", "wrong/private_address"} & chosen
    assert in_containers(ITEM) == set()
