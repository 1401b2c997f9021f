"""The process that grades one submission after another, or takes them in: `python -m fargrade.batch.worker`.

It speaks JSON frames with whoever started it, and ends when that is gone. It keeps a world and pytest warm; each
submission gets a sandbox of its own. What it dies of, its parent survives: see fargrade.batch.slot.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import select
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from fargrade.course import Course
from fargrade.course.language import use_language
from fargrade.sandbox.inside import frames

MOST = 128 << 20
INTAKE_MEMORY = 3 << 30
INTAKE_FILE = 1 << 30


class Watcher:
    """A plugin for pytest: says which item is being graded, so that a death is put down to the right one."""

    def __init__(self, channel: socket.socket, course: Course) -> None:
        self._channel = channel
        self._items = {item.grader.name: item.id for item in course.items}
        self._at = ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        at = self._items.get(nodeid.partition("::")[0].rpartition("/")[2], "")
        if at != self._at:
            self._at = at
            frames.send(self._channel, {"at": at})


def main() -> None:
    """Serve until the other side is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--intake", action="store_true")
    given = parser.parse_args()
    channel = socket.socket(fileno=given.channel)
    course = Course.find()
    threading.Thread(target=_end_with_parent, args=(os.dup(channel.fileno()),), daemon=True).start()
    serve = _take_in if given.intake else _grade
    if given.intake:
        _limit_intake()
    frames.send(channel, {"ready": os.getpid()})
    while True:
        try:
            message = frames.receive(channel, MOST)
        except frames.Gone:
            break
        if "end" in message:
            break
        frames.send(channel, serve(channel, course, message))
    _close_workbench()


def _end_with_parent(channel: int) -> None:
    """The other side is gone: nobody waits for what is being done, which may take minutes."""
    poll = select.poll()
    poll.register(channel, select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0))
    while not any(
        event & (select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)) for _, event in poll.poll()
    ):
        continue
    os._exit(1)  # the world ends with its channel, and the confinement with us


def _limit_intake() -> None:
    """What unpacks strangers' archives has an end: a bomb costs this process and no other."""
    import resource

    for which, most in ((resource.RLIMIT_AS, INTAKE_MEMORY), (resource.RLIMIT_FSIZE, INTAKE_FILE)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (most, resource.getrlimit(which)[1]))


def _take_in(_: socket.socket, course: Course, message: dict[str, Any]) -> dict[str, Any]:
    from fargrade.batch.intake import Refused, take_in

    use_language(message["language"])
    try:
        taken = take_in(course, Path(os.fsdecode(base64.b64decode(message["path"]))))
    except Refused as refused:
        return {"refused": str(refused)}
    files = {name: base64.b64encode(content).decode() for name, content in taken.files.items()}
    return {"kind": taken.kind, "files": files, "notes": list(taken.notes), "digest": taken.digest}


def _grade(channel: socket.socket, course: Course, message: dict[str, Any]) -> dict[str, Any]:
    """{"grade": grade.json's content}, or {"refused": why}, said of this machine."""
    from fargrade.sandbox import SandboxUnavailable

    place = Path(message["folder"])
    try:
        with tempfile.TemporaryDirectory(prefix="fargrade-batch-", ignore_cleanup_errors=True) as made:
            _lay(message["files"], Path(made))
            return _graded(channel, course, message, Path(made), place)
    except SandboxUnavailable as unavailable:
        return {"refused": str(unavailable)}


def _graded(
    channel: socket.socket, course: Course, message: dict[str, Any], submission: Path, place: Path
) -> dict[str, Any]:
    from fargrade.run import Request, grade
    from fargrade.workbench import keep_workbench, services_of, workbench

    keep_workbench()
    items = [item for item in course.items if item.id in message["items"]]
    whole = [item for item in course.items if item.id in message["terms"]["items"]]  # a second try has fewer
    workbench(services_of(whole), message["confine"], many=True)
    result = place / "grade.json"
    request = Request(
        submission=str(submission),
        seed=str(message["seed"]),
        lang=message["language"],
        json=str(result),
        confine=message["confine"],
        containers=message["terms"]["containers"],
        job_seconds=_given(message["terms"]["job_seconds"]),
        face=False,
        pytest=("-q", "--no-header", "--no-summary", "--tb=no", "-p", "no:cacheprovider"),
    )
    status = grade(course, items, request, [Watcher(channel, course)])
    if status == 2 or not result.is_file():
        return {"refused": f"pytest ended with status {status} and no result"}
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    told["submission"] = message["place"]
    result.unlink()
    # For the next one, which may be there already; it warms up while this one's result is kept.
    workbench((), message["confine"]).renew_sandbox()
    return {"grade": told}


def _given(seconds: float) -> str:
    return f"{seconds:g}" if seconds else ""


def _lay(files: dict[str, str], folder: Path) -> None:
    (folder / "week1").mkdir()  # a submission without a file is still shaped like one
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(base64.b64decode(content))


def _close_workbench() -> None:
    if "fargrade.workbench" in sys.modules:
        from fargrade.workbench import close_workbench

        close_workbench()


if __name__ == "__main__":
    main()
