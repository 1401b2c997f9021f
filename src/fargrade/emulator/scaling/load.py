"""The load that a grader puts on a service, and the metrics that ECS publishes of it.

Work is given in "task-CPUs": 3.0 keeps three tasks busy to 100 %. What each minute measures depends on how many tasks
run then, so a service that is scaled feels it. Sources: docs.aws.amazon.com/AmazonECS/latest/developerguide/
available-metrics.html (AWS/ECS, one-minute periods; of a cluster as a whole only what is used of its EC2 instances)
and docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch import evaluating
from fargrade.emulator.cloudwatch.store import of as cloudwatch_of
from fargrade.emulator.cloudwatch.store import seconds
from fargrade.emulator.extensions import control_op, on_reset
from fargrade.emulator.scaling import services
from fargrade.semantics.alarms import Metric, value
from fargrade.semantics.scaling import utilisation

MINUTE, FINE = 60, 20
IDLE_MEMORY = 20.0


@dataclass
class Load:
    """Work a minute from `began` on, of CPU and of memory; None where nothing is measured. The last one goes on."""

    began: float
    cpu: list[float | None]
    memory: list[float | None]

    def at(self, line: list[float | None], when: float) -> float | None:
        return line[min(int((when - self.began) // MINUTE), len(line) - 1)] if line and when >= self.began else None


_loads: dict[tuple[str, str, str], Load] = {}


@on_reset
def _forget() -> None:
    _loads.clear()


@control_op("load")
def load(region: str, cluster: str, service: str, cpu: list[float | None], memory: list[float | None]) -> str:
    """Put the service under this load from the next whole minute on; returns that minute's time, ISO 8601."""
    began = (seconds(clock.now()) // MINUTE + 1) * MINUTE
    _loads[region, cluster, service] = Load(began, cpu, memory)
    evaluating.start()
    return datetime.fromtimestamp(began, UTC).isoformat()


@control_op("service_minutes")
def service_minutes(region: str, cluster: str, service: str) -> dict[str, Any]:
    """How many tasks the service is asked to run, and runs, now."""
    found = services.current.find(region, cluster, service)
    return {"desired": found.desired, "running": found.running} if found else {"desired": None, "running": None}


def _publish(now: float) -> None:
    clusters: dict[tuple[str, str, str, float], float] = {}
    for (region, cluster, service), given in _loads.items():
        found = services.current.find(region, cluster, service)
        if found is None:
            continue
        for name, line in (("CPUUtilization", given.cpu), ("MemoryUtilization", given.memory)):
            span = FINE if name in found.fine else MINUTE
            if now % span or not found.running or now - span < given.began:
                continue
            busy = _busy(given, line, now - span, found.running)
            if busy is not None:
                for of_task in _of_tasks(busy, found.running):
                    _put(region, ("AWS/ECS", name, "Percent"), cluster, service, now - span, of_task)
                _add_to_cluster(clusters, (region, cluster, name, now - span), found, busy)
        if found.insights and now % MINUTE == 0 and now - MINUTE >= given.began:
            _insights(region, cluster, service, found, given, now - MINUTE)
    for (region, cluster, name, at), share in clusters.items():
        whole = Metric("AWS/ECS", name, frozenset({("ClusterName", cluster)}))
        cloudwatch_of(region).metrics.put(whole, value(at, share, "Percent"))


def _of_tasks(average: float, tasks: int) -> list[float]:
    """A sample a task, none of them quite as busy as another: up to a tenth more and less than their average.

    Maximum is the busiest task, Minimum the least busy, Average the service:
    docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html.
    """
    apart = max(0.0, min(average / 10, 100 - average))
    return [average + apart * (place / (tasks - 1) * 2 - 1) if tasks > 1 else average for place in range(tasks)]


def _add_to_cluster(
    clusters: dict[tuple[str, str, str, float], float],
    key: tuple[str, str, str, float],
    found: services.Served,
    busy: float,
) -> None:
    """What the service uses of its cluster's instances, in per cent. A cluster on Fargate has no such metric."""
    one, whole = (found.cpu, found.instances[0]) if key[2] == "CPUUtilization" else (found.memory, found.instances[1])
    if whole:
        clusters[key] = clusters.get(key, 0.0) + busy * one * found.running / whole


def _busy(given: Load, line: list[float | None], at: float, running: int) -> float | None:
    """How busy the tasks are, in per cent; memory that nobody loads is what an idle application takes."""
    if line is given.memory and not line:
        return IDLE_MEMORY if given.at(given.cpu, at) is not None else None
    work = given.at(line, at)
    return None if work is None else utilisation(work, running)


def _insights(region: str, cluster: str, service: str, found: services.Served, given: Load, at: float) -> None:
    """What Container Insights publishes of the minute: counts, and what is used of what is reserved."""
    numbers = {
        "RunningTaskCount": float(found.running),
        "DesiredTaskCount": float(found.desired),
        "PendingTaskCount": 0.0,
    }
    for name, line, size in (("Cpu", given.cpu, found.cpu), ("Memory", given.memory, found.memory)):
        busy = _busy(given, line, at, found.running)
        if busy is not None and found.running:
            reserved = size * found.running
            numbers |= {f"{name}Reserved": reserved, f"{name}Utilized": busy / 100 * reserved}
    for name, number in numbers.items():
        _put(region, ("ECS/ContainerInsights", name, "None"), cluster, service, at, number)


def _put(region: str, named: tuple[str, str, str], cluster: str, service: str, at: float, number: float) -> None:
    own = frozenset({("ClusterName", cluster), ("ServiceName", service)})
    cloudwatch_of(region).metrics.put(Metric(named[0], named[1], own), value(at, number, named[2]))


evaluating.publishers.append(_publish)
