"""Task sets: how CodeDeploy, or any other controller than ECS, brings out a service's revisions.

Sources: API_CreateTaskSet.html, API_UpdateTaskSet.html, API_UpdateServicePrimaryTaskSet.html, API_DeleteTaskSet.html.
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecs import interfaces, life, scheduling, services, store, tasks
from fargrade.emulator.ecs.model import Definition, Deployment, Service
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer


def create(
    service: Service, definition: Definition, balancers: list[dict[str, Any]] | None = None, scale: float = 100.0
) -> Deployment:
    """A new task set of the service beside those that are there; its tasks begin to start."""
    before = [(one, one.status) for one in service.deployments]
    current = service.given.get("taskDefinition")
    made = services.deploy(service, definition, balancers)
    for one, status in before:
        one.status = status
    made.external = made.id
    made.scale = scale
    if before:
        made.status = "ACTIVE"
        service.given["taskDefinition"] = current
    scheduling.touch(service)
    return made


def promote(service: Service, wanted: Deployment) -> None:
    """The task set is the primary one from now on, its revision the service's."""
    for one in service.deployments:
        one.status = "PRIMARY" if one is wanted else "ACTIVE"
    wanted.state, wanted.outcome = "COMPLETED", "SUCCESSFUL"
    service.given["taskDefinition"] = wanted.revision.definition.arn
    service.given["loadBalancers"] = list(wanted.balancers)
    scheduling.touch(service)


def delete(service: Service, gone: Deployment) -> None:
    """The task set's tasks stop, and it is no more."""
    gone.scale = 0
    for task in service.tasks_of(gone):
        life.stop(task, "ServiceSchedulerInitiated", "Task set was deleted", drain=True)
    if gone in service.deployments:
        service.deployments.remove(gone)
    scheduling.touch(service)


def stable(service: Service, one: Deployment) -> bool:
    """Whether the task set runs as many good tasks as it shall."""
    return sum(map(scheduling.good, service.tasks_of(one))) == one.desired and bool(one.desired or not one.scale)


def described(service: Service, one: Deployment) -> dict[str, Any]:
    """As DescribeTaskSets has it."""
    counted = service.tasks_of(one)
    revision = one.revision
    found: dict[str, Any] = {
        "id": one.external,
        "taskSetArn": store.task_set_arn(service, one),
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "status": one.status,
        "taskDefinition": revision.definition.arn,
        "computedDesiredCount": one.desired,
        "pendingCount": sum(task.status in services.PENDING for task in counted),
        "runningCount": sum(task.running for task in counted),
        "createdAt": store.stamp(one.created),
        "updatedAt": store.stamp(one.updated),
        "launchType": revision.launch_type or None,
        "capacityProviderStrategy": revision.strategy or None,
        "platformVersion": revision.platform or None,
        "networkConfiguration": revision.network,
        "loadBalancers": one.balancers,
        "scale": {"value": one.scale, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if stable(service, one) else "STABILIZING",
        "startedBy": service.controller,
    }
    return {key: value for key, value in found.items() if value is not None}


def _service(call: Call) -> Service:
    service = store.service(store.cluster(call), call.parameters["service"])
    if service.controller == "ECS":
        raise store.invalid("Task sets are only supported for services with an external deployment controller.")
    return service


def _means(name: str, one: Deployment) -> bool:
    """Whether `name`, an id or an ARN, is this task set; an id of ours has a slash in it (ecs-svc/…)."""
    return bool(one.external) and store.short(name) == store.short(one.external)


def _set(service: Service, name: str) -> Deployment:
    found = next((one for one in service.deployments if _means(name, one)), None)
    if found is None:
        raise Refused("TaskSetNotFoundException", "The specified task set was not found.")
    return found


@answer("ecs", "CreateTaskSet")
def create_task_set(call: Call) -> dict[str, Any]:
    """CreateTaskSet: for the EXTERNAL controller; CodeDeploy makes its own."""
    service, given = _service(call), call.parameters
    if service.controller == "CODE_DEPLOY":
        raise store.invalid(
            "Task sets of a service with the CODE_DEPLOY deployment controller are managed by CodeDeploy."
        )
    interfaces.check_network(call.region, (given.get("networkConfiguration") or {}).get("awsvpcConfiguration"))
    tasks.strategy_of(given, service.cluster)
    keys = ("networkConfiguration", "launchType", "capacityProviderStrategy", "platformVersion")
    service.given.update({key: given[key] for key in keys if given.get(key)})
    made = create(
        service,
        store.definition(call.region, given["taskDefinition"]),
        list(given.get("loadBalancers") or []),
        float((given.get("scale") or {}).get("value", 100)),
    )
    made.status = "ACTIVE"
    made.tags = list(given.get("tags") or [])
    return {"taskSet": described(service, made) | {"tags": made.tags}}


@answer("ecs", "UpdateTaskSet")
def update_task_set(call: Call) -> dict[str, Any]:
    """UpdateTaskSet."""
    service = _service(call)
    found = _set(service, call.parameters["taskSet"])
    found.scale = float(call.parameters["scale"].get("value", 100))
    found.updated = clock.now()
    scheduling.touch(service)
    return {"taskSet": described(service, found)}


@answer("ecs", "UpdateServicePrimaryTaskSet")
def update_primary(call: Call) -> dict[str, Any]:
    """UpdateServicePrimaryTaskSet."""
    service = _service(call)
    found = _set(service, call.parameters["primaryTaskSet"])
    promote(service, found)
    return {"taskSet": described(service, found)}


@answer("ecs", "DeleteTaskSet")
def delete_task_set(call: Call) -> dict[str, Any]:
    """DeleteTaskSet."""
    service = _service(call)
    found = _set(service, call.parameters["taskSet"])
    if found.status == "PRIMARY" and not call.parameters.get("force"):
        raise store.invalid("The primary task set cannot be deleted.")
    answered = {**described(service, found), "status": "DRAINING"}
    delete(service, found)
    return {"taskSet": answered}


@answer("ecs", "DescribeTaskSets")
def describe_task_sets(call: Call) -> dict[str, Any]:
    """DescribeTaskSets."""
    service = _service(call)
    wanted = call.parameters.get("taskSets")
    names = wanted or [one.external for one in service.deployments if one.external]
    found = {name: next((one for one in service.deployments if _means(name, one)), None) for name in names}
    tagged = "TAGS" in (call.parameters.get("include") or [])
    return {
        "taskSets": [
            described(service, one) | ({"tags": list(one.tags)} if tagged else {}) for one in found.values() if one
        ],
        "failures": [store.missing(name) for name, one in found.items() if one is None],
    }
