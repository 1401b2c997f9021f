"""On which container instance a task goes: what fits, by constraints, then by strategy; and why none does.

Source: "How Amazon ECS places tasks on container instances" (developerguide/task-placement.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fargrade.emulator.ecs.model import Cluster, ContainerInstance, Definition
from fargrade.semantics.ecs import cpu_units, memory_mib

EQUALS = re.compile(r"attribute:([\w.-]+)\s*(==|!=|=~|in)\s*(.+)")
NONE_FITS = (
    "(service {service}) was unable to place a task because no container instance met all of its requirements. {why}"
)


def reserved(definition: Definition, overrides: Mapping[str, Any] | None = None) -> tuple[int, int]:
    """(cpu units, MiB) that a task of the definition takes of an instance."""
    given = {**definition.given, **{k: v for k, v in (overrides or {}).items() if k in ("cpu", "memory") and v}}
    cpu = cpu_units(given.get("cpu")) or sum(int(one.get("cpu") or 0) for one in definition.containers)
    memory = memory_mib(given.get("memory")) or sum(
        int(one.get("memoryReservation") or one.get("memory") or 0) for one in definition.containers
    )
    return cpu, memory


def left(instance: ContainerInstance) -> tuple[int, int]:
    """(cpu units, MiB) that nothing on the instance has taken."""
    taken = [reserved(task.definition, task.overrides) for task in instance.tasks()]
    return instance.cpu - sum(cpu for cpu, _ in taken), instance.memory - sum(memory for _, memory in taken)


def fixed_ports(definition: Definition) -> set[int]:
    """The host ports that the definition claims."""
    if definition.mode == "awsvpc":
        return set()
    key = "containerPort" if definition.mode == "host" else "hostPort"
    return {int(one[key]) for box in definition.containers for one in box.get("portMappings") or [] if one.get(key)}


def misfit(instance: ContainerInstance, definition: Definition, overrides: Mapping[str, Any] | None) -> str:
    """What the instance lacks for a task of the definition, as `failures` name it; "" where it fits."""
    if not instance.connected:
        return "AGENT"
    if instance.status != "ACTIVE":
        return "ATTRIBUTE"
    cpu, memory = reserved(definition, overrides)
    free_cpu, free_memory = left(instance)
    if memory > free_memory:
        return "RESOURCE:MEMORY"
    if cpu > free_cpu:
        return "RESOURCE:CPU"
    if fixed_ports(definition) & instance.ports():
        return "RESOURCE:PORTS"
    if definition.mode == "awsvpc" and _interfaces_left(instance) < 1:
        return "RESOURCE:ENI"
    wanted = (definition.given.get("runtimePlatform") or {}).get("cpuArchitecture")
    have = next((one["value"] for one in instance.attributes if one["name"] == "ecs.cpu-architecture"), "x86_64")
    if wanted and {"X86_64": "x86_64", "ARM64": "arm64"}[wanted] != have:
        return "ATTRIBUTE"
    return ""


def _interfaces_left(instance: ContainerInstance) -> int:
    """Interfaces that an instance still has for tasks: most small ones have three, one of them its own."""
    most = 2 if instance.instance_type.rpartition(".")[2] in ("micro", "small", "medium") else 3
    if instance.instance_type.rpartition(".")[2] == "micro":
        most = 1
    return most - sum(1 for task in instance.tasks() if task.awsvpc)


def place(
    cluster: Cluster,
    definition: Definition,
    *,
    provider: str = "",
    overrides: Mapping[str, Any] | None = None,
    constraints: Sequence[Mapping[str, Any]] = (),
    strategy: Sequence[Mapping[str, Any]] = (),
    group: str = "",
) -> tuple[ContainerInstance | None, list[tuple[ContainerInstance, str]]]:
    """(the instance that the task goes on, or None; what each instance that was asked lacks)."""
    asked = [one for one in cluster.instances.values() if not provider or one.provider == provider]
    misfits = [(one, misfit(one, definition, overrides) or _constrained(one, constraints, group)) for one in asked]
    fits = [one for one, why in misfits if not why]
    if not fits:
        return None, misfits
    return min(fits, key=lambda one: _preference(one, strategy, group)), misfits


def _constrained(instance: ContainerInstance, constraints: Iterable[Mapping[str, Any]], group: str) -> str:
    for one in constraints:
        if one.get("type") == "distinctInstance" and any(task.group == group for task in instance.tasks()):
            return "DISTINCT"
        if one.get("type") == "memberOf" and not matches(instance, str(one.get("expression") or "")):
            return "MEMBEROF"
    return ""


def matches(instance: ContainerInstance, expression: str) -> bool:
    """Whether the instance matches a cluster query of attributes joined by `and`.

    Source: developerguide/cluster-query-language.html; a query in another form matches nothing.
    """
    held = {one["name"]: one.get("value", "") for one in instance.attributes}
    for part in re.split(r"\s+and\s+", expression.strip()):
        found = EQUALS.fullmatch(part.strip())
        if not found:
            return False
        name, operator, wanted = found[1], found[2], found[3].strip()
        value = str(held.get(name, ""))
        listed = [one.strip() for one in wanted.strip("[]").split(",")]
        hit = {
            "==": value == wanted,
            "!=": value != wanted,
            "in": value in listed,
            "=~": re.fullmatch(re.escape(wanted).replace(r"\*", ".*").replace(r"\.\*", ".*"), value) is not None,
        }[operator]
        if not hit:
            return False
    return True


def _preference(instance: ContainerInstance, strategy: Sequence[Mapping[str, Any]], group: str) -> tuple[float, ...]:
    """Smaller is better. Without a strategy tasks are spread over the zones: task-placement-strategies.html."""
    order: list[float] = []
    for one in [*strategy, {"type": "spread", "field": "attribute:ecs.availability-zone"}]:
        name = str(one.get("field") or "")
        if one.get("type") == "binpack":
            order.append(left(instance)[0 if name.upper() == "CPU" else 1])
        elif one.get("type") == "spread":
            same = [
                task
                for task in instance.cluster.live_tasks()
                if task.group == group
                and task.instance
                and (task.instance is instance if name in ("instanceId", "host") else task.zone == instance.zone)
            ]
            order.append(float(len(same)))
    return (*order, float(len(instance.tasks())))
