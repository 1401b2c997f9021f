"""The course's docker with a real engine behind it: what it builds is built, what it pushes arrives in a real registry.

Off until the grader turns it on (`use_real_engine`), and off again when the world is made anew. Where the engine
cannot do what was asked for reasons of its own (a base image that cannot be had), the log says so: nobody failed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fargrade.containers.building import build
from fargrade.containers.finding import Engine, NoEngine
from fargrade.containers.ownership import Ownership
from fargrade.emulator.extensions import control_op, on_reset
from fargrade.emulator.registry_front import RegistryFront


@dataclass
class RealEngine:
    """An engine, a registry behind ECR's front, and the real image of each that the course's docker knows."""

    owner: Ownership
    front: RegistryFront
    images: dict[str, str] = field(default_factory=dict)

    def build(
        self,
        identity: str,
        files: dict[str, bytes],
        bases: tuple[str, ...],
        *,
        dockerfile: str = "Dockerfile",
        options: Sequence[str] = (),
    ) -> None:
        """Build for real. Raises BuildFailed; NoEngine where that says nothing about the Dockerfile."""
        self.images[identity] = build(self.owner, files, bases=bases, dockerfile=dockerfile, options=options)

    def login(self, password: str) -> str:
        """Log in to the registry for real. Returns why it failed, "" where it did not."""
        import docker

        where = f"127.0.0.1:{self.front.port}"
        try:
            self.owner.engine.client.api.login("AWS", password, registry=where, reauth=True, dockercfg_path=os.devnull)
        except docker.errors.APIError as error:
            return str(error.explanation or error)
        return ""

    def push(self, identity: str, region: str, name: str, tag: str, password: str) -> tuple[str, str]:
        """Push for real. Returns (digest, why it failed), one of them empty. Raises NoEngine: never built."""
        image = self.images.get(identity)
        if image is None:
            raise NoEngine("the image was not built by this engine")
        client = self.owner.engine.client
        reference = self.front.reference(region, name, tag)
        repository = reference.rpartition(":")[0]
        client.api.tag(image, repository, tag)
        digest, problem = "", ""
        login = {"username": "AWS", "password": password}
        for said in client.api.push(repository, tag=tag, stream=True, decode=True, auth_config=login):
            problem = str(said.get("error", "")) or problem
            digest = str((said.get("aux") or {}).get("Digest", "")) or digest
        return ("", problem) if problem else (digest, "")


_real: RealEngine | None = None
_front: RegistryFront | None = None


def real_engine() -> RealEngine | None:
    """The real engine, where it is on."""
    return _real


@control_op("use_real_engine")
def use_real_engine(address: str, registry: str, labels: dict[str, str]) -> dict[str, Any]:
    """From here on the course's docker works with the engine at `address` and the registry at host:port."""
    global _real, _front
    if _front is None or _front.upstream != registry:
        _front = RegistryFront(registry)  # kept: what an engine pushed to an address once it need not push again
    _real = RealEngine(Ownership(Engine(address, pulls=False), labels=labels), _front)
    return {"front": _front.port}


@control_op("leave_real_engine")
def _off() -> None:
    global _real
    _real = None


@on_reset
def _back() -> None:
    _off()
