"""What AWS refuses of gateways, routes and their tables, and moto takes.

Source: EC2 API reference, CreateRoute, ReplaceRoute, AssociateRouteTable, AttachInternetGateway,
DetachInternetGateway, CreateNatGateway, and "Error codes".
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator import clock, serving
from fargrade.emulator.ec2 import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, follower, refusal
from fargrade.semantics.network.addresses import block

TARGETS = (
    *("GatewayId", "NatGatewayId", "EgressOnlyInternetGatewayId", "InstanceId", "NetworkInterfaceId"),
    *("TransitGatewayId", "VpcPeeringConnectionId", "VpcEndpointId", "LocalGatewayId", "CarrierGatewayId"),
    "CoreNetworkArn",
)
DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
NAT_TAKES = 60.0  # seconds until a NAT gateway is available, or has failed


@refusal("ec2", "AttachInternetGateway")
def _one_gateway_a_vpc(call: Call) -> None:
    vpc = store.vpc(call.region, call.parameters["VpcId"])
    held = store.gateway_of(call.region, vpc.id)
    asked = store.backend(call.region).internet_gateways.get(call.parameters["InternetGatewayId"])
    if held is not None and asked is not None and asked.vpc is None:
        raise Refused(
            "InvalidParameterValue",
            f"Network {vpc.id} already has an internet gateway attached",
        )


@refusal("ec2", "DetachInternetGateway")
def _nothing_public_is_left(call: Call) -> None:
    """Public addresses in the VPC (of NAT gateways, of interfaces, of load balancers) hold its gateway."""
    from fargrade.emulator.elbv2 import store as elb

    vpc = call.parameters["VpcId"]
    ec2 = store.backend(call.region)
    addressed = any(one.public_ip for one in ec2.enis.values() if one.subnet and one.subnet.vpc_id == vpc)
    through_nat = any(
        one.vpc_id == vpc and one.connectivity_type != "private" and one.state in ("pending", "available")
        for one in ec2.nat_gateways.values()
    )
    balanced = any(
        one.vpc_id == vpc and one.scheme == "internet-facing"
        for one in elb.backend(call.region).load_balancers.values()
    )
    if addressed or through_nat or balanced:
        raise Refused(
            "DependencyViolation",
            f"Network {vpc} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway.",
        )


@refusal("ec2", "CreateRoute", "ReplaceRoute")
def _route(call: Call) -> None:
    asked = call.parameters
    table = store.table(call.region, asked["RouteTableId"])
    given = [name for name in DESTINATIONS if asked.get(name)]
    if len(given) != 1:
        raise Refused(
            "MissingParameter" if not given else "InvalidParameterCombination",
            "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, "
            "destinationPrefixListId",
        )
    _destination(asked, given[0])
    targets = [name for name in TARGETS if asked.get(name)]
    if len(targets) != 1 and not asked.get("LocalTarget"):
        raise Refused(
            "MissingParameter" if not targets else "InvalidParameterCombination",
            "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, "
            "vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId or instanceId",
        )
    if targets:
        _target(call.region, table, targets[0], asked[targets[0]], ipv6=given[0] == "DestinationIpv6CidrBlock")


def _destination(asked: dict[str, Any], name: str) -> None:
    if name == "DestinationPrefixListId":
        return
    found = block(str(asked[name]))
    version = 6 if name == "DestinationIpv6CidrBlock" else 4
    if found is None or found.version != version or "/" not in asked[name]:
        parameter = name[0].lower() + name[1:]
        raise Refused(
            "InvalidParameterValue",
            f"Value ({asked[name]}) for parameter {parameter} is invalid. This is not a valid CIDR block.",
        )


def _target(region: str, table: Any, parameter: str, name: str, *, ipv6: bool) -> None:
    """AWS takes a NAT gateway's id as GatewayId, too, and knows it for what it is."""
    ec2 = store.backend(region)
    if parameter == "GatewayId" and name.startswith("igw-"):
        gateway = ec2.internet_gateways.get(name)
        if gateway is None:
            raise Refused("InvalidInternetGatewayID.NotFound", f"The internetGateway ID '{name}' does not exist")
        if gateway.vpc is None or gateway.vpc.id != table.vpc_id:
            raise _networks("route table", table.id, "network gateway", name)
    elif parameter == "GatewayId" and not name.startswith(("nat-", "vgw-", "vpce-", "local")):
        raise Refused("InvalidGatewayID.NotFound", f"The gateway ID '{name}' does not exist")
    elif name.startswith("nat-") or parameter == "NatGatewayId":
        gateway = ec2.nat_gateways.get(name)
        if gateway is None or gateway.state == "deleted":
            raise Refused("InvalidNatGatewayID.NotFound", f"The natGateway ID '{name}' does not exist")
        if gateway.vpc_id != table.vpc_id:
            raise _networks("route table", table.id, "NAT gateway", name)
    elif parameter == "EgressOnlyInternetGatewayId":
        gateway = ec2.egress_only_internet_gateways.get(name)
        if gateway is None:
            raise Refused("InvalidGatewayID.NotFound", f"The eigw ID '{name}' does not exist")
        if gateway.vpc_id != table.vpc_id:
            raise _networks("route table", table.id, "egress-only internet gateway", name)
        if not ipv6:
            raise Refused(
                "InvalidParameterCombination",
                "An egress-only internet gateway is for IPv6 traffic: use destinationIpv6CidrBlock",
            )


def _networks(kind: str, name: str, other_kind: str, other: str) -> Refused:
    return Refused("InvalidParameterValue", f"{kind} {name} and {other_kind} {other} belong to different networks")


@refusal("ec2", "AssociateRouteTable")
def _association(call: Call) -> None:
    table = store.table(call.region, call.parameters["RouteTableId"])
    name = call.parameters.get("SubnetId")
    if not name:
        return
    subnet = store.subnet(call.region, name)
    if subnet.vpc_id != table.vpc_id:
        raise _networks("Route table", table.id, "subnet", name)
    for other in store.backend(call.region).route_tables.values():
        if other.id != table.id and name in other._associations.values():
            raise Refused(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association",
            )


@refusal("ec2", "CreateNatGateway")
def _nat(call: Call) -> None:
    if call.parameters.get("AvailabilityMode") == "regional":
        # On AWS it spans the zones of a VPC and needs no subnet. Said plainly, as the brief of 4.1 says it.
        raise Refused("UnsupportedOperation", "The course's EC2 has no regional NAT gateways: name a subnet (zonal).")
    if not call.parameters.get("SubnetId"):
        raise Refused("MissingParameter", "The request must contain the parameter SubnetId")
    store.subnet(call.region, call.parameters["SubnetId"])
    public = call.parameters.get("ConnectivityType", "public") == "public"
    if public and not call.parameters.get("AllocationId"):
        raise Refused("MissingParameter", "The request must contain the parameter AllocationId")
    if not public and call.parameters.get("AllocationId"):
        raise Refused(
            "InvalidParameterCombination", "A private NAT gateway cannot have an Elastic IP address (AllocationId)"
        )


@follower("ec2", "CreateNatGateway")
def _nat_takes_its_time(call: Call) -> None:
    """Pending for a minute; then available, or failed in a VPC without an internet gateway (Gateway.NotAttached)."""
    for gateway in store.backend(call.region).nat_gateways.values():
        if not hasattr(gateway, "fargrade_due"):
            gateway.state = "pending"
            gateway.fargrade_due = clock.after(NAT_TAKES, lambda one=gateway: _settle(call.region, one))  # type: ignore[misc]


def _settle(region: str, gateway: Any) -> None:
    if gateway.state != "pending":
        return
    failed = gateway.connectivity_type != "private" and store.gateway_of(region, gateway.vpc_id) is None
    gateway.state = "failed" if failed else "available"
    if failed:
        gateway.failure_code = "Gateway.NotAttached"
        gateway.failure_message = f"Network {gateway.vpc_id} has no Internet gateway attached"
    serving.changed()
