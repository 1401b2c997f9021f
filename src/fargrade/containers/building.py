"""Builds a learner's Dockerfile for real: without a network, within a time, and labelled as the grading's own.

Docker's own command builds where it is there, since only it speaks BuildKit, which learners' Dockerfiles use
(heredocs, RUN --mount, COPY --chmod); the engine's older builder does where the command has no BuildKit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from fargrade.containers.finding import Engine, NoEngine
from fargrade.containers.ownership import Ownership
from fargrade.course.language import translate as t
from fargrade.semantics.dockerfile import DockerfileError, instructions

BUILD_SECONDS = 120
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
            made = _run(docker, engine, folder, [*options, "--iidfile", str(identity)], buildkit)
            if made.returncode == 0:
                return identity.read_text().strip()
        said = made.stdout.decode("utf-8", "replace")
        if not (buildkit == "1" and NO_BUILDX.search(said)):
            break
    raise _failure(said)


def _run(
    docker: str, engine: Engine, folder: str, options: list[str], buildkit: str
) -> subprocess.CompletedProcess[bytes]:
    limits = [] if buildkit == "1" else ["--memory", "1g", "--memory-swap", "1g", "--force-rm"]
    progress = ["--progress", "plain"] if buildkit == "1" else []
    how = {"DOCKER_HOST": engine.address, "DOCKER_BUILDKIT": buildkit, "BUILDKIT_PROGRESS": "plain"}
    try:
        return subprocess.run(
            [docker, "build", "--network", "none", "--ulimit", "nproc=512", *limits, *progress, *options, folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **how},
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildFailed(t("it was still building after {seconds} seconds", seconds=BUILD_SECONDS)) from None


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
