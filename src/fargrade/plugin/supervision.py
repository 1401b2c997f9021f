"""Runs an item's jobs: within a time that they share, and never blaming a learner for a world that is gone."""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace

from fargrade.backends.world import World, WorldFault
from fargrade.course.language import translate as t
from fargrade.grading import OurFault
from fargrade.sandbox import Confinement, Job, Limits, Outcome, SandboxUnavailable
from fargrade.workbench import Workbench

MOST_CROWDED = 3.0
ITEM_SECONDS = 90.0  # what all jobs of one item may take together; an honest answer takes a few


def wall_seconds(world: World) -> float:
    """How long a learner's code may take: longer where the world's time is the machine's own."""
    return float(getattr(world, "wall_seconds", Limits().wall_seconds))


def crowding() -> float:
    """How much longer things take on this machine than they should: 1 unless twice as much wants to run as can.

    A right answer must not fail because somebody compiles beside it. The limit on processor time stays as it is.
    """
    try:
        load, processors = os.getloadavg()[0], len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return 1.0
    return min(MOST_CROWDED, max(1.0, load / (2 * processors)))


class ItemSandbox:
    """The workbench's sandbox, as one item uses it. See fargrade.sandbox.Sandbox."""

    def __init__(self, workbench: Workbench, seconds: float = ITEM_SECONDS, job_seconds: float | None = None) -> None:
        self._workbench = workbench
        self._job_seconds = math.inf if job_seconds is None else job_seconds
        self._left = self._together = seconds

    @property
    def confinement(self) -> Confinement:
        return self._workbench.sandbox.confinement

    @property
    def endpoint(self) -> str:
        return self._workbench.sandbox.endpoint

    def run(self, job: Job) -> Outcome:
        """Run the job. Raises OurFault where a bad end may be our doing."""
        if self._left <= 0:
            return Outcome("timed_out", seconds=self._together)
        seconds = min(job.limits.wall_seconds, self._job_seconds, max(self._left, 1.0))
        processor = min(job.limits.cpu_seconds, math.ceil(seconds))
        slower = crowding()
        limits = replace(job.limits, wall_seconds=seconds * slower, cpu_seconds=processor)
        try:
            outcome = self._workbench.sandbox.run(replace(job, limits=limits, ahead=self._ahead()))
        except SandboxUnavailable as unavailable:
            raise OurFault(str(unavailable)) from None
        self._left -= outcome.seconds / slower
        if not outcome.ok:
            self._check_world()
        return outcome

    def _ahead(self) -> float | None:
        """How far the world's clock is ahead of this machine's: so the code need not ask, a request for each job."""
        world = self._workbench.world
        if world.environment.get("FARGRADE_TIME") == "real":
            return None
        try:
            return world.now().timestamp() - time.time()
        except WorldFault:
            return None  # the code finds that out, and is not blamed for it

    def _check_world(self) -> None:
        """Code fails that finds no world: then it is no failure of the code's."""
        try:
            self._workbench.world.now()
        except WorldFault as fault:
            raise OurFault(t("The AWS emulator failed while the code ran: {why}", why=fault)) from None

    def close(self) -> None:
        """Nothing: the workbench closes its sandbox."""
