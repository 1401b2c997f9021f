"""What a grader imports: `check`, `expect`, `not_judged`, `t`, and the exceptions behind them.

A grader is a pytest module; each of its test functions is one check. See docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import pytest

from fargrade.course.language import translate
from fargrade.verdict import Evidence, Finding, Picture, Status

__all__ = [
    "CheckFailed", "NotJudged", "OurFault", "check", "expect", "fail", "hop", "level", "line", "not_judged",
    "show_path", "show_series", "t",
]  # fmt: skip

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


# -- pictures ---------------------------------------------------------------------------------------------

_pictures: list[Picture] = []
Values = Sequence[float | int | None]


def line(name: str, values: Values, *, axis: str = "left", steps: bool = False) -> dict[str, Any]:
    """A line of a series: a value for each x, None where there is none. `steps`: it jumps rather than slopes."""
    return {"name": name, "values": list(values), "axis": axis, "steps": steps}


def level(name: str, at: float, *, axis: str = "left") -> dict[str, Any]:
    """A level that a series is held against, such as a threshold."""
    return {"name": name, "at": at, "axis": axis}


def show_series(
    title: str,
    lines: Sequence[Mapping[str, Any]],
    *,
    x: Sequence[float] | None = None,
    x_label: str = "",
    levels: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Attach curves to the running check, for the reports to draw. Show them before the check can fail."""
    longest = max((len(one["values"]) for one in lines), default=0)
    at = list(x) if x is not None else list(range(1, longest + 1))
    data = {"x": at, "x_label": x_label, "lines": [dict(one) for one in lines], "levels": [dict(one) for one in levels]}
    _pictures.append(Picture("series", title, data))


def hop(name: str, status: Status, detail: str = "") -> dict[str, str]:
    """A stop on a way: passed, failed, or not judged; `detail` says what decided."""
    return {"name": name, "status": status, "detail": detail}


def show_path(title: str, hops: Sequence[Mapping[str, str]]) -> None:
    """Attach a way, hop by hop, to the running check, for the reports to draw."""
    _pictures.append(Picture("path", title, {"hops": [dict(one) for one in hops]}))


def take_pictures() -> tuple[Picture, ...]:
    """What the check that just ran has shown; the next one starts with none."""
    taken = tuple(_pictures)
    _pictures.clear()
    return taken
