"""The seam to ECS: how many tasks a service runs and is asked to run, whoever keeps services."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol


@dataclass(frozen=True)
class Served:
    """A service as scaling sees it.

    `fine` are the metrics it publishes every twenty seconds, `cpu` and `memory` what a task has (units, MiB),
    `insights` whether its cluster has Container Insights, `instances` what CPU and memory its cluster's EC2 instances
    have together, where it runs on them; `deploying` whether another version of it is being brought out.
    """

    desired: int
    running: int
    fine: frozenset[str] = frozenset()
    insights: bool = False
    cpu: float = 256.0
    memory: float = 512.0
    instances: tuple[float, float] = (0.0, 0.0)
    deploying: bool = False


class Services(Protocol):
    """Whoever keeps ECS services."""

    def find(self, region: str, cluster: str, service: str) -> Served | None:
        """The service, None if there is none (any more)."""

    def set_desired(self, region: str, cluster: str, service: str, count: int) -> None:
        """Ask the service to run `count` tasks."""


class _Ecs:
    """The emulator's ECS, once something asks: it plugs itself in (emulator/ecs/hooks.py)."""

    def find(self, region: str, cluster: str, service: str) -> Served | None:
        return _plugged().find(region, cluster, service)

    def set_desired(self, region: str, cluster: str, service: str, count: int) -> None:
        _plugged().set_desired(region, cluster, service, count)


def _plugged() -> Services:
    import_module("fargrade.emulator.ecs")
    if isinstance(current, _Ecs):
        raise NotImplementedError("services to scale")
    return current


current: Services = _Ecs()


def use(services: Services) -> None:
    """Have scaling ask these from now on."""
    global current
    current = services
