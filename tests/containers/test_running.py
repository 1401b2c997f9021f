"""Containers of learners: what they can reach, how much they may use, and that nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fargrade.containers import BuildFailed, Engine, NoEngine, Ownership, build, find_engine, run
from fargrade.containers import building as building_module
from fargrade.containers.ownership import RUN, sweep_orphans

pytestmark = pytest.mark.docker
DOCKERFILE = b'FROM python:3.12-slim\nCOPY page.txt .\nCMD ["python", "-m", "http.server", "8000"]\n'


@pytest.fixture(autouse=True)
def _python(image: Callable[[str], str]) -> None:
    image("python")


def listed(engine: Engine, run_id: str) -> list[str]:
    label = {"label": f"{RUN}={run_id}"}
    containers = engine.client.containers.list(all=True, filters=label, ignore_removed=True)
    found = containers + engine.client.networks.list(filters=label)
    return [one.name for one in found] + [one.id for one in engine.client.images.list(filters=label)]


def test_an_image_is_built_started_and_asked(owner: Ownership, engine: Engine) -> None:
    built = build(owner, {"Dockerfile": DOCKERFILE, "page.txt": b"hello"}, bases=["python:3.12-slim"])
    container = run(owner, built)
    answer = container.ask("/page.txt", port=8000)
    assert answer
    assert (answer.status, answer.body) == (200, b"hello")
    assert listed(engine, owner.run)
    owner.close()
    assert listed(engine, owner.run) == []


def test_a_build_has_no_network_and_says_so(owner: Ownership) -> None:
    fetching = (
        b"FROM python:3.12-slim\nRUN python -c \"import urllib.request; urllib.request.urlopen('http://pypi.org')\"\n"
    )
    with pytest.raises(NoEngine, match="wants the network"):
        build(owner, {"Dockerfile": fetching}, bases=["python:3.12-slim"])


def test_a_wrong_dockerfile_is_the_learners_and_a_missing_base_is_not(owner: Ownership) -> None:
    with pytest.raises(BuildFailed, match=r"nowhere\.txt"):
        build(owner, {"Dockerfile": b"FROM python:3.12-slim\nCOPY nowhere.txt .\n"}, bases=["python:3.12-slim"])
    with pytest.raises(BuildFailed, match=r"(exit|non-zero) code: 3"):
        build(owner, {"Dockerfile": b"FROM python:3.12-slim\nRUN exit 3\n"}, bases=["python:3.12-slim"])
    with pytest.raises(NoEngine, match="not on this machine"):
        build(owner, {"Dockerfile": b"FROM nobody/has-this:1\n"}, bases=["nobody/has-this:1"])


def test_an_image_that_cannot_be_pulled_is_one_sentence() -> None:
    owner = Ownership(find_engine("on"))
    with pytest.raises(NoEngine, match="cannot be pulled here"):
        build(owner, {"Dockerfile": b"FROM nobody.invalid/has-this:1\n"}, bases=["nobody.invalid/has-this:1"])
    owner.close()


def test_it_reaches_no_network_and_no_engine(owner: Ownership) -> None:
    script = (
        "import os, socket\n"
        "for host in ('1.1.1.1', '169.254.169.254', '8.8.8.8'):\n"
        "    try:\n"
        "        socket.create_connection((host, 80), timeout=2); print('REACHED', host)\n"
        "    except OSError as error: print('refused', host)\n"
        "print('socket', os.path.exists('/var/run/docker.sock'))\n"
        "print('interfaces', sorted(name for _, name in socket.if_nameindex()))\n"
    )
    container = run(owner, "python:3.12-slim", ["python", "-c", script])
    assert container.wait(20) == 0
    said = container.log()
    assert "REACHED" not in said
    assert "socket False" in said
    assert "eth0" in said


def test_limits_hold(owner: Ownership) -> None:
    hungry = run(owner, "python:3.12-slim", ["python", "-c", "x = bytearray(600 << 20); print(len(x))"])
    assert hungry.wait(20) == 137
    forking = "import os\nn = 0\ntry:\n  while os.fork(): n += 1\nexcept OSError: print('forks', n)\n"
    forks = run(owner, "python:3.12-slim", ["python", "-c", forking])
    assert forks.wait(20) is not None
    counted = [int(line.split()[1]) for line in forks.log().splitlines() if line.startswith("forks")]
    assert counted
    assert max(counted) < 128
    held = forks.container.attrs["HostConfig"]
    assert (held["NetworkMode"] != "host", held["Privileged"], held["Binds"]) == (True, False, None)


def test_how_it_ends_is_told(owner: Ownership) -> None:
    container = run(owner, "python:3.12-slim", ["python", "-c", "import sys; print('bye'); sys.exit(3)"])
    assert container.wait(10) == 3
    assert container.log() == "bye\n"
    assert container.ask(port=80, seconds=1) is None


# A shell's background jobs ignore SIGINT, and so would all that they start: a person's terminal does not.
KILLED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from fargrade.containers import Ownership, find_engine, run
owner = Ownership(find_engine())
run(owner, "python:3.12-slim", ["sleep", "300"])
print(owner.run, flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_stays_when_the_grader_is_killed(engine: Engine, how: signal.Signals) -> None:
    grader = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
    assert grader.stdout
    run_id = grader.stdout.readline().strip()
    assert listed(engine, run_id)
    grader.send_signal(how)
    grader.wait(timeout=20)
    until = time.monotonic() + 20
    while listed(engine, run_id) and time.monotonic() < until:
        time.sleep(0.1)
    assert listed(engine, run_id) == []


def test_what_both_grader_and_reaper_left_is_swept_by_the_next(engine: Engine, owner: Ownership) -> None:
    owner.begin()
    gone = subprocess.Popen(["true"])
    gone.wait()
    host = owner.labels["fargrade.owner"].partition(":")[0]
    labels = {RUN: "0" * 16, "fargrade.owner": f"{host}:{gone.pid}:12345"}
    engine.client.containers.create("python:3.12-slim", ["true"], labels=labels)
    elsewhere = {RUN: "1" * 16, "fargrade.owner": f"another-host:{gone.pid}:12345"}
    engine.client.containers.create("python:3.12-slim", ["true"], labels=elsewhere)
    sweep_orphans(engine)
    assert listed(engine, "0" * 16) == []
    assert len(listed(engine, "1" * 16)) == 1
    for one in engine.client.containers.list(all=True, filters={"label": f"{RUN}={'1' * 16}"}):
        one.remove(force=True)


def test_a_missing_engine_is_found_out_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for address in (f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:9", "ssh://somebody@nowhere"):
        monkeypatch.setitem(os.environ, "DOCKER_HOST", address)
        begun = time.monotonic()
        with pytest.raises(NoEngine):
            find_engine()
        assert time.monotonic() - begun < 1


def test_buildkit_builds_what_only_it_knows(owner: Ownership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/usr/bin:{os.environ['PATH']}")  # Debian's docker carries BuildKit, without buildx
    cached = b'FROM python:3.12-slim\nRUN --mount=type=cache,target=/kept echo made > /made\nCMD ["cat", "/made"]\n'
    made = run(owner, build(owner, {"Dockerfile": cached}, bases=["python:3.12-slim"]))
    assert made.wait(10) == 0
    assert made.log() == "made\n"


def test_a_builder_that_is_too_old_says_nothing_about_the_answer(owner: Ownership) -> None:
    mounting = b"FROM python:3.12-slim\nRUN --mount=type=nothing-we-know true\n"
    with pytest.raises(NoEngine, match="too old"):
        build(owner, {"Dockerfile": mounting}, bases=["python:3.12-slim"])


@pytest.mark.parametrize(
    "dockerfile",
    [
        b'# syntax=nobody.invalid/frontend:1\nFROM python:3.12-slim\nCMD ["true"]\n',
        b'# escape=\\\n#syntax = nobody.invalid/frontend:1\nFROM python:3.12-slim\nCMD ["true"]\n',
    ],
)
def test_no_frontend_of_the_learners_reads_the_dockerfile(owner: Ownership, dockerfile: bytes) -> None:
    assert build(owner, {"Dockerfile": dockerfile}, bases=["python:3.12-slim"])


@pytest.mark.parametrize("source", ["http://169.254.169.254/latest", "https://example.com/a.tar", "$WHERE"])
def test_the_builder_fetches_nothing_either(owner: Ownership, source: str) -> None:
    adding = f"FROM python:3.12-slim\nARG WHERE=http://127.0.0.1/\nADD {source} /x\n".encode()
    with pytest.raises(NoEngine, match="wants the network"):
        build(owner, {"Dockerfile": adding}, bases=["python:3.12-slim"])


ENDLESS = """
from fargrade.containers import Ownership, build, find_engine
owner = Ownership(find_engine())
owner.begin()
print(owner.run, flush=True)
build(owner, {"Dockerfile": b"FROM python:3.12-slim\\nVOLUME /data\\nRUN echo {mark} && sleep 300\\n"})
"""


def building(engine: Engine, mark: str) -> list[str]:
    """The containers of build steps that say `mark`: they carry no label of anybody's."""
    there = engine.client.containers.list(all=True, ignore_removed=True)
    return [one.name for one in there if mark in " ".join(one.attrs["Config"]["Cmd"] or [])]


def test_a_build_that_never_ends_ends_with_its_grader(engine: Engine) -> None:
    mark = f"mark-{os.getpid()}"
    volumes = {one.name for one in engine.client.volumes.list()}
    code = ENDLESS.replace("{mark}", mark)
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not building(engine, mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert building(engine, mark)
    grader.kill()
    grader.wait(timeout=20)
    while building(engine, mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert building(engine, mark) == []
    assert {one.name for one in engine.client.volumes.list()} <= volumes


@pytest.mark.parametrize(
    ("limit", "value", "step", "said"),
    [
        ("BUILD_SECONDS", 3, "yes", "still building after"),
        (
            "MOST_ROOM",
            200 << 20,
            "for i in 1 2 3 4 5 6 7 8; do head -c 100M /dev/zero >/$i; sleep .3; done",
            "filled up",
        ),
        ("MOST_FILE", 20 << 20, "head -c 100M /dev/zero > /x", "File size limit exceeded"),
    ],
)
def test_a_build_that_takes_too_much_is_ended(
    owner: Ownership, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, step: str, said: str
) -> None:
    monkeypatch.setattr(building_module, limit, value)
    with pytest.raises((BuildFailed, NoEngine), match=said) as failed:
        build(owner, {"Dockerfile": f"FROM python:3.12-slim\nRUN {step}\n".encode()}, bases=["python:3.12-slim"])
    assert len(str(failed.value)) < 2000


def test_nothing_of_our_environment_comes_into_a_build(owner: Ownership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUNTER", "hunter2")
    monkeypatch.setenv("HTTP_PROXY", "http://someone:hunter2@127.0.0.1:9")
    asking = b"FROM python:3.12-slim\nARG HUNTER\nARG HTTP_PROXY\nRUN echo it is $HUNTER$HTTP_PROXY. && exit 7\n"
    with pytest.raises(BuildFailed, match=r"it is \.") as failed:
        build(owner, {"Dockerfile": asking}, bases=["python:3.12-slim"], options=["--build-arg", "HUNTER"])
    assert "hunter2" not in str(failed.value)


def test_a_container_that_will_not_end_is_ended(owner: Ownership, engine: Engine) -> None:
    stubborn = (
        b"FROM python:3.12-slim\nVOLUME /data\nHEALTHCHECK --interval=1s --timeout=300s CMD sleep 1000\n"
        b'CMD ["python", "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); '
        b'time.sleep(300)"]\n'
    )
    volumes = {one.name for one in engine.client.volumes.list()}
    container = run(owner, build(owner, {"Dockerfile": stubborn}, bases=["python:3.12-slim"]))
    until = time.monotonic() + 20
    while not container.log() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1.2)  # its health check has begun
    assert container.stop(1) < 10
    assert container.exit_code == 137
    owner.close()
    assert listed(engine, owner.run) == []
    assert {one.name for one in engine.client.volumes.list()} <= volumes
