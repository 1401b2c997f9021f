"""What a batch says while it runs: one display for all of it on a terminal, a line a submission elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from fargrade.course.language import translate as t
from fargrade.reports.terminal import plain


class Display:
    """`busy` is asked for what is being graded."""

    def __init__(self, total: int, busy: Callable[[], list[str]], console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._total = total
        self._busy = busy
        self._done = 0
        self._graded = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._progress = Progress(
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("[dim]{task.fields[busy]}", markup=True),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=total, left="", busy="")
        self._refresher = threading.Thread(target=self._refresh, daemon=True)

    def __enter__(self) -> Display:
        self._progress.start()
        self._refresher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._refresher.join(2)
        self._progress.stop()

    def _refresh(self) -> None:
        while not self._ended.wait(0.5):
            busy = "  ".join(self._busy())
            room = max(10, self._console.width - 70)
            self._progress.update(self._bar, left=self._left(), busy=plain(busy)[:room].replace("[", "\\["))

    def note(self, text: str) -> None:
        """Say something beside the progress."""
        self._console.print(Text(plain(text)), soft_wrap=True)

    def done(self, student: str, what: str, style: str = "", *, graded: bool = True) -> None:
        """A submission is done: `what` became of it. While all were skipped, no time is told."""
        with self._lock:
            self._done += 1
            self._graded += graded
            width = len(str(self._total))
            line = Text.assemble(
                (f"[{self._done:>{width}}/{self._total}] ", "dim"), f"{plain(student)}  ", (plain(what), style)
            )
            left = self._left()
            if not self._console.is_terminal and left:
                line.append(f"  {left}")
            self._console.print(line, soft_wrap=True)
            self._progress.update(self._bar, completed=self._done)

    def _left(self) -> str:
        remaining = self._total - self._done
        if not self._graded or not remaining:
            return ""
        # Of those to come, as many will be skipped as of those that are done.
        seconds = (time.monotonic() - self._started) / self._done * remaining
        return t("{time} left", time=duration(seconds))


def duration(seconds: float) -> str:
    """Seconds as people read them: 45 s, 3 min, 2 h 05 min."""
    if seconds < 90:
        return t("{seconds} s", seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 90:
        return t("{minutes} min", minutes=minutes)
    return t("{hours} h {minutes} min", hours=minutes // 60, minutes=f"{minutes % 60:02}")
