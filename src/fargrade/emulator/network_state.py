"""The region's network as semantics see it, from moto's objects: for ECS's pulls, health checks and served requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fargrade.emulator import serving
from fargrade.emulator.describing import described
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import account
from fargrade.semantics.network import Network

# Of each part of the snapshot: the operation that describes it, its key in the answer, and moto's objects.
EC2_PARTS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "vpcs": ("DescribeVpcs", "Vpcs", lambda ec2: ec2.vpcs.values()),
    "subnets": ("DescribeSubnets", "Subnets", lambda ec2: ec2.describe_subnets()),
    "route_tables": ("DescribeRouteTables", "RouteTables", lambda ec2: ec2.route_tables.values()),
    "internet_gateways": ("DescribeInternetGateways", "InternetGateways", lambda ec2: ec2.internet_gateways.values()),
    "egress_only_gateways": (
        "DescribeEgressOnlyInternetGateways",
        "EgressOnlyInternetGateways",
        lambda ec2: ec2.egress_only_internet_gateways.values(),
    ),
    "nat_gateways": ("DescribeNatGateways", "NatGateways", lambda ec2: ec2.nat_gateways.values()),
    "security_groups": ("DescribeSecurityGroups", "SecurityGroups", lambda ec2: ec2.describe_security_groups()),
    "network_acls": ("DescribeNetworkAcls", "NetworkAcls", lambda ec2: ec2.network_acls.values()),
    "endpoints": ("DescribeVpcEndpoints", "VpcEndpoints", lambda ec2: ec2.vpc_end_points.values()),
    "interfaces": ("DescribeNetworkInterfaces", "NetworkInterfaces", lambda ec2: ec2.enis.values()),
}
ELB_PARTS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "load_balancers": ("DescribeLoadBalancers", "LoadBalancers", lambda elb: elb.load_balancers.values()),
    "listeners": (
        "DescribeListeners",
        "Listeners",
        lambda elb: [one for balancer in elb.load_balancers.values() for one in balancer.listeners.values()],
    ),
    "target_groups": ("DescribeTargetGroups", "TargetGroups", lambda elb: elb.target_groups.values()),
}


_kept: dict[str, tuple[int, Network]] = {}


@on_reset
def _forget() -> None:
    _kept.clear()


def network(region: str, target_health: Mapping[str, Any] | None = None) -> Network:
    """The network of the world's account in the region, as it is now.

    It is described anew only when something may have changed since (`serving.generation`): thousands ask in an hour.
    """
    now = serving.generation()
    kept = _kept.get(region)
    if kept is None or kept[0] != now:
        kept = _kept[region] = (now, _described_network(region))
    return replace(kept[1], target_health=target_health) if target_health else kept[1]


def _described_network(region: str) -> Network:
    from moto.ec2.models import ec2_backends
    from moto.ec2.responses import EC2Response
    from moto.elbv2.models import elbv2_backends
    from moto.elbv2.responses import ELBV2Response

    ec2 = ec2_backends[account()][region]
    elb = elbv2_backends[account()][region]
    parts: dict[str, Any] = {
        name: described("ec2", operation, {key: list(objects(ec2))}, EC2Response)[key]
        for name, (operation, key, objects) in EC2_PARTS.items()
    }
    parts |= {
        name: described("elbv2", operation, {key: list(objects(elb))}, ELBV2Response)[key]
        for name, (operation, key, objects) in ELB_PARTS.items()
    }
    reservations = described(
        "ec2", "DescribeInstances", {"Reservations": list(ec2.reservations.values())}, EC2Response
    )["Reservations"]
    lists: list[Any] = list(ec2.managed_prefix_lists.values())
    return Network(
        region,
        **parts,
        instances=[instance for one in reservations for instance in one["Instances"]],
        rules={arn: _rules(listener, ELBV2Response) for arn, listener in _listeners(elb)},
        prefix_lists={one.id: [entry["Cidr"] for entry in one.entries.get(one.version) or []] for one in lists},
        prefix_list_names={one.id: one.prefix_list_name for one in lists},
        dns={vpc.id: (_true(vpc.enable_dns_support), _true(vpc.enable_dns_hostnames)) for vpc in ec2.vpcs.values()},
    )


def _listeners(elb: Any) -> list[tuple[str, Any]]:
    return [pair for balancer in elb.load_balancers.values() for pair in balancer.listeners.items()]


def _rules(listener: Any, response: type) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = described(
        "elbv2", "DescribeRules", {"Rules": list(listener.rules.values())}, response
    )["Rules"]
    return rules


def _true(value: object) -> bool:
    """moto keeps an attribute as it was sent: a boolean, or its text."""
    return str(value).lower() == "true"
