"""One grading: its course, its submission, its options, and the workbench it works with."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from fargrade.backends.lacking import BackendProblem, first_unsupported
from fargrade.backends.world import OpenWorld, WorldFault
from fargrade.course import Answer, Course, Item, Submission
from fargrade.course.checks import account_dollars, fixed_region
from fargrade.course.language import translate as t
from fargrade.course.tree import relative_files
from fargrade.grading import NotJudged, OurFault
from fargrade.plugin.containers import engine_on_demand
from fargrade.plugin.control import Control
from fargrade.plugin.options import Options
from fargrade.plugin.supervision import ITEM_SECONDS, ItemSandbox, wall_seconds
from fargrade.sandbox import Sandbox
from fargrade.workbench import Workbench, begun_workbench, dollars_of, services_of, workbench

PRINTED = 2000  # characters
GLOBAL = ("iam", "ecr-public")  # these are called in us-east-1 from anywhere


class GradingSession:
    """What the hooks and fixtures of one pytest run share."""

    key = pytest.StashKey["GradingSession"]()

    def __init__(self, course: Course, options: Options) -> None:
        self.course = course
        self.options = options
        self.submission = Submission(options.submission)
        self._printed: dict[str, str] = {}
        self._answers: dict[str, Answer] = {}
        self._by_grader = {item.grader: item for item in course.items}
        self._world_of: str | None = None
        self.engine = engine_on_demand(options.containers)

    @classmethod
    def of(cls, config: pytest.Config) -> GradingSession:
        """The session of this pytest run."""
        return config.stash[cls.key]

    def item_at(self, grader: Path) -> Item | None:
        """The item that the test module at `grader` grades."""
        return self._by_grader.get(grader)

    def answer(self, item: Item) -> Answer:
        """The learner's files of `item`, read at first use and kept for the run: what is read is graded."""
        if item.id not in self._answers:
            self._answers[item.id] = self.submission.answer(item)
        return self._answers[item.id]

    def begun(self, item: Item) -> bool:
        """Whether any stub file differs from the stub as shipped (line ends and outer blanks apart)."""
        answer = self.answer(item)
        stub = item.answers / "stub"
        if answer.problems:
            return True
        return any(
            not (stub / name).is_file() or _plain(answer.files.get(name)) != _plain((stub / name).read_bytes())
            for name in item.stub_names()
        ) or any(name not in answer.files for name in relative_files(stub))

    @cached_property
    def workbench(self) -> Workbench:
        if begun := begun_workbench():
            return begun
        wanted = replace(self.options.wanted, estimate=dollars_of(self.course.items))
        return workbench(services_of(self.course.items), self.options.confine, wanted)

    @cached_property
    def control(self) -> Control | None:
        """What holds failures against the solution's; None where the backend needs none, or this is its run."""
        if self.options.wanted.embedded or self.options.wanted.real or self.options.control:
            return None
        return Control(self.options, str(getattr(self.workbench.world, "url", self.options.backend)))

    @property
    def sandbox(self) -> Sandbox:
        """For one item: its jobs share a time."""
        together = max(ITEM_SECONDS, 3 * wall_seconds(self.workbench.world))
        return ItemSandbox(self.workbench, together, self.options.job_seconds)

    def fresh_world(self, item: Item) -> OpenWorld:
        """The world, emptied for `item`; its ids, times of day, account and region follow the run's seed.

        Raises OurFault when no world can be had.
        """
        if self.options.wanted.real and account_dollars(item.grader) is None:
            raise NotJudged(t("This item needs the embedded world (backend=moto), not a real account."))
        self._world_of = item.id
        try:
            if self.control:
                self.control.run(item)
            seed = zlib.crc32(f"{self.options.seed}:{item.id}".encode())
            return self.workbench.fresh_world(seed, fixed_region(item.grader))
        except WorldFault as fault:
            if not self.options.wanted.embedded:
                raise OurFault(t("The backend failed: {why}", why=fault)) from None
            raise OurFault(t("The AWS emulator could not be started: {why}", why=fault)) from None
        except BackendProblem as problem:
            raise OurFault(str(problem)) from None

    def leave_world(self, item: Item) -> None:
        """The item is done with the world."""
        if self._world_of == item.id:
            self._world_of = None

    def calls_of(self, item: Item) -> list[str]:
        """What the learner's code called so far, a line each, and where it was not the world's region; empty where
        nothing ran."""
        if self._world_of != item.id:
            return []
        world = self.workbench.world
        try:
            return [
                call.summary()
                + (f" [{call.region}]" if call.region not in ("", world.region) and call.service not in GLOBAL else "")
                for call in world.calls()
            ]
        except WorldFault:
            return []

    def heard(self, item: Item, text: str) -> None:
        """The learner's code of `item` printed `text`."""
        if text.strip():
            self._printed[item.id] = f"{self._printed.get(item.id, '')}{text.rstrip()}\n"[-PRINTED:]

    def printed_by(self, item: Item) -> str:
        """The last of what the learner's code printed, and has not been shown yet."""
        return self._printed.pop(item.id, "").strip("\n")

    def excuse(self, item: Item, check: str) -> str:
        """Why a failed check says nothing about the learner on this backend; "" where it counts."""
        if self.options.wanted.embedded or self._world_of != item.id:
            return ""
        if lacking := first_unsupported(list(self.workbench.world.calls())):
            return t("This backend could not do what the code asked of it: {call}", call=lacking)
        return self.control.excuse(item, check) if self.control else ""

    def fault_of(self, item: Item) -> str:
        """What the embedded world could not do while `item` was graded, a failure of ours; "" for nothing.

        A check that failed meanwhile may have failed by it: that is not judged. Whoever provokes it gains nothing:
        a batch tries again, and then gives no mark before an instructor has decided (fargrade.batch.gradebook).
        """
        if not self.options.wanted.embedded or self._world_of != item.id:
            return ""
        try:
            return next(iter(self.workbench.world.faults()), "")
        except WorldFault as fault:
            return str(fault)

    def notes_of(self, item: Item) -> list[str]:
        """What else the learner should know of this item's grading: files left out, or that no bash can read."""
        answer = self.answer(item)
        windows = [
            t(
                "{file} has Windows' line ends (CRLF), which bash takes for part of the words: save it with LF.",
                file=name,
            )
            for name, content in answer.files.items()
            if name.endswith(".sh") and b"\r\n" in content
        ]
        return sorted({problem for problem in answer.problems.values() if problem} | set(windows))

    def backend_used(self) -> dict[str, Any]:
        """What judged, for grade.json: the backend and how the learner's code was confined."""
        used: dict[str, Any] = {"name": self.options.backend, **self.engine.as_json()}
        if "workbench" in self.__dict__:
            confinement = self.workbench.sandbox.confinement
            used |= {
                "confinement": confinement.name,
                "confined": confinement.confined,
                "note": confinement.note,
            }
            if not self.options.wanted.embedded:
                used |= self.workbench.world.describe()
        return used


def _plain(content: bytes | None) -> bytes:
    return b"\n".join(line.rstrip() for line in (content or b"").strip().splitlines())
