"""From what happened to a check in pytest to its verdict: the one place where exceptions become results."""

from __future__ import annotations

import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from fargrade.backends.lacking import Lacking, as_lacking
from fargrade.backends.world import WorldFault
from fargrade.containers.finding import NoEngine
from fargrade.course.checks import CheckSpec
from fargrade.course.language import translate as t
from fargrade.course.submission import AnswerProblem
from fargrade.grading import CheckFailed, NotJudged, OurFault
from fargrade.verdict import CheckResult, Finding, Picture, Status

MAX_CALLS_SHOWN = 12


class NotBegun(CheckFailed):
    """The learner has not touched the item's stubs yet."""

    def __init__(self) -> None:
        super().__init__(Finding(reason=t("To do: not begun yet.")))


def judge(error: BaseException | None, docs: str, *, embedded: bool = True) -> tuple[Status, Finding]:
    """The verdict for a check that ended with `error` (None: it ended well).

    Only what the grader itself concluded is a verdict on the learner. Anything unforeseen is a fault of
    ours, and a fault of ours is not judged, never a zero. Where the backend is not the embedded one, what it answers
    may mean that it lacks what was asked: that is not judged either.
    """
    if error is None:
        return "passed", Finding(docs=docs)
    if isinstance(error, CheckFailed):
        return "failed", Finding(**{"docs": docs, **_filled(asdict(error.finding))})
    if isinstance(error, AnswerProblem):
        return "failed", Finding(reason=str(error), docs=docs)
    if not embedded and (lacking := as_lacking(error)):
        return "not_judged", Finding(reason=str(lacking))
    if isinstance(error, NoEngine | WorldFault | Lacking):
        return "not_judged", Finding(reason=str(error))
    if isinstance(error, NotJudged):
        return "not_judged", Finding(reason=error.reason)
    if isinstance(error, pytest.skip.Exception):
        return "not_judged", Finding(reason=str(error.msg))
    if refused := _aws_refusal(error):
        return "failed", Finding(
            expected=t("what this check reads is there"),
            found=t("AWS answers {refusal}", refusal=refused),
            docs=docs,
        )
    if isinstance(error, AssertionError):
        return "failed", Finding(found=str(error).split("\n")[0], docs=docs)
    return "not_judged", Finding(
        reason=t(
            "This is a fault of the grader, not of the answer ({error}): please report it.",
            error=_crash(error),
        )
    )


def _crash(error: BaseException) -> str:
    """What a grader's author looks for: the error, and the line of the grader in which it came."""
    if isinstance(error, pytest.FixtureLookupError):
        return f"there is no fixture {error.argname}"
    said = f"{type(error).__name__}: {error}"[:300]
    places = [
        f"{Path(frame.filename).name}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "graders" in Path(frame.filename).parts
    ]
    return f"{said} — {places[-1]}" if places else said


def _filled(finding: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in finding.items() if value}


def _aws_refusal(error: BaseException) -> str:
    """`Code: message` where AWS refused the grader's own reading, as for a repository never made; else ""."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict) or "Error" not in response:
        return ""
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if status >= 500:
        return ""  # a server's fault is ours
    return f"{response['Error'].get('Code')}: {response['Error'].get('Message')}"


def is_fault(error: BaseException | None, status: Status, *, embedded: bool = True) -> bool:
    """Whether a check was not judged by a fault of ours, and not because this machine or backend cannot tell."""
    if status != "not_judged" or (not embedded and as_lacking(error)):
        return False
    told = (NotJudged, NoEngine, Lacking, CheckFailed, AnswerProblem, pytest.skip.Exception)
    return isinstance(error, OurFault) or not isinstance(error, told)


def check_result(
    spec: CheckSpec,
    status: Status,
    finding: Finding,
    calls: list[str],
    seconds: float,
    *,
    printed: str = "",
    fault: bool = False,
    pictures: tuple[Picture, ...] = (),
) -> CheckResult:
    """The result of the check `spec`; the calls are kept only where they explain a failure."""
    shown = tuple(calls[-MAX_CALLS_SHOWN:]) if status == "failed" else ()
    return CheckResult(
        spec.id,
        spec.title,
        status,
        spec.points,
        spec.evidence,
        finding,
        shown,
        printed,
        seconds,
        spec.hidden,
        fault,
        pictures,
    )


def to_wire(result: CheckResult) -> dict[str, Any]:
    """The result as plain JSON, to travel on a pytest report (xdist sends those between processes)."""
    return asdict(result)


def from_wire(wire: dict[str, Any]) -> CheckResult:
    """The inverse of `to_wire`."""
    pictures = tuple(Picture(**one) for one in wire.get("pictures") or ())
    found = {"finding": Finding(**wire["finding"]), "calls": tuple(wire["calls"]), "pictures": pictures}
    return CheckResult(**{**wire, **found})


def as_text(result: CheckResult) -> str:
    """The failed check as plain text, for pytest's own output, JUnit and HTML."""
    finding = result.finding
    rows = [
        ("", finding.reason),
        (t("expected"), finding.expected),
        (t("found"), finding.found),
        (t("on AWS"), finding.on_aws),
        (t("hint"), finding.hint),
        (t("docs"), finding.docs),
    ]
    lines = [result.title] + [f"  {label + ': ' if label else ''}{text}" for label, text in rows if text]
    if result.calls:
        lines += [f"  {t('what your code called')}:"] + [f"    {call}" for call in result.calls]
    if result.printed:
        lines += [f"  {t('what your code printed')}:"] + [f"    {line}" for line in result.printed.splitlines()]
    return "\n".join(lines)
