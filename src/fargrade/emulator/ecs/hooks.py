"""What graders and other parts of the emulator do with what runs: load, log lines, a changed behaviour, instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fargrade.emulator import clock, image_behaviour
from fargrade.emulator.ecs import containers, instances, life, placement, scheduling, services, store
from fargrade.emulator.ecs.model import Service, Task
from fargrade.emulator.extensions import control_op, on_reset
from fargrade.emulator.scaling import services as scaling

MOST_SAMPLES = 5000  # seven hours of them


class EcsServices:
    """The services as scaling sees and sets them."""

    def find(self, region: str, cluster: str, service: str) -> scaling.Served | None:
        found = _service(region, cluster, service)
        if found is None or found.status == "INACTIVE":
            return None
        monitoring: Mapping[str, Any] = found.given.get("monitoring") or {}
        fine = {
            str(name)
            for one in monitoring.get("metricConfigurations") or []
            if int(one.get("resolutionSeconds") or 60) < 60
            for name in one.get("metricNames") or [one.get("metricName")]
        }
        insights = any(one["value"] in ("enabled", "enhanced") for one in found.cluster.settings)
        running = [one for one in found.tasks() if one.running]
        cpu, memory = placement.reserved(running[0].definition) if running else (0, 0)
        hosts = found.cluster.instances.values() if any(one.instance for one in running) else ()
        whole = (float(sum(one.cpu for one in hosts)), float(sum(one.memory for one in hosts)))
        deploying = found.controller == "ECS" and found.primary is not None and found.primary.state == "IN_PROGRESS"
        return scaling.Served(
            found.desired, len(running), frozenset(fine), insights, float(cpu), float(memory), whole, deploying
        )

    def set_desired(self, region: str, cluster: str, service: str, count: int) -> None:
        found = _service(region, cluster, service)
        if found is not None:
            services.set_desired(found, count)


scaling.use(EcsServices())


def _service(region: str, cluster: str, service: str) -> Service | None:
    held = store.find_cluster(region, cluster)
    return store.find_service(held, service) if held else None


def _tasks(region: str, cluster: str, service: str = "", task: str = "") -> list[Task]:
    held = store.find_cluster(region, cluster)
    if held is None:
        return []
    return [
        one
        for one in held.live_tasks()
        if (not service or (one.service and one.service.name == service)) and (not task or store.short(task) == one.id)
    ]


@control_op("print_lines")
def print_lines(
    cluster: str, lines: list[str], *, region: str, service: str = "", task: str = "", container: str = ""
) -> int:
    """Have every running container that is meant print the lines; returns how many did."""
    found = [
        box
        for one in _tasks(region, cluster, service, task)
        for box in one.containers
        if box.status == "RUNNING" and container in ("", box.name)
    ]
    for box in found:
        for line in lines:
            containers.log(box, line)
    return len(found)


@control_op("behave")
def behave(
    cluster: str, changes: dict[str, Any], *, region: str, service: str = "", task: str = "", container: str = ""
) -> int:
    """From now on the running containers that are meant behave so: fields of Behaviour; returns how many."""
    found = [
        (one, box)
        for one in _tasks(region, cluster, service, task)
        for box in one.containers
        if box.status == "RUNNING" and container in ("", box.name)
    ]
    image_behaviour.described(changes)
    plain = image_behaviour.plain(changes)
    for one, box in found:
        containers.silence(one, box)
        box.behaviour = replace(box.behaviour, **plain)
        containers.listen(one, box)
        containers.look_again(one, box, life._health_changed)
        if "exits" in plain and box.behaviour.exits is not None:
            life._ended(one, box, box.behaviour.exits, "")
    return len(found)


@control_op("kill_task")
def kill_task(cluster: str, task: str, *, region: str, exit_code: int = 137) -> bool:
    """The task's essential container ends by itself, as a crash does."""
    for one in _tasks(region, cluster, task=task):
        box = next((b for b in one.containers if b.essential and b.status == "RUNNING"), None)
        if box is not None:
            life._ended(one, box, exit_code, "")
            return True
    return False


@control_op("join_instances")
def join_instances(region: str) -> None:
    """Have the instances that were started by other ways than EC2's own call join their clusters, in their time."""
    instances.look_in(region)


_samples: dict[str, list[int]] = {}


@on_reset
def _nothing_sampled() -> None:
    _samples.clear()


@control_op("watch_service")
def watch_service(cluster: str, service: str, *, region: str, seconds: float = 5.0) -> None:
    """From now on, count every few seconds how many of the service's tasks run well (and get their traffic)."""
    samples = _samples[f"{cluster}/{service}"] = []

    def sample() -> None:
        found = _service(region, cluster, service)
        samples.append(sum(map(scheduling.good, found.tasks())) if found and found.status == "ACTIVE" else 0)
        if len(samples) < MOST_SAMPLES and _samples.get(f"{cluster}/{service}") is samples:
            clock.after(seconds, sample)

    clock.after(seconds, sample)


@control_op("watched_service")
def watched_service(cluster: str, service: str) -> list[int]:
    """The counts since `watch_service`, which ends with this."""
    return _samples.pop(f"{cluster}/{service}", [])


__all__ = ["EcsServices"]
