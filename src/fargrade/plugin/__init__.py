"""The pytest plugin: graders are pytest modules, and their verdicts are gathered here.

It stays out of the way of other tests in the same run: a module that is no item's grader is plain pytest.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from fargrade.course import Course
from fargrade.course.language import load_catalogue_beside
from fargrade.course.language import translate as t
from fargrade.course.tree import CourseProblem
from fargrade.grading import take_pictures
from fargrade.plugin import evidence
from fargrade.plugin.collector import Collector
from fargrade.plugin.face import Face
from fargrade.plugin.fixtures import answer, containers, item, learner, pipelines, rng, workflows, world
from fargrade.plugin.nodes import Graded, graded
from fargrade.plugin.options import add_options, read_options
from fargrade.plugin.page import Page
from fargrade.plugin.results import Results
from fargrade.plugin.session import GradingSession
from fargrade.verdict import Finding
from fargrade.workbench import release_workbench

__all__ = ["answer", "containers", "item", "learner", "pipelines", "rng", "workflows", "world"]


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "check(points, evidence, docs): what a check is worth and rests on")
    try:
        course = Course.find(config.rootpath)
    except CourseProblem as problem:
        raise pytest.UsageError(str(problem)) from None
    options = read_options(config, course.root)
    session = config.stash[GradingSession.key] = GradingSession(course, options)
    if hasattr(config, "workerinput"):
        return
    face = Face(config, options.replay) if options.face else None
    results = Results(course, options, face.item_done if face else lambda _: None)
    if face:
        config.pluginmanager.register(face, "fargrade-face")
    config.pluginmanager.register(Collector(session, results, face), "fargrade-collector")
    if options.reports and config.getoption("htmlpath", None):
        file = Path(config.getoption("htmlpath"))
        config.pluginmanager.register(Page(file, results.grade, options.replay), "fargrade-page")
        if face:
            face.report.places.append(str(file))


def pytest_unconfigure(config: pytest.Config) -> None:
    if session := config.stash.get(GradingSession.key, None):
        session.engine.clear()
    release_workbench()


def pytest_collectstart(collector: pytest.Collector) -> None:
    """A grader's translations are loaded before its module is."""
    if isinstance(collector, pytest.Module):
        load_catalogue_beside(collector.path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --evidence, only the checks that rest on it are run."""
    wanted = GradingSession.of(config).options.evidence
    if not wanted:
        return
    kept = [item for item in items if (found := graded(item)) is None or found.spec.evidence == wanted]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A grader speaks in its own words. An item that is not begun is to do: nothing of it is run."""
    found = graded(item)
    if found:
        load_catalogue_beside(item.path)
    if found and not GradingSession.of(item.config).begun(found.item):
        raise evidence.NotBegun


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    found = graded(item)
    shown = item.config.option.tbstyle
    if found is not None and call.when != "teardown":
        item.config.option.tbstyle = "value"  # a traceback costs a reading of the grader, and the verdict replaces it
    try:
        report = yield
    finally:
        item.config.option.tbstyle = shown
    if found is None or call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
        return report
    error = call.excinfo.value if call.excinfo else None
    if not isinstance(error, KeyboardInterrupt | SystemExit | pytest.exit.Exception):
        _attach_verdict(report, item, found, error)
    return report


def _attach_verdict(report: pytest.TestReport, node: pytest.Item, found: Graded, error: BaseException | None) -> None:
    """Turn pytest's report into the check's: its outcome, its text, and the verdict for the collector."""
    session = GradingSession.of(node.config)
    embedded = session.options.wanted.embedded
    status, finding = evidence.judge(error, found.spec.docs, embedded=embedded)
    excuse = session.excuse(found.item, found.spec.id) if status == "failed" else ""
    if excuse:
        status, finding = "not_judged", Finding(reason=excuse)
    broken = session.fault_of(found.item) if status == "failed" else ""
    if broken:
        reason = t("The AWS emulator failed while the code ran: {why}", why=broken)
        status, finding = "not_judged", Finding(reason=reason)
    calls = session.calls_of(found.item) if status == "failed" else []
    printed = session.printed_by(found.item) if status == "failed" else ""
    result = evidence.check_result(
        found.spec,
        status,
        finding,
        calls,
        report.duration,
        printed=printed,
        fault=bool(broken) or (not excuse and evidence.is_fault(error, status, embedded=embedded)),
        pictures=take_pictures(),
    )
    report.fargrade = {  # type: ignore[attr-defined]  # extra attributes travel through xdist as JSON
        "item": found.item.id,
        "begun": session.begun(found.item),
        "notes": session.notes_of(found.item),
        "backend": session.backend_used(),
        "check": evidence.to_wire(result),
    }
    report.when = "call"  # a fixture that found a wrong answer is a failed check, not pytest's "error"
    if status == "passed":
        report.outcome, report.longrepr = "passed", None
    elif status == "failed":
        report.outcome, report.longrepr = "failed", evidence.as_text(result)
    else:
        report.outcome = "skipped"
        report.longrepr = (str(node.path), 0, f"Skipped: {finding.reason}")
