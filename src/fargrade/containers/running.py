"""Runs a container that is not trusted: limits, no way out of its network, nothing of the host's."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fargrade.containers.finding import NoEngine
from fargrade.containers.ownership import Ownership
from fargrade.course.language import translate as t

MEMORY = 256 << 20
CPUS = 1.0
PROCESSES = 128
READY_SECONDS = 45.0  # a machine under load is no wrong answer
MOST_BODY = 1 << 20
MOST_LOG = 64 << 10
# Fargate's containers do not have them either:
# docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-security-considerations.html
DROPPED = ("NET_RAW", "MKNOD", "AUDIT_WRITE")


@dataclass(frozen=True)
class Answered:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def limits(memory: int = MEMORY, cpus: float = CPUS) -> dict[str, Any]:
    """What every container that we start for a learner is held to, as docker-py's `create` takes it."""
    return {
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": int(cpus * 1e9),
        "pids_limit": PROCESSES,
        "cap_drop": list(DROPPED),
        "security_opt": ["no-new-privileges"],
        "privileged": False,
        "ipc_mode": "private",
        "log_config": {"type": "json-file", "config": {"max-size": "1m", "max-file": "1"}},
        "ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 4096}],
    }


class Running:
    """A container of ours. `address` is its own in its network, reached from this machine alone."""

    def __init__(self, container: Any, address: str) -> None:
        self.container = container
        self.address = address

    @property
    def running(self) -> bool:
        """Whether its first process still runs."""
        self.container.reload()
        return bool(self.container.attrs["State"]["Running"])

    @property
    def exit_code(self) -> int | None:
        """What its first process ended with; None while it runs."""
        return None if self.running else int(self.container.attrs["State"]["ExitCode"])

    def log(self) -> str:
        """What it wrote, the last of it."""
        return bytes(self.container.logs(tail=500))[-MOST_LOG:].decode("utf-8", "replace")

    def ask(self, path: str = "/", *, port: int, seconds: float = READY_SECONDS) -> Answered | None:
        """Its answer to GET `path`, tried until it listens; None where it never answered, or has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return http_get(self.address, port, path)
            if not self.running:
                return None
            time.sleep(0.05)
        return None

    def wait(self, seconds: float) -> int | None:
        """Its exit code, waited for; None where it still runs."""
        until = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > until:
                return None
            time.sleep(0.05)
        return self.exit_code

    def stop(self, grace: int = 5) -> float:
        """Send SIGTERM, after `grace` seconds SIGKILL; the seconds that its end took."""
        begun = time.monotonic()
        self.container.stop(timeout=grace)
        return time.monotonic() - begun


def http_get(address: str, port: int, path: str, headers: Mapping[str, str] | None = None) -> Answered:
    """GET http://address:port/path. Raises OSError, http.client.HTTPException."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Answered(answer.status, dict(answer.getheaders()), answer.read(MOST_BODY))
    finally:
        connection.close()


def own_network(owner: Ownership, name: str) -> Any:
    """A network of the grading's own that leads nowhere else."""
    owner.begin()
    return owner.engine.client.networks.create(
        f"fargrade-{owner.run}-{name}", driver="bridge", internal=True, labels=owner.labels
    )


def run(
    owner: Ownership,
    image: str,
    command: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    network: Any = None,
    **settings: Any,
) -> Running:
    """Start `image` in a network of its own. Raises NoEngine where this machine cannot reach its containers, and
    docker's APIError where the engine cannot start it (no such program, say)."""
    owner.begin()
    engine = owner.engine
    if not engine.near:
        raise NoEngine(
            t("This engine runs in a machine of its own, whose containers cannot be asked from here: use Linux or WSL.")
        )
    network = network or own_network(owner, f"net-{time.monotonic_ns()}")
    container = engine.client.containers.create(
        image,
        None if command is None else list(command),
        environment=dict(environment or {}),
        labels=owner.labels,
        network=network.name,
        **{**limits(), **settings},
    )
    container.start()
    container.reload()
    return Running(container, address_in(container, network.name))


def address_in(container: Any, network: str) -> str:
    """The container's address in the network; "" once it has ended."""
    return str(container.attrs["NetworkSettings"]["Networks"].get(network, {}).get("IPAddress", ""))
