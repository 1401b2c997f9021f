"""The grader's side of a warm runner: starts it, hands jobs over, ends what does not end itself. Linux."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fargrade.course.language import translate as t
from fargrade.sandbox import confinement as confining
from fargrade.sandbox.claims import lost, outcome_of
from fargrade.sandbox.confinement import Confinement
from fargrade.sandbox.inside import frames, processes
from fargrade.sandbox.job import Job, Outcome
from fargrade.sandbox.nursery import Nursery, NurseryFailed
from fargrade.sandbox.slots import Slot, open_slot

START_SECONDS = 60.0
GRACE_SECONDS = 6.0
CLEAN_SECONDS = 5.0
PORT = 4566
MOST_FILES = 48 << 20
Serve = Callable[[socket.socket | None], int]


class SandboxUnavailable(Exception):
    """Learner code cannot be run here as asked; the message is one sentence that says what to do."""


def environment(job: Job, endpoint: str, *, confined: bool) -> dict[str, str]:
    """What the learner's code finds in its environment, and nothing of ours."""
    return {
        "PATH": confining.program_search_path(confined=confined),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(confining.INSIDE / "everywhere"),  # their Pythons, too, live in the world's time
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "AWS_MAX_ATTEMPTS": "2",
        **job.env,
    }


def too_much(job: Job) -> Outcome | None:
    """The outcome of a job whose files no runner takes."""
    if sum(map(len, job.files.values())) > MOST_FILES:
        return Outcome("no_start", detail=t("its files are too large"))
    return None


class Runner:
    """One life of a runner, confined or not."""

    def __init__(
        self, how: Confinement, warm: Sequence[str], slot: Slot | None, uid: int, nursery: Nursery | None = None
    ) -> None:
        self.confined = how.confined
        self._uid = uid
        self._slot = slot
        self._init = -1  # a handle on the confinement's first process, whose end is the end of all in it
        self._owes_cleaning = False
        self.ready = False
        self._channel, theirs = socket.socketpair()
        self._process: subprocess.Popen[bytes] | _Born
        self._status = -1
        if how.confined and nursery and nursery.alive:
            with theirs, contextlib.suppress(NurseryFailed):
                self._process = _Born(nursery, theirs, [*self._flags(), "--entered"], slot, uid)
                self._init = os.dup(self._process.init)
                return
            self._channel.close()
            self._channel, theirs = socket.socketpair()
        self._status, status = os.pipe()
        with contextlib.ExitStack() as stack:
            stack.enter_context(theirs)
            stack.callback(os.close, status)
            command: list[str] = []
            handles = [theirs.fileno()]
            if how.confined:
                command, more = confining.bubblewrap_command(stack, uid=uid or confining.ORDINARY_UID)
                command += ["--json-status-fd", str(status)]
                handles += [*more, status]
            command += confining.runner_command(theirs.fileno(), *self._flags(), warm=warm)
            self._process = subprocess.Popen(
                slot.entering(command) if slot else command,
                pass_fds=handles,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )

    @property
    def is_born(self) -> bool:
        """Whether it came of a nursery."""
        return isinstance(self._process, _Born)

    def _flags(self) -> list[str]:
        flags = ["--listen", "--confined"] if self.confined else []
        if self._uid:
            flags += ["--uid", str(self._uid)]
            if not self.confined:
                flags += ["--open", os.pathsep.join(map(str, confining.closed_to_nobody()))]
        return flags

    def wait_ready(self, serve: Serve) -> None:
        """Wait until it is warm, having the world serve in it. Raises SandboxUnavailable, after killing it."""
        try:
            if self.confined:
                self._channel.settimeout(START_SECONDS)
                _, handles, _, _ = socket.recv_fds(self._channel, 1, 1)
                if not handles:
                    raise frames.Gone("no listener came")
                if self._init < 0:
                    self._init = self._first_process()
                with socket.socket(fileno=handles[0]) as listening:
                    serve(listening)
            frames.receive(self._channel, 1 << 16, seconds=START_SECONDS)
        except (frames.Gone, OSError) as error:
            why = self._last_words() or str(error)
            self.kill()
            raise SandboxUnavailable(t("The sandbox did not start: {why}", why=why)) from None
        self.ready = True

    def _first_process(self) -> int:
        said = os.read(self._status, 4096).split(b"\n", 1)[0]
        with contextlib.suppress(ValueError, KeyError, OSError):
            return os.pidfd_open(int(json.loads(said)["child-pid"]))
        return -1

    def _last_words(self) -> str:
        self._process.kill()
        try:
            _, said = self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            return ""
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def ask(self, message: dict[str, Any], seconds: float) -> Any:
        """Its report on a job. Raises frames.Gone, TimeoutError."""
        frames.send(self._channel, message, seconds=seconds)
        report = frames.receive(self._channel, frames.MAX_OUTCOME, seconds=seconds)
        self._owes_cleaning = True
        return report

    def was_ended_from_outside(self) -> bool:
        """Whether the confinement itself is gone, which nobody in it can do: a fault of ours, or of this machine.

        Told only where it came of a nursery: its first process is then no one's parent, and ignores all signals from
        within. One that bubblewrap started the runner in ends with the runner, whom the learner's code may kill.
        """
        if not isinstance(self._process, _Born):
            return False
        return not self._process.nursery.alive or bool(select.select([self._init], [], [], 0.5)[0])

    def is_clean(self) -> bool:
        """Whether nothing of the last job is left in it, waiting for it to say so."""
        if not self._owes_cleaning:
            return self._process.poll() is None
        self._owes_cleaning = False
        try:
            said = frames.receive(self._channel, 1 << 16, seconds=CLEAN_SECONDS)
        except (frames.Gone, TimeoutError):
            return False
        return isinstance(said, dict) and said.get("clean") is True

    def kill(self) -> None:
        """End it and all that came of it, and wait for that. Idempotent."""
        self._channel.close()
        came_of_it = [] if self.confined else processes.descendants(self._process.pid)
        if self._init >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
            select.select([self._init], [], [], 3)
            os.close(self._init)
            self._init = -1
        self._process.kill()
        for pid in came_of_it:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self._process.stderr:
            self._process.stderr.close()
        self._process.wait()
        if self._slot:
            self._slot.kill()
        if self._status >= 0:
            os.close(self._status)
            self._status = -1


class _Born:
    """A runner that a nursery bore, as subprocess.Popen would have it."""

    def __init__(
        self, nursery: Nursery, theirs: socket.socket, flags: Sequence[str], slot: Slot | None, uid: int
    ) -> None:
        self.nursery = nursery
        said, saying = os.pipe()
        self.stderr = os.fdopen(said, "rb")
        try:
            self.init = nursery.bear(theirs, saying, flags, slot, uid)
        except BaseException:
            self.stderr.close()
            raise
        finally:
            os.close(saying)
        self.pid = -1

    def poll(self) -> int | None:
        return 0 if self.init < 0 or select.select([self.init], [], [], 0)[0] else None

    def kill(self) -> None:
        if self.init >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self.init, signal.SIGKILL)

    def wait(self) -> int:
        if self.init >= 0:
            select.select([self.init], [], [], 3)
            os.close(self.init)
            self.init = -1
        return 0

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """What it said, once it is gone. Raises TimeoutExpired."""
        if not select.select([self.stderr], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("runner", timeout)
        return b"", os.read(self.stderr.fileno(), 1 << 16)


class RunnerSandbox:
    """One warm runner that forks a process for each job, in bubblewrap or plain; replaced when a job breaks it."""

    def __init__(self, serve: Serve, warm: Sequence[str], how: Confinement, nursery: Nursery | None = None) -> None:
        self._serve = serve
        self._nursery = nursery
        self._warm = tuple(warm)
        self._port = 0
        self._uid, self._lease = 0, None
        if confining.is_root():
            self._uid, self._lease = confining.lease_uid()
        self._slot = open_slot()
        if self._slot is None:
            note = t("There is no control group to be had here: memory is limited for each process, not for all.")
            how = replace(how, note=f"{how.note} {note}".strip())
        self.confinement = how
        self._runner: Runner | None = self._start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port or PORT}"

    @property
    def is_born(self) -> bool:
        """Whether its runner came of a nursery."""
        return self._runner is not None and self._runner.is_born

    def _start(self) -> Runner:
        return Runner(self.confinement, self._warm, self._slot, self._uid, self._nursery)

    def _replace(self) -> None:
        if self._runner is not None:
            self._runner.kill()
        self._runner = None  # should the next not start
        self._runner = self._start()

    def _warm_runner(self) -> Runner:
        """The runner, warm and clean. Raises SandboxUnavailable."""
        if self._runner is None or (self._runner.ready and not self._runner.is_clean()):
            self._replace()
        assert self._runner is not None
        if not self._runner.ready:
            if not self.confinement.confined and not self._port:
                self._port = self._serve(None)
            runner, self._runner = self._runner, None
            try:
                runner.wait_ready(self._serve)
            except BaseException:
                runner.kill()
                raise
            self._runner = runner
        return self._runner

    def run(self, job: Job) -> Outcome:
        """See Sandbox.run."""
        if refused := too_much(job):
            return refused
        runner = self._warm_runner()
        env = environment(job, self.endpoint, confined=self.confinement.confined)
        killed = self._allow(job)
        started = time.monotonic()
        try:
            report = runner.ask({**job.as_message(), "env": env}, job.limits.wall_seconds + GRACE_SECONDS)
        except (frames.Gone, TimeoutError) as error:
            # What memory has killed, the code's own use of it may have: no way out of a wrong answer.
            from_outside = self._killed_for_memory() <= killed and runner.was_ended_from_outside()
            self._replace()
            if from_outside:
                raise SandboxUnavailable(t("The sandbox was ended from outside.")) from None
            why = t("it no longer answers") if isinstance(error, TimeoutError) else t("it is gone")
            return lost(why, time.monotonic() - started)
        return outcome_of(report, job, out_of_memory=self._killed_for_memory() > killed)

    def _allow(self, job: Job) -> int:
        """Give the slot the job's size; how many processes memory has cost so far."""
        if self._slot is not None:
            with contextlib.suppress(OSError):
                self._slot.resize(job.limits.memory_bytes, job.limits.processes)
        return self._killed_for_memory()

    def _killed_for_memory(self) -> int:
        return self._slot.killed_for_memory() if self._slot is not None else 0

    def close(self) -> None:
        """End every process of the sandbox. Idempotent."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.kill()
        if self._slot is not None:
            self._slot.remove()
            self._slot = None
        if self._lease is not None:
            self._lease.close()
            self._lease = None
