"""ECS's own blue/green deployments: the green revision comes up beside the blue, traffic shifts, and may shift back.

BLUE_GREEN shifts all at once, CANARY a part first, LINEAR in equal steps; each bakes before the blue one goes.
Sources: "Amazon ECS blue/green deployments" (developerguide/deployment-type-blue-green.html, blue-green-deployment-
how-it-works.html), "canary" and "linear deployments" beside it; API_DeploymentConfiguration.html for the defaults.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fargrade.emulator import acting, clock, serving
from fargrade.emulator.ecs import life, lifecycle_hooks, scheduling
from fargrade.emulator.ecs.model import DEFAULT_BAKE_MINUTES, Deployment, Service
from fargrade.emulator.elbv2 import store as balancing

UNDER_WAY = ("SCALE_UP", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME")
TESTED = ("TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT")
SHIFTING = 10.0  # until a load balancer goes by its new weights
SHIFT_ACTIONS = ("elasticloadbalancing:ModifyRule", "elasticloadbalancing:ModifyListener")


def advance(service: Service) -> None:
    """Take the deployment that is under way one step on, if its time has come."""
    green = service.primary
    if green is None or green.state != "IN_PROGRESS":
        return
    blue = next((one for one in service.deployments if one is not green), None)
    if blue is None:
        return
    if blue.state == "FAILED":  # rolled back: the traffic is where it was, and only the failed tasks have yet to go
        scheduling.start(service, green, service.desired - len(service.tasks_of(green)))
        return
    if not green.stage:
        if not lifecycle_hooks.passed(service, green, "RECONCILE_SERVICE", "PRE_SCALE_UP"):
            return
        _begin(service, green, blue)
    green.desired = service.desired
    if green.stage in UNDER_WAY:
        scheduling.start(service, green, service.desired - len(service.tasks_of(green)))
    if green.rollback is None and green.stage in UNDER_WAY:
        keep = blue.desired - len(service.tasks_of(blue))
        scheduling.start(service, blue, keep)
    if green.not_before and green.not_before > clock.now():
        scheduling.touch(service, (green.not_before - clock.now()).total_seconds() + 0.1)
        return
    if green.stage == "SCALE_UP":
        if sum(map(scheduling.good, service.tasks_of(green))) >= service.desired:
            if not lifecycle_hooks.passed(service, green, "POST_SCALE_UP"):
                return
            _enter(service, green, "TEST_TRAFFIC_SHIFT")
            if weigh_test(service, green, blue, 100):
                green.not_before = clock.now() + timedelta(seconds=SHIFTING)
                scheduling.touch(service, SHIFTING + 0.1)
    elif green.stage == "TEST_TRAFFIC_SHIFT":
        if not lifecycle_hooks.passed(service, green, *TESTED):
            return
        _enter(service, green, "PRODUCTION_TRAFFIC_SHIFT")
        _shift(service, green, blue)
    elif green.stage == "PRODUCTION_TRAFFIC_SHIFT":
        _shift(service, green, blue)
    elif green.stage == "BAKE_TIME":
        _enter(service, green, "CLEAN_UP")
        green.green = False
        blue.desired = 0
        for task in service.tasks_of(blue):
            words = f"Scaling activity initiated by (deployment {green.id})"
            life.stop(task, "ServiceSchedulerInitiated", words, drain=True)


def _enter(service: Service, green: Deployment, stage: str) -> None:
    green.stage, green.updated = stage, clock.now()
    scheduling.touch(service)


def _begin(service: Service, green: Deployment, blue: Deployment) -> None:
    """The green tasks are registered in the target group that the blue ones are not in."""
    green.balancers = [_other(one, blue) for one in green.revision.balancers]
    green.weight, blue.weight, green.green = 0.0, 100.0, True
    blue.desired = service.desired
    _weigh(service, green, blue)
    _enter(service, green, "SCALE_UP")


def _other(one: dict[str, Any], blue: Deployment) -> dict[str, Any]:
    advanced = one.get("advancedConfiguration") or {}
    pair = [one.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")]
    taken = {held.get("targetGroupArn") for held in blue.balancers}
    free = next((group for group in pair if group and group not in taken), pair[0])
    return {**one, "targetGroupArn": free}


def steps(service: Service) -> list[tuple[float, float]]:
    """(per cent of the traffic, minutes to bake at it) of each step; the last is all of it, and its own bake."""
    settings = service.settings
    bake = float(settings.get("bakeTimeInMinutes", DEFAULT_BAKE_MINUTES))
    if service.kind == "CANARY":
        canary = settings.get("canaryConfiguration") or {}
        return [
            (float(canary.get("canaryPercent", 5)), float(canary.get("canaryBakeTimeInMinutes", 10))),
            (100.0, bake),
        ]
    if service.kind == "LINEAR":
        linear = settings.get("linearConfiguration") or {}
        step, wait = float(linear.get("stepPercent", 10)), float(linear.get("stepBakeTimeInMinutes", 6))
        parts = []
        percent = step
        while percent < 100:
            parts.append((percent, wait))
            percent += step
        return [*parts, (100.0, bake)]
    return [(100.0, bake)]


def _shift(service: Service, green: Deployment, blue: Deployment) -> None:
    """Shift the next step's traffic, and wait as long as it bakes."""
    following = next(((percent, wait) for percent, wait in steps(service) if percent > green.weight), None)
    if following is None:
        _enter(service, green, "BAKE_TIME")
        return
    percent, wait = following
    if why := _may_not_shift(service, green):
        scheduling.event(service, f"(deployment {green.id}) unable to shift traffic: {why}")
        green.not_before = clock.now() + timedelta(seconds=scheduling.RETRY)
        return
    green.weight, blue.weight = percent, 100.0 - percent
    _weigh(service, green, blue)
    green.not_before = clock.now() + timedelta(seconds=SHIFTING + wait * 60)
    if percent >= 100:
        _enter(service, green, "BAKE_TIME")
        clock.after(SHIFTING, lambda: _shifted(service, green))
    scheduling.touch(service, SHIFTING + wait * 60 + 0.1)


def _shifted(service: Service, green: Deployment) -> None:
    """All traffic has shifted: the last hooks are called while the blue tasks are still there."""
    if green.stage == "BAKE_TIME" and green.state == "IN_PROGRESS":
        lifecycle_hooks.passed(service, green, "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")


def _may_not_shift(service: Service, green: Deployment) -> str:
    """Why the load balancer's role may not shift the traffic; "" where it may."""
    for one in green.revision.balancers:
        advanced = one.get("advancedConfiguration") or {}
        rule = advanced.get("productionListenerRule")
        if not rule:
            continue
        action = SHIFT_ACTIONS[0 if ":listener-rule/" in rule else 1]
        if why := acting.denial(advanced.get("roleArn", ""), action, rule, region=service.region, session="ecs"):
            return why
    return ""


def weigh_test(service: Service, green: Deployment, blue: Deployment, percent: int) -> bool:
    """Give the test rules, if there are any, to the green revision (100) or the blue one (0); whether there are."""
    blues = {one.get("containerName"): one.get("targetGroupArn") for one in blue.balancers}
    found = False
    for one in green.balancers:
        rule = (one.get("advancedConfiguration") or {}).get("testListenerRule")
        old, new = blues.get(one.get("containerName")), one.get("targetGroupArn")
        if rule and old and new and old != new:
            found = True
            weigh(service.region, rule, {new: percent, old: 100 - percent})
    return found


def _weigh(service: Service, green: Deployment, blue: Deployment) -> None:
    """Give the production rules the weights of the two target groups."""
    blues = {one.get("containerName"): one.get("targetGroupArn") for one in blue.balancers}
    for one in green.balancers:
        rule = (one.get("advancedConfiguration") or {}).get("productionListenerRule")
        old, new = blues.get(one.get("containerName")), one.get("targetGroupArn")
        if rule and old and new and old != new:
            weigh(service.region, rule, {new: round(green.weight), old: round(blue.weight)})


def weigh(region: str, name: str, weights: dict[str, int]) -> None:
    """Have the listener rule (or the listener's default action) of this ARN forward by these weights."""
    data = {
        "Type": "forward",
        "Order": 1,
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }
    from moto.elbv2.models import FakeAction

    for _, listener in balancing.listeners(region):
        for arn, rule in listener.rules.items():
            if name in (arn, getattr(rule, "arn", None)) or (
                name == listener.arn and getattr(rule, "is_default", False)
            ):
                rule.actions = [FakeAction(data)]
                if getattr(rule, "is_default", False):
                    listener.default_actions = [FakeAction(data)]
    serving.changed()


def back(service: Service, green: Deployment, blue: Deployment) -> None:
    """The traffic is the blue revision's again, at once; the green tasks go."""
    if service.kind == "ROLLING" or not green.stage:
        return
    green.weight, blue.weight, green.green = 0.0, 100.0, False
    _weigh(service, green, blue)
    weigh_test(service, green, blue, 0)
    blue.stage = ""
    for task in service.tasks_of(green):
        words = f"Scaling activity initiated by (deployment {blue.id})"
        life.stop(task, "ServiceSchedulerInitiated", words, drain=True)
