"""The region's network, read through the grader's own clients: the same on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fargrade.backends.lacking import Lacking
from fargrade.semantics.network import Hop, Network, Path


@dataclass(frozen=True)
class Served:
    """What a client got: the status (0: nothing came back), what answered (`by`: image, task, container …), the way.

    `target` is the load balancer's target that was chosen (Id, Port), `location` where a redirect leads.
    """

    status: int
    path: Path
    by: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, Any] | None = None
    location: str = ""
    body: str = ""

    @property
    def answered(self) -> bool:
        """Whether something behind the network answered, whatever its status."""
        return self.path.open and self.status > 0


def served(told: Mapping[str, Any]) -> Served:
    """A request's outcome, as the emulator tells it."""
    path = Path(tuple(Hop(**hop) for hop in told["hops"]))
    return Served(told["status"], path, told["by"], told["target"], told["location"], told["body"])


# Of each part of the snapshot: the operation that describes it, and its key in the answer.
EC2_PARTS = {
    "vpcs": ("describe_vpcs", "Vpcs"),
    "subnets": ("describe_subnets", "Subnets"),
    "route_tables": ("describe_route_tables", "RouteTables"),
    "internet_gateways": ("describe_internet_gateways", "InternetGateways"),
    "egress_only_gateways": ("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways"),
    "nat_gateways": ("describe_nat_gateways", "NatGateways"),
    "security_groups": ("describe_security_groups", "SecurityGroups"),
    "network_acls": ("describe_network_acls", "NetworkAcls"),
    "endpoints": ("describe_vpc_endpoints", "VpcEndpoints"),
    "interfaces": ("describe_network_interfaces", "NetworkInterfaces"),
}
ELB_PARTS = {
    "load_balancers": ("describe_load_balancers", "LoadBalancers"),
    "target_groups": ("describe_target_groups", "TargetGroups"),
}


def read_network(client: Callable[[str], Any], region: str) -> Network:
    """Describe everything that decides who reaches whom. `client` makes a boto3 client of a service."""
    ec2 = client("ec2")
    parts: dict[str, Any] = {name: list(_all(ec2, *how)) for name, how in EC2_PARTS.items()}
    try:
        elb = client("elbv2")
        parts |= {name: list(_all(elb, *how)) for name, how in ELB_PARTS.items()}
    except Lacking:  # where the service is not to be had, there are no load balancers
        parts |= {name: [] for name in ELB_PARTS}
    listeners = [
        one
        for balancer in parts["load_balancers"]
        for one in _all(elb, "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
    ]
    lists = list(_all(ec2, "describe_managed_prefix_lists", "PrefixLists"))
    return Network(
        region,
        **parts,
        listeners=listeners,
        instances=[one for held in _all(ec2, "describe_instances", "Reservations") for one in held["Instances"]],
        rules={
            one["ListenerArn"]: list(_all(elb, "describe_rules", "Rules", ListenerArn=one["ListenerArn"]))
            for one in listeners
        },
        prefix_lists={one["PrefixListId"]: _entries(ec2, one["PrefixListId"]) for one in lists},
        prefix_list_names={one["PrefixListId"]: one["PrefixListName"] for one in lists},
        dns={
            vpc["VpcId"]: (_attribute(ec2, vpc, "Support"), _attribute(ec2, vpc, "Hostnames")) for vpc in parts["vpcs"]
        },
        target_health={
            one["TargetGroupArn"]: elb.describe_target_health(TargetGroupArn=one["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
            for one in parts["target_groups"]
        },
    )


def _all(client: Any, operation: str, key: str, **asked: Any) -> Iterator[Any]:
    """Every entry of a described list, to the last page."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**asked):
            yield from page[key]
    else:
        yield from getattr(client, operation)(**asked)[key]


def _entries(ec2: Any, name: str) -> list[str]:
    return [one["Cidr"] for one in _all(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=name)]


def _attribute(ec2: Any, vpc: dict[str, Any], which: str) -> bool:
    said = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=f"enableDns{which}")
    return bool(said[f"EnableDns{which}"]["Value"])
