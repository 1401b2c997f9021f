"""The batch on a real scheduler and real workers, in processes of their own, over TLS."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from classroom import Ran, command, environment, hand_in, run_batch

from fargrade.course import Course
from fargrade.sandbox.inside.processes import descendants

pytest.importorskip("distributed")
pytestmark = pytest.mark.bubblewrap
WRONG = b"def create_repository(*a, **k):\n    raise ValueError('wrong')\n"
LONG = b"import time\nend = time.perf_counter() + 3\nwhile time.perf_counter() < end: pass\n" + WRONG


def certificates(folder: Path) -> tuple[str, str, str]:
    """A certificate that is its own authority, for the scheduler, the workers and the batch."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fargrade-test")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(certificate), str(certificate), str(private)


@dataclass
class Cluster:
    """A scheduler and workers, each a process."""

    course: Course
    folder: Path
    tls: tuple[str, str, str]
    address: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        ca, certificate, key = self.tls
        secured = ["--tls-ca-file", ca, "--tls-cert", certificate, "--tls-key", key]
        log = (self.folder / f"{len(self.processes)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:], *secured],
            env=environment(self.course), cwd=self.course.root, stdout=log, stderr=log, text=True,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def scheduler(self) -> subprocess.Popen[str]:
        where = self.folder / "scheduler.json"
        process = self.start(
            "dask_scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(where),
        )  # fmt: skip
        import json

        until = time.monotonic() + 60
        while not self.address and time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError):
                self.address = json.loads(where.read_text())["address"]
            time.sleep(0.1)
        assert self.address.startswith("tls://")
        return process

    def worker(self) -> subprocess.Popen[str]:
        return self.start(
            "dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "20",
            "--local-directory", str(self.folder),
        )  # fmt: skip

    def options(self) -> list[str]:
        return ["--scheduler", self.address, "--tls", *self.tls]

    def close(self) -> None:
        for process in self.processes:
            family = descendants(process.pid)
            process.kill()
            process.wait()
            for pid in family:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def cluster(course: Course, tmp_path: Path) -> Iterator[Cluster]:
    one = Cluster(course, tmp_path, certificates(tmp_path))
    yield one
    one.close()


def test_many_machines_give_the_same_gradebook_and_one_may_die(
    course: Course, cluster: Cluster, tmp_path: Path
) -> None:
    top = tmp_path / "handed-in"
    for number in range(4):
        hand_in(course, top / f"s{number}", repository=LONG if number < 2 else WRONG)
    hand_in(course, top / "right")
    cluster.scheduler()
    doomed = cluster.worker()
    cluster.worker()

    def kill_one() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if any(b"fargrade.batch.worker" in cmdline(pid) for pid in descendants(doomed.pid)):
                time.sleep(1)
                doomed.kill()
                return
            time.sleep(0.1)

    killer = threading.Thread(target=kill_one)
    killer.start()
    ran = run_batch(course, top, tmp_path / "out", "--item", "1.2", "--seed", "5", *cluster.options(), seconds=200)
    killer.join()
    assert doomed.poll() is not None
    book = ran.book()
    assert {name: row["status"] for name, row in book.items()} == {
        "right": "passed", "s0": "failed", "s1": "failed", "s2": "failed", "s3": "failed"}  # fmt: skip
    assert {row["look"] for row in book.values()} == {""}
    assert {row["confined"] for row in book.values()} == {True}


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_without_its_certificates_nobody_is_let_in(course: Course, cluster: Cluster, tmp_path: Path) -> None:
    hand_in(course, tmp_path / "in" / "s")
    cluster.scheduler()
    (tmp_path / "other").mkdir()
    strangers = certificates(tmp_path / "other")
    for more in ((), ("--tls", *strangers)):
        said = run_batch(course, tmp_path / "in", tmp_path / "out", "--scheduler", cluster.address, *more, seconds=90)
        assert said.status == 2
        assert "cannot be reached" in said.said


def test_the_schedulers_death_loses_nothing_that_was_done(course: Course, cluster: Cluster, tmp_path: Path) -> None:
    top, out = tmp_path / "handed-in", tmp_path / "out"
    for number in range(6):
        hand_in(course, top / f"s{number}", repository=LONG)
    scheduler = cluster.scheduler()
    cluster.worker()
    line = command(top, out, "--item", "1.2", "--seed", "5", *cluster.options())
    with subprocess.Popen(
        line, env=environment(course), cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        until = time.monotonic() + 90
        while len(list(out.glob("submissions/*/result.json"))) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        scheduler.kill()
        said, _ = process.communicate(timeout=120)
    first = Ran(process.returncode, said, out).book()
    assert len(first) == 6
    done = {name for name, row in first.items() if row["status"] == "failed"}
    assert len(done) >= 2
    assert {row["look"] for name, row in first.items() if name not in done} == {"fault"}
    assert all("scheduler" in row["faults"][0] for name, row in first.items() if name not in done)
    again = run_batch(course, top, out, "--item", "1.2", "--resume")
    assert again.said.count("unchanged") == len(done)
    assert {row["status"] for row in again.book().values()} == {"failed"}


def test_a_worker_with_another_course_does_not_judge(course: Course, cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(course.root, other)
    grader = other / "graders/week1/test_02_repository.py"
    grader.write_text(grader.read_text() + "\n# changed\n")
    cluster.scheduler()
    cluster.course = Course(other.resolve())
    cluster.worker()
    hand_in(course, tmp_path / "in" / "s")
    ran = run_batch(course, tmp_path / "in", tmp_path / "out", "--item", "1.2", *cluster.options(), seconds=120)
    row = ran.book()["s"]
    assert (ran.status, row["status"], row["look"]) == (3, "not_judged", "fault")
    assert "another course" in row["faults"][0]
