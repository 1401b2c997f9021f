"""Where learner code runs: the way in, for whoever grades."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from typing import Protocol

from fargrade.course.language import translate as t
from fargrade.sandbox import confinement as confining
from fargrade.sandbox.confinement import Confinement
from fargrade.sandbox.job import Job, Outcome
from fargrade.sandbox.nursery import Nursery
from fargrade.sandbox.running import RunnerSandbox, SandboxUnavailable, Serve
from fargrade.sandbox.seccomp import program
from fargrade.sandbox.spare import SpareSandbox

__all__ = ["WARM", "Nursery", "Sandbox", "SandboxUnavailable", "Serve", "open_nursery", "open_sandbox"]
WARM = ("boto3",)


class Sandbox(Protocol):
    """Where the learner's code runs. `endpoint` is the AWS_ENDPOINT_URL it sees.

    Use it from one thread, which outlives it: the kernel ends a confinement with the thread that started it.
    """

    @property
    def confinement(self) -> Confinement: ...

    @property
    def endpoint(self) -> str: ...

    def run(self, job: Job) -> Outcome:
        """Run the job to its outcome, whatever the code does. Raises SandboxUnavailable: no runner starts."""

    def close(self) -> None:
        """End every process of the sandbox."""


def open_nursery(confine: str = "auto", warm: Sequence[str] = WARM) -> Nursery | None:
    """What makes many sandboxes cheap, one after another, for open_sandbox; None where it has no use."""
    return None if confine == "off" or confining.bubblewrap_problem() else Nursery(warm)


def open_sandbox(
    serve: Serve, *, confine: str = "auto", warm: Sequence[str] = WARM, nursery: Nursery | None = None
) -> Sandbox:
    """Start a sandbox whose code reaches what `serve` serves, and nothing else where it is confined.

    `serve(listening)` has the world answer on a listening socket of the sandbox's own network; `serve(None)` on
    one of its own; both return the port. `confine` is "auto", "required" or "off". `warm` names modules to import
    ahead, and "boto3:SERVICE" for a service whose clients are to be quick; a `nursery` has them already. Returns at
    once: the first run waits. Raises SandboxUnavailable where confinement is required, or root cannot be given up.
    """
    problem = "" if confine == "off" else confining.bubblewrap_problem()
    if confine != "off" and not problem:
        return RunnerSandbox(serve, warm, Confinement("bubblewrap", True, _unfiltered()), nursery)
    if confine == "required":
        raise SandboxUnavailable(problem)
    if worse := confining.plain_problem():
        raise SandboxUnavailable(worse)
    note = problem or t("Confinement is off: a self-check, protected from accidents only.")
    plain = Confinement("process", False, note)
    if sys.platform.startswith("linux"):
        return RunnerSandbox(serve, warm, plain)
    return SpareSandbox(
        serve, [name for name in warm if ":" not in name], plain
    )  # warm once a job: no more than all use


def _unfiltered() -> str:
    """What the note says where there is no seccomp filter for the machine."""
    if program():
        return ""
    return t("There is no filter of system calls for this processor ({machine}).", machine=platform.machine())
