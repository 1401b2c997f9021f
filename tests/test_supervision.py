"""An item's jobs share a time, longer where the machine is overloaded: no right answer fails by that."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from fargrade.plugin import supervision
from fargrade.sandbox import Job, Outcome, PythonCall

JOB = Job({}, PythonCall("a.py", "f"))


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> tuple[supervision.ItemSandbox, list[Job]]:
    """An item's sandbox that runs nothing and uses all of its time, and the jobs it got."""
    ran: list[Job] = []

    def run(job: Job) -> Outcome:
        ran.append(job)
        return Outcome("timed_out", seconds=job.limits.wall_seconds)

    monkeypatch.setattr(supervision.ItemSandbox, "_ahead", lambda _: None)
    monkeypatch.setattr(supervision.ItemSandbox, "_check_world", lambda _: None)
    workbench: Any = SimpleNamespace(sandbox=SimpleNamespace(run=run))
    return supervision.ItemSandbox(workbench, 30.0), ran


@pytest.mark.parametrize(("load", "times"), [(0.0, 1), (2.0, 1), (4.0, 2), (100.0, 3)])
def test_an_overloaded_machine_gives_more_time(
    jobs: tuple[supervision.ItemSandbox, list[Job]], monkeypatch: pytest.MonkeyPatch, load: float, times: int
) -> None:
    processors = len(os.sched_getaffinity(0))
    monkeypatch.setattr(os, "getloadavg", lambda: (load * processors, 0, 0))
    sandbox, ran = jobs
    while sandbox.run(JOB).seconds and len(ran) < 2:
        continue
    assert [job.limits.wall_seconds for job in ran] == [20.0 * times, 10.0 * times]
    assert [job.limits.cpu_seconds for job in ran] == [20, 10]
    assert sandbox.run(JOB).kind == "timed_out"
    assert len(ran) == 2
