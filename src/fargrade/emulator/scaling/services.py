"""The seam to ECS: how many tasks a service runs and is asked to run, whoever keeps services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Served:
    """A service as scaling sees it.

    `fine` are the metrics it publishes every twenty seconds, `cpu` and `memory` what a task has (units, MiB),
    `insights` whether its cluster has Container Insights.
    """

    desired: int
    running: int
    fine: frozenset[str] = frozenset()
    insights: bool = False
    cpu: float = 256.0
    memory: float = 512.0


class Services(Protocol):
    """Whoever keeps ECS services."""

    def find(self, region: str, cluster: str, service: str) -> Served | None:
        """The service, None if there is none (any more)."""

    def set_desired(self, region: str, cluster: str, service: str, count: int) -> None:
        """Ask the service to run `count` tasks."""


class MotoServices:
    """moto's ECS: the count asked for is the count that runs."""

    def find(self, region: str, cluster: str, service: str) -> Served | None:
        held = _service(region, cluster, service)
        if held is None or held.status == "INACTIVE":
            return None
        running = int(getattr(held, "running_count", 0) or held.desired_count or 0)
        monitoring: Any = getattr(held, "monitoring", None) or {}
        fine = {
            name
            for one in monitoring.get("metricConfigurations") or []
            if int(one.get("resolutionSeconds") or 60) < 60
            for name in one.get("metricNames") or [one.get("metricName")]
        }
        return Served(int(held.desired_count or 0), running, frozenset(fine), _insights(region, cluster))

    def set_desired(self, region: str, cluster: str, service: str, count: int) -> None:
        held = _service(region, cluster, service)
        if held is not None:
            held.desired_count = count


def _backend(region: str) -> Any:
    from moto.ecs.models import ecs_backends

    from fargrade.emulator.rules import account

    return ecs_backends[account()][region]


def _service(region: str, cluster: str, service: str) -> Any:
    return _backend(region).services.get(f"{cluster}:{service}")


def _insights(region: str, cluster: str) -> bool:
    held = _backend(region).clusters.get(cluster)
    settings = (getattr(held, "settings", None) or []) if held else []
    return any(
        one.get("name") == "containerInsights" and one.get("value") in ("enabled", "enhanced") for one in settings
    )


current: Services = MotoServices()


def use(services: Services) -> None:
    """Have scaling ask these from now on."""
    global current
    current = services
