"""A batch as an instructor runs it: to a gradebook, again, interrupted, and when our own things break."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from classroom import Ran, command, environment, hand_in, run_batch

from fargrade.batch import run as batch_run
from fargrade.batch.gradebook import row_of
from fargrade.batch.helper import Helper
from fargrade.batch.policy import Policy
from fargrade.batch.pool import lost_report
from fargrade.batch.records import Result
from fargrade.batch.slot import Slot
from fargrade.batch.task import Report, Task, Terms
from fargrade.course import Course, Submission
from fargrade.sandbox.inside.processes import descendants, is_living

pytestmark = pytest.mark.bubblewrap

WRONG = b"def create_repository(*a, **k):\n    raise ValueError('wrong')\n"
SLOW = b"import time\nwhile True: time.perf_counter()\n"
STUB = b"#!/usr/bin/env bash\n# bash push.sh"


@pytest.fixture(scope="module")
def handed_in(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ada: right; bob: wrong in 1.2, as a zip; eve: nothing begun; and what is no submission."""
    top = tmp_path_factory.mktemp("handed-in")
    stub = (course.root / "exercises/week1/04_push/push.sh").read_bytes()
    hand_in(course, top / "ada", push=stub)
    bob = hand_in(course, top / "bob", push=stub, repository=WRONG)
    with zipfile.ZipFile(top / "bob.zip", "w") as archive:
        for path in sorted(bob.rglob("*")):
            archive.write(path, Path("bob") / path.relative_to(bob))
    shutil.rmtree(bob)
    hand_in(course, top / "eve", answers="exercises")
    (top / "mallory.rar").write_bytes(b"Rar!\x1a\x07\x01\x00")
    return top


@pytest.fixture(scope="module")
def ran(course: Course, handed_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    out = tmp_path_factory.mktemp("out") / "made"
    return run_batch(course, handed_in, out, "--workers", "2", "--also", "junit,gradescope,github")


def test_the_gradebook_says_what_became_of_each(ran: Ran) -> None:
    book = ran.book()
    assert ran.status == 1
    assert {name: row["status"] for name, row in book.items()} == {
        "ada": "failed", "bob": "failed", "eve": "failed", "mallory": "refused"}  # fmt: skip
    assert {item["id"]: item["status"] for item in book["ada"]["items"]} == {
        "1.2": "passed", "1.4": "failed", "1.6": "passed"}  # fmt: skip
    assert book["bob"]["items"][0]["score"] == 0
    assert book["bob"]["form"] == "zip"
    assert [item["begun"] for item in book["eve"]["items"]] == [False, False, False]
    assert "RAR" in book["mallory"]["problem"]
    assert book["mallory"]["mark"] is None


def test_what_is_written(ran: Ran) -> None:
    assert {path.name for path in ran.out.iterdir()} >= {"gradebook.csv", "gradebook.json", "index.html", "batch.json"}
    folder = ran.out / ran.book()["bob"]["folder"]
    assert {path.name for path in folder.iterdir()} == {
        "files", "grade.json", "result.json", "index.html", "junit.xml", "results.json", "summary.md"}  # fmt: skip
    rows = list(csv.DictReader((ran.out / "gradebook.csv").open(encoding="utf-8-sig", newline="")))
    assert [row["student"] for row in rows] == ["ada", "bob", "eve", "mallory"]
    assert rows[1]["1.2"] == "0"
    assert json.loads((folder / "results.json").read_text())["score"] == ran.grade("bob")["score"]


def test_without_a_terminal_it_is_a_line_a_submission(ran: Ran) -> None:
    lines = [line for line in ran.said.splitlines() if line.startswith("[")]
    assert len(lines) == 4
    assert lines[-1].startswith("[4/4]")
    assert "\x1b" not in ran.said
    assert f"seed {ran.grade('ada')['seed']}" in ran.said


def test_resuming_leaves_out_what_is_unchanged(course: Course, handed_in: Path, ran: Ran, tmp_path: Path) -> None:
    out = tmp_path / "again"
    shutil.copytree(ran.out, out)
    before = {name: row["graded_at"] for name, row in ran.book().items()}
    top = tmp_path / "handed-in"
    shutil.copytree(handed_in, top)
    (top / "ada/week1/02_repository/repository.py").write_bytes(WRONG)
    hand_in(course, top / "new", repository=WRONG, push=b"exit 1\n")
    again = run_batch(course, top, out, "--resume")
    assert again.said.count("unchanged") == 2
    book = again.book()
    assert book["bob"]["graded_at"] == before["bob"]
    assert book["ada"]["items"][0]["status"] == "failed"
    assert book["new"]["items"][0]["status"] == "failed"
    assert again.grade("new")["seed"] == ran.grade("ada")["seed"]
    third = run_batch(course, top, out, "--resume", "--seed", "4242", "--item", "1.6")
    assert third.said.count("unchanged") == 0
    assert [item["id"] for item in third.grade("ada")["items"]] == ["1.6"]


def test_a_replay_is_the_learners_run(course: Course, ran: Ran) -> None:
    replay = subprocess.run(
        [sys.executable, "-m", "fargrade.cli", "replay", "--out", str(ran.out), "--student", "bob", "--item", "1.2"],
        env=environment(course), cwd=course.root, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert replay.returncode == 1
    grade = ran.grade("bob")
    assert f"seed={grade['seed']}" in replay.stdout
    found = grade["items"][0]["checks"][0]["expected"]
    assert " ".join(found.split())[:60] in " ".join(replay.stdout.split())


def test_wrong_usage_is_a_sentence_and_status_2(course: Course, handed_in: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for submissions, more in (
        (tmp_path / "nowhere", ()),
        (tmp_path / "empty", ()),
        (handed_in, ("--seed", "x")),
        (handed_in, ("--also", "pdf")),
        (handed_in, ("--item", "9.9")),
        (handed_in, ("--policy", "nowhere.toml")),
    ):
        said = run_batch(course, submissions, tmp_path / "out", *more, seconds=60)
        assert said.status == 2, said.said
        assert len(said.said.strip().splitlines()) == 1


def test_without_bubblewrap_it_refuses_unless_told(course: Course, handed_in: Path, tmp_path: Path) -> None:
    path = os.pathsep.join(str(tmp_path / name) for name in ("bin",))
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "sh", "env", "git", "sleep", "python3", "cat"):
        if found := shutil.which(tool):
            (tmp_path / "bin" / tool).symlink_to(found)
    where = {**environment(course), "PATH": path}
    line = command(handed_in, tmp_path / "out", "--item", "1.6")
    refused = subprocess.run(line, env=where, cwd=course.root, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2
    assert "--unconfined" in refused.stderr
    assert not (tmp_path / "out").exists()
    took = subprocess.run(
        [*line, "--unconfined"], env=where, cwd=course.root, capture_output=True, text=True, check=False, timeout=120
    )
    ran = Ran(took.returncode, took.stdout + took.stderr, tmp_path / "out")
    assert {row["confined"] for row in ran.book().values()} == {False, None}  # None: nothing of it was run
    assert ",NO," in (ran.out / "gradebook.csv").read_text()
    assert "unconfined" in (ran.out / "index.html").read_text()


@contextlib.contextmanager
def begun(course: Course, submissions: Path, out: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A batch that is running."""
    process = subprocess.Popen(
        command(submissions, out, *more), env=environment(course), cwd=course.root, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        # What a shell starts in the background ignores Ctrl-C, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to be")


def test_ctrl_c_keeps_what_is_done_and_leaves_nothing_running(course: Course, tmp_path: Path) -> None:
    top = tmp_path / "handed-in"
    for number in range(3):
        hand_in(course, top / f"a{number}", repository=WRONG)
    hand_in(course, top / "slow", repository=SLOW)
    hand_in(course, top / "z", repository=WRONG)
    out = tmp_path / "out"
    with begun(course, top, out, "--workers", "1", "--item", "1.2", "--seed", "5") as process:
        wait_for(lambda: len(list(out.glob("submissions/*/result.json"))) >= 3)
        family = descendants(process.pid)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "--resume" in said
    wait_for(lambda: not [pid for pid in family if is_living(pid)], 60)
    done = Ran(130, said, out)
    assert {name for name, row in done.book().items() if row["items"]} >= {"a0", "a1", "a2"}
    (top / "slow/week1/02_repository/repository.py").write_bytes(WRONG)
    again = run_batch(course, top, out, "--item", "1.2", "--resume")
    assert again.said.count("unchanged") == 3
    assert {row["status"] for row in again.book().values()} == {"failed"}
    assert len(again.book()) == 5


def test_two_batches_do_not_write_to_one_folder(course: Course, tmp_path: Path) -> None:
    hand_in(course, tmp_path / "in" / "slow", repository=SLOW)
    with begun(course, tmp_path / "in", tmp_path / "out", "--item", "1.2"):
        wait_for(lambda: (tmp_path / "out" / "batch.json").exists())
        second = run_batch(course, tmp_path / "in", tmp_path / "out", seconds=60)
    assert second.status == 2
    assert "Another batch" in second.said


def a_task(course: Course, *ids: str, **files: bytes) -> Task:
    answers = {}
    for item in course.items:
        answer = Submission(course.root / "solutions").answer(item)
        own = dict(answer.files)
        if item.slug in files:
            own[item.stub_names()[0]] = files[item.slug]
        answers |= {f"{item.folder}/{name}": content for name, content in own.items()}
    return Task("place", answers, Terms(ids or ("1.2", "1.6"), 5))


@pytest.fixture
def slot(course: Course) -> Iterator[Slot]:
    one = Slot(course, item_seconds=20)
    yield one
    one.close()


def helper_of(slot: Slot) -> Helper:
    return slot._helper


def while_grading(slot: Slot, task: Task, do: Callable[[int], None], at: str) -> Report:
    """Grade the task, and do something to the worker as it comes to the item `at`."""
    import threading

    def soon() -> None:
        wait_for(lambda: slot.busy.endswith(at))
        pid = helper_of(slot).pid
        assert pid is not None
        do(pid)

    doing = threading.Thread(target=soon)
    doing.start()
    report = slot.grade(task)
    doing.join()
    return report


def statuses(report: Report) -> dict[str, str]:
    return {item["id"]: item["status"] for item in report.grade["items"]}


def test_a_worker_that_is_killed_is_replaced_and_the_submission_graded(course: Course, slot: Slot) -> None:
    slow = (course.root / "solutions/week1/02_repository/repository.py").read_bytes() + (
        b"\nimport time as t\nend = t.perf_counter() + 1.5\nwhile t.perf_counter() < end: pass\n"
    )
    report = while_grading(slot, a_task(course, repository=slow), lambda pid: os.kill(pid, signal.SIGKILL), "1.2")
    assert statuses(report) == {"1.2": "passed", "1.6": "passed"}
    assert "SIGKILL" in report.faults[0]
    assert report.lost == ()


def emulators(pid: int) -> list[int]:
    found = []
    for one in descendants(pid):
        with contextlib.suppress(OSError):
            if b"fargrade.emulator" in Path(f"/proc/{one}/cmdline").read_bytes():
                found.append(one)
    return found


def test_a_world_that_hangs_or_dies_is_our_fault_and_tried_again(course: Course, slot: Slot) -> None:
    slow = (course.root / "solutions/week1/02_repository/repository.py").read_bytes() + (
        b"\nimport time as t\nend = t.perf_counter() + 1.5\nwhile t.perf_counter() < end: pass\n"
    )

    def break_it(pid: int, number: int) -> None:
        time.sleep(0.7)  # by now the learner's code runs
        for one in emulators(pid):
            os.kill(one, number)

    for number in (signal.SIGKILL, signal.SIGSTOP):
        report = while_grading(
            slot, a_task(course, repository=slow), lambda pid, number=number: break_it(pid, number), "1.2"
        )
        assert statuses(report) == {"1.2": "passed", "1.6": "passed"}, report.faults
        assert report.lost == ()


UNKNOWN = b"""
import boto3
def ensure_repository(*_, **__):
    try:
        boto3.client("ecr").get_signing_configuration()
    except Exception:
        pass
"""


def test_what_the_emulator_could_not_do_is_no_zero_and_no_way_out_of_one(course: Course, slot: Slot) -> None:
    """The learner calls what the emulator lacks, by need or on purpose: not judged, tried twice, and no mark of it."""
    stub = (course.root / "solutions/week1/02_repository/repository.py").read_bytes()
    function = re.search(rb"^def (\w+)", stub, re.M)
    assert function is not None
    report = slot.grade(a_task(course, repository=UNKNOWN.replace(b"ensure_repository", function[1])))
    assert report.lost == ("1.2",)
    assert statuses(report) == {"1.2": "not_judged", "1.6": "passed"}
    checks = next(item for item in report.grade["items"] if item["id"] == "1.2")["checks"]
    assert all(check["fault"] and "GetSigningConfiguration" in check["reason"] for check in checks)
    assert len(report.faults) == 1
    row = row_of(Result("ada", "place", "graded", "", "", lost=report.lost), report.grade, Policy())
    assert (row.mark, row.needs_a_look) == (None, "fault")
    assert row.between is not None
    assert row.between[0] < 100 == row.between[1]
    points = next(item for item in row.items if item["id"] == "1.2")["points"]
    decided = row_of(row.result, report.grade, Policy(decided={"ada": {"1.2": 0.0}}))
    assert (decided.mark, decided.needs_a_look) == (row.between[0], "")
    given = row_of(row.result, report.grade, Policy(decided={"ada": {"1.2": points}}))
    assert (given.mark, given.status) == (100, "passed")


def test_an_item_that_takes_the_grader_down_costs_that_item_only(course: Course, tmp_path: Path) -> None:
    """Poison, as far as anybody can tell: a grader that dies of this answer each time."""
    poisoned = tmp_path / "course"
    shutil.copytree(course.root, poisoned)
    grader = poisoned / "graders/week1/test_02_repository.py"
    grader.write_text(grader.read_text() + "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    where = Course(poisoned.resolve())
    slot = Slot(where, item_seconds=20)
    try:
        report = slot.grade(a_task(where, "1.2", "1.6"))
    finally:
        slot.close()
    assert statuses(report) == {"1.2": "not_judged", "1.6": "not_judged"} or statuses(report)["1.2"] == "not_judged"
    assert report.lost
    assert all(check["fault"] for check in report.grade["items"][0]["checks"])
    assert report.grade["max_score"] == sum(item["max_score"] for item in report.grade["items"])


def test_a_grader_that_hangs_is_ended_and_costs_that_item_only(course: Course, tmp_path: Path) -> None:
    hanging = tmp_path / "course"
    shutil.copytree(course.root, hanging)
    grader = hanging / "graders/week1/test_02_repository.py"
    text = grader.read_text()
    head = "def test_it_can_be_run_again("
    assert head in text
    at = text.index(head)
    body = text.index('"""', text.index('"""', at) + 3) + 3
    grader.write_text(text[:body] + "\n    import threading\n    threading.Event().wait()\n" + text[body:])
    where = Course(hanging.resolve())
    slot = Slot(where, item_seconds=10)  # the other item is to be done within it on a busy machine, too
    try:
        report = slot.grade(a_task(where, "1.2", "1.6"))
        assert statuses(report) == {"1.2": "not_judged", "1.6": "passed"}
        assert report.lost == ("1.2",)
        assert "seconds" in report.faults[0]
        pid = helper_of(slot).pid
        assert pid is not None
    finally:
        slot.close()


def test_a_fault_is_tried_again_by_the_next_run(course: Course, handed_in: Path, ran: Ran, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(ran.out, out)
    path = out / ran.book()["bob"]["folder"] / "result.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "lost": ["1.2"], "faults": ["it was dark"]}))
    again = run_batch(course, handed_in, out, "--resume")
    assert again.said.count("unchanged") == 2
    assert again.book()["bob"]["faults"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system of its own takes root")
def test_a_full_disk_loses_no_row(course: Course, tmp_path: Path) -> None:
    top = tmp_path / "handed-in"
    for number in range(4):
        hand_in(course, top / f"s{number}", repository=WRONG)
    out = tmp_path / "small"
    out.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(out)], check=False)
    if mounted.returncode:
        pytest.skip("this container lets nobody mount")
    try:
        ran = run_batch(course, top, out, "--item", "1.2", "--workers", "1")
        assert "No space left" in ran.said or "cannot be written" in ran.said
        assert ran.said.count("[") >= 4
        for path in out.rglob("*.json"):
            json.loads(path.read_text())
        (out / "filler").unlink(missing_ok=True)
        subprocess.run(["mount", "-o", "remount,size=8m", str(out)], check=True)
        again = run_batch(course, top, out, "--item", "1.2", "--resume")
        assert {row["status"] for row in again.book().values()} == {"failed"}
        assert len(again.book()) == 4
    finally:
        subprocess.run(["umount", "-l", str(out)], check=False)


def test_a_world_that_is_stopped_ends_with_its_worker(course: Course, slot: Slot) -> None:
    """Nothing is left running, not even what can end itself no more."""
    slot.grade(a_task(course, "1.2"))
    pid = helper_of(slot).pid
    assert pid is not None
    worlds = emulators(pid)
    for one in worlds:
        os.kill(one, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    assert worlds
    wait_for(lambda: not any(is_living(one) for one in worlds))


class Breaking:
    """A pool that reports on one task and then breaks."""

    def __init__(self, course: Course, _: int) -> None:
        self._course = course

    def graded(self, tasks: Iterable[Task]) -> Iterator[Report]:
        yield lost_report(self._course, next(iter(tasks)), "a machine burned")
        raise RuntimeError("the other machine, too")

    def busy(self) -> list[str]:
        return []

    def close(self) -> None:
        pass


def test_a_fault_in_the_middle_costs_the_class_no_page(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(batch_run, "LocalPool", Breaking)
    for name in ("ada", "bob"):
        hand_in(course, tmp_path / "in" / name)
    wanted = batch_run.Wanted(tmp_path / "in", tmp_path / "out", unconfined=True)
    status = batch_run.batch(course, course.items, wanted)
    said = " ".join(capsys.readouterr().out.split())
    assert "A fault of ours ended the batch (RuntimeError: the other machine, too)" in said
    book = Ran(status, said, tmp_path / "out").book()
    assert status == 3
    assert {name: row["status"] for name, row in book.items()} == {"ada": "not_judged", "bob": "not_judged"}
    assert "--resume grades it" in book["bob"]["faults"][0]
    assert (tmp_path / "out" / "index.html").exists()
