"""A CodeDeploy deployment of an ECS service, event by event on the world's clock.

BeforeInstall → Install (the green task set) → AfterInstall → AllowTestTraffic → AfterAllowTestTraffic →
BeforeAllowTraffic → AllowTraffic (shifted as the configuration says) → AfterAllowTraffic; then the blue task set waits,
and goes. Sources: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html,
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fargrade.emulator import clock, functions, inner, rules
from fargrade.emulator.acting import first_denial
from fargrade.emulator.codedeploy import groups, traffic
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.semantics.pipeline.blue_green import AppSpec

SECONDS_EACH = 5.0
LOOKS = 10.0
MOST_INSTALL = timedelta(minutes=60)
EVENTS = (
    *("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic"),
    *("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"),
)
ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass
class Deployment:
    """One deployment. `green` and `blue` are ECS's task sets; `weight` is the green one's share of the traffic."""

    identity: str
    region: str
    group: dict[str, Any]
    spec: AppSpec | None
    revision: dict[str, Any]
    config: str
    creator: str = "user"
    description: str = ""
    status: str = "Created"
    created: datetime = field(default_factory=clock.now)
    ended: datetime | None = None
    error: dict[str, str] = field(default_factory=dict)
    rollback: dict[str, str] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    green: Any = None
    blue: Any = None
    service: Any = None
    blue_group: str = ""
    green_group: str = ""
    weight: int = 0
    shifted: bool = False
    auto_rollback: tuple[str, ...] = ()
    ready: bool = False

    @property
    def role(self) -> str:
        return str(self.group["serviceRoleArn"])

    @property
    def going(self) -> bool:
        return self.status not in ENDED


_deployments: dict[str, Deployment] = {}


@on_reset
def _new() -> None:
    _deployments.clear()


def find(identity: str) -> Deployment:
    """The deployment. Raises Refused."""
    if identity not in _deployments:
        raise Refused("DeploymentDoesNotExistException", f"The deployment {identity} could not be found")
    return _deployments[identity]


def all_deployments(region: str) -> list[Deployment]:
    """Every deployment of the region, newest first."""
    return [one for one in reversed(_deployments.values()) if one.region == region]


def new_identity() -> str:
    """An id as CodeDeploy makes them: d-A1B2C3D4E."""
    from moto.moto_api._internal import mock_random

    return "d-" + "".join(mock_random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(9))


def begin(made: Deployment) -> Deployment:
    """Start the deployment. Raises Refused where its group has one under way."""
    for one in _deployments.values():
        if one.group is made.group and one.going:
            name = made.group["deploymentGroupName"]
            raise Refused(
                "DeploymentLimitExceededException",
                f"The Deployment Group '{name}' already has an active Deployment '{one.identity}'",
            )
    _deployments[made.identity] = made
    clock.after(SECONDS_EACH, lambda: _start(made))
    return made


def _start(one: Deployment) -> None:
    if not one.going:
        return
    one.status = "InProgress"
    _watch(one)
    _next(one, "")


def _watch(one: Deployment) -> None:
    """Look at the group's alarms as long as the deployment goes on."""
    if not one.going:
        return
    settings = one.group.get("alarmConfiguration") or {}
    names = [alarm["name"] for alarm in settings.get("alarms") or ()] if settings.get("enabled") else []
    if names and any(state == "ALARM" for state in _states(one.region, names)):
        one.error = {"code": "ALARM_ACTIVE", "message": f"One or more alarms have been activated: {', '.join(names)}"}
        _halt(one, "Stopped", "DEPLOYMENT_STOP_ON_ALARM")
        return
    clock.after(LOOKS, lambda: _watch(one))


def _states(region: str, names: list[str]) -> list[str]:
    found = inner.client("cloudwatch", region).describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return [str(alarm["StateValue"]) for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found.get(kind, ())]


def _next(one: Deployment, done: str) -> None:
    """Go on with the event that follows `done`."""
    if not one.going:
        return
    if done:
        one.events[done] |= {"status": "Succeeded", "endTime": clock.now()}
    following = EVENTS[EVENTS.index(done) + 1] if done in EVENTS[:-1] else EVENTS[0] if not done else ""
    if not following:
        _terminate_blue(one)
        return
    if following == "BeforeAllowTraffic" and not one.ready and _waits_to_be_continued(one):
        return
    one.events[following] = {"lifecycleEventName": following, "status": "InProgress", "startTime": clock.now()}
    steps: dict[str, Callable[[Deployment], None]] = {
        "Install": _install,
        "AllowTestTraffic": _allow_test_traffic,
        "AllowTraffic": _allow_traffic,
    }
    clock.after(SECONDS_EACH, lambda: _run(one, following, steps.get(following)))


def _run(one: Deployment, event: str, step: Callable[[Deployment], None] | None) -> None:
    if not one.going:
        return
    if step:
        step(one)
        return
    function = one.spec.hooks.get(event) if one.spec else None
    if function:
        _call(one, event, function)
    else:
        _next(one, event)


def _call(one: Deployment, event: str, function: str) -> None:
    """Call a hook's function, and take what it reports."""
    why = functions.call(function, deployment=one.identity, event=event, weight=one.weight)
    if why:
        one.events[event]["status"] = "Failed"
        fail(one, "HEALTH_CONSTRAINTS", why)
    else:
        clock.after(SECONDS_EACH, lambda: _next(one, event))


def _install(one: Deployment) -> None:
    """Bring up the green task set."""
    from fargrade.emulator.ecs import store, tasksets

    assert one.spec is not None
    named = one.group["ecsServices"][0]
    cluster = store.find_cluster(one.region, named["clusterName"])
    one.service = store.find_service(cluster, named["serviceName"]) if cluster else None
    if one.service is None or one.service.status != "ACTIVE":
        fail(one, "INVALID_ECS_SERVICE", f"The ECS service {named['serviceName']} cannot be found")
        return
    if found := _denial(one):
        fail(one, "IAM_ROLE_PERMISSIONS", found)
        return
    try:
        definition = store.definition(one.region, one.spec.task_definition)
    except Refused as refused:
        fail(one, "ECS_UPDATE_ERROR", f"The ECS service cannot be updated: {refused.message}")
        return
    ports = {
        (box["name"], mapping.get("containerPort"))
        for box in definition.containers
        for mapping in box.get("portMappings") or ()
    }
    if (one.spec.container, one.spec.port) not in ports:
        fail(
            one,
            "ECS_UPDATE_ERROR",
            f"The ECS service cannot be updated: The container {one.spec.container} did not have a container port "
            f"{one.spec.port} defined.",
        )
        return
    one.blue = one.service.primary
    one.blue_group, one.green_group = traffic.pair(one)
    target = {
        "targetGroupArn": one.green_group,
        "containerName": one.spec.container,
        "containerPort": one.spec.port,
    }
    traffic.prepare(one)
    one.green = tasksets.create(one.service, definition, [target])
    _look(one, clock.now() + MOST_INSTALL)


def _denial(one: Deployment) -> str:
    """Why the group's role may not do what a deployment takes; "" where it may."""
    wanted = [
        ("ecs:DescribeServices", "*"),
        ("ecs:CreateTaskSet", "*"),
        ("ecs:UpdateServicePrimaryTaskSet", "*"),
        ("ecs:DeleteTaskSet", "*"),
        ("elasticloadbalancing:ModifyListener", "*"),
    ]
    return first_denial(one.role, wanted, region=one.region, session="codedeploy")


def _look(one: Deployment, until: datetime) -> None:
    """Wait for the green tasks to be healthy."""
    from fargrade.emulator.ecs import tasksets

    if not one.going:
        return
    if tasksets.stable(one.service, one.green):
        _next(one, "Install")
    elif clock.now() >= until:
        one.events["Install"]["status"] = "Failed"
        fail(
            one,
            "TIMEOUT",
            "The deployment timed out while waiting for the replacement task set to become healthy. This time out "
            "period is 60 minutes.",
        )
    else:
        clock.after(LOOKS, lambda: _look(one, until))


def _waits_to_be_continued(one: Deployment) -> bool:
    """STOP_DEPLOYMENT: wait for ContinueDeployment, and stop if it does not come."""
    option = (one.group.get("blueGreenDeploymentConfiguration") or {}).get("deploymentReadyOption") or {}
    if option.get("actionOnTimeout") != "STOP_DEPLOYMENT":
        return False
    one.status = "Ready"
    minutes = float(option.get("waitTimeInMinutes") or 0)

    def give_up() -> None:
        if one.status == "Ready":
            one.error = {"code": "MANUAL_STOP", "message": "Nobody continued the deployment in time"}
            _halt(one, "Stopped", "DEPLOYMENT_FAILURE")

    clock.after(minutes * 60, give_up)
    return True


def go_on(one: Deployment) -> None:
    """ContinueDeployment: traffic may shift now. Raises Refused."""
    if one.status != "Ready":
        raise Refused("DeploymentIsNotInReadyStateException", "The deployment is not ready to be continued")
    one.status, one.ready = "InProgress", True
    _next(one, "AfterAllowTestTraffic")


def _allow_test_traffic(one: Deployment) -> None:
    traffic.test(one)
    _next(one, "AllowTestTraffic")


def _allow_traffic(one: Deployment) -> None:
    steps = traffic.steps(groups.routing(one.region, one.config))
    _shift(one, steps)


def _shift(one: Deployment, steps: list[tuple[int, float]]) -> None:
    """Shift the traffic of the first of the steps, and the others after their time."""
    if not one.going:
        return
    (percent, minutes), rest = steps[0], steps[1:]
    traffic.production(one, percent)
    if rest:
        clock.after(minutes * 60, lambda: _shift(one, rest))
        return
    one.shifted = True
    from fargrade.emulator.ecs import tasksets

    tasksets.promote(one.service, one.green)
    _next(one, "AllowTraffic")


def _terminate_blue(one: Deployment) -> None:
    """All traffic is the green tasks': the blue ones wait, for a way back, and go."""
    settings = one.group["blueGreenDeploymentConfiguration"]["terminateBlueInstancesOnDeploymentSuccess"]
    minutes = float(settings.get("terminationWaitTimeInMinutes") or 0)

    def gone() -> None:
        if not one.going:
            return
        if settings.get("action", "TERMINATE") == "TERMINATE":
            from fargrade.emulator.ecs import tasksets

            tasksets.delete(one.service, one.blue)
        _end(one, "Succeeded")

    clock.after(minutes * 60, gone)


def fail(one: Deployment, code: str, message: str) -> None:
    """The deployment has failed; it rolls back if it was asked to."""
    one.error = {"code": code, "message": message}
    _halt(one, "Failed", "DEPLOYMENT_FAILURE")


def stop(one: Deployment, *, roll_back: bool) -> None:
    """StopDeployment."""
    one.error = {"code": "MANUAL_STOP", "message": "The deployment was stopped by a user"}
    _halt(one, "Stopped", "" if not roll_back else "by hand")


def _halt(one: Deployment, status: str, event: str) -> None:
    rolls_back = event == "by hand" or event in one.auto_rollback
    _end(one, status)
    if rolls_back:
        _roll_back(one)


def _roll_back(one: Deployment) -> None:
    """A deployment of the old revision: its tasks are still there, and get their traffic back."""
    again = Deployment(new_identity(), one.region, one.group, one.spec, one.revision, one.config, "codeDeployRollback")
    again.status = "InProgress"
    _deployments[again.identity] = again
    one.rollback = {"rollbackDeploymentId": again.identity, "rollbackMessage": one.error.get("message", "")}
    again.rollback = {"rollbackTriggeringDeploymentId": one.identity}
    if one.green is not None:
        from fargrade.emulator.ecs import tasksets

        traffic.back(one)
        if one.shifted:
            tasksets.promote(one.service, one.blue)
        tasksets.delete(one.service, one.green)
    clock.after(SECONDS_EACH, lambda: _end(again, "Succeeded"))


def _end(one: Deployment, status: str) -> None:
    if one.going:
        one.status, one.ended = status, clock.now()


def described(one: Deployment) -> dict[str, Any]:
    """As GetDeployment shows it."""
    shown: dict[str, Any] = {
        "applicationName": one.group["applicationName"],
        "deploymentGroupName": one.group["deploymentGroupName"],
        "deploymentConfigName": one.config,
        "deploymentId": one.identity,
        "revision": one.revision,
        "status": one.status,
        "createTime": one.created,
        "creator": one.creator,
        "description": one.description,
        "computePlatform": "ECS",
        "deploymentStyle": one.group.get("deploymentStyle"),
        "blueGreenDeploymentConfiguration": one.group.get("blueGreenDeploymentConfiguration"),
        "loadBalancerInfo": one.group.get("loadBalancerInfo"),
        "instanceTerminationWaitTimeStarted": one.shifted,
        "deploymentOverview": {
            name: int(one.status in states)
            for name, states in (
                ("Pending", ("Created",)),
                ("InProgress", ("InProgress",)),
                ("Ready", ("Ready",)),
                ("Succeeded", ("Succeeded",)),
                ("Failed", ("Failed",)),
                ("Skipped", ("Stopped",)),
            )
        },
    }
    more = {"errorInformation": one.error, "rollbackInfo": one.rollback, "completeTime": one.ended}
    return {**shown, **{key: value for key, value in more.items() if value}}


def target(one: Deployment) -> dict[str, Any]:
    """As GetDeploymentTarget shows the service."""
    named = one.group["ecsServices"][0]
    arn = f"arn:aws:ecs:{one.region}:{rules.account()}:service/{named['clusterName']}/{named['serviceName']}"
    sets = [("BLUE", one.blue, 100 - one.weight, one.blue_group), ("GREEN", one.green, one.weight, one.green_group)]
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": one.identity,
            "targetId": f"{named['clusterName']}:{named['serviceName']}",
            "targetArn": arn,
            "lastUpdatedAt": clock.now(),
            "status": one.status if one.status != "Created" else "Pending",
            "lifecycleEvents": [one.events[name] for name in EVENTS if name in one.events],
            "taskSetsInfo": [
                {
                    "identifer": held.external,
                    "desiredCount": held.desired,
                    "status": held.status,
                    "trafficWeight": float(weight),
                    "targetGroup": {"name": place.split("/")[1] if "/" in place else ""},
                    "taskSetLabel": label,
                }
                for label, held, weight, place in sets
                if held is not None
            ],
        },
    }
