"""RunTask and its kin: tasks started by hand, described, listed, stopped.

Sources: API_RunTask.html, API_StartTask.html, API_StopTask.html, API_DescribeTasks.html, API_ListTasks.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecs import clusters, interfaces, life, placement, store
from fargrade.emulator.ecs.model import Cluster, Container, ContainerInstance, Definition, Task
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.ecs import Refusal, on_fargate, run_refusals

NO_INSTANCES = "No Container Instances were found in your cluster."
PLATFORM = "1.4.0"  # what LATEST stands for on Linux


def refuse(found: Iterable[Refusal]) -> None:
    """Raise the first of the refusals, if there is one."""
    for one in found:
        raise Refused(one.code, one.message)


def strategy_of(given: Mapping[str, Any], held: Cluster) -> list[dict[str, Any]]:
    """The capacity provider strategy that counts: the request's, or the cluster's where it names no launch type."""
    if given.get("launchType"):
        return []
    own = given.get("capacityProviderStrategy")
    return clusters.checked_strategy(own, held.providers) if own else held.strategy


def chosen_provider(strategy: Sequence[Mapping[str, Any]], running: Mapping[str, int]) -> str:
    """The provider of the next task: bases first, then by weight.

    Source: API_CapacityProviderStrategyItem.html.
    """
    for one in strategy:
        if running.get(str(one["capacityProvider"]), 0) < int(one.get("base") or 0):
            return str(one["capacityProvider"])
    weighted = [one for one in strategy if int(one.get("weight") or 0) > 0] or list(strategy)[:1]
    if not weighted:
        return ""

    def share(one: Mapping[str, Any]) -> float:
        own = running.get(str(one["capacityProvider"]), 0) - int(one.get("base") or 0)
        return (own + 1) / max(1, int(one.get("weight") or 1))

    return str(min(weighted, key=share)["capacityProvider"])


@answer("ecs", "RunTask")
def run(call: Call) -> dict[str, Any]:
    """RunTask."""
    given, held = call.parameters, store.cluster(call)
    definition = store.definition(call.region, given["taskDefinition"])
    token = given.get("clientToken")
    tokens = store.region(call.region).tokens
    if token and token in tokens:
        return {"tasks": [described(one) for one in tokens[token]], "failures": []}
    strategy = strategy_of(given, held)
    fargate = on_fargate(given.get("launchType"), strategy)
    refuse(run_refusals(given, definition.given, fargate=fargate))
    interfaces.check_network(call.region, (given.get("networkConfiguration") or {}).get("awsvpcConfiguration"))
    if not fargate and not held.instances and not strategy:
        raise store.invalid(NO_INSTANCES)
    made: list[Task] = []
    failures: list[dict[str, Any]] = []
    for _ in range(given.get("count") or 1):
        running: dict[str, int] = {}
        for one in made:
            running[one.provider] = running.get(one.provider, 0) + 1
        provider = chosen_provider(strategy, running) if strategy else ""
        task, failed = _one(call, held, definition, provider, fargate)
        if task is not None:
            made.append(task)
        failures += failed
    if token:
        tokens[token] = made
    return {"tasks": [described(one) for one in made], "failures": failures[:10]}


def _one(
    call: Call, held: Cluster, definition: Definition, provider: str, fargate: bool
) -> tuple[Task | None, list[dict[str, Any]]]:
    """(a task, or None and why not on any instance)."""
    given = call.parameters
    instance = None
    if not fargate:
        instance, misfits = placement.place(
            held,
            definition,
            provider=provider,
            overrides=given.get("overrides"),
            constraints=[*(given.get("placementConstraints") or []), *definition.given.get("placementConstraints", [])],
            strategy=given.get("placementStrategy") or [],
            group=_group(call, definition),
        )
        if instance is None:
            return None, [{"arn": one.arn, "reason": why} for one, why in misfits] or [{"reason": "RESOURCE:MEMORY"}]
    return _made(call, held, definition, provider, fargate, instance), []


def _group(call: Call, definition: Definition) -> str:
    return call.parameters.get("group") or f"family:{definition.family}"


def _made(
    call: Call,
    held: Cluster,
    definition: Definition,
    provider: str,
    fargate: bool,
    instance: ContainerInstance | None,
) -> Task:
    given = call.parameters
    if (given.get("group") or "").startswith("service:"):
        raise store.invalid("Invalid group: the prefix 'service:' is reserved.")
    tags = list(given.get("tags") or [])
    if given.get("propagateTags") == "TASK_DEFINITION":
        own = {one.get("key") for one in tags}
        tags += [one for one in definition.tags if one.get("key") not in own]
    elif given.get("propagateTags") == "SERVICE":
        raise store.invalid("propagateTags SERVICE is not valid for RunTask.")
    if given.get("enableExecuteCommand") and not (
        definition.given.get("taskRoleArn") or (given.get("overrides") or {}).get("taskRoleArn")
    ):
        raise store.invalid(
            "The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task "
            "role in "
            "your task definition and try again."
        )
    return life.make(
        held,
        definition,
        launch_type="FARGATE" if fargate else "EC2",
        provider=provider,
        platform=_platform(given.get("platformVersion")) if fargate else "",
        network=given.get("networkConfiguration"),
        overrides=given.get("overrides"),
        instance=instance,
        group=_group(call, definition),
        started_by=given.get("startedBy") or "",
        tags=tags,
        execute=bool(given.get("enableExecuteCommand")),
    )


def _platform(asked: str | None) -> str:
    return PLATFORM if asked in (None, "", "LATEST") else asked


@answer("ecs", "StartTask")
def start(call: Call) -> dict[str, Any]:
    """StartTask: on the instances named, whatever a strategy would say."""
    given, held = call.parameters, store.cluster(call)
    definition = store.definition(call.region, given["taskDefinition"])
    refuse(run_refusals(given, definition.given, fargate=False))
    names = given["containerInstances"]
    if not 1 <= len(names) <= 10:
        raise store.invalid("Container instances must be between 1 and 10.")
    made, failures = [], []
    for name in names:
        joined = held.instances.get(store.short(name))
        why = placement.misfit(joined, definition, given.get("overrides")) if joined else "MISSING"
        if joined is None or why:
            failures.append({"arn": store.own_arn(call.region, "container-instance", name, held), "reason": why})
        else:
            made.append(_made(call, held, definition, "", False, joined))
    return {"tasks": [described(one) for one in made], "failures": failures}


@answer("ecs", "StopTask")
def stop(call: Call) -> dict[str, Any]:
    """StopTask."""
    held = store.cluster(call)
    found = store.find_task(held, call.parameters["task"])
    if found is None:
        raise store.invalid("The referenced task was not found.")
    life.stop(found, "UserInitiated", call.parameters.get("reason") or "Task stopped by user", drain=True)
    return {"task": described(found)}


@answer("ecs", "DescribeTasks")
def describe(call: Call) -> dict[str, Any]:
    """DescribeTasks: up to 100; stopped ones for an hour."""
    held, names = store.cluster(call), call.parameters["tasks"]
    if not names:
        raise store.invalid("Tasks cannot be empty.")
    if len(names) > 100:
        raise store.invalid("You can describe up to 100 tasks at a time.")
    tags = "TAGS" in (call.parameters.get("include") or ())
    found, failures = [], []
    for name in dict.fromkeys(names):
        task = store.find_task(held, name)
        if task is None:
            failures.append(store.missing(store.own_arn(call.region, "task", name, held)))
        else:
            found.append(described(task, tags=tags))
    return {"tasks": found, "failures": failures}


@answer("ecs", "ListTasks")
def list_tasks(call: Call) -> dict[str, Any]:
    """ListTasks: by service, family, instance, who started it, launch type; RUNNING is where it shall be."""
    given, held = call.parameters, store.cluster(call)
    wanted = given.get("desiredStatus") or "RUNNING"
    if given.get("serviceName") and store.find_service(held, given["serviceName"]) is None:
        raise Refused("ServiceNotFoundException", "Service not found.")
    if given.get("containerInstance") and store.short(given["containerInstance"]) not in held.instances:
        raise store.invalid("The specified container instance is not in the cluster.")
    found = []
    for name in list(held.tasks):
        task = store.find_task(held, name)
        if task is None or task.desired != wanted:
            continue
        service = given.get("serviceName")
        checks = (
            not service or (task.service is not None and task.service.name == store.short(service)),
            not given.get("family") or task.definition.family == given["family"],
            not given.get("startedBy") or task.started_by == given["startedBy"],
            not given.get("launchType") or task.launch_type == given["launchType"],
            not given.get("containerInstance")
            or (task.instance is not None and task.instance.id == store.short(given["containerInstance"])),
        )
        if all(checks):
            found.append(task.arn)
    return store.pages(call, found, "taskArns")


def described(task: Task, *, tags: bool = True) -> dict[str, Any]:
    """As DescribeTasks has it: its sizes are in units and MiB, however an override wrote them."""
    given = task.definition.given
    cpu, memory = placement.reserved(task.definition, task.overrides)
    found: dict[str, Any] = {
        "taskArn": task.arn,
        "clusterArn": task.cluster.arn,
        "taskDefinitionArn": task.definition.arn,
        "attachments": [task.attachment] if task.attachment else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": _architecture(task)}],
        "availabilityZone": task.zone or _zone(task),
        "connectivity": "CONNECTED" if task.connected or task.instance else None,
        "connectivityAt": store.stamp(task.connected),
        "containerInstanceArn": task.instance.arn if task.instance else None,
        "containers": [_described_container(task, one) for one in task.containers],
        "cpu": str(cpu),
        "memory": str(memory),
        "createdAt": store.stamp(task.created),
        "desiredStatus": task.desired,
        "lastStatus": task.status,
        "enableExecuteCommand": task.execute,
        "group": task.group,
        "healthStatus": life.health(task),
        "launchType": task.launch_type,
        "capacityProviderName": task.provider or None,
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **task.overrides},
        "platformVersion": task.platform or None,
        "platformFamily": "Linux" if task.fargate else None,
        "pullStartedAt": store.stamp(task.pull_started),
        "pullStoppedAt": store.stamp(task.pull_stopped),
        "startedAt": store.stamp(task.started),
        "startedBy": task.started_by or None,
        "stopCode": task.stop_code or None,
        "stoppedReason": task.reason or None,
        "stoppingAt": store.stamp(task.stopping_at),
        "executionStoppedAt": store.stamp(task.ended),
        "stoppedAt": store.stamp(task.stopped_at),
        "tags": task.tags if tags else [],
        "version": task.version,
    }
    if task.fargate:
        size = int((given.get("ephemeralStorage") or {}).get("sizeInGiB") or 20)
        found["ephemeralStorage"] = {"sizeInGiB": size}
        found["fargateEphemeralStorage"] = {"sizeInGiB": size}
    return {key: value for key, value in found.items() if value is not None}


def _architecture(task: Task) -> str:
    wanted = (task.definition.given.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64"
    return str(wanted).lower()


def _zone(task: Task) -> str | None:
    subnet = (task.attachment or {}).get("details", [{}])[0].get("value")
    held = interfaces._subnet(interfaces.ec2(task.region), subnet) if subnet else None
    return str(held.availability_zone) if held else None


def _described_container(task: Task, one: Container) -> dict[str, Any]:
    found: dict[str, Any] = {
        "containerArn": one.arn,
        "taskArn": task.arn,
        "name": one.name,
        "image": one.image,
        "imageDigest": one.digest or None,
        "runtimeId": one.runtime or None,
        "lastStatus": one.status,
        "exitCode": one.exit_code,
        "reason": one.reason or None,
        "networkBindings": one.bindings,
        "networkInterfaces": _network_interfaces(task),
        "healthStatus": one.health,
        "cpu": str(one.given.get("cpu") or 0),
        "memory": str(one.given["memory"]) if one.given.get("memory") else None,
        "memoryReservation": str(one.given["memoryReservation"]) if one.given.get("memoryReservation") else None,
    }
    if task.execute:
        started = store.stamp(one.started)
        status = "RUNNING" if one.status == "RUNNING" else "PENDING"
        found["managedAgents"] = [{"name": "ExecuteCommandAgent", "lastStatus": status, "lastStartedAt": started}]
    return {key: value for key, value in found.items() if value is not None}


def _network_interfaces(task: Task) -> list[dict[str, Any]]:
    address = interfaces.address(task)
    if not task.attachment or not address:
        return []
    return [{"attachmentId": task.attachment["id"], "privateIpv4Address": address}]


# -- beside ---------------------------------------------------------------------------------------------------


@answer("ecs", "ExecuteCommand")
def execute(call: Call) -> dict[str, Any]:
    """ExecuteCommand: a session with a running container of a task that was started for it."""
    given, held = call.parameters, store.cluster(call)
    task = store.find_task(held, given["task"])
    if task is None or task.status != "RUNNING":
        raise store.invalid("The specified task was not found or is not running.")
    if not task.execute:
        raise store.invalid(
            "The execute command failed because execute command was not enabled when the task was run or the execute "
            "command agent isn't running. Wait and try again or run a new task with execute command enabled and "
            "try again."
        )
    name = given.get("container") or (task.containers[0].name if len(task.containers) == 1 else "")
    box = task.container(name)
    if box is None:
        raise store.invalid(
            "The container must be specified: the task has more than one." if not name else "No such container."
        )
    if not given.get("interactive"):
        raise store.invalid("Interactive is the only mode supported currently.")
    session = f"ecs-execute-command-{store.new_id(17)}"
    address = f"wss://ssmmessages.{call.region}.amazonaws.com/v1/data-channel/{session}?role=publish_subscribe"
    return {
        "clusterArn": held.arn,
        "taskArn": task.arn,
        "containerArn": box.arn,
        "containerName": box.name,
        "interactive": True,
        "session": {"sessionId": session, "streamUrl": address, "tokenValue": store.new_id(64)},
    }


@answer("ecs", "UpdateTaskProtection")
def protect(call: Call) -> dict[str, Any]:
    """UpdateTaskProtection: a service's task is kept from scale-in for a time."""
    given, held = call.parameters, store.cluster(call)
    asked = given.get("expiresInMinutes")
    if asked is not None and not 1 <= int(asked) <= 2880:
        raise store.invalid("expiresInMinutes must be between 1 and 2880.")
    found, failures = _protected(held, call, given["tasks"])
    for task in found:
        minutes = int(given.get("expiresInMinutes") or 120)
        task.protected = clock.now() + timedelta(minutes=minutes) if given["protectionEnabled"] else None
    return {"protectedTasks": [_protection(one) for one in found], "failures": failures}


@answer("ecs", "GetTaskProtection")
def protection(call: Call) -> dict[str, Any]:
    """GetTaskProtection."""
    held = store.cluster(call)
    found, failures = _protected(held, call, call.parameters.get("tasks") or [])
    return {"protectedTasks": [_protection(one) for one in found], "failures": failures}


def _protected(held: Cluster, call: Call, names: Sequence[str]) -> tuple[list[Task], list[dict[str, str]]]:
    found, failures = [], []
    for name in names:
        task = store.find_task(held, name)
        if task is None:
            failures.append(store.missing(store.own_arn(call.region, "task", name, held)))
        elif task.service is None:
            failures.append({"arn": task.arn, "reason": "TASK_NOT_VALID"})
        else:
            found.append(task)
    return found, failures


def _protection(task: Task) -> dict[str, Any]:
    on = task.protected is not None and task.protected > clock.now()
    found: dict[str, Any] = {"taskArn": task.arn, "protectionEnabled": on}
    if on:
        found["expirationDate"] = store.stamp(task.protected)
    return found
