"""The same batch on many machines, through dask: one submission a task, JSON in bytes there and back.

A dask scheduler's port is code execution for whoever reaches it: TLS with certificates of your own, or a network that
is yours alone. What learners write never meets dask's pickle: it travels as bytes, and is graded by a slot's own
process, in bubblewrap, on the worker's machine.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from fargrade.batch.pool import lost_report
from fargrade.batch.slot import Slot
from fargrade.batch.task import Report, Task
from fargrade.batch.version import course_version
from fargrade.course import Course, CourseProblem
from fargrade.course.language import translate as t
from fargrade.course.language import use_language

CONNECT_SECONDS = 15
GONE_SECONDS = 20.0  # so long without the scheduler, and it is given up
AHEAD = 2  # tasks sent ahead for each of the workers' threads
_local = threading.local()


def grade_there(body: bytes) -> bytes:
    """On a worker: the report on a task. A slot for each of the worker's threads stays warm between tasks."""
    task = Task.from_bytes(body)
    course = Course.find()
    use_language(task.terms.language)
    if (here := course_version(course)) != task.terms.course:
        why = t("The worker has another course or other packages ({here}, not {wanted}).", here=here,
                wanted=task.terms.course)  # fmt: skip
        return lost_report(course, task, why).to_bytes()
    if getattr(_local, "slot", None) is None:
        _local.slot = Slot(course)
    return bytes(_local.slot.grade(task).to_bytes())


class RemotePool:
    """See fargrade.batch.pool.Pool. Raises CourseProblem where there is no dask, or no scheduler to be reached."""

    def __init__(self, course: Course, scheduler: str, tls: tuple[str, str, str]) -> None:
        self._course = course
        self._client = _connect(scheduler, tls)
        self._done: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._sent: dict[str, tuple[Task, Any]] = {}

    def graded(self, tasks: Iterable[Task]) -> Iterator[Report]:
        """See Pool."""
        source = iter(tasks)
        last_seen = time.monotonic()
        more = True
        while more or self._sent:
            if time.monotonic() - last_seen > GONE_SECONDS:
                yield from self._given_up(source)
                return
            while more and len(self._sent) < self._room():
                task = next(source, None)
                if task is None:
                    more = False
                elif not self._send(task):
                    source = chain([task], source)  # the scheduler has just gone: it may come back
                    break
            try:
                key, future = self._done.get(timeout=0.5)
            except queue.Empty:
                last_seen = time.monotonic() if self._is_there() else last_seen
                continue
            report = self._report(key, future)
            if report is not None:
                last_seen = time.monotonic()
                yield report

    def _room(self) -> int:
        """How many tasks to have sent; none is sent where no worker is."""
        if not self._is_there():
            return 0
        try:
            threads = sum(self._client.nthreads().values())
        except Exception:  # the scheduler may go at any moment; that is found out by `_is_there`
            return 0
        return int(threads * AHEAD)

    def _is_there(self) -> bool:
        comm = getattr(self._client, "scheduler_comm", None)
        return self._client.status == "running" and comm is not None and not comm.comm.closed()

    def _send(self, task: Task) -> bool:
        key = f"fargrade-{task.place}-{uuid.uuid4().hex}"
        try:
            future = self._client.submit(grade_there, task.to_bytes(), key=key, pure=False)
            future.add_done_callback(lambda done: self._done.put((key, done)))
        except Exception:  # dask raises what it likes where its scheduler goes; `_is_there` finds that out
            return False
        self._sent[key] = (task, future)
        return True

    def _report(self, key: str, future: Any) -> Report | None:
        """The report that came, or one on what killed its workers; None where the future only lost its scheduler."""
        if key not in self._sent or future.status in ("cancelled", "lost"):
            return None
        task, _ = self._sent.pop(key)
        try:
            return Report.from_bytes(future.result())
        except Exception as error:  # KilledWorker, a worker that cannot import us, nonsense for a report
            why = t("The machines grading it failed ({why}).", why=f"{type(error).__name__}: {error}"[:300])
            return lost_report(self._course, task, why)
        finally:
            future.release()

    def _given_up(self, source: Iterator[Task]) -> Iterator[Report]:
        """What was done is on disk; all else is not judged, and a later run with --resume grades it."""
        why = t("The scheduler is gone.")
        for task, _ in self._sent.values():
            yield lost_report(self._course, task, why)
        self._sent.clear()
        for task in source:
            yield lost_report(self._course, task, why)

    def busy(self) -> list[str]:
        """See Pool."""
        return [task.place for task, _ in list(self._sent.values())[:4]]

    def close(self) -> None:
        """See Pool. With its scheduler gone, dask may not close in time: nobody waits for that."""
        with suppress(Exception):
            for _, future in self._sent.values():
                if self._is_there():
                    future.cancel()
            self._client.close(timeout=5)


def _connect(scheduler: str, tls: tuple[str, str, str]) -> Any:
    try:
        from distributed import Client, Security
    except ImportError:
        raise CourseProblem(t("Grading on many machines needs dask: pip install 'fargrade[dask]'.")) from None
    ca, certificate, key = tls
    security = None
    if scheduler.startswith("tls://") and ca:
        security = Security(
            tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True
        )  # fmt: skip
    try:
        return Client(scheduler, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise CourseProblem(
            t("The scheduler at {address} cannot be reached: {why}", address=scheduler, why=error)
        ) from None
