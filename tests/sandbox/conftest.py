"""One sandbox of each kind for all the tests: that the next job works after an attack is checked after every test."""

from __future__ import annotations

import os
import socket
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from fargrade.sandbox import Command, Confinement, Job, Limits, Outcome, PythonCall, Sandbox, open_nursery, open_sandbox
from fargrade.sandbox.confinement import is_root
from fargrade.sandbox.inside.processes import descendants, is_living
from fargrade.sandbox.running import RunnerSandbox
from fargrade.sandbox.spare import SpareSandbox

AWS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "learner", "AWS_SECRET_ACCESS_KEY": "secret"}


class Run(Protocol):
    def __call__(self, code: str, *args: Any, **options: Any) -> Outcome: ...


def serve(listening: socket.socket | None) -> int:
    """A world of one sentence: answers every connection on the socket with HTTP."""
    mine = socket.socket(fileno=os.dup(listening.fileno())) if listening else socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_answer, args=(mine,), daemon=True).start()
    return int(mine.getsockname()[1])


def _answer(listening: socket.socket) -> None:
    listening.settimeout(None)
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nworld")


def opened(kind: str) -> Sandbox:
    if kind == "spare":
        return SpareSandbox(serve, ("boto3",), Confinement("spare", False))
    if kind == "born":  # as every submission's of a batch after the first
        sandbox = open_sandbox(serve, confine="required", nursery=open_nursery("required"))
        assert isinstance(sandbox, RunnerSandbox)
        assert sandbox.is_born
        return sandbox
    return open_sandbox(serve, confine={"bubblewrap": "required", "process": "off"}[kind])


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[Callable[[str], Sandbox]]:
    """Each kind of sandbox, opened once."""
    found: dict[str, Sandbox] = {}

    def get(kind: str) -> Sandbox:
        if kind not in found:
            found[kind] = opened(kind)
            ran(found[kind], "def f(x): return x + 1", 1)
        return found[kind]

    yield get
    for sandbox in found.values():
        sandbox.close()
        if nursery := getattr(sandbox, "_nursery", None):
            nursery.close()


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, sandboxes: Callable[[str], Sandbox]) -> Iterator[Sandbox]:
    """The sandbox of the kind that the test names; afterwards nothing of the test may be left in it."""
    kind = request.param
    if kind == "spare" and is_root():
        pytest.skip("a spare refuses to run as root: test_ordinary.py runs this as an ordinary user")
    sandbox = sandboxes(kind)
    before = len(living())
    yield sandbox
    outcome = ran(sandbox, "import os\ndef f(x): return [x + 1, sorted(os.listdir('.')), os.listdir('/dev/shm')]", 41)
    assert outcome.kind == "returned", outcome
    assert outcome.value[:2] == [42, ["answer.py"]]
    assert sandbox.confinement.name != "bubblewrap" or outcome.value[2] == []
    until = time.monotonic() + 60
    while len(living()) > before and time.monotonic() < until:
        time.sleep(0.01)  # a new runner's shell may still be there
    assert len(living()) <= before


def living() -> list[int]:
    """The processes below this one, and, as root, those of the learners' uids wherever they went."""
    found = set(descendants(os.getpid()))
    if is_root():
        found |= {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _is_learner(path)}
    return sorted(filter(is_living, found))


def _is_learner(process: Path) -> bool:
    try:
        return process.stat().st_uid in _leased
    except OSError:
        return False


_leased: set[int] = set()


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """Run Python of the learner's in `sandbox`: `f(*args)` of answer.py."""
    leased = getattr(sandbox, "_uid", 0)
    if leased:
        _leased.add(leased)

    def call(code: str, *args: Any, **options: Any) -> Outcome:
        return ran(sandbox, code, *args, **options)

    return call


def ran(
    sandbox: Sandbox,
    code: str,
    *args: Any,
    file: str = "answer.py",
    function: str = "f",
    files: dict[str, bytes] | None = None,
    keep: tuple[str, ...] = (),
    argv: tuple[str, ...] | None = None,
    **limits: Any,
) -> Outcome:
    entry = Command(argv) if argv else PythonCall(file, function, args)
    return sandbox.run(
        Job(
            files={"answer.py": textwrap.dedent(code).encode(), **(files or {})},
            entry=entry,
            env=AWS,
            limits=Limits(**limits),
            keep=keep,
        )
    )
