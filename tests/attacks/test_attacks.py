"""Every attack for real: one batch over all of the hostile submissions, and what must be so of each.

No check passes that should not, the results are whole and valid, the next item and the next submission are graded
right, nothing is left running, and nothing is written outside.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classroom import hand_in, run_batch, small_course
from hostile import AT_IMPORT, BESIDE, IN_CALL, LIFECYCLE, OURS, PROVOKED, SHELL, repository

from fargrade.course import Course
from fargrade.sandbox.inside.processes import descendants

pytestmark = pytest.mark.bubblewrap

HONEST = ("000_honest", "mmm_honest", "zzz_honest")
CLAIMS = [*AT_IMPORT, *IN_CALL, *OURS, *BESIDE]


class Eavesdropper:
    """Listens on this machine's own network: whoever leaves the sandbox is heard here."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("0.0.0.0", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1)
                self.heard.append(connection.recv(100))

    def close(self) -> None:
        self._socket.close()


def address_of_this_machine() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
            return str(one.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def contents(top: Path) -> dict[str, tuple[int, int]]:
    """Every file below `top` with its size and time of change, caches left out."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in top.rglob("*")
        if "__pycache__" not in path.parts and not path.is_dir()
    }


def adopt_orphans() -> None:
    """From now on, whatever the batch leaves behind is a child of this process, wherever it hid."""
    import ctypes

    pr_set_child_subreaper = 36
    assert ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One batch over all of them; what there was before and after."""
    course = small_course(tmp_path_factory.mktemp("attacked"))
    top = tmp_path_factory.mktemp("handed-in")
    canary = tmp_path_factory.mktemp("canary")
    ear = Eavesdropper()
    adopt_orphans()
    before_running = set(descendants(os.getpid()))
    _hand_in_all(course, top, canary, ear.port)
    before = contents(course.root) | contents(canary)
    started = time.monotonic()
    ran = run_batch(
        course, top, tmp_path_factory.mktemp("out"), "--workers", "2", "--job-seconds", "4", "--seed", "77", seconds=900
    )
    seconds = time.monotonic() - started
    yield {
        "ran": ran,
        "book": ran.book(),
        "course": course,
        "before": before,
        "after": contents(course.root) | contents(canary),
        "left": set(descendants(os.getpid())) - before_running,
        "heard": list(ear.heard),
        "seconds": seconds,
        "handed_in": {path.name for path in top.iterdir()},
    }
    ear.close()


def _hand_in_all(course: Course, top: Path, canary: Path, port: int) -> None:
    stub = (course.root / "exercises/week1/04_push/push.sh").read_bytes()
    for name in HONEST:
        hand_in(course, top / name)
    for name in (*CLAIMS, *PROVOKED):
        code = repository(name).replace("@PORT@", str(port)).replace("@HOST@", address_of_this_machine())
        code = code.replace("@CANARY@", str(canary))
        folder = hand_in(course, top / name, repository=code.encode("utf-8"), push=stub)
        for file, content in BESIDE.get(name, {}).items():
            for place in ("", "week1/", "week1/02_repository/", "week1/06_lifecycle/"):
                (folder / place / file).write_text(content)
    for name, policy in LIFECYCLE.items():
        hand_in(course, top / name, lifecycle=policy, push=stub)
    for name, script in SHELL.items():
        hand_in(course, top / name, push=f"set +e\n{script}".encode())
    _hand_in_archives(course, top, canary)


def _hand_in_archives(course: Course, top: Path, canary: Path) -> None:
    with zipfile.ZipFile(top / "zip_slip.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (course.root / "solutions").rglob("*"):
            if path.is_file() and "04_push" not in path.parts:
                archive.write(path, path.relative_to(course.root / "solutions"))
        archive.writestr("../../../../../../" + str(canary) + "/week1/02_repository/slipped.py", "x")
        archive.writestr(f"week1/02_repository/../../../../..{canary}/slipped", "x")
        archive.writestr("week1/02_repository/huge.py", bytes(64 << 20))
        archive.writestr("huge", bytes(256 << 20))
    folder = hand_in(course, top / "links")
    (folder / "week1/02_repository/repository.py").unlink()
    (folder / "week1/02_repository/repository.py").symlink_to(
        course.root / "solutions/week1/02_repository/repository.py"
    )
    os.mkfifo(folder / "week1/02_repository/fifo.py")
    shutil.rmtree(folder / "week1/06_lifecycle")
    (folder / "week1/06_lifecycle").symlink_to(course.root / "solutions/week1/06_lifecycle")
    folder = hand_in(course, top / "many_files", push=b"")
    for number in range(4000):
        (folder / "week1/02_repository" / f"f{number}.py").write_bytes(b"")
    folder = hand_in(course, top / "its_own_policy", repository=b"raise SystemExit")
    (folder / "course.toml").write_text("[weights]\n'1.2' = 0\n")
    markup = top / "=cmd|'calc'!A0<img src=x onerror=alert(1)>\x1b[2J\u202e"
    hand_in(
        course,
        markup,
        repository=b"def create_repository(*a, **k):\n    raise ValueError('<script>alert(1)</script>')\n",
    )
    (top / "no_archive").write_bytes(os.urandom(2000))


@pytest.mark.parametrize("name", CLAIMS)
def test_nothing_is_claimed_into_a_pass(attacked: dict[str, Any], name: str) -> None:
    item = attacked["ran"].item(name, "1.2")
    assert [check["id"] for check in item["checks"] if check["status"] == "passed"] == []
    assert item["score"] == 0
    assert item["status"] == "failed"


@pytest.mark.parametrize("name", CLAIMS)
def test_it_is_judged_and_so_is_the_next_item(attacked: dict[str, Any], name: str) -> None:
    """No attack earns a "not judged" in place of a failure, nor spoils its own learner's next item."""
    items = {item["id"]: item for item in attacked["ran"].grade(name)["items"]}
    assert [check["id"] for item in items.values() for check in item["checks"] if check["status"] == "not_judged"] == []
    assert items["1.6"]["status"] == "passed"
    assert attacked["book"][name]["faults"] == []


@pytest.mark.parametrize("name", PROVOKED)
def test_nobody_gets_out_of_a_zero_by_a_fault_of_ours(attacked: dict[str, Any], name: str) -> None:
    """What may have failed by us is not judged, and there is no mark before an instructor has looked."""
    items = {item["id"]: item for item in attacked["ran"].grade(name)["items"]}
    row = attacked["book"][name]
    assert (items["1.2"]["status"], items["1.2"]["score"], items["1.6"]["status"]) == ("not_judged", 0, "passed")
    assert (row["mark"], row["look"], row["lost"]) == (None, "fault", ["1.2"])
    assert row["mark_between"][0] < row["mark_between"][1]


@pytest.mark.parametrize("name", LIFECYCLE)
def test_a_hostile_policy_fails_its_item_and_no_other(attacked: dict[str, Any], name: str) -> None:
    items = {item["id"]: item for item in attacked["ran"].grade(name)["items"]}
    assert items["1.2"]["status"] == "passed"
    assert items["1.6"]["status"] == "failed"
    assert items["1.6"]["score"] < items["1.6"]["points"] / 2


@pytest.mark.parametrize("name", SHELL)
def test_a_hostile_script_pushes_nothing(attacked: dict[str, Any], name: str) -> None:
    items = {item["id"]: item for item in attacked["ran"].grade(name)["items"]}
    assert items["1.2"]["status"] == items["1.6"]["status"] == "passed"
    assert items["1.4"]["score"] <= 2
    assert items["1.4"]["status"] == "failed"


@pytest.mark.parametrize("name", HONEST)
def test_the_honest_among_them_get_full_marks(attacked: dict[str, Any], name: str) -> None:
    row = attacked["book"][name]
    assert (row["status"], row["mark"], row["faults"], row["look"]) == ("passed", 100.0, [], "")


def test_every_submission_has_its_row(attacked: dict[str, Any]) -> None:
    assert len(attacked["book"]) == len(attacked["handed_in"]) == len(attacked["ran"].said.split("\n[")) - 1
    assert attacked["ran"].status == 1
    assert {row["confined"] for row in attacked["book"].values() if row["items"]} == {True}


def test_the_results_are_whole_and_valid(attacked: dict[str, Any]) -> None:
    out = attacked["ran"].out
    for row in attacked["book"].values():
        folder = out / row["folder"]
        assert json.loads((folder / "result.json").read_text())["student"] == row["student"]
        if row["look"] != "refused":
            grade = attacked["ran"].grade(row["student"])
            assert grade["complete"]
            assert [item["id"] for item in grade["items"]] == ["1.2", "1.4", "1.6"]
        assert (folder / "index.html").read_text().count("<script") == 0
    assert (out / "index.html").read_text().count("<script") == 1
    assert "\x1b[2J" not in attacked["ran"].said


def test_archives_and_links_reach_nothing(attacked: dict[str, Any]) -> None:
    book = attacked["book"]
    assert {item["id"]: item["status"] for item in book["zip_slip"]["items"]}["1.2"] == "passed"
    assert sum("leads out" in note for note in book["zip_slip"]["notes"]) == 2
    assert any("larger than" in note for note in book["zip_slip"]["notes"])
    links = {item["id"]: item for item in book["links"]["items"]}
    assert links["1.2"]["score"] == links["1.6"]["score"] == 0
    assert any("left out" in note for note in book["many_files"]["notes"])
    assert book["no_archive"]["look"] == "refused"
    assert book["its_own_policy"]["mark"] < 100


def test_nothing_is_written_outside(attacked: dict[str, Any]) -> None:
    assert attacked["after"] == attacked["before"]


def test_nothing_is_left_running(attacked: dict[str, Any]) -> None:
    assert attacked["left"] == set()


def test_nothing_leaves_the_sandbox(attacked: dict[str, Any]) -> None:
    assert attacked["heard"] == []
