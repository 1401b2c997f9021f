"""The grader's side of the sandbox: starts runners, hands jobs over, ends what does not end itself.

What a runner sends is the learner's word: it is parsed with a cap and a schema, and anything else is an
outcome ("lost"), never an exception.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fargrade.course.language import translate as t
from fargrade.sandbox import confinement as confining
from fargrade.sandbox.confinement import Confinement
from fargrade.sandbox.inside import frames, supervise
from fargrade.sandbox.job import KINDS, Job, Outcome, Raised
from fargrade.sandbox.seccomp import program

START_SECONDS = 60.0
GRACE_SECONDS = 6.0
PORT = 4566
Serve = Callable[[socket.socket | None], int]


class SandboxUnavailable(Exception):
    """Learner code cannot be run here as asked; the message is one sentence that says what to do."""


class Sandbox(Protocol):
    """Where the learner's code runs. `endpoint` is the AWS_ENDPOINT_URL it sees."""

    confinement: Confinement

    @property
    def endpoint(self) -> str: ...

    def run(self, job: Job) -> Outcome:
        """Run the job to its outcome, whatever the code does. Raises SandboxUnavailable: no runner starts."""

    def close(self) -> None:
        """End every process of the sandbox."""


def open_sandbox(serve: Serve, *, confine: str = "auto", warm: Sequence[str] = ("boto3",)) -> Sandbox:
    """Start a sandbox whose code reaches what `serve` serves, and nothing else where it is confined.

    `serve(listening)` has the world answer on a listening socket of the sandbox's own network; `serve(None)` on
    one of its own. `confine` is "auto", "required" or "off". Returns at once: the first run waits.
    Raises SandboxUnavailable where confinement is required and cannot be had.
    """
    problem = "" if confine == "off" else confining.bubblewrap_problem()
    if confine != "off" and not problem:
        return RunnerSandbox(serve, warm, Confinement("bubblewrap", True))
    if confine == "required":
        raise SandboxUnavailable(problem)
    note = problem or t("Confinement is off: a self-check, protected from accidents only.")
    plain = Confinement("process", False, note)
    return RunnerSandbox(serve, warm, plain) if sys.platform.startswith("linux") else SpareSandbox(serve, warm, plain)


def environment(job: Job, endpoint: str) -> dict[str, str]:
    """What the learner's code finds in its environment, and nothing of ours."""
    return {
        "PATH": confining.program_search_path(),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "AWS_MAX_ATTEMPTS": "2",
        **job.env,
    }


class RunnerSandbox:
    """One warm runner that forks a process for each job: in bubblewrap, or plain. Linux."""

    def __init__(self, serve: Serve, warm: Sequence[str], how: Confinement) -> None:
        self.confinement = how
        self._serve = serve
        self._warm = tuple(warm)
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._port = 0
        self._ready = False
        self._start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port or PORT}"

    def _start(self) -> None:
        self._channel, theirs = socket.socketpair()
        root = confining.is_root()
        flags = ["--listen", "--confined"] if self.confinement.confined else []
        flags += ["--uid", str(confining.nobody())] if root else []
        flags += ["--keep-reading"] if root and not self.confinement.confined else []
        handles = [theirs.fileno()]
        command: list[str] = []
        with contextlib.ExitStack() as stack:
            stack.enter_context(theirs)
            if self.confinement.confined:
                filtering = stack.enter_context(tempfile.TemporaryFile())
                content = program()
                filtering.write(content)
                filtering.seek(0)
                handles += [filtering.fileno()] if content else []
                command = confining.bubblewrap_command(filtering.fileno() if content else -1)
            command += confining.runner_command(theirs.fileno(), *flags, warm=self._warm)
            self._process = subprocess.Popen(
                command,
                pass_fds=handles,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        self._ready = False

    def _wait_ready(self) -> socket.socket:
        """The channel, once the runner is warm. Raises SandboxUnavailable."""
        if self._channel is None or self._process is None:
            self._start()
        channel = self._channel
        assert channel is not None
        if self._ready:
            return channel
        channel.settimeout(START_SECONDS)
        try:
            if self.confinement.confined:
                _, handles, _, _ = socket.recv_fds(channel, 1, 1)
                if not handles:
                    raise frames.Gone("no listener came")
                with socket.socket(fileno=handles[0]) as listening:
                    self._serve(listening)
                channel.sendall(b"k")
            elif not self._port:
                self._port = self._serve(None)
            frames.receive(channel, 1 << 16)
        except (frames.Gone, OSError) as error:
            raise SandboxUnavailable(t("The sandbox did not start: {why}", why=self._last_words() or error)) from None
        self._ready = True
        return channel

    def _last_words(self) -> str:
        process, self._process = self._process, None
        if process is None or process.stderr is None:
            return ""
        process.kill()
        said = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else ""

    def run(self, job: Job) -> Outcome:
        channel = self._wait_ready()
        message = {**job.as_message(), "env": environment(job, self.endpoint)}
        started = time.monotonic()
        try:
            channel.settimeout(job.limits.wall_seconds + GRACE_SECONDS)
            frames.send(channel, message)
            return parsed(frames.receive(channel, frames.MAX_OUTCOME))
        except TimeoutError:
            self._kill()
            return Outcome("timed_out", seconds=time.monotonic() - started)
        except (frames.Gone, OSError):
            self._kill()
            return Outcome("lost", detail=t("its runner is gone"), seconds=time.monotonic() - started)

    def _kill(self) -> None:
        """End the runner and all that is in its confinement; the next job gets a new one."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            descendants = [] if self.confinement.confined else _descendants(self._process.pid)
            self._process.kill()
            for pid in descendants:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if self._process.stderr:
                self._process.stderr.close()
            self._process.wait()
            self._process = None
        self._ready = False

    def close(self) -> None:
        self._kill()


def _descendants(root: int) -> list[int]:
    """Every process below `root`, by /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


class SpareSandbox:
    """Unconfined and without fork: an interpreter is started ahead, used once, and the next one started.

    For systems where a warmed interpreter must not be forked (macOS: _scproxy crashes in children).
    """

    def __init__(self, serve: Serve, warm: Sequence[str], how: Confinement) -> None:
        if confining.is_root():
            raise SandboxUnavailable(t("Do not grade as root here: become an ordinary user first."))
        self.confinement = how
        self._serve = serve
        self._warm = tuple(warm)
        self._port = 0
        self._spare: tuple[subprocess.Popen[bytes], socket.socket, int] | None = self._start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket, int]:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        with theirs:
            process = subprocess.Popen(
                confining.runner_command(theirs.fileno(), "--once", warm=self._warm),
                pass_fds=[theirs.fileno(), writing],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", os.defpath), "RESULT": str(writing)},
                start_new_session=True,
            )
        self._result = writing
        os.close(writing)
        return process, ours, reading

    def run(self, job: Job) -> Outcome:
        if not self._port:
            self._port = self._serve(None)
        process, channel, result = self._spare or self._start()
        writing = self._result
        self._spare = None
        with tempfile.TemporaryDirectory(prefix="fargrade-work-") as folder, channel:
            message = {**job.as_message(), "env": environment(job, self.endpoint), "folder": folder, "result": writing}
            from fargrade.sandbox.inside import runner

            problem = runner.lay(message["files"], folder)
            if problem:
                return Outcome("lost", detail=problem)
            message["env"] |= {"HOME": folder, "TMPDIR": folder, "PWD": folder}
            try:
                channel.settimeout(START_SECONDS)
                frames.receive(channel, 1 << 16)
                frames.send(channel, {**message, "files": {}})
            except (frames.Gone, OSError):
                process.kill()
                raise SandboxUnavailable(t("The sandbox did not start: {why}", why="spare")) from None
            assert process.stdout is not None
            assert process.stderr is not None
            pipes = {
                "stdout": os.dup(process.stdout.fileno()),
                "stderr": os.dup(process.stderr.fileno()),
                "result": result,
            }

            def end() -> None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)

            came = supervise.watch(process.pid, pipes, message["limits"], end, python=bool(message["python"]))
            process.returncode = 0  # supervise has reaped it
            process.stdout.close()
            process.stderr.close()
            came["files"] = runner.keep(list(job.keep), folder)
        self._spare = self._start()
        return parsed(came)

    def close(self) -> None:
        if self._spare:
            process, channel, result = self._spare
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
            channel.close()
            os.close(result)
            self._spare = None


def parsed(message: Any) -> Outcome:
    """The outcome in a runner's message, which may be anything: what does not fit is "lost"."""
    try:
        kind = message["kind"]
        error = message.get("error")
        if kind not in KINDS or (kind == "raised") != isinstance(error, dict):
            raise ValueError("kind")
        return Outcome(
            kind=kind,
            value=message.get("value"),
            error=_raised(error) if error else None,
            stdout=_text(message.get("stdout", "")),
            stderr=_text(message.get("stderr", "")),
            truncated=bool(message.get("truncated")),
            exit_code=_number(message.get("exit_code")),
            signal=_number(message.get("signal")),
            seconds=float(message.get("seconds", 0.0)),
            files={
                str(name): base64.b64decode(content, validate=True)
                for name, content in dict(message.get("files") or {}).items()
            },
            detail=_text(message.get("detail", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Outcome("lost", detail=t("what its runner said makes no sense"))


def _raised(error: dict[str, Any]) -> Raised:
    return Raised(
        _text(error["type"])[:200],
        _text(error["message"])[:4000],
        _text(error["file"])[:200],
        int(error["line"]),
        tuple(_text(name)[:200] for name in list(error.get("bases", []))[:20]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def _number(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("number")
