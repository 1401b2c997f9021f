"""What a machine lacks is said, and what replaces it works."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fargrade.sandbox import (
    Job,
    PythonCall,
    SandboxUnavailable,
    confinement,
    open_nursery,
    open_sandbox,
    running,
    slots,
)
from fargrade.sandbox.confinement import is_root
from fargrade.sandbox.inside.processes import descendants

ONE = Job({"a.py": b"def f(): return 1\n"}, PythonCall("a.py", "f"))


def serve(listening: socket.socket | None) -> int:  # noqa: ARG001
    return 9


@pytest.fixture(autouse=True)
def _fresh_probe() -> Iterator[None]:
    confinement._probe.cache_clear()
    yield
    confinement._probe.cache_clear()


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "bwrap" else which(name, **more))


@pytest.fixture
def with_broken_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bwrap = tmp_path / "bwrap"
    bwrap.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    bwrap.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


@pytest.mark.usefixtures("without_bubblewrap")
def test_without_bubblewrap_it_runs_and_says_what_it_is() -> None:
    sandbox = open_sandbox(serve)
    try:
        assert not sandbox.confinement.confined
        assert "self-check" in sandbox.confinement.note
        assert "apt install bubblewrap" in sandbox.confinement.note
        assert sandbox.run(ONE).value == 1
    finally:
        sandbox.close()


@pytest.mark.usefixtures("without_bubblewrap")
def test_required_and_not_there_is_a_sentence() -> None:
    with pytest.raises(SandboxUnavailable, match="bubblewrap is not installed"):
        open_sandbox(serve, confine="required")


@pytest.mark.usefixtures("with_broken_bubblewrap")
def test_bubblewrap_that_may_not_is_told_with_its_own_words() -> None:
    with pytest.raises(SandboxUnavailable, match=r"uid map: Permission denied.*AppArmor"):
        open_sandbox(serve, confine="required")


def test_root_that_cannot_be_given_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "is_root", lambda: True)
    monkeypatch.setattr(confinement, "has_capability", lambda _: False)
    monkeypatch.setattr(confinement, "closed_to_nobody", lambda: [Path("/closed/python")])
    with pytest.raises(SandboxUnavailable, match=r"never run as root.*/closed/python"):
        open_sandbox(serve, confine="off")


def test_unconfined_root_is_given_up_too() -> None:
    if not is_root():
        pytest.skip("an ordinary user has no root to give up: the test is for root")
    code = b"def f(): return open('/proc/self/status').read()\n"
    sandbox = open_sandbox(serve, confine="off")
    try:
        text = str(sandbox.run(Job({"a.py": code}, PythonCall("a.py", "f"))).value)
    finally:
        sandbox.close()
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split()
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.bubblewrap
def test_closing_ends_every_process_and_the_slot() -> None:
    before = set(descendants(os.getpid()))
    sandbox: Any = open_sandbox(serve, confine="required")
    assert sandbox.run(ONE).value == 1
    slot = sandbox._slot
    sandbox.close()
    sandbox.close()
    assert set(descendants(os.getpid())) <= before
    assert slot is None or not any(folder.exists() for folder in slot._folders)


@pytest.mark.bubblewrap
def test_closing_while_it_starts() -> None:
    before = set(descendants(os.getpid()))
    open_sandbox(serve, confine="required").close()
    assert set(descendants(os.getpid())) <= before


@pytest.mark.bubblewrap
def test_a_world_that_cannot_serve_is_its_own_fault() -> None:
    class WorldIsGoneError(Exception):
        pass

    def fail(_: socket.socket | None) -> int:
        raise WorldIsGoneError

    before = set(descendants(os.getpid()))
    sandbox = open_sandbox(fail, confine="required")
    with pytest.raises(WorldIsGoneError):
        sandbox.run(ONE)
    sandbox.close()
    assert set(descendants(os.getpid())) <= before


def test_a_runner_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no such thing here')")
    command = ["python3", str(broken)]
    monkeypatch.setattr(confinement, "runner_command", lambda *_, **__: command)
    sandbox = open_sandbox(serve, confine="off")
    with pytest.raises(SandboxUnavailable, match="no such thing here"):
        sandbox.run(ONE)
    sandbox.close()


def test_two_sandboxes_have_two_uids() -> None:
    first, held = confinement.lease_uid()
    second, also = confinement.lease_uid()
    held.close()
    third, again = confinement.lease_uid()
    also.close()
    again.close()
    assert first != second
    assert third == first


def test_without_a_control_group_it_runs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "open_slot", lambda: None)
    sandbox = open_sandbox(serve, confine="off")
    try:
        assert "no control group" in sandbox.confinement.note
        assert sandbox.run(ONE).value == 1
    finally:
        sandbox.close()


def test_a_slot_of_cgroup_2_is_made_beside_our_own_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The files of a version 2 hierarchy, in a folder: where the group is made, and what is written in it."""
    ours = tmp_path / "user.slice" / "app.slice" / "terminal.scope"
    ours.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (ours.parent / "cgroup.procs").write_text("")
    (ours.parent / "cgroup.subtree_control").write_text("memory pids\n")
    monkeypatch.setattr(slots, "ROOT", tmp_path)
    monkeypatch.setattr(slots, "_own", lambda controller: "" if controller else "/user.slice/app.slice/terminal.scope")
    assert slots._parents_v2() == (ours.parent,)
    (ours.parent / "cgroup.subtree_control").write_text("pids\n")
    assert slots._parents_v2() == ()

    group = ours.parent / "fargrade-1-1"
    group.mkdir()
    for name, content in (("memory.max", "max"), ("memory.events", "low 0\noom_kill 3\n"), ("cgroup.procs", "")):
        (group / name).write_text(content)
    slot = slots.Slot((group,))
    slot.resize(100 << 20, 10)
    assert int((group / "memory.max").read_text()) == (100 << 20) + slots.MEMORY_BESIDE
    assert int((group / "pids.max").read_text()) == 10 + slots.PROCESSES_BESIDE
    assert slot.killed_for_memory() == 3
    said = subprocess.run(slot.entering(["echo", "a b"]), capture_output=True, text=True, check=True)
    assert said.stdout == "a b\n"
    assert int((group / "cgroup.procs").read_text()) > 0


@pytest.mark.bubblewrap
def test_a_confinement_that_is_ended_from_outside_is_no_failure_of_the_code() -> None:
    """The machine's doing, as when memory runs out: said so, and the next job runs."""
    nursery = open_nursery("required")
    sandbox = open_sandbox(serve, confine="required", nursery=nursery)
    assert isinstance(sandbox, running.RunnerSandbox)
    assert nursery is not None
    try:
        assert sandbox.run(ONE).value == 1
        runner = sandbox._runner
        assert runner is not None
        soon = threading.Timer(0.3, lambda: signal.pidfd_send_signal(runner._init, signal.SIGKILL))
        soon.start()
        slow = Job({"a.py": b"def f():\n while True: pass\n"}, PythonCall("a.py", "f"))
        with pytest.raises(SandboxUnavailable):
            sandbox.run(slow)
        assert sandbox.run(ONE).value == 1
        os.kill(nursery._process.pid, signal.SIGKILL)  # and without it, a sandbox is started as ever
        nursery._process.wait()
        assert sandbox._runner is not None
        assert select.select([sandbox._runner._init], [], [], 20)[0]  # its confinements end with it
        with contextlib.suppress(SandboxUnavailable):
            sandbox.run(ONE)
        assert sandbox.run(ONE).value == 1
        assert not sandbox.is_born
    finally:
        sandbox.close()
        nursery.close()


def test_groups_of_graders_that_are_gone_are_swept_and_no_others(tmp_path: Path) -> None:
    """A number that means nobody here may be a grader in another container, which has just made its group."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    here = Path("/proc/self/ns/pid").stat().st_ino
    names = {
        "ours": f"fargrade-{here}-{os.getpid()}-1",
        "left": f"fargrade-{here}-{gone.pid}-1",
        "another's": f"fargrade-{here + 1}-{gone.pid}-1",
        "abandoned": f"fargrade-{here + 1}-{gone.pid}-2",
        "not of fargrade": "docker",
    }
    for name in names.values():
        (tmp_path / name).mkdir()
    long_ago = time.time() - slots.ABANDONED - 60
    os.utime(tmp_path / names["abandoned"], (long_ago, long_ago))
    slots._sweep((tmp_path,))
    assert {path.name for path in tmp_path.iterdir()} == {
        names[one] for one in ("ours", "another's", "not of fargrade")
    }
