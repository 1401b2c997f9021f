"""The harness's side of the comparisons: gradings as people run them, and the calls that one makes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FARGRADE = [sys.executable, "-m", "fargrade.cli"]


def environment() -> dict[str, str]:
    """A learner's: without what this shell says to fargrade, pytest and Python (not to keep bytecode, say)."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FARGRADE", "PYTEST", "PYTHON"))}


def grade_seconds(*arguments: str) -> float:
    """How long one `fargrade grade …` over the solutions takes, from nothing to its end."""
    with tempfile.TemporaryDirectory() as reports:
        started = time.perf_counter()
        came = subprocess.run(
            [*FARGRADE, "grade", "--submission", "solutions", "--reports", reports, "--containers", "off", *arguments],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        took = time.perf_counter() - started
    assert came.returncode == 0, came.stdout + came.stderr
    return took


class Warm:
    """Gradings of one item in this process, as watch does them after a save: the same request, everything warm."""

    def __init__(self, item_id: str) -> None:
        from fargrade.course import Course
        from fargrade.run import Request
        from fargrade.watch import settle
        from fargrade.workbench import keep_workbench

        os.chdir(ROOT)
        self._course = Course.find(ROOT)
        self._items = self._course.select(item=item_id)
        self._request = Request(submission="solutions", containers="off", seed="11", face=True)
        keep_workbench()
        self.seconds()  # the first starts the world
        settle()

    def seconds(self) -> float:
        """One whole grading: pytest, given, the learner's process, checks, verdicts, the words in the terminal."""
        from fargrade.run import grade

        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            status = grade(self._course, self._items, self._request)
        took = time.perf_counter() - started
        assert status == 0
        return took

    def in_processes(self) -> tuple[int, float]:
        """How many processes of the learner's one grading takes, and the seconds that it waits for them."""
        from fargrade.workbench import workbench

        sandbox = workbench([], "auto").sandbox
        run, waited = sandbox.run, []

        def timed(job: Any) -> Any:
            started = time.perf_counter()
            try:
                return run(job)
            finally:
                waited.append(time.perf_counter() - started)

        sandbox.run = timed  # type: ignore[method-assign]
        try:
            self.seconds()
        finally:
            sandbox.run = run  # type: ignore[method-assign]
        return len(waited), sum(waited)

    def bare_process(self) -> float:
        """The seconds of a process of the learner's that makes its client and no call."""
        from fargrade.sandbox import Job, PythonCall
        from fargrade.workbench import workbench

        bench = workbench([], "auto")
        code = b"import boto3\ndef f():\n    boto3.client('ecr')\n"
        job = Job({"bare.py": code}, PythonCall("bare.py", "f"), env=bench.world.environment, ahead=0.0)
        started = time.perf_counter()
        outcome = bench.sandbox.run(job)
        assert outcome.ok, outcome
        return time.perf_counter() - started

    def calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(service, operation, parameters) of each AWS call of one grading, the learner's first."""
        from fargrade.workbench import workbench

        world = workbench([], "auto").world
        made: list[tuple[str, str, dict[str, Any]]] = []

        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            made.append((model.service_model.service_name, model.name, json.loads(json.dumps(params, default=str))))

        for client in world._clients.values():
            client.meta.events.register("before-parameter-build", note)
        self.seconds()
        for client in world._clients.values():
            client.meta.events.unregister("before-parameter-build", note)
        learners = [(one.service, one.operation, dict(one.parameters)) for one in world.calls()]
        return [*learners, *made]

    def close(self) -> None:
        from fargrade.workbench import close_workbench

        close_workbench()


class Watching:
    """`fargrade watch` on a copy of the solutions, and the time from a save to the verdict."""

    def __init__(self, item_id: str, file: str) -> None:
        import shutil

        from fargrade.course import Course

        self._folder = tempfile.TemporaryDirectory()
        item = Course.find(ROOT).select(item=item_id)[0]
        place = Path(self._folder.name) / item.folder
        shutil.copytree(ROOT / "solutions" / item.folder, place)
        self._file = place / file
        self._process = subprocess.Popen(
            [*FARGRADE, "watch", "--item", item_id, "--submission", self._folder.name, "--reports", self._folder.name,
             "--containers", "off"],
            cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
        )  # fmt: skip
        self._until_it_waits()
        time.sleep(0.5)  # the watcher sets up after saying that it waits

    def _until_it_waits(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Waiting for a save" in line:
                return
        raise AssertionError("watch ended")

    def seconds(self) -> float:
        """From a save to the verdict on the screen."""
        text = self._file.read_text(encoding="utf-8")
        started = time.perf_counter()
        self._file.write_text(text.rstrip("\n") + "\n" * (2 if text.endswith("\n") else 1), encoding="utf-8")
        self._until_it_waits()
        took = time.perf_counter() - started
        time.sleep(0.2)
        return took

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def graders(items: tuple[str, ...]) -> list[str]:
    """The graders of these items, from the course's top."""
    from fargrade.course import Course

    course = Course.find(ROOT)
    return [str(course.select(item=one)[0].grader.relative_to(ROOT)) for one in items]


def other_graders(week: str, items: tuple[str, ...]) -> list[str]:
    """The week's other graders."""
    from fargrade.course import Course

    chosen = Course.find(ROOT).select(week=week)
    return [str(one.grader.relative_to(ROOT)) for one in chosen if one.id not in items]
