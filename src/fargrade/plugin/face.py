"""Shows items and verdicts in the terminal in place of pytest's own output.

pytest's reporter stays registered, since -x, --lf, -n and the rest lean on it, but writes to a buffer; the
buffer is shown when pytest itself has something to say (a usage or collection error).
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable

import pytest
from rich.console import Console
from rich.status import Status

from fargrade.course.language import translate as t
from fargrade.course.tree import Item
from fargrade.plugin.results import Results
from fargrade.reports.terminal import TerminalReport
from fargrade.verdict import ItemResult


class Terminal(Console):
    """Whoever reads along may stop (`make grade … | head`): the grading goes on, and its reports are written."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Face:
    """The hooks that show a grading to a person."""

    def __init__(self, config: pytest.Config, replay: str) -> None:
        self._config = config
        self._swallowed = io.StringIO()
        self._console = Terminal(file=sys.stdout, highlight=False, soft_wrap=False)
        self.report = TerminalReport(self._console, replay=replay)
        self._status: Status | None = None
        self._shown = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """From here on pytest's reporter writes to the buffer."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            from _pytest._io import TerminalWriter

            reporter._tw = TerminalWriter(self._swallowed)

    def expect(self, items: Iterable[Item]) -> None:
        """Say which items were selected."""
        self.report.expect(item.title for item in items)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say what is being graded, where somebody is watching."""
        module = nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py").removeprefix("test_")
        self.busy(t("grading {item} …", item=module))

    def busy(self, text: str) -> None:
        """Show `text` as what is being done now, until something else is printed; only on a terminal."""
        if not self._console.is_terminal or text == self._shown:
            return
        self._shown = text
        if self._status is None:
            self._status = self._console.status(text, spinner_style="cyan")
            self._status.start()
        else:
            self._status.update(text)

    def quiet(self) -> None:
        """Take the line of `busy` away."""
        if self._status is not None:
            self._status.stop()
            self._status = None
            self._shown = ""

    def item_done(self, result: ItemResult) -> None:
        """Show an item as soon as its last check is in."""
        self.quiet()
        self.report.item(result)

    def finish(self, results: Results, exitstatus: int) -> None:
        """Show what is left, then the summary; pytest's own words where it has something to say."""
        self.quiet()
        grade = results.grade()
        for result in results.unfinished():
            self.report.item(result)
        if grade.items:
            self.report.summary(grade, results.problems)
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
            sys.stderr.write(self._swallowed.getvalue())
