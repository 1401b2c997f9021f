"""Builds a learner's Dockerfile for real: without a network, within a time, and labelled as the grading's own.

Docker's own command builds where it is there, since only it speaks BuildKit, which learners' Dockerfiles use
(heredocs, RUN --mount, COPY --chmod); the engine's older builder does where the command has no BuildKit.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from fargrade.containers.finding import Engine, NoEngine
from fargrade.containers.ownership import Ownership
from fargrade.course.language import translate as t
from fargrade.semantics.dockerfile import DockerfileError, instructions

BUILD_SECONDS = 120
MOST_ROOM = 4 << 30  # of the engine's disk, that a build may fill
LEAST_ROOM = 1 << 30  # that must be left for everybody else
MOST_FILE = 2 << 30
MOST_SAID = 1 << 16
# Of our environment only what docker's command needs: a build argument without a value would take any other into the
# build. Its proxies, which it puts into every build, may hold a password, and there is no network to use them for.
PASSED = ("PATH", "HOME", "USERPROFILE", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "TMPDIR", "SYSTEMROOT")
NO_PROXIES = [
    part
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for part in ("--build-arg", f"{name}=", "--build-arg", f"{name.lower()}=")
]
# What a step says that wanted the network: resolvers, apt, apk, pip, curl, wget, in their own words.
WANTS_NETWORK = re.compile(
    r"temporary failure (in name resolution|resolving)|could not resolve|name or service not known"
    r"|network is unreachable|bad address|temporary error \(try again later\)|failed to establish a new connection"
    r"|no address associated|unable to locate package|name does not resolve",
    re.I,
)
# Our own reader took the Dockerfile before: what the builder cannot read (heredocs, before 2021) is the builder's lack.
WANTS_BUILDKIT = re.compile(
    r"requires BuildKit|the --\w+ option requires|unknown flag|unknown instruction|dockerfile parse error", re.I
)
NO_BUILDX = re.compile(r"buildx component is missing|buildx.*(missing|broken)", re.I)
CANNOT_PULL = re.compile(
    r"pull access denied|failed to resolve source metadata|no such host|failed to do request|manifest.* not found"
    r"|connection refused|i/o timeout|TLS handshake|dial tcp|repository does not exist|not found: manifest unknown"
    r"|failed to authorize|toomanyrequests|Client\.Timeout",
    re.I,
)
DIRECTIVE = re.compile(rb"\s*#\s*\w+\s*=|\xef\xbb\xbf\s*#\s*\w+\s*=")
SYNTAX = re.compile(rb"(\xef\xbb\xbf)?\s*#\s*syntax\s*=", re.I)
REMOTE = re.compile(r"://|\bgit@|\.git\b|\$")  # a variable may hold anything
# The engine's own trouble, such as a layer that somebody removed meanwhile.
TROUBLE = re.compile(
    r"failed to export image|failed to set parent|unknown parent image|no such image|no space left|layer does not exist"
    r"|failed to get layer|cannot connect to the docker daemon|error creating overlay|input/output error",
    re.I,
)
SAID = 12
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # found now: after a fork little may be called


class BuildFailed(Exception):
    """The Dockerfile does not build; the message is the last of what the builder said."""


def build(
    owner: Ownership,
    files: Mapping[str, bytes],
    *,
    bases: Iterable[str] = (),
    dockerfile: str = "Dockerfile",
    tags: Iterable[str] = (),
    options: Iterable[str] = (),
) -> str:
    """Build the context `files` and return the image's id.

    `bases` are the images that the Dockerfile starts from: each must be on this machine, or be pulled (with
    containers=on). Raises BuildFailed for a wrong Dockerfile; NoEngine where a build here says nothing about it,
    since a base cannot be had or a step wants the network.
    """
    owner.begin()
    files = {**files, dockerfile: _without_frontend(files[dockerfile])} if dockerfile in files else files
    if dockerfile in files and _fetches(files[dockerfile].decode("utf-8", "replace")):
        raise NoEngine(t("A step of this Dockerfile wants the network, which it does not get here: {why}", why="ADD"))
    for base in bases:
        if base != "scratch":
            owner.engine.image(base)
    with tempfile.TemporaryDirectory(prefix="fargrade-build-") as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        labels = [part for pair in owner.labels.items() for part in ("--label", "=".join(pair))]
        named = [part for tag in tags for part in ("--tag", tag)]
        given = ["--file", f"{folder}/{dockerfile}", *labels, *named, *options]
        try:
            return _built(owner.engine, folder, given)
        except NoEngine as trouble:
            if not TROUBLE.search(str(trouble)):
                raise
            return _built(owner.engine, folder, given)  # once more: it was the engine's


def _without_frontend(dockerfile: bytes) -> bytes:
    """The Dockerfile without its `# syntax=` line: the builder would pull what that names, and run it, with a network
    (docs.docker.com/reference/dockerfile/#syntax). The builder's own frontend reads what is left, or is too old."""
    lines = dockerfile.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if not DIRECTIVE.match(line):
            break
        if SYNTAX.match(line):
            lines[number] = b"#\n"
    return b"".join(lines)


def _fetches(text: str) -> bool:
    """Whether an ADD takes something from elsewhere: the builder itself fetches it, whatever network RUN has."""
    try:
        steps = instructions(text)
    except DockerfileError:
        return False  # the builder will say why it cannot be built
    return any(name == "ADD" and REMOTE.search(value) for _, name, value in steps)


def _built(engine: Engine, folder: str, options: list[str]) -> str:
    docker = shutil.which("docker")
    if docker is None:
        raise NoEngine(t("Building needs Docker's own command, which is not on the search path."))
    for buildkit in ("1", "0"):
        with tempfile.TemporaryDirectory(prefix="fargrade-iid-") as beside:
            identity = Path(beside, "iid")
            status, said = _run(docker, engine, folder, [*options, "--iidfile", str(identity)], buildkit)
            if status == 0:
                return identity.read_text().strip()
        if not (buildkit == "1" and NO_BUILDX.search(said)):
            break
    raise _failure(said)


def _run(docker: str, engine: Engine, folder: str, options: list[str], buildkit: str) -> tuple[int, str]:
    """Docker's exit status and the last of what it said. Raises BuildFailed: it took too long; NoEngine: no room."""
    limits = [] if buildkit == "1" else ["--memory", "1g", "--memory-swap", "1g", "--force-rm"]
    progress = ["--progress", "plain"] if buildkit == "1" else []
    given = ["--network", "none", "--ulimit", "nproc=512", "--ulimit", f"fsize={MOST_FILE}", *NO_PROXIES]
    environment = {name: value for name, value in os.environ.items() if name in PASSED or name.startswith("DOCKER_")}
    environment |= {"DOCKER_HOST": engine.address, "DOCKER_BUILDKIT": buildkit, "BUILDKIT_PROGRESS": "plain"}
    with subprocess.Popen(
        [docker, "build", *given, *limits, *progress, *options, folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        preexec_fn=_end_with_us,
    ) as building:
        said = _Last(building)
        try:
            _watch(building, engine)
        finally:
            building.kill()  # the engine ends a build whose client is gone
            building.wait()
            said.join(5)
    return building.returncode, said.text()


def _watch(building: subprocess.Popen[bytes], engine: Engine) -> None:
    """Wait for the build's end. Raises BuildFailed where it does not come; NoEngine where the disk fills up
    meanwhile, which something else on this machine may do as well."""
    until = time.monotonic() + BUILD_SECONDS
    before = engine.room()
    while time.monotonic() < until:
        try:
            building.wait(timeout=0.25)
            return
        except subprocess.TimeoutExpired:
            left = engine.room()
        if before - left > MOST_ROOM or left < LEAST_ROOM < before:
            size = f"{(before - left) / 1e9:.1f}"
            raise NoEngine(t("The build was ended: {size} GB of this disk filled up meanwhile.", size=size))
    raise BuildFailed(t("it was still building after {seconds} seconds", seconds=BUILD_SECONDS))


def _end_with_us() -> None:
    """Between fork and exec: the kernel ends docker's command with this process, and the engine what it builds.

    Without it a step that never ends goes on after `kill -9` of the grader, in a container that no label names.
    prctl(2), PR_SET_PDEATHSIG; where there is no such call, nothing is lost but that.
    """
    if PRCTL is not None:
        PRCTL(1, signal.SIGKILL)


class _Last(threading.Thread):
    """The last that a build says: a step may talk for ever, and nobody needs to hold all of it."""

    def __init__(self, building: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True, name="build output")
        assert building.stdout
        self._output = building.stdout
        self._kept = b""
        self.start()

    def run(self) -> None:
        """Read to the end."""
        with contextlib.suppress(ValueError, OSError):  # closed under our hands
            while some := self._output.read1(1 << 16):  # type: ignore[attr-defined]
                self._kept = (self._kept + some)[-MOST_SAID:]

    def text(self) -> str:
        """What is kept."""
        return self._kept.decode("utf-8", "replace")


def _failure(said: str) -> Exception:
    last = " ".join(line.strip() for line in said.strip().splitlines()[-SAID:] if line.strip())[-800:]
    if TROUBLE.search(said):
        return NoEngine(t("The Docker engine refused: {why}", why=last))
    if WANTS_NETWORK.search(said):
        return NoEngine(t("A step of this Dockerfile wants the network, which it does not get here: {why}", why=last))
    if CANNOT_PULL.search(said):
        return NoEngine(t("An image that this Dockerfile starts from cannot be had here: {why}", why=last))
    if WANTS_BUILDKIT.search(said):
        return NoEngine(t("This engine's builder is too old for this Dockerfile: {why}", why=last))
    return BuildFailed(last)
