"""The hooks that run where results are gathered: in a plain run's one process, or in xdist's controller."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from fargrade.course.checks import TEST_PREFIX
from fargrade.course.tree import Item
from fargrade.plugin.face import Face
from fargrade.plugin.nodes import graded
from fargrade.plugin.results import Results
from fargrade.plugin.session import GradingSession


class Collector:
    """Feeds `results` from pytest's reports, and writes them when the run ends, however it ends."""

    def __init__(self, session: GradingSession, results: Results, face: Face | None) -> None:
        self._session = session
        self._results = results
        self._face = face

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        selected = [(found.item, found.spec.id) for node in session.items if (found := graded(node))]
        if selected:
            self._expect(selected)

    def _expect(self, selected: list[tuple[Item, str]]) -> None:
        self._results.expect(selected)
        if self._face:
            self._face.expect(item for item, _ in selected)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Iterable[str]) -> None:
        """Under xdist the workers collect: their node ids say what was selected."""
        selected = []
        for nodeid in ids:
            path, _, name = nodeid.partition("::")
            if found := self._session.item_at(Path(node.config.rootpath) / path):
                selected.append((found, name.removeprefix(TEST_PREFIX)))
        self._expect(selected)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        wire = getattr(report, "fargrade", None)
        if wire is not None:
            self._results.backend = {**self._results.backend, **wire["backend"]}  # known by and by
            self._results.add(wire)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        yield
        self._results.write(complete=True)
        if self._face:
            self._face.finish(self._results, exitstatus)
            if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
                session.exitstatus = self._results.grade().exit_status
