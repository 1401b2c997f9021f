"""What AWS refuses of load balancers, and moto takes.

Source: Elastic Load Balancing API reference (2015-12-01), CreateLoadBalancer, SetSubnets, SetSecurityGroups,
DeleteLoadBalancer; Application Load Balancers Guide, "Subnets for your load balancer".
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator.ec2 import store as ec2
from fargrade.emulator.elbv2 import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, refusal

SMALLEST = 27  # a subnet of a load balancer has at least 32 addresses, 8 of them free


@refusal("elbv2", "CreateLoadBalancer")
def _creation(call: Call) -> None:
    asked = call.parameters
    _name(asked["Name"])
    if asked.get("Subnets") and asked.get("SubnetMappings"):
        raise _invalid("You cannot specify both subnets and subnet mappings")
    kind = asked.get("Type", "application")
    subnets = [_subnet(call.region, name) for name in named_subnets(asked)]
    if kind == "application":
        _two_zones(subnets)
    elif not subnets:
        raise _invalid("At least one subnet must be specified")
    _one_vpc(subnets)
    vpc = subnets[0].vpc_id
    if asked.get("Scheme", "internet-facing") == "internet-facing" and ec2.gateway_of(call.region, vpc) is None:
        raise Refused("InvalidSubnet", f"VPC {vpc} has no internet gateway")
    _groups(call.region, asked.get("SecurityGroups") or [], vpc)
    if str(asked.get("IpAddressType", "ipv4")).startswith("dualstack"):
        for subnet in subnets:
            if not subnet.ipv6_cidr_block_association_set:
                raise _invalid("You must specify subnets with an associated IPv6 CIDR block.")
    _no_other_of_that_name(call, subnets)


def named_subnets(asked: dict[str, Any]) -> list[str]:
    """The subnets of a call, whichever way they are given."""
    return list(asked.get("Subnets") or [one["SubnetId"] for one in asked.get("SubnetMappings") or []])


def _name(name: str) -> None:
    if len(name) > 32:
        raise _invalid(f"The load balancer name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[a-zA-Z0-9-]+", name):
        raise _invalid(f"The load balancer name '{name}' can only contain alphanumeric characters and hyphens(-)")
    if name.startswith("-") or name.endswith("-"):
        raise _invalid(f"The load balancer name '{name}' cannot begin or end with a hyphen(-)")
    if name.startswith("internal-"):
        raise _invalid(f"The load balancer name '{name}' cannot begin with 'internal-'")


def _subnet(region: str, name: str) -> Any:
    try:
        return ec2.subnet(region, name)
    except Refused:
        raise Refused("InvalidSubnet", f"The subnet ID '{name}' is not valid") from None


def _two_zones(subnets: list[Any]) -> None:
    zones = [subnet.availability_zone for subnet in subnets]
    if len({subnet.id for subnet in subnets}) < 2:
        raise _invalid("At least two subnets in two different Availability Zones must be specified")
    if len(set(zones)) < len(zones):
        raise Refused(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    for subnet in subnets:
        if subnet.cidr_block and int(str(subnet.cidr_block).partition("/")[2]) > SMALLEST:
            raise Refused(
                "InvalidSubnet",
                f"Not enough IP space available in {subnet.id}. ELB requires at least 8 free IP addresses.",
            )


def _one_vpc(subnets: list[Any]) -> None:
    vpcs = sorted({subnet.vpc_id for subnet in subnets})
    if len(vpcs) > 1:
        raise Refused("InvalidConfigurationRequest", f"All subnets must belong to the same VPC: {', '.join(vpcs)}")


def _groups(region: str, names: list[str], vpc: str) -> None:
    for name in names:
        if not name.startswith("sg-"):
            raise _invalid(f"Security group '{name}' is not valid")
        try:
            group = ec2.group(region, name)
        except Refused:
            raise Refused("InvalidSecurityGroup", f"Security group '{name}' does not exist") from None
        if group.vpc_id != vpc:
            raise Refused(
                "InvalidConfigurationRequest",
                f"One or more security groups are invalid: {name} does not belong to {vpc}",
            )


def _no_other_of_that_name(call: Call, subnets: list[Any]) -> None:
    """One of the same name and settings is answered with; one of other settings is a duplicate."""
    found = next(
        (one for one in store.backend(call.region).load_balancers.values() if one.name == call.parameters["Name"]), None
    )
    if found is not None and not same(found, call.parameters, [subnet.id for subnet in subnets]):
        raise Refused(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{found.name}' exists, but with different settings",
        )


def same(balancer: Any, asked: dict[str, Any], subnets: list[str]) -> bool:
    """Whether the load balancer has the settings that are asked for."""
    groups = asked.get("SecurityGroups")
    return (
        balancer.scheme == asked.get("Scheme", "internet-facing")
        and balancer.type == asked.get("Type", "application")
        and sorted(subnet.id for subnet in balancer.subnets) == sorted(subnets)
        and (groups is None or sorted(balancer.security_groups or []) == sorted(groups))
    )


@refusal("elbv2", "SetSubnets")
def _new_subnets(call: Call) -> None:
    balancer = store.load_balancer(call.region, call.parameters["LoadBalancerArn"])
    subnets = [_subnet(call.region, name) for name in named_subnets(call.parameters)]
    if balancer.type == "application":
        _two_zones(subnets)
    _one_vpc([*subnets, *balancer.subnets])


@refusal("elbv2", "SetSecurityGroups")
def _new_groups(call: Call) -> None:
    balancer = store.load_balancer(call.region, call.parameters["LoadBalancerArn"])
    if not call.parameters.get("SecurityGroups"):
        raise _invalid("At least one security group must be specified")
    _groups(call.region, call.parameters["SecurityGroups"], balancer.vpc_id)


@refusal("elbv2", "DeleteLoadBalancer")
def _protected(call: Call) -> None:
    balancer = store.backend(call.region).load_balancers.get(call.parameters["LoadBalancerArn"])
    if balancer is not None and str(balancer.attrs.get("deletion_protection.enabled")).lower() == "true":
        raise Refused(
            "OperationNotPermitted",
            f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled",
        )


@refusal("elbv2", "DescribeLoadBalancers")
def _named_ones_exist(call: Call) -> None:
    held = list(store.backend(call.region).load_balancers.values())
    for key, known in (("LoadBalancerArns", {one.arn for one in held}), ("Names", {one.name for one in held})):
        missing = [name for name in call.parameters.get(key) or [] if name not in known]
        if missing:
            raise Refused("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message)
