"""A batch from end to end: take in, grade, keep, and make the gradebook, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from fargrade.batch.classbook import write_class
from fargrade.batch.intake import Entry, Refused, entries
from fargrade.batch.policy import Policy, read_policy
from fargrade.batch.pool import LocalPool, Pool
from fargrade.batch.porter import Porter
from fargrade.batch.progress import Display, duration
from fargrade.batch.records import Records, Result, Settings, key_of
from fargrade.batch.room import workers
from fargrade.batch.submission_page import FORMS, guesses, write_submission
from fargrade.batch.task import Report, Task, Terms
from fargrade.batch.version import course_version
from fargrade.course import Course, CourseProblem, Item
from fargrade.course.language import current_language
from fargrade.course.language import translate as t
from fargrade.reports.terminal import number
from fargrade.sandbox.confinement import bubblewrap_problem

MAX_SEED = 2**31 - 1
ALL_PASSED, SOME_FAILED, USAGE, NOTHING_JUDGED, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class Wanted:
    """What a batch was asked for."""

    submissions: Path
    out: Path
    workers: int = 0
    seed: str = ""
    resume: bool = False
    unconfined: bool = False
    containers: str = "off"
    job_seconds: float = 0.0
    policy: Path | None = None
    scheduler: str = ""
    tls: tuple[str, str, str] = ("", "", "")
    forms: tuple[str, ...] = ()


def batch(course: Course, items: Sequence[Item], wanted: Wanted) -> int:
    """Grade every submission; returns the exit status of design.md. Raises CourseProblem for wrong usage."""
    console = Console(highlight=False)
    listed = entries(wanted.submissions)
    policy = read_policy(_policy_file(wanted), course)
    if unknown := [form for form in wanted.forms if form not in FORMS]:
        raise CourseProblem(
            t("There is no form {form}: choose among {forms}.", form=unknown[0], forms=", ".join(FORMS))
        )
    records = Records(wanted.out)
    if wanted.out.resolve().is_relative_to(wanted.submissions.resolve()):
        raise CourseProblem(
            t(
                "{folder} is among the submissions: it would be taken for one. Name another with out=DIR.",
                folder=wanted.out,
            )
        )
    _check_confinement(wanted)
    records.prepare()
    with _only_one(records), _ended_gently():
        settings = _settings(course, items, wanted, records)
        records.keep_settings(settings)
        _announce(console, settings, listed, wanted)
        return _Batch(course, listed, wanted, settings, records, policy, console).run()


def _policy_file(wanted: Wanted) -> Path | None:
    if wanted.policy is not None:
        return wanted.policy
    beside = wanted.submissions / "course.toml"
    return beside if beside.is_file() else None


def _check_confinement(wanted: Wanted) -> None:
    """Raises CourseProblem where strangers' code would run unconfined and nobody asked for that."""
    if wanted.scheduler or wanted.unconfined:
        return
    if problem := bubblewrap_problem():
        raise CourseProblem(
            problem
            + " "
            + t("A batch is not graded like that: see fargrade doctor, or say --unconfined and trust every submission.")
        )


@contextlib.contextmanager
def _only_one(records: Records) -> Iterator[None]:
    with (records.out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseProblem(t("Another batch is writing to {folder}.", folder=records.out)) from None
        yield


@contextlib.contextmanager
def _ended_gently() -> Iterator[None]:
    """Being asked to end is as Ctrl-C: what is done is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _settings(course: Course, items: Sequence[Item], wanted: Wanted, records: Records) -> Settings:
    before = records.settings()
    if wanted.seed:
        if not wanted.seed.isdecimal() or int(wanted.seed) > MAX_SEED:
            raise CourseProblem(
                t("The seed is a whole number from 0 to {most}, not {given!r}.", most=MAX_SEED, given=wanted.seed)
            )
        seed = int(wanted.seed)
    elif wanted.resume and before is not None:
        seed = before.terms.seed  # else nothing would be unchanged
    else:
        seed = random.SystemRandom().randrange(1, 10**6)
    terms = Terms(
        items=tuple(item.id for item in items),
        seed=seed,
        language=current_language(),
        confine="off" if wanted.unconfined else "required",
        containers=wanted.containers,
        job_seconds=wanted.job_seconds,
        course=course_version(course),
    )
    where = str(wanted.submissions.absolute())
    return Settings(terms, where, not wanted.unconfined, time.time(), versions={"fargrade": version("fargrade")})


def _announce(console: Console, settings: Settings, listed: Sequence[Entry], wanted: Wanted) -> None:
    terms = settings.terms
    console.print(
        t(
            "{count} submissions, {items} items, seed {seed}, course {version}",
            count=len(listed),
            items=len(terms.items),
            seed=terms.seed,
            version=terms.course,
        )
    )
    if wanted.scheduler.startswith("tcp://"):
        console.print(t("tcp:// is for a network that is yours alone: its port runs what anybody sends. Use tls://."))
    if not settings.confined:
        console.print(
            t("Unconfined: any of them can read and change what you can. The gradebook says so."), style="red"
        )


class _Batch:
    """One run. What is kept on disk is said to the display; what cannot be kept is held until it can."""

    def __init__(
        self,
        course: Course,
        listed: Sequence[Entry],
        wanted: Wanted,
        settings: Settings,
        records: Records,
        policy: Policy,
        console: Console,
    ) -> None:
        self.course = course
        self.listed = listed
        self.wanted = wanted
        self.settings = settings
        self.records = records
        self.policy = policy
        self.console = console
        self.keys: dict[str, str] = {}
        self.begun: dict[str, Result] = {}
        self.graded = 0
        self.unsaved: dict[str, tuple[Result, dict[str, Any] | None]] = {}
        self.porter = Porter(course)
        self.pool: Pool = self._open_pool()
        self.display = Display(len(listed), self.pool.busy, console)

    def _open_pool(self) -> Pool:
        if self.wanted.scheduler:
            from fargrade.batch.remote import RemotePool

            return RemotePool(self.course, self.wanted.scheduler, self.wanted.tls)
        return LocalPool(self.course, self.wanted.workers or workers())

    def run(self) -> int:
        """Grade all, and write the class's pages whatever happens. Returns the exit status."""
        started = time.monotonic()
        interrupted = broken = False
        try:
            with self.display:
                for report in self.pool.graded(self._tasks()):
                    self._keep_report(report)
        except KeyboardInterrupt:
            interrupted = True
            self.console.print(t("Interrupted: what is done is kept; --resume goes on from here."), style="yellow")
        except Exception as error:  # ours, whatever it is: the class is told what was done all the same
            broken = True
            why = f"{type(error).__name__}: {error}"[:300]
            self.console.print(
                t(
                    "A fault of ours ended the batch ({why}): what is done is kept; --resume goes on from here.",
                    why=why,
                ),
                style="red",
            )
        finally:
            self.pool.close()
            self.porter.close()
        status = self._finish(time.monotonic() - started, interrupted=interrupted)
        return NOTHING_JUDGED if broken else status

    def _tasks(self) -> Iterator[Task]:
        """A task for each submission that is to be graded; the others are done here."""
        for entry in self.listed:
            try:
                task = self._task(entry)
            except Refused as refused:
                result = self._result(entry, "refused", problem=str(refused))
                self._keep(result, None, t("refused: {why}", why=refused), "yellow")
            except OSError as error:
                why = t("{folder} cannot be written: {why}.", folder=self.records.out, why=error.strerror or error)
                self._keep(self._result(entry, "fault", problem=why, faults=(why,)), None, why, "red")
            else:
                if task is not None:
                    yield task

    def _task(self, entry: Entry) -> Task | None:
        taken = self.porter.take_in(entry)
        terms = self.settings.terms
        key = self.keys[entry.place] = key_of(taken.digest, terms)
        before = self.records.result(entry.place)
        if self.wanted.resume and before and before.key == key and before.kind == "graded" and not before.lost:
            self.display.done(entry.student, t("unchanged"), "dim", graded=False)
            return None
        self.records.keep_files(entry.place, taken.files)
        self.begun[entry.place] = self._result(
            entry, "graded", key=key, form=taken.kind, digest=taken.digest, notes=taken.notes
        )
        return Task(entry.place, taken.files, terms)

    def _result(self, entry: Entry, kind: Any, **more: Any) -> Result:
        return Result(
            entry.student,
            entry.place,
            kind,
            more.pop("key", ""),
            source=os.fsencode(entry.path).decode("utf-8", "replace"),
            handed_in=entry.handed_in,
            graded_at=time.time(),
            **more,
        )

    def _keep_report(self, report: Report) -> None:
        self.graded += 1
        result = replace(
            self.begun[report.place],
            kind="fault" if len(report.lost) == len(self.settings.terms.items) else "graded",
            seconds=report.seconds,
            faults=report.faults,
            lost=report.lost,
            guesses=guesses(self.course, report.grade, self.records.files(report.place)),
            graded_at=time.time(),
        )
        grade = report.grade
        what = f"{number(grade['score'])}/{number(grade['max_score'])}"
        style = "green" if grade["score"] == grade["max_score"] > 0 else ""
        if report.lost:
            what += "  " + t("not judged, a fault of ours: {items}", items=", ".join(report.lost))
            style = "red"
        self._keep(result, grade, what, style)

    def _keep(self, result: Result, grade: dict[str, Any] | None, what: str, style: str) -> None:
        try:
            self.records.keep(result, grade)
            write_submission(self.course, self.records, result, grade, self.wanted.forms)
        except OSError as error:
            self.unsaved[result.place] = (result, grade)
            what += "  " + t("(not saved yet: {why})", why=error.strerror or error)
        self.display.done(result.student, what, style, graded=grade is not None)

    def _unreached(self) -> dict[str, tuple[Result, dict[str, Any] | None]]:
        """A row for each submission that the batch ended before; nothing of it is kept, so that --resume grades it."""
        why = t("The batch ended before it: --resume grades it.")
        return {
            entry.place: (self._result(entry, "fault", problem=why, faults=(why,)), None)
            for entry in self.listed
            if self.records.result(entry.place) is None
        }

    def _finish(self, seconds: float, *, interrupted: bool) -> int:
        for place, (result, grade) in list(self.unsaved.items()):
            with contextlib.suppress(OSError):
                self.records.keep(result, grade)
                write_submission(self.course, self.records, result, grade, self.wanted.forms)
                del self.unsaved[place]
        book = write_class(
            self.course, self.records, self.settings, self.policy, [one.place for one in self.listed], self.keys,
            {**self._unreached(), **self.unsaved}, self.console,
        )  # fmt: skip
        self.console.print(t("{count} graded in {time}.", count=self.graded, time=duration(seconds)))
        for place in self.unsaved:
            self.console.print(t("The result of {place} could not be saved.", place=place), style="red")
        if interrupted:
            return INTERRUPTED
        statuses = {row.status for row in book}
        if statuses <= {"not_judged", "refused"}:
            return NOTHING_JUDGED
        return ALL_PASSED if statuses == {"passed"} else SOME_FAILED
