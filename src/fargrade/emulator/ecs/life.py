"""The life of a task on the world's clock: PROVISIONING, PENDING, RUNNING, and on to STOPPED.

Source: "Amazon ECS task lifecycle" (developerguide/task-lifecycle-explanation.html); stop codes and reasons from
"Stopped tasks error codes" (stopped-task-error-codes.html). How long each step takes is ours: about half a minute
to RUNNING on Fargate, as people see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecs import containers, interfaces, starting, store
from fargrade.emulator.ecs.model import Cluster, Container, ContainerInstance, Definition, Deployment, Service, Task
from fargrade.emulator.elbv2 import store as balancing
from fargrade.emulator.elbv2 import targets
from fargrade.emulator.errors import Refused

ATTACHING, PULLING, PULLING_ON_INSTANCE = 5.0, 12.0, 6.0
APART = 1.0  # tasks of a group do not come to RUNNING at one moment: each a little after the one before
STOPPING, RELEASING = 2.0, 4.0
TIMING_OUT = 60.0  # until a pull without a way out is given up
ESSENTIAL = "Essential container in task exited"
LATER = ("COMPLETE", "SUCCESS", "HEALTHY")
_watchers: list[Callable[[Task], None]] = []


def watch(function: Callable[[Task], None]) -> Callable[[Task], None]:
    """Call the function with each task whose status or health has changed."""
    _watchers.append(function)
    return function


def changed(task: Task) -> None:
    """Tell those who watch."""
    task.version += 1
    for watcher in _watchers:
        watcher(task)


def make(
    cluster: Cluster,
    definition: Definition,
    *,
    launch_type: str,
    provider: str = "",
    platform: str = "",
    network: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    instance: ContainerInstance | None = None,
    service: Service | None = None,
    deployment: Deployment | None = None,
    group: str = "",
    started_by: str = "",
    tags: list[dict[str, Any]] | None = None,
    execute: bool = False,
) -> Task:
    """Make a task and set it on its way. Raises Refused: its roles cannot be assumed."""
    laid = dict(overrides or {})
    wanted = {key: str(laid.get(key) or definition.given.get(key) or "") for key in ("executionRoleArn", "taskRoleArn")}
    if why := starting.role_problem(wanted, cluster.region):
        raise Refused("ClientException", why)
    name = store.new_id()
    task = Task(
        name,
        store.arn(cluster.region, f"task/{cluster.name}/{name}"),
        cluster,
        definition,
        clock.now(),
        launch_type,
        provider,
        platform,
        dict(network) if network else None,
        laid,
        group or f"family:{definition.family}",
        started_by,
        tags or [],
        execute,
        service,
        deployment,
        instance=instance,
        zone=instance.zone if instance else "",
    )
    task.containers = [_container(task, given) for given in definition.containers]
    cluster.tasks[name] = task
    if instance is not None and not task.awsvpc:
        taken = instance.ports()
        for one in task.containers:
            containers.bind(task, one, taken)
    _begin(task)
    return task


def _container(task: Task, given: dict[str, Any]) -> Container:
    laid: dict[str, Any] = next(
        (o for o in task.overrides.get("containerOverrides") or [] if o.get("name") == given["name"]), {}
    )
    merged = {**given, **{key: value for key, value in laid.items() if key not in ("environment", "name")}}
    environment = {one["name"]: one for one in [*(given.get("environment") or []), *(laid.get("environment") or [])]}
    merged["environment"] = list(environment.values())
    arn = store.arn(task.region, f"container/{task.cluster.name}/{task.id}/{store.new_id(8)}-{store.new_id(12)}")
    return Container(given["name"], arn, given["image"], merged)


def _later(task: Task, seconds: float, do: Callable[[Task], None]) -> None:
    task.timers.append(clock.after(seconds, lambda: do(task)))


def _begin(task: Task) -> None:
    if task.awsvpc:
        task.status = "PROVISIONING"
        subnets = (task.network or {})["awsvpcConfiguration"]["subnets"]
        subnet = subnets[_turn(task) % len(subnets)]
        task.attachment = {
            "id": f"{store.new_id(8)}-{store.new_id(4)}-{store.new_id(4)}-{store.new_id(4)}-{store.new_id(12)}",
            "type": "ElasticNetworkInterface",
            "status": "PRECREATED",
            "details": [{"name": "subnetId", "value": subnet}],
        }
        _later(task, ATTACHING + APART * (_turn(task) % 3), lambda one: _attached(one, subnet))
    else:
        task.status = "PENDING"
        _pull(task)


def _turn(task: Task) -> int:
    """Which of its subnets is the task's: each in turn, so that a service's tasks are spread over the zones."""
    beside = [one for one in task.cluster.live_tasks() if one.group == task.group and one is not task]
    return len(beside)


def _attached(task: Task, subnet: str) -> None:
    try:
        interfaces.attach(task, subnet)
    except (Refused, RuntimeError) as error:
        why = error.message if isinstance(error, Refused) else str(error)
        stop(task, "TaskFailedToStart", f"Unexpected EC2 error while attempting to Create Network Interface: {why}")
        return
    task.status = "PENDING"
    task.connected = clock.now()
    changed(task)
    _pull(task)


def _pull(task: Task) -> None:
    task.pull_started = clock.now()
    _later(task, PULLING if task.fargate else PULLING_ON_INSTANCE, _pulled)


def _pulled(task: Task) -> None:
    found = starting.problem(task)
    if found is not None:
        waits = "timeout" in found.reason
        _later(task, TIMING_OUT if waits else 1.0, lambda one: _not_started(one, found))
        return
    task.pull_stopped = clock.now()
    _start_those_that_can(task)
    _is_running(task)


def _not_started(task: Task, found: starting.Problem) -> None:
    for one in task.containers:
        one.status = "STOPPED"
        if found.container == one.name or (not found.container and one.essential):
            one.reason = found.reason
    stop(task, "TaskFailedToStart", found.reason)


def _start_those_that_can(task: Task) -> None:
    """Start the containers whose dependsOn is met, until no more can: those of the rest wait."""
    progress = True
    while progress and task.alive:
        progress = False
        for one in task.containers:
            if one.status == "PENDING" and all(_met(task, wanted) for wanted in one.given.get("dependsOn") or []):
                containers.start(task, one, _ended, _health_changed)
                progress = True


def _met(task: Task, wanted: Mapping[str, Any]) -> bool:
    other = task.container(str(wanted["containerName"]))
    if other is None:
        return True
    match wanted.get("condition"):
        case "HEALTHY":
            return other.health == "HEALTHY"
        case "COMPLETE":
            return other.status == "STOPPED"
        case "SUCCESS":
            return other.status == "STOPPED" and other.exit_code == 0
        case _:
            return other.status != "PENDING"


def _is_running(task: Task) -> None:
    """The task runs once all of its containers have started."""
    if task.status != "PENDING" or any(one.status == "PENDING" for one in task.containers):
        return
    task.status, task.started = "RUNNING", clock.now()
    _register_targets(task)
    changed(task)


def _health_changed(task: Task) -> None:
    if not task.alive:
        return
    _start_those_that_can(task)
    _is_running(task)
    changed(task)


def health(task: Task) -> str:
    """The task's health by its essential containers' own checks: UNKNOWN without any."""
    checked = [one.health for one in task.containers if one.essential and one.given.get("healthCheck")]
    if not checked:
        return "UNKNOWN"
    worst = ("UNHEALTHY", "UNKNOWN", "HEALTHY")
    return next(one for one in worst if one in checked)


def _ended(task: Task, container: Container, code: int, reason: str) -> None:
    if container.status != "RUNNING" or task.status == "STOPPED":
        return
    container.status, container.exit_code = "STOPPED", code
    if reason:
        container.reason = reason
    containers.silence(task, container)
    if container.essential or all(one.status == "STOPPED" for one in task.containers):
        if task.status == "PENDING" and any(one.status == "PENDING" for one in task.containers):
            stop(task, "TaskFailedToStart", ESSENTIAL)
        else:
            stop(task, "EssentialContainerExited", ESSENTIAL)
        return
    waits = [
        w for one in task.containers for w in one.given.get("dependsOn") or [] if w["containerName"] == container.name
    ]
    if code and any(one.get("condition") == "SUCCESS" for one in waits):
        stop(task, "TaskFailedToStart", f"Container dependency of '{container.name}' was not met: it did not succeed")
        return
    _start_those_that_can(task)
    _is_running(task)
    changed(task)


# -- stopping ------------------------------------------------------------------------------------------------


def stop(task: Task, code: str, reason: str, *, drain: bool = False) -> None:
    """Set the task on its way to STOPPED. `drain`: its targets first get the time to finish what they serve."""
    if task.desired == "STOPPED":
        return
    task.desired, task.stop_code, task.reason = "STOPPED", code, reason
    task.stopping_at = clock.now()
    was_running = task.status == "RUNNING"
    delay = _deregister_targets(task) if task.targets else 0.0
    if drain and delay and was_running:
        task.status = "DEACTIVATING"
        _keep(task, delay, _stopping)
    else:
        _stopping(task)
    changed(task)


def _keep(task: Task, seconds: float, do: Callable[[Task], None]) -> None:
    """As _later, for what happens to a task that is stopping: its containers' own timers go on until they end."""
    clock.after(seconds, lambda: do(task))


def _stopping(task: Task) -> None:
    task.status = "STOPPING"
    for timer in task.timers:
        timer.cancel()
    task.timers.clear()
    _keep(task, STOPPING, _containers_ended)


def _containers_ended(task: Task) -> None:
    for one in task.containers:
        if one.status == "RUNNING":
            containers.silence(task, one)
            one.exit_code = 0 if one.exit_code is None else one.exit_code
        one.status = "STOPPED"
    task.ended = clock.now()
    task.status = "DEPROVISIONING" if task.awsvpc else "STOPPING"
    _keep(task, RELEASING if task.awsvpc else 1.0, _released)


def _released(task: Task) -> None:
    interfaces.detach(task)
    task.status, task.stopped_at = "STOPPED", clock.now()
    changed(task)


# -- load balancing ------------------------------------------------------------------------------------------


def _register_targets(task: Task) -> None:
    """ECS registers the task in the target groups of its deployment: by address, or by instance and host port."""
    if task.deployment is None:
        return
    for one in task.deployment.balancers:
        group, port = one.get("targetGroupArn"), int(one.get("containerPort") or 0)
        box = task.container(str(one.get("containerName")))
        if not group or box is None:
            continue
        if task.awsvpc:
            where, number = interfaces.address(task), port
        else:
            bound = next((b for b in box.bindings if b["containerPort"] == port), None)
            if task.instance is None or bound is None:
                continue
            where, number = task.instance.ec2_id, int(bound["hostPort"])
        if balancing.backend(task.region).target_groups.get(group) is None:
            continue
        targets.register(task.region, group, where, number)
        task.targets.append((group, where, number))


def _deregister_targets(task: Task) -> float:
    """Take the task's targets out; how long they drain."""
    longest = 0.0
    for group, where, number in task.targets:
        held = balancing.backend(task.region).target_groups.get(group)
        if held is None:
            continue
        if balancing.balancers_of(task.region, group):
            longest = max(longest, float(held.attributes.get("deregistration_delay.timeout_seconds", 300)))
        targets.deregister(task.region, group, where, number)
    return longest


def target_states(task: Task) -> list[str]:
    """The states of the task's targets."""
    found = [targets.find(task.region, *one) for one in task.targets]
    return [one.state if one else "unused" for one in found]
