"""The traffic of a deployment: which of the two target groups the listeners forward to, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargrade.emulator import inner

if TYPE_CHECKING:
    from fargrade.emulator.codedeploy.deployments import Deployment


def steps(routing: dict[str, Any]) -> list[tuple[int, float]]:
    """(per cent of the traffic, minutes until the next step) of a configuration, the last at 100."""
    if routing.get("type") == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [(int(canary["canaryPercentage"]), float(canary["canaryInterval"])), (100, 0)]
    if routing.get("type") == "TimeBasedLinear":
        linear = routing["timeBasedLinear"]
        step, minutes = int(linear["linearPercentage"]), float(linear["linearInterval"])
        return [*((percent, minutes) for percent in range(step, 100, step)), (100, 0)]
    return [(100, 0)]


def pair(one: Deployment) -> tuple[str, str]:
    """(blue, green): the ARNs of the target group that is in use, and of the other."""
    listed = one.group["loadBalancerInfo"]["targetGroupPairInfoList"][0]["targetGroups"]
    held = {
        group["TargetGroupName"]: group["TargetGroupArn"]
        for group in inner.client("elbv2", one.region).describe_target_groups()["TargetGroups"]
    }
    first, second = (held[group["name"]] for group in listed)
    used = {balancer.get("targetGroupArn") for balancer in one.blue.balancers}
    return (second, first) if second in used else (first, second)


def _listeners(one: Deployment, route: str) -> list[str]:
    pairs = one.group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    return list((pairs.get(route) or {}).get("listenerArns") or ())


def _forward(one: Deployment, listeners: list[str], percent: int) -> None:
    """Have the listeners' default actions forward so much to the green group."""
    weights = [(one.green_group, percent), (one.blue_group, 100 - percent)]
    wanted = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    for arn in listeners:
        inner.client("elbv2", one.region).modify_listener(
            ListenerArn=arn,
            DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": wanted}}],
        )


def prepare(one: Deployment) -> None:
    """The production listener knows the green group, with none of the traffic: its targets are checked from now on."""
    production(one, 0)


def test(one: Deployment) -> None:
    """The test listener, if there is one, goes to the green tasks."""
    _forward(one, _listeners(one, "testTrafficRoute"), 100)


def production(one: Deployment, percent: int) -> None:
    """The production listener sends so much to the green tasks."""
    one.weight = percent
    _forward(one, _listeners(one, "prodTrafficRoute"), percent)


def back(one: Deployment) -> None:
    """All traffic is the blue tasks' again."""
    one.weight = 0
    _forward(one, _listeners(one, "prodTrafficRoute") + _listeners(one, "testTrafficRoute"), 0)
