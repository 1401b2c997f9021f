"""Where tasks are graded: by slots of this machine, or elsewhere. Both give back a report the moment it is there."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Protocol

from fargrade.batch.slot import ITEM_SECONDS, Slot, Stopped, empty_grade, not_judged
from fargrade.batch.task import Report, Task, stitched
from fargrade.course import Course
from fargrade.course.language import translate as t


class Pool(Protocol):
    """Grades tasks, several at a time."""

    def graded(self, tasks: Iterable[Task]) -> Iterator[Report]:
        """A report on each task, in the order in which they are done. `tasks` is read as slots come free."""

    def busy(self) -> list[str]:
        """What is being graded now."""

    def close(self) -> None:
        """End what is still being graded, and everything that was started."""


def lost_report(course: Course, task: Task, why: str) -> Report:
    """The report on a task that no slot could grade: every item not judged, by a fault of ours."""
    items = {one.id: not_judged(one, why) for one in course.items if one.id in task.terms.items}
    grade = stitched([empty_grade(task)], items, task.terms.items)
    return Report(task.place, grade, (why,), tuple(items))


class LocalPool:
    """Slots of this machine, a thread of ours with a process each."""

    def __init__(self, course: Course, workers: int, *, item_seconds: float = ITEM_SECONDS) -> None:
        self._course = course
        self._slots = [Slot(course, item_seconds=item_seconds) for _ in range(workers)]
        self._done: queue.Queue[Report | None] = queue.Queue()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def graded(self, tasks: Iterable[Task]) -> Iterator[Report]:
        """See Pool."""
        source = iter(tasks)
        self._threads = [
            threading.Thread(target=self._serve, args=(slot, source), daemon=True, name=f"slot-{number}")
            for number, slot in enumerate(self._slots)
        ]
        for thread in self._threads:
            thread.start()
        ended = 0
        while ended < len(self._threads):
            report = self._done.get()
            if report is None:
                ended += 1
            else:
                yield report

    def _serve(self, slot: Slot, source: Iterator[Task]) -> None:
        try:
            while (task := self._next(source)) is not None:
                try:
                    report = slot.grade(task)
                except Stopped:
                    return
                except Exception as error:  # of ours: the submission still gets its row, and the slot goes on
                    if self._stopped.is_set():
                        return
                    why = t("The grader failed: {why}", why=f"{type(error).__name__}: {error}"[:300])
                    report = lost_report(self._course, task, why)
                self._done.put(report)
        finally:
            self._done.put(None)

    def _next(self, source: Iterator[Task]) -> Task | None:
        with self._lock:  # an iterator is not made for two threads at once
            return None if self._stopped.is_set() else next(source, None)

    def busy(self) -> list[str]:
        """See Pool."""
        return [slot.busy for slot in self._slots if slot.busy]

    def close(self) -> None:
        """See Pool."""
        self._stopped.set()
        if any(thread.is_alive() for thread in self._threads):
            for slot in self._slots:
                slot.stop()
        for thread in self._threads:
            thread.join(10)
        for slot in self._slots:
            slot.close()


__all__ = ["LocalPool", "Pool", "lost_report"]
