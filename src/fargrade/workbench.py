"""What a grading process works with, started once and shared by all of its items: a world and a sandbox.

Both start in processes of their own, so that their start-up overlaps with pytest's; `start()` may be called
before anything else is imported. A fault of ours (the world died or hangs) replaces the world, once per item.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from fargrade.backends.opening import Wanted, open_world
from fargrade.backends.world import OpenWorld, WorldFault
from fargrade.course import Item
from fargrade.course.checks import account_dollars, services_named
from fargrade.sandbox import WARM, Nursery, Sandbox, open_nursery, open_sandbox

EMBEDDED = Wanted()
NURSERIES = 5  # of a workbench's life: where it cannot be had, or dies again and again, it goes without
# A region known by heart is to be found out, as an account is: none of these stands in AWS's examples, or in ours.
HOMES = ("eu-west-3", "sa-east-1", "ap-southeast-2", "eu-north-1", "ca-central-1")


class Workbench:
    """A world and a sandbox whose learner code reaches that world and nothing else."""

    def __init__(self, services: Iterable[str], confine: str, wanted: Wanted, *, many: bool = False) -> None:
        self._services = tuple(services)
        self._confine = confine
        self._wanted = wanted
        # A learner's process that had to read EC2's model itself would take three times as long.
        self._warm = (*WARM, *(f"boto3:{name}" for name in self._services))
        self.world: OpenWorld = open_world(wanted, self._services)
        self._nursery: Nursery | None = None  # only for who grades many
        self._nurseries = 0
        if many:
            self._keep_nursery()
        self.sandbox = self._open_sandbox()

    def _open_sandbox(self) -> Sandbox:
        return open_sandbox(self.world.listen, confine=self._confine, warm=self._warm, nursery=self._nursery)

    def fresh_world(self, seed: int, region: str = "") -> OpenWorld:
        """The world, emptied, in `region` or in one that follows `seed` where the backend can choose.

        Raises WorldFault when not even a second one can be had."""
        region = region or random.Random(seed).choice(HOMES)
        try:
            self.world.reset(seed, region)
        except WorldFault:
            self._replace_world()
            self.world.reset(seed, region)
        return self.world

    def _replace_world(self) -> None:
        self.sandbox.close()
        self.world.close()
        self.world = open_world(self._wanted, self._services)
        self.sandbox = self._open_sandbox()

    def renew_sandbox(self) -> None:
        """Another submission comes: nothing of the last one's is left, and what it listened on is closed."""
        self.sandbox.close()
        self._keep_nursery()
        try:
            self.world.close_listeners()
        except WorldFault:
            self.world.close()
            self.world = open_world(self._wanted, self._services)
        self.sandbox = self._open_sandbox()

    def _keep_nursery(self) -> None:
        if (self._nursery is None or not self._nursery.alive) and self._nurseries < NURSERIES:
            self._nurseries += 1
            self._nursery = open_nursery(self._confine, self._warm)

    def close(self) -> None:
        """End its processes."""
        self.sandbox.close()
        if self._nursery is not None:
            self._nursery.close()
        self.world.close()


_current: Workbench | None = None
_kept = False


def workbench(services: Iterable[str], confine: str, wanted: Wanted = EMBEDDED, *, many: bool = False) -> Workbench:
    """This process's workbench, started on first use; `many` submissions will come, each with a sandbox of its own.

    Raises BackendProblem where its world cannot be had.
    """
    global _current
    if _current is None:
        _current = Workbench(services, confine, wanted, many=many)
    return _current


def begun_workbench() -> Workbench | None:
    """This process's workbench, where it has been started."""
    return _current


def keep_workbench() -> None:
    """Keep the workbench warm for the next pytest run (watch, verify), until `close_workbench`."""
    global _kept
    _kept = True


def release_workbench() -> None:
    """A pytest run has ended: close the workbench unless it is kept."""
    if not _kept:
        close_workbench()


def close_workbench() -> None:
    """End this process's workbench, if it was started."""
    global _current, _kept
    _kept = False
    if _current is not None:
        _current.close()
        _current = None


def dollars_of(items: Iterable[Item]) -> float:
    """What grading `items` on a real account may cost; those that make no sense there make nothing."""
    return sum(account_dollars(item.grader) or 0.0 for item in items)


def services_of(items: Iterable[Item]) -> list[str]:
    """The AWS services to have ready for `items`: those their graders name, in `world.client("…")` or in `SERVICES`.

    Any other is loaded at its first call, at the price of its import.
    """
    return sorted({service for item in items for service in services_named(item.grader)})
