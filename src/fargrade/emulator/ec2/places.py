"""What AWS refuses of subnets, interfaces and endpoints, and moto takes.

Source: EC2 API reference, CreateSubnet, CreateNetworkInterface, CreateVpcEndpoint, ModifyVpcAttribute, DeleteSubnet,
"Error codes"; VPC User Guide, "Subnet sizing"; PrivateLink Guide, "Access an AWS service using an interface endpoint".
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator.ec2 import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, follower, refusal
from fargrade.semantics.network.addresses import block, covers

GATEWAY_SERVICES = ("s3", "dynamodb")


@refusal("ec2", "CreateSubnet")
def _subnet_size(call: Call) -> None:
    found = block(str(call.parameters.get("CidrBlock") or ""))
    if found is not None and not 16 <= found.prefixlen <= 28:
        raise Refused("InvalidSubnet.Range", f"The CIDR '{call.parameters['CidrBlock']}' is invalid.")


@refusal("ec2", "CreateNetworkInterface")
def _interface(call: Call) -> None:
    subnet = store.subnet(call.region, call.parameters["SubnetId"])
    for name in call.parameters.get("Groups") or []:
        if store.group(call.region, name).vpc_id != subnet.vpc_id:
            raise Refused(
                "InvalidGroup.NotFound",
                f"You have specified two resources that belong to different networks: {name} and {subnet.id}",
            )
    address = call.parameters.get("PrivateIpAddress")
    if address:
        if not covers(str(subnet.cidr_block), address):
            raise Refused("InvalidParameterValue", f"Address {address} does not fall within the subnet's address range")
        if any(one.private_ip_address == address and one.subnet.vpc_id == subnet.vpc_id for one in _all(call.region)):
            raise Refused("InvalidIPAddress.InUse", f"Address {address} is in use.")


def _all(region: str) -> list[Any]:
    return [one for one in store.interfaces(region) if one.subnet]


@refusal("ec2", "ModifyVpcAttribute")
def _one_attribute_at_a_time(call: Call) -> None:
    given = [name for name in call.parameters if name.startswith("Enable")]
    if len(given) > 1:
        raise Refused("InvalidParameterCombination", f"Fields for multiple attribute types specified: {given}")


@refusal("ec2", "CreateVpcEndpoint")
def _endpoint(call: Call) -> None:
    asked = call.parameters
    vpc = store.vpc(call.region, asked["VpcId"])
    kind = asked.setdefault("VpcEndpointType", "Gateway")
    prefix = f"com.amazonaws.{call.region}."
    service = asked.get("ServiceName", "")
    own = service.removeprefix(prefix)
    if not service.startswith(prefix) or not _offered(call.region, service):
        raise Refused("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    if kind == "Gateway":
        _gateway_endpoint(call, vpc, own, service)
    elif kind == "Interface":
        _interface_endpoint(call, vpc, own, service)


def _offered(region: str, service: str) -> bool:
    """moto knows the names of AWS's endpoint services."""
    from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES, COVERED_ENDPOINT_SERVICES

    return service.removeprefix(f"com.amazonaws.{region}.") in {*AWS_ENDPOINT_SERVICES, *COVERED_ENDPOINT_SERVICES}


def _gateway_endpoint(call: Call, vpc: Any, own: str, service: str) -> None:
    if own not in GATEWAY_SERVICES:
        raise Refused(
            "InvalidParameter",
            f"The Vpc Endpoint Service '{service}' does not support Gateway endpoints",
        )
    asked = call.parameters
    if asked.get("SubnetIds") or asked.get("SecurityGroupIds"):
        raise Refused("InvalidParameter", "Gateway endpoints take route tables, no subnets and no security groups")
    for name in asked.get("RouteTableIds") or []:
        if store.table(call.region, name).vpc_id != vpc.id:
            raise Refused("InvalidParameter", f"Route table {name} does not belong to {vpc.id}")
        for other in store.backend(call.region).vpc_end_points.values():
            if other.state != "deleted" and other.service_name == service and name in (other.route_table_ids or []):
                raise Refused("RouteAlreadyExists", f"route table {name} already has a route to {service}")


def _interface_endpoint(call: Call, vpc: Any, own: str, service: str) -> None:
    asked = call.parameters
    if asked.get("RouteTableIds"):
        raise Refused("InvalidParameter", "Interface endpoints take subnets and security groups, no route tables")
    zones: set[str] = set()
    for name in asked.get("SubnetIds") or []:
        subnet = store.subnet(call.region, name)
        if subnet.vpc_id != vpc.id:
            raise Refused("InvalidParameter", f"Subnet {name} does not belong to {vpc.id}")
        if subnet.availability_zone in zones:
            raise Refused("DuplicateSubnetsInSameZone", "Two of the subnets are in the same availability zone")
        zones.add(subnet.availability_zone)
    for name in asked.get("SecurityGroupIds") or []:
        if store.group(call.region, name).vpc_id != vpc.id:
            raise Refused("InvalidParameter", f"Security group {name} does not belong to {vpc.id}")
    if not asked.get("PrivateDnsEnabled", own not in GATEWAY_SERVICES):
        return
    if not (_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames)):
        raise Refused(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
            f"{vpc.id}",
        )
    for other in store.backend(call.region).vpc_end_points.values():
        same = other.vpc_id == vpc.id and other.service_name == service and other.state != "deleted"
        if same and other.vpc_endpoint_type == "Interface" and _on(other.private_dns_enabled):
            raise Refused(
                "InvalidParameter",
                f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {service} "
                f"in the VPC {vpc.id}",
            )


def _on(value: object) -> bool:
    return str(value).lower() == "true"


@refusal("ec2", "DeleteSubnet")
def _subnet_is_empty(call: Call) -> None:
    from fargrade.emulator.elbv2 import store as elb

    name = call.parameters["SubnetId"]
    store.subnet(call.region, name)
    balanced = any(
        subnet.id == name for one in elb.backend(call.region).load_balancers.values() for subnet in one.subnets
    )
    if balanced or any(one.subnet.id == name for one in _all(call.region)):
        raise Refused("DependencyViolation", f"The subnet '{name}' has dependencies and cannot be deleted.")


@follower("ec2", "CreateVpcEndpoint")
def _as_aws_fills_it_in(call: Call) -> None:
    """A type that is not named is Gateway; an interface endpoint without groups has its VPC's default one."""
    ec2 = store.backend(call.region)
    for endpoint in ec2.vpc_end_points.values():
        endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"
        if endpoint.vpc_endpoint_type == "Interface" and not endpoint.security_group_ids:
            default = ec2.get_default_security_group(endpoint.vpc_id)
            endpoint.security_group_ids = [default.id] if default else []
