"""Runs pytest over graders for a command: the one way in which anything is graded."""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fargrade.backends.lacking import BackendProblem
from fargrade.backends.opening import EMBEDDED, Wanted
from fargrade.course import Course, CourseProblem, Item
from fargrade.course.language import translate as t
from fargrade.workbench import dollars_of, services_of, workbench

USAGE = 2
STYLE = Path(__file__).resolve().parent / "reports" / "page.css"
INTERRUPTED = 130
# pytest's own, for which no grader has a use; setting each up anew is a third of what pytest takes for a warm item.
LEFT_OUT = (
    "doctest",
    "legacypath",
    "pastebin",
    "setuponly",
    "setupplan",
    "stepwise",
    "subtests",
    "threadexception",
    "unittest",
    "unraisableexception",
)
FROM_OUTSIDE = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")  # made for other projects: a mark follows from neither
FOR_REPORTS = ("junitxml", "logging")
YOUNG = 20_000  # objects that are made before they are looked through for garbage


@dataclass(frozen=True)
class Request:
    """What to grade with, as asked for; empty means the default."""

    submission: str = ""
    seed: str = ""
    lang: str = ""
    backend: str = ""
    account: str = ""
    region: str = ""
    ceiling: str = ""
    json: str = ""
    reports: str = ""
    confine: str = ""
    containers: str = ""
    replay: str = ""
    job_seconds: str = ""
    face: bool = True
    pytest: tuple[str, ...] = ()

    @property
    def wanted(self) -> Wanted:
        """The backend that was asked for."""
        return Wanted(self.backend or EMBEDDED, self.account, self.region, self.ceiling)

    def only(self, item: Item) -> Request:
        """The same for one item, and so says the command that replays it."""
        if not self.replay:
            return self
        kept = [word for word in shlex.split(self.replay)[2:] if not word.startswith(("week=", "item="))]
        named = [f"{name}={shlex.quote(value)}" for name, _, value in (word.partition("=") for word in kept)]
        return replace(self, replay=" ".join(["make grade", f"item={item.id}", *named]))

    @classmethod
    def from_options(cls, given: argparse.Namespace) -> Request:
        """From the command line's options."""
        again = [
            ("week", given.week),
            ("item", given.item),
            ("submission", given.submission),
            ("lang", given.lang),
            ("backend", given.backend),
            ("account", given.account),
            ("region", given.region),
            ("ceiling", given.ceiling),
            ("confine", given.confine),
            ("containers", given.containers),
        ]
        return cls(
            submission=given.submission,
            seed=given.seed,
            lang=given.lang,
            backend=given.backend,
            account=given.account,
            region=given.region,
            ceiling=given.ceiling,
            json=given.json,
            reports=given.reports,
            confine=given.confine,
            containers=given.containers,
            replay=" ".join(["make grade", *(f"{name}={shlex.quote(value)}" for name, value in again if value)]),
            pytest=tuple(getattr(given, "pytest", ())),
        )


def grade(course: Course, items: Sequence[Item], request: Request, plugins: Sequence[object] = ()) -> int:
    """Grade `items` in this process; returns the exit status of design.md. `plugins` are pytest's, as objects.

    Raises CourseProblem for what cannot be graded at all.
    """
    _check_graders(items)
    if request.reports:
        request = _with_writable_reports(request)
    _start_early(items, request)
    for name in FROM_OUTSIDE:
        os.environ.pop(name, None)
    settling = [] if gc.get_freeze_count() else [_Settling()]
    import pytest  # after the world and the sandbox began to start: they load while this does

    try:
        status = int(pytest.main(_arguments(course, items, request), plugins=[*plugins, *settling]))
    finally:
        gc.enable()
    if status == pytest.ExitCode.INTERRUPTED:
        return INTERRUPTED
    if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        if status == pytest.ExitCode.NO_TESTS_COLLECTED:
            print(t("No check was chosen: look at -k, -m and --lf."), file=sys.stderr)
        return USAGE
    return status


class _Settling:
    """Imports and collection make no garbage worth looking for, and what they made stays: an eighth of a cold start."""

    def __init__(self) -> None:
        gc.disable()

    def pytest_collection_finish(self) -> None:
        gc.freeze()
        gc.set_threshold(YOUNG, 10, 10)
        gc.enable()


def _check_graders(items: Sequence[Item]) -> None:
    for item in items:
        if not item.grader.is_file():
            raise CourseProblem(
                t(
                    "{item} has no grader yet: write {file}.",
                    item=item.id,
                    file=item.grader.relative_to(item.root),
                )
            )


def _start_early(items: Sequence[Item], request: Request) -> None:
    """Begin starting the world and the sandbox; what is wrong with the request pytest will say."""
    if _in_parallel(request) and not request.wanted.embedded:
        raise CourseProblem(t("One world for all (backend={backend}): leave out -n.", backend=request.backend))
    if not _in_parallel(request):
        try:
            wanted = replace(request.wanted, estimate=dollars_of(items))
            workbench(services_of(items), request.confine or "auto", wanted)
        except BackendProblem as problem:
            raise CourseProblem(str(problem)) from None


def _in_parallel(request: Request) -> bool:
    """Whether pytest-xdist is asked for: its workers have workbenches of their own."""
    return any(argument.startswith(("-n", "--numprocesses")) for argument in request.pytest)


def _plugins(request: Request) -> list[str]:
    """The plugins that grading takes, by name: a mark follows from no other that happens to be installed.

    It is faster, too: hypothesis's alone, which comes with the tests' environment, was 1 of 3.8 seconds.
    """
    wanted = ["metadata", "html", "html_fixtures"] if request.reports else []
    wanted += ["xdist"] if _in_parallel(request) else []
    if not request.pytest or not request.face:  # else somebody knows pytest, and may want any of it
        wanted += [f"no:{name}" for name in (*LEFT_OUT, *(() if request.reports else FOR_REPORTS))]
    return ["--disable-plugin-autoload", *(part for name in wanted for part in ("-p", name))]


def _arguments(course: Course, items: Sequence[Item], request: Request) -> list[str]:
    arguments = [str(item.grader) for item in items]
    arguments += _plugins(request)
    arguments += ["--rootdir", str(course.root), "-c", str(course.root / "pyproject.toml")]
    for option, value in (
        ("--submission", request.submission and str(Path(request.submission).absolute())),
        ("--seed", request.seed),
        ("--lang", request.lang),
        ("--backend", request.backend),
        ("--aws-account", request.account),
        ("--aws-region", request.region),
        ("--aws-ceiling", request.ceiling),
        ("--grade-json", request.json),
        ("--confine", request.confine),
        ("--containers", request.containers),
        ("--replay", request.replay),
        ("--job-seconds", request.job_seconds),
    ):
        if value:
            arguments.append(f"{option}={value}")
    if request.face:
        arguments.append("--face")
    if request.reports:
        reports = Path(request.reports)
        arguments += [
            f"--reports={reports}",
            f"--html={reports / 'grade.html'}",
            "--self-contained-html",
            f"--css={STYLE}",
            f"--junitxml={reports / 'junit.xml'}",
        ]
    return [*arguments, *request.pytest]


def _with_writable_reports(request: Request) -> Request:
    """The request with a place for reports that can be written: a grading is not lost for want of one."""
    wanted = Path(request.reports)
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return request
    except OSError as error:
        instead = tempfile.mkdtemp(prefix="fargrade-reports-")
        print(
            t(
                "{folder} cannot be written ({why}): the reports go to {instead}.",
                folder=wanted,
                why=os.strerror(error.errno) if error.errno else error,
                instead=instead,
            ),
            file=sys.stderr,
        )
        return replace(request, reports=instead)
