"""What a grader imports: `check`, `expect`, `not_judged`, `t`, and the exceptions behind them.

A grader is a pytest module; each of its test functions is one check. See docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import pytest

from fargrade.course.language import translate
from fargrade.verdict import Evidence, Finding

__all__ = ["CheckFailed", "NotJudged", "OurFault", "check", "expect", "fail", "not_judged", "t"]

F = TypeVar("F", bound=Callable[..., object])

t = translate


class CheckFailed(AssertionError):
    """A check's verdict: failed, and why. Raised by `expect`, `fail` and the fixtures."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.reason or f"expected {finding.expected}; found {finding.found}")
        self.finding = finding


class NotJudged(Exception):
    """A check's verdict: this backend or machine cannot tell, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OurFault(NotJudged):
    """Not judged by a fault of ours: grading again may judge it."""


def check(*, points: float = 1, evidence: Evidence = "state", docs: str = "", hidden: bool = False) -> Callable[[F], F]:
    """Mark a test function as a check worth `points`, resting on `evidence`, explained at `docs` (a URL).

    A `hidden` one is for instructors: `fargrade release` leaves it out of what learners get.
    """

    def mark(function: F) -> F:
        marked: Any = pytest.mark.check(points=points, evidence=evidence, docs=docs, hidden=hidden)(function)
        return marked  # type: ignore[no-any-return]

    return mark


def expect(condition: object, *, expected: str, found: str, on_aws: str = "", hint: str = "") -> None:
    """Fail the check unless `condition` is true. The texts are the learner's: translate them with `t`."""
    if not condition:
        raise CheckFailed(Finding(expected=expected, found=found, on_aws=on_aws, hint=hint))


def fail(reason: str, *, expected: str = "", found: str = "", on_aws: str = "", hint: str = "") -> NoReturn:
    """Fail the check outright, for a `reason` said in one sentence."""
    raise CheckFailed(Finding(expected=expected, found=found, on_aws=on_aws, hint=hint, reason=reason))


def not_judged(reason: str) -> NoReturn:
    """End the check as not judged: neither passed nor failed, and out of the mark."""
    raise NotJudged(reason)
