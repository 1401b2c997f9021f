"""The service scheduler: it brings a service to its desired count, replaces what fails, and rolls deployments out.

Sources: "Amazon ECS service deployments by replacing tasks" (developerguide/deployment-type-ecs.html), "How the Amazon
ECS deployment circuit breaker detects failures" (deployment-circuit-breaker.html), "Amazon ECS service event messages"
(service-event-messages-list.html), "Amazon ECS service throttle logic" (service-throttle-logic.html).
"""

from __future__ import annotations

import math
from datetime import timedelta

from fargrade.emulator import clock
from fargrade.emulator.ecs import life, placement, store, tasks
from fargrade.emulator.ecs.model import ContainerInstance, Deployment, Service, Task
from fargrade.emulator.elbv2 import targets
from fargrade.emulator.errors import Refused

SOON, TICK, RETRY = 0.5, 10.0, 30.0
STEADY_AFTER = 10.0  # seconds that a task runs before it counts as running well
MOST_EVENTS = 100
AT_A_TIME = 10  # tasks started in one go
FAILED_TO_START = ("TaskFailedToStart", "EssentialContainerExited")
NO_INSTANCE = "was unable to place a task because no container instance met all of its requirements."
WHY = {
    "RESOURCE:CPU": "The closest matching (container-instance {id}) has insufficient CPU units available.",
    "RESOURCE:MEMORY": "The closest matching (container-instance {id}) has insufficient memory available.",
    "RESOURCE:PORTS": "The closest matching (container-instance {id}) is already using a port required by your task.",
    "RESOURCE:ENI": "The closest matching (container-instance {id}) has insufficient elastic network interfaces "
    "available.",
    "ATTRIBUTE": "The closest matching (container-instance {id}) is missing an attribute required by your task.",
    "MEMBEROF": "The closest matching (container-instance {id}) does not satisfy the placement constraints.",
    "DISTINCT": "The closest matching (container-instance {id}) already runs a task of this service.",
    "AGENT": 'The closest matching (container-instance {id}) encountered error "AGENT".',
}
BLOCKED = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
    "Update the minimumHealthyPercent or maximumPercent value and try again."
)
TROUBLE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."

BREAKER, EXCEEDED = "ECS deployment circuit breaker", "the circuit breaker threshold was exceeded."


def touch(service: Service, seconds: float = SOON) -> None:
    """Have the scheduler look at the service within `seconds`."""
    when = clock.now() + timedelta(seconds=seconds)
    if service.due is not None and not service.due.cancelled and service.due.when <= when:
        return
    if service.due is not None:
        service.due.cancel()
    service.due = clock.at(when, lambda: _look(service))


def _look(service: Service) -> None:
    from fargrade.emulator.ecs import shifting

    service.due = None
    if service.status == "INACTIVE":
        return
    if service.status == "DRAINING":
        _drain(service)
        return
    _judge(service)
    if service.controller != "ECS":
        _scale_sets(service)
    elif service.daemon:
        _one_on_each(service)
    elif service.kind == "ROLLING" or len(service.deployments) == 1:
        _roll(service)
    else:
        shifting.advance(service)
    if service.controller == "ECS":
        _conclude(service)
    if not service.steady or any(one.state == "IN_PROGRESS" for one in service.deployments):
        touch(service, TICK)


@life.watch
def _task_changed(task: Task) -> None:
    service = task.service
    if service is None:
        return
    if task.desired == "STOPPED" and task.stop_code in FAILED_TO_START and not task.counted and task.deployment:
        task.counted = True
        failed(service, task.deployment)
    touch(service)


@targets.on_health
def _target_changed(target: targets.Registered) -> None:
    for cluster in store.region(target.region).clusters.values():
        for task in cluster.live_tasks():
            if task.service and (target.group, target.id, target.port) in task.targets:
                touch(task.service)


# -- judging -------------------------------------------------------------------------------------------------


def good(task: Task) -> bool:
    """Whether the task runs well: for a while, its own health checks passing and its targets healthy."""
    if not task.running or task.started is None:
        return False
    if (clock.now() - task.started).total_seconds() < STEADY_AFTER or life.health(task) == "UNHEALTHY":
        return False
    checked = any(one.essential and one.given.get("healthCheck") for one in task.containers)
    if checked and life.health(task) != "HEALTHY":
        return False
    expected = len([one for one in task.deployment.balancers if one.get("targetGroupArn")]) if task.deployment else 0
    states = life.target_states(task)
    # Targets that no listener forwards to are not checked: nothing can be held against them.
    return len(states) >= expected and all(one in ("healthy", "unused") for one in states)


def _judge(service: Service) -> None:
    """Stop the tasks that are unhealthy: others come in their place."""
    grace = float(service.given.get("healthCheckGracePeriodSeconds") or 0)
    for task in service.tasks():
        if not task.running or task.started is None:
            continue
        why = ""
        if life.health(task) == "UNHEALTHY":
            why = "Task failed container health checks"
        elif (clock.now() - task.started).total_seconds() >= grace:
            why = _failing_target(service, task)
        elif "unhealthy" in life.target_states(task):
            touch(service, grace - (clock.now() - task.started).total_seconds())
        if why:
            life.stop(task, "ServiceSchedulerInitiated", why)
            if task.deployment and not task.counted:
                task.counted = True
                failed(service, task.deployment)
        elif task.deployment and good(task):
            task.deployment.streak = 0


def _failing_target(service: Service, task: Task) -> str:
    for (group, where, port), state in zip(task.targets, life.target_states(task), strict=True):
        if state == "unhealthy":
            held = targets.find(task.region, group, where, port)
            why = held.health[2] if held else ""
            event(service, f"(port {port}) is unhealthy in (target-group {group}) due to (reason {why}).")
            return f"Task failed ELB health checks in (target-group {group})"
    return ""


def failed(service: Service, deployment: Deployment) -> None:
    """A task of the deployment has failed: the next waits longer, and the circuit breaker may trip."""
    deployment.failed += 1
    deployment.streak += 1
    deployment.updated = clock.now()
    if deployment.streak >= 3:
        wait = min(15.0 * 2 ** (deployment.streak - 3), 900.0)
        deployment.not_before = clock.now() + timedelta(seconds=wait)
        if deployment.streak in (3, 6, 12):
            event(service, f"is unable to consistently start tasks successfully. {TROUBLE}")
    breaker = service.settings.get("deploymentCircuitBreaker") or {}
    live = deployment.state == "IN_PROGRESS" and deployment.status == "PRIMARY"
    counted = deployment.streak if breaker.get("resetOnHealthyTask", True) else deployment.failed
    if breaker.get("enable") and live and counted >= threshold(service):
        deployment.breaker = "TRIGGERED"
        fail(service, deployment, "tasks failed to start.", roll_back=bool(breaker.get("rollback")))


def threshold(service: Service) -> int:
    """Failures that trip the circuit breaker: half the desired count, from 3 to 200, where nothing else is asked for.

    They are counted in a row, unless resetOnHealthyTask is off. Source: API_ThresholdConfiguration.html.
    """
    asked = (service.settings.get("deploymentCircuitBreaker") or {}).get("thresholdConfiguration") or {}
    kind, value = asked.get("type") or "BOUNDED_PERCENT", int(asked.get("value") or 50)
    if kind == "COUNT":
        return value
    share = math.ceil(service.desired * value / 100)
    return max(3, min(200, share)) if kind == "BOUNDED_PERCENT" else max(1, share)


def fail(
    service: Service, deployment: Deployment, why: str, *, roll_back: bool, by: str = BREAKER, because: str = EXCEEDED
) -> None:
    """The deployment has failed: it is rolled back to the last that was completed, if so wanted and there is one.

    `by` is what found it out, `because` how a rollback says it. Words of the circuit breaker and of hooks: observed,
    github.com/hashicorp/terraform-provider-aws, internal/service/ecs, and public logs of deployments.
    """
    from fargrade.emulator.ecs import shifting

    deployment.state = "FAILED"
    deployment.reason = f"{by}: {why}"
    deployment.updated = clock.now()
    event(service, f"(deployment {deployment.id}) deployment failed: {why}")
    # Also one whose tasks are all gone by now, where no task needed to stay healthy.
    last = next((one for one in service.history if one is not deployment and one.outcome == "SUCCESSFUL"), None)
    if not roll_back or last is None:
        deployment.outcome = "ROLLBACK_FAILED" if roll_back else "STOPPED"
        deployment.finished = clock.now()
        return
    event(service, f"rolling back to {'deployment ' + last.id}.")
    deployment.outcome = "ROLLBACK_IN_PROGRESS"
    deployment.rollback = {
        "reason": f"Service deployment rolled back because {because}",
        "startedAt": clock.now(),
        "serviceRevisionArn": last.revision.arn,
    }
    restore(service, deployment, last, by)
    shifting.back(service, deployment, last)


def restore(service: Service, deployment: Deployment, last: Deployment, by: str = BREAKER) -> None:
    """The last good deployment is the primary one again."""
    deployment.status, deployment.desired = "ACTIVE", 0
    last.status, last.state, last.desired = "PRIMARY", "IN_PROGRESS", service.desired
    last.reason = f"{by}: rolling back to deploymentId {last.id}."
    last.updated = clock.now()
    last.not_before, last.streak = None, 0
    service.deployments = [last, *[one for one in service.deployments if one is not last]]
    service.given["taskDefinition"] = last.revision.definition.arn
    service.steady = False


# -- converging ----------------------------------------------------------------------------------------------


def bounds(service: Service) -> tuple[int, int]:
    """(the least healthy tasks, the most tasks) of the service during a deployment."""
    least, most = service.settings.get("minimumHealthyPercent"), service.settings.get("maximumPercent")
    least = 100 if least is None else least
    most = 200 if most is None else most
    return math.ceil(service.desired * least / 100), max(1, math.floor(service.desired * most / 100))


def _roll(service: Service) -> None:
    primary = service.primary
    if primary is None:
        return
    primary.desired = service.desired
    lower, upper = bounds(service)
    new = service.tasks_of(primary)
    old = [task for task in service.tasks() if task.alive and task.deployment is not primary]
    if primary.state != "FAILED":
        room = upper - len(new) - len(old) if old else service.desired - len(new)
        start(service, primary, min(service.desired - len(new), room))
        healthy = sum(map(good, [*new, *old]))
        stopped = [task for task in old if not good(task)]
        stopped += [task for task in old if good(task) and not _protected(task)][: max(0, healthy - lower)]
        _stop(service, primary, stopped)
        waits = old and not stopped and len(new) < service.desired and room <= 0
        if waits and all(map(good, [*new, *old])) and not any(map(_protected, old)):
            event(service, BLOCKED)
    if len(new) > service.desired:
        _stop(service, primary, surplus(new, len(new) - service.desired))


def surplus(candidates: list[Task], count: int) -> list[Task]:
    """The tasks to stop at scale-in: those that do not run well first, then of the fullest zone, the oldest last."""
    zones = {task.zone: sum(one.zone == task.zone for one in candidates) for task in candidates}
    free = [one for one in candidates if not _protected(one)]
    order = sorted(free, key=lambda one: (good(one), -zones[one.zone], -one.created.timestamp()))
    return order[:count]


def _protected(task: Task) -> bool:
    """Whether neither scale-in nor a deployment may end it yet: API_UpdateTaskProtection.html."""
    return task.protected is not None and task.protected > clock.now()


def start(service: Service, deployment: Deployment, count: int) -> None:
    """Start up to `count` tasks of the deployment, if it is not waiting after failures."""
    if count <= 0:
        return
    if deployment.not_before and deployment.not_before > clock.now():
        touch(service, (deployment.not_before - clock.now()).total_seconds() + 0.1)
        return
    made = []
    for _ in range(min(count, AT_A_TIME)):
        task = _started(service, deployment)
        if task is None:
            break
        made.append(task)
    if made:
        service.steady = False
        listed = " ".join(f"(task {one.id})" for one in made)
        event(service, f"has started {len(made)} tasks: {listed}.")
    if len(made) < count:
        touch(service, TICK)


def _started(service: Service, deployment: Deployment, instance: ContainerInstance | None = None) -> Task | None:
    revision = deployment.revision
    running: dict[str, int] = {}
    for task in service.tasks_of(deployment):
        running[task.provider] = running.get(task.provider, 0) + 1
    provider = tasks.chosen_provider(revision.strategy, running) if revision.strategy else ""
    fargate = provider in store.FARGATE_PROVIDERS if provider else revision.launch_type == "FARGATE"
    if not fargate and instance is None:
        instance, misfits = placement.place(
            service.cluster,
            revision.definition,
            provider=provider,
            constraints=[
                *(service.given.get("placementConstraints") or []),
                *revision.definition.given.get("placementConstraints", []),
            ],
            strategy=service.given.get("placementStrategy") or [],
            group=f"service:{service.name}",
        )
        if instance is None:
            _not_placed(service, deployment, misfits)
            return None
    try:
        return life.make(
            service.cluster,
            revision.definition,
            launch_type="FARGATE" if fargate else "EC2",
            provider=provider,
            platform=tasks.PLATFORM if fargate and revision.platform in ("", "LATEST") else revision.platform,
            network=revision.network,
            instance=instance,
            service=service,
            deployment=deployment,
            group=f"service:{service.name}",
            started_by=deployment.id,
            tags=_tags(service, revision.definition.tags),
            execute=bool(service.given.get("enableExecuteCommand")),
        )
    except Refused as refused:
        event(service, f"failed to launch a task with (error {refused.message})")
        failed(service, deployment)
        return None


def _tags(service: Service, of_definition: list[dict[str, object]]) -> list[dict[str, object]]:
    match service.given.get("propagateTags"):
        case "SERVICE":
            return list(service.tags)
        case "TASK_DEFINITION":
            return list(of_definition)
        case _:
            return []


def _not_placed(service: Service, deployment: Deployment, misfits: list[tuple[ContainerInstance, str]]) -> None:
    why = "Reason: No Container Instances were found in your cluster."
    if misfits:
        closest, lacks = misfits[0]
        why = "Reason: " + WHY.get(lacks, WHY["ATTRIBUTE"]).format(id=closest.id)
    event(service, f"{NO_INSTANCE} {why} {TROUBLE}")
    deployment.not_before = clock.now() + timedelta(seconds=RETRY)
    touch(service, RETRY + 0.1)


def _stop(service: Service, primary: Deployment, wanted: list[Task]) -> None:
    if not wanted:
        return
    listed = " ".join(f"(task {one.id})" for one in wanted)
    event(service, f"has stopped {len(wanted)} running tasks: {listed}.")
    for task in wanted:
        life.stop(
            task, "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {primary.id})", drain=True
        )


def _one_on_each(service: Service) -> None:
    """The DAEMON strategy: one task on each active instance, the old one stopped first."""
    primary = service.primary
    if primary is None:
        return
    active = [one for one in service.cluster.instances.values() if one.status == "ACTIVE" and one.connected]
    service.desired = primary.desired = len(active)
    old = [task for task in service.tasks() if task.alive and task.deployment is not primary]
    _stop(service, primary, old)
    for instance in active:
        if not any(task.instance is instance for task in service.tasks()):
            _started(service, primary, instance)


def _scale_sets(service: Service) -> None:
    """A service that CodeDeploy or another controls: each task set keeps its own share of the desired count."""
    for one in service.deployments:
        one.desired = math.ceil(service.desired * one.scale / 100)
        new = service.tasks_of(one)
        start(service, one, one.desired - len(new))
        if len(new) > one.desired:
            _stop(service, one, surplus(new, len(new) - one.desired))
    settled = all(sum(map(good, service.tasks_of(one))) == one.desired for one in service.deployments)
    if settled and not service.steady:
        event(service, "has reached a steady state.")
    service.steady = settled


# -- concluding ----------------------------------------------------------------------------------------------


def _conclude(service: Service) -> None:
    """Take away deployments that have nothing left, and complete the primary one when the service is steady."""
    from fargrade.emulator.ecs import deployment_alarms

    primary = service.primary
    if primary is None:
        return
    for one in list(service.deployments):
        if one is not primary and one.status == "ACTIVE" and not _remains(service, one) and not one.green:
            if primary.state == "FAILED":
                continue
            service.deployments.remove(one)
            if one.outcome == "ROLLBACK_IN_PROGRESS":
                one.finished = clock.now()
    healthy = sum(map(good, service.tasks_of(primary)))
    steady = healthy == service.desired == len(service.tasks_of(primary)) and len(service.deployments) == 1
    if steady and primary.state == "IN_PROGRESS" and deployment_alarms.baked(service, primary):
        primary.state = "COMPLETED"
        primary.reason = f"ECS deployment {primary.id} completed."
        primary.updated = primary.finished = clock.now()
        for one in service.history:
            if one.outcome == "ROLLBACK_IN_PROGRESS":
                one.outcome, one.finished = "ROLLBACK_SUCCESSFUL", clock.now()
        primary.outcome = "SUCCESSFUL"
        if primary.breaker == "MONITORING":
            primary.breaker = "MONITORING_COMPLETE"
        event(service, f"(deployment {primary.id}) deployment completed.")
    if steady and not service.steady:
        event(service, "has reached a steady state.")
    service.steady = steady


def _remains(service: Service, deployment: Deployment) -> bool:
    return any(task.deployment is deployment for task in service.tasks())


def _drain(service: Service) -> None:
    """A deleted service stops its tasks, and is INACTIVE when the last has stopped."""
    for task in service.tasks():
        life.stop(
            task, "ServiceSchedulerInitiated", "Service scheduler stopped the task: service is deleted", drain=False
        )
    if not service.tasks():
        service.status = "INACTIVE"
        service.deployments = []


def event(service: Service, words: str) -> None:
    """An event of the service, "(service NAME) …"; the newest first, the last hundred. None twice in a row."""
    message = f"(service {service.name}) {words}"
    if service.events and service.events[0]["message"] == message:
        service.events[0]["createdAt"] = clock.now()
        return
    service.events.insert(0, {"id": store.new_id(32), "createdAt": clock.now(), "message": message})
    del service.events[MOST_EVENTS:]
