"""moto's load balancers, target groups and listeners, found as AWS finds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import account


def backend(region: str) -> Any:
    """The world's load balancing in a region, as moto keeps it."""
    from moto.elbv2.models import elbv2_backends

    return elbv2_backends[account()][region]


def ec2(region: str) -> Any:
    """The world's EC2 in a region, as moto keeps it."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[account()][region]


def target_group(region: str, arn: str) -> Any:
    """The target group. Raises Refused as AWS does."""
    held = backend(region).target_groups.get(arn)
    if held is None:
        raise Refused("TargetGroupNotFound", "One or more target groups not found")
    return held


def load_balancer(region: str, arn: str) -> Any:
    """The load balancer. Raises Refused as AWS does."""
    held = backend(region).load_balancers.get(arn)
    if held is None:
        raise Refused("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return held


def listeners(region: str) -> Iterator[tuple[Any, Any]]:
    """Every listener, with its load balancer."""
    for balancer in backend(region).load_balancers.values():
        for listener in balancer.listeners.values():
            yield balancer, listener


def listener(region: str, arn: str) -> tuple[Any, Any]:
    """(load balancer, listener). Raises Refused as AWS does."""
    for balancer, one in listeners(region):
        if one.arn == arn:
            return balancer, one
    raise Refused("ListenerNotFound", f"One or more listeners not found: '{arn}'")


def groups_of(action: Any) -> list[str]:
    """The ARNs of the target groups that an action (as sent, or moto's) forwards to."""
    data = getattr(action, "data", action) or {}
    listed = (data.get("ForwardConfig") or {}).get("TargetGroups") or []
    named = [one["TargetGroupArn"] for one in listed if one.get("TargetGroupArn")]
    return list(dict.fromkeys([*named, *([data["TargetGroupArn"]] if data.get("TargetGroupArn") else [])]))


def balancers_of(region: str, group: str) -> list[Any]:
    """The load balancers with a listener or a rule that forwards to the target group."""
    found: dict[str, Any] = {}
    for balancer, one in listeners(region):
        for rule in one.rules.values():
            if any(group in groups_of(action) for action in rule.actions):
                found[balancer.arn] = balancer
    return list(found.values())
