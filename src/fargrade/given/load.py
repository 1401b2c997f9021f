"""A service under load, played minute by minute: how many tasks it is asked to run, and how busy they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fargrade.backends.world import World

MINUTE = 60


@dataclass
class Played:
    """For each minute: the work that was there, the tasks asked for after it, and their CPU in per cent."""

    work: list[float | None]
    tasks: list[int] = field(default_factory=list)
    cpu: list[float | None] = field(default_factory=list)

    def changes(self) -> list[tuple[int, int]]:
        """(minute, tasks) whenever the number changed, from 1 on; the number before the load is not among them."""
        pairs = zip([self.before, *self.tasks], self.tasks, strict=False)
        return [(minute, now) for minute, (was, now) in enumerate(pairs, 1) if was != now]

    before: int = 0


def play(
    world: World,
    cluster: str,
    service: str,
    work: Sequence[float | None],
    *,
    neighbours: Mapping[str, Sequence[float | None]] | None = None,
    each_minute: Callable[[int], None] | None = None,
) -> Played:
    """Play `work` (task-CPUs a minute, None: nothing is measured) to the service, and theirs to its neighbours.

    `each_minute` is called after each, with its number from 1 on.
    """
    played = Played(list(work), before=desired(world, cluster, service))
    for name, other in (neighbours or {}).items():
        world.load(cluster, name, list(other))
    began = world.load(cluster, service, [*work, None])
    world.advance((began - world.now()).total_seconds() + 1)
    for minute in range(1, len(work) + 1):
        world.advance(MINUTE)
        played.tasks.append(desired(world, cluster, service))
        if each_minute:
            each_minute(minute)
    points = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
        StartTime=began,
        EndTime=began + timedelta(minutes=len(work)),
        Period=MINUTE,
        Statistics=["Average"],
    )["Datapoints"]
    values = {round((one["Timestamp"] - began).total_seconds() / MINUTE): float(one["Average"]) for one in points}
    played.cpu = [values.get(minute) for minute in range(len(work))]
    return played


def desired(world: World, cluster: str, service: str) -> int:
    """How many tasks the service is asked to run."""
    found: list[Any] = world.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    return int(found[0]["desiredCount"]) if found else 0
