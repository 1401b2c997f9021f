"""What ECS holds: clusters, task definitions, tasks, services. All of it is ours, none of it moto's.

moto's ECS drops half of what it is given, moves a task whenever it is looked at, and has no service that runs
anything; what is alive on a clock cannot be patched onto that, so the whole of ECS is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecs.model import Cluster, Definition, Deployment, Service, Task
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, account

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
KEPT = timedelta(hours=1)  # how long a stopped task is still described: API_DescribeTasks.html


@dataclass
class Region:
    """ECS in one region."""

    name: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    families: dict[str, list[Definition]] = field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)


_regions: dict[str, Region] = {}


@on_reset
def _empty() -> None:
    _regions.clear()


def region(name: str) -> Region:
    """ECS of the region, empty if nothing was made there yet."""
    return _regions.setdefault(name, Region(name))


def regions() -> list[Region]:
    return list(_regions.values())


def new_id(length: int = 32) -> str:
    """A hexadecimal id, as tasks and container instances have; it follows the world's seed."""
    from moto.moto_api._internal import mock_random

    return "".join(mock_random.choice("0123456789abcdef") for _ in range(length))


def new_number(digits: int = 19) -> str:
    """A decimal id, as deployments have."""
    from moto.moto_api._internal import mock_random

    return str(mock_random.randrange(10 ** (digits - 1), 10**digits))


def arn(region_name: str, resource: str) -> str:
    """arn:aws:ecs:REGION:ACCOUNT:RESOURCE"""
    return f"arn:aws:ecs:{region_name}:{account()}:{resource}"


def task_set_arn(service: Service, one: Deployment) -> str:
    """arn:aws:ecs:REGION:ACCOUNT:task-set/CLUSTER/SERVICE/ID"""
    return arn(service.region, f"task-set/{service.cluster.name}/{service.name}/{one.external}")


def invalid(message: str) -> Refused:
    """ECS's InvalidParameterException."""
    return Refused("InvalidParameterException", message)


def client_error(message: str) -> Refused:
    """ECS's ClientException."""
    return Refused("ClientException", message)


# -- finding -----------------------------------------------------------------------------------------------


def short(name: str) -> str:
    """The last part of an ARN, or the name itself."""
    return name.rsplit("/", 1)[-1]


def find_cluster(region_name: str, name: str | None) -> Cluster | None:
    """The cluster by name or ARN; "default" where none is named. An inactive one is not there."""
    wanted = name or "default"
    if wanted.startswith("arn:") and wanted != arn(region_name, f"cluster/{short(wanted)}"):
        return None
    found = region(region_name).clusters.get(short(wanted))
    return found if found and found.status == "ACTIVE" else None


def cluster(call: Call, name: str | None = None) -> Cluster:
    """The cluster that the call (or `name`) names. Raises Refused, ClusterNotFoundException."""
    found = find_cluster(call.region, name or call.parameters.get("cluster"))
    if found is None:
        raise Refused("ClusterNotFoundException", "Cluster not found.")
    return found


def find_definition(region_name: str, name: str) -> Definition | None:
    """The task definition by ARN, family:revision or family (its newest active revision)."""
    if name.startswith("arn:") and not name.startswith(arn(region_name, "task-definition/")):
        return None
    family, _, revision = short(name).partition(":")
    held = region(region_name).families.get(family, [])
    if revision:
        return next((one for one in held if str(one.revision) == revision), None)
    return next((one for one in reversed(held) if one.status == "ACTIVE"), None)


def definition(region_name: str, name: str, *, active: bool = True) -> Definition:
    """The task definition. Raises Refused: there is none, or (`active`) it was deregistered."""
    found = find_definition(region_name, name)
    if found is None or found.status == "DELETED":
        raise client_error("Unable to describe task definition." if not active else "TaskDefinition not found.")
    if active and found.status != "ACTIVE":
        raise client_error("TaskDefinition is inactive")
    return found


def find_task(held: Cluster, name: str) -> Task | None:
    """The task of the cluster by id or ARN, for an hour after it has stopped."""
    found = held.tasks.get(short(name))
    if found is None or (name.startswith("arn:") and name != found.arn):
        return None
    if found.stopped_at and clock.now() - found.stopped_at > KEPT:
        del held.tasks[found.id]
        return None
    return found


def find_service(held: Cluster, name: str) -> Service | None:
    """The service of the cluster by name or ARN, a draining or inactive one, too."""
    found = held.services.get(short(name))
    return found if found and (not name.startswith("arn:") or name == found.arn) else None


def service(held: Cluster, name: str, *, active: bool = True) -> Service:
    """The service. Raises Refused, ServiceNotFoundException and ServiceNotActiveException."""
    found = find_service(held, name)
    if found is None:
        raise Refused("ServiceNotFoundException", "Service not found.")
    if active and found.status != "ACTIVE":
        raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
    return found


def pages(call: Call, everything: list[str], key: str, most: int = 100) -> dict[str, Any]:
    """A page of a list operation. Raises Refused for a token that is none."""
    given = call.parameters
    token = given.get("nextToken") or "0"
    if not token.isdigit() or int(token) > len(everything):
        raise invalid("Invalid token.")
    size = given.get("maxResults") or most
    if not 1 <= size <= 100:
        raise invalid("maxResults must be between 1 and 100.")
    end = int(token) + size
    answer: dict[str, Any] = {key: everything[int(token) : end]}
    if end < len(everything):
        answer["nextToken"] = str(end)
    return answer


def missing(resource: str) -> dict[str, str]:
    """An entry of a `failures` list."""
    return {"arn": resource, "reason": "MISSING"}


def own_arn(region_name: str, kind: str, name: str, held: Cluster | None = None) -> str:
    """The ARN that `name` stands for, for `failures`: it may be one already."""
    if name.startswith("arn:"):
        return name
    return arn(region_name, f"{kind}/{held.name}/{name}" if held else f"{kind}/{name}")


def stamp(moment: datetime | None) -> datetime | None:
    """A time to the millisecond, as ECS answers it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000) if moment else None
