"""Unconfined and without fork: an interpreter is started ahead, used once, and the next one started.

For systems where a warmed interpreter must not be forked (macOS: _scproxy crashes in children).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

from fargrade.course.language import translate as t
from fargrade.sandbox import confinement as confining
from fargrade.sandbox.claims import outcome_of
from fargrade.sandbox.confinement import Confinement
from fargrade.sandbox.inside import folders, frames, processes, supervise
from fargrade.sandbox.job import Job, Outcome
from fargrade.sandbox.running import START_SECONDS, SandboxUnavailable, Serve, environment, too_much


class Spare:
    """An interpreter that waits warm for its one job."""

    def __init__(self, warm: Sequence[str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._result, self._writing = os.pipe()
        with theirs:
            self._process = subprocess.Popen(
                confining.runner_command(theirs.fileno(), "--once", warm=warm),
                pass_fds=[theirs.fileno(), self._writing],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )

    def run(self, message: dict[str, Any], folder: str) -> Any:
        """The report on the job. Raises SandboxUnavailable: it never became warm."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            frames.receive(self._channel, 1 << 16, seconds=START_SECONDS)
            frames.send(self._channel, {**message, "folder": folder, "result": self._writing})
        except (frames.Gone, TimeoutError) as error:
            raise SandboxUnavailable(t("The sandbox did not start: {why}", why=self._last_words() or error)) from None
        os.close(self._writing)
        self._writing = -1
        pipes = {
            "stdout": os.dup(self._process.stdout.fileno()),
            "stderr": os.dup(self._process.stderr.fileno()),
            "result": self._result,
        }
        self._result = -1  # supervise closes it
        report = supervise.watch(self._process.pid, pipes, message["limits"], self._end)
        self._process.returncode = 0  # supervise has reaped it
        return report

    def _end(self) -> bool:
        for pid in processes.descendants(self._process.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return True

    def _last_words(self) -> str:
        self._process.kill()
        _, said = self._process.communicate()
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close(self) -> None:
        """End it, used or not. Idempotent."""
        self._channel.close()
        if self._process.returncode is None:
            self._end()
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        for handle in (self._result, self._writing):
            if handle >= 0:
                os.close(handle)
        self._result = self._writing = -1


class SpareSandbox:
    """A spare interpreter for each job. Raises SandboxUnavailable for root: it could not be given up."""

    def __init__(self, serve: Serve, warm: Sequence[str], how: Confinement) -> None:
        if confining.is_root():
            raise SandboxUnavailable(t("Do not grade as root here: become an ordinary user first."))
        self.confinement = how
        self._serve = serve
        self._warm = tuple(warm)
        self._port = 0
        self._spare: Spare | None = Spare(self._warm)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def run(self, job: Job) -> Outcome:
        """See Sandbox.run."""
        if refused := too_much(job):
            return refused
        if not self._port:
            self._port = self._serve(None)
        spare, self._spare = self._spare or Spare(self._warm), None
        try:
            # realpath: macOS's temporary folder is a link, and the learner's frames are told by their real path
            with tempfile.TemporaryDirectory(prefix="fargrade-work-", ignore_cleanup_errors=True) as made:
                folder = os.path.realpath(made)
                outcome = self._run(spare, job, folder)
                folders.empty(folder)
        finally:
            spare.close()
        self._spare = Spare(self._warm)  # warms up while the grader looks at what this one did
        return outcome

    def _run(self, spare: Spare, job: Job, folder: str) -> Outcome:
        message = job.as_message()
        problem = folders.lay(message["files"], folder)
        if problem:
            return Outcome("no_start", detail=problem)
        env = environment(job, self.endpoint, confined=False)
        message |= {"files": {}, "env": {**env, "HOME": folder, "TMPDIR": folder, "PWD": folder}}
        report = spare.run(message, folder)
        report["files"] = folders.keep(list(job.keep), folder)
        return outcome_of(report, job)

    def close(self) -> None:
        """End every process of the sandbox. Idempotent."""
        if self._spare is not None:
            self._spare.close()
            self._spare = None
