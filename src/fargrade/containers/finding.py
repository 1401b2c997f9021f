"""Finds a Docker engine, at once or not at all: one connection to a local socket, answered within a moment.

Where the engine is follows docker's own order: DOCKER_HOST, then the current context, then the usual sockets
(docs.docker.com/engine/manage-resources/contexts).
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fargrade.course.language import translate as t

PING_SECONDS = 0.5
ASK_SECONDS = 60
SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock", "~/.docker/desktop/docker.sock")
MODES = ("auto", "on", "off")


class NoEngine(Exception):
    """There is no engine to be used, or it lacks what is needed; the message is one sentence for the learner."""


class Engine:
    """A Docker engine that answered. `pulls` says whether images that are not there may be fetched."""

    def __init__(self, address: str, *, pulls: bool) -> None:
        self.address = address
        self.pulls = pulls

    @cached_property
    def client(self) -> Any:
        """docker-py's client. Raises NoEngine where the library is not installed or the engine is too old."""
        try:
            import docker
        except ImportError:
            raise NoEngine(
                t("Real containers need the Python package docker: pip install 'fargrade[containers]'.")
            ) from None
        try:
            return docker.DockerClient(base_url=self.address, timeout=ASK_SECONDS)
        except docker.errors.DockerException as error:
            raise NoEngine(t("The Docker engine cannot be used: {why}", why=error)) from None

    @cached_property
    def near(self) -> bool:
        """Whether containers' addresses can be reached from here: not where the engine has a machine of its own."""
        if not sys.platform.startswith("linux") or not self.address.startswith("unix://"):
            return False
        return "Docker Desktop" not in str(self.client.info().get("OperatingSystem", ""))

    @cached_property
    def _root(self) -> str:
        """Where it keeps what it makes, if that is on a disk of this machine's; else ""."""
        root = str(self.client.info().get("DockerRootDir", "")) if self.near else ""
        return root if root and Path(root).is_dir() else ""

    def room(self) -> int:
        """The free bytes of the engine's disk; endless where they cannot be seen from here."""
        if not self._root:
            return sys.maxsize
        found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def image(self, reference: str) -> Any:
        """The image, pulled if need be and if that was asked for. Raises NoEngine where it cannot be had."""
        import docker

        try:
            return self.client.images.get(reference)
        except docker.errors.ImageNotFound:
            pass
        except docker.errors.DockerException as error:
            raise NoEngine(t("The Docker engine refused: {why}", why=error)) from None
        if not self.pulls:
            raise NoEngine(
                t("The image {image} is not on this machine: docker pull {image}, or containers=on.", image=reference)
            )
        name, tag = split_reference(reference)
        try:
            return self.client.images.pull(name, tag=tag)
        except docker.errors.DockerException as error:
            why = getattr(error, "explanation", None) or error
            raise NoEngine(t("The image {image} cannot be pulled here: {why}", image=reference, why=why)) from None


def split_reference(reference: str) -> tuple[str, str]:
    """(name, tag or digest) of an image's reference; `latest` where neither is given."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, colon, tag = reference.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (reference, "latest")


def find_engine(mode: str = "auto") -> Engine:
    """The engine to use. Raises NoEngine, within a moment: `mode` is off, or none is there."""
    if mode == "off":
        raise NoEngine(t("Real containers are off (containers=off)."))
    address = engine_address()
    if address is None:
        raise NoEngine(t("No Docker engine was found here: what only a container can show is not judged."))
    problem = _ping(address)
    if problem:
        raise NoEngine(t("The Docker engine at {address} does not answer: {why}.", address=address, why=problem))
    return Engine(address, pulls=mode == "on")


def engine_address() -> str | None:
    """Where docker's own command would look for the engine; None where no socket is."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    if address := _of_context():
        return address
    for name in SOCKETS:
        if Path(name).expanduser().exists():
            return f"unix://{Path(name).expanduser()}"
    return None


def _of_context() -> str | None:
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser())
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        context = os.environ.get("DOCKER_CONTEXT") or config.get("currentContext") or "default"
        if context == "default":
            return None
        meta = folder / "contexts" / "meta" / hashlib.sha256(context.encode()).hexdigest() / "meta.json"
        host = json.loads(meta.read_text(encoding="utf-8"))["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return str(host)


def _ping(address: str) -> str:
    """Why the engine does not answer GET /_ping (Engine API); "" where it does. No library: it must be instant."""
    where = urlsplit(address)
    try:
        if where.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PING_SECONDS)
            connection.connect(address.removeprefix("unix://"))
        elif where.scheme in ("tcp", "http") and where.hostname:
            connection = socket.create_connection((where.hostname, where.port or 2375), timeout=PING_SECONDS)
        else:
            return t("addresses of the kind {kind} are not known here", kind=where.scheme or address)
        with connection:
            connection.settimeout(PING_SECONDS)
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
            answer = connection.recv(64)
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error)
    return "" if answer.startswith(b"HTTP/1.1 200") else answer.decode("latin-1").partition("\r")[0]
