"""moto's networks, found as AWS finds them: an id that is not there is refused with its own code.

Source of the codes: EC2 API reference, "Error codes for the Amazon EC2 API" (errors-overview).
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import account

ID = re.compile(r"[0-9a-f]{8}([0-9a-f]{9})?")


def backend(region: str) -> Any:
    """The world's EC2 in a region, as moto keeps it."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[account()][region]


def subnet(region: str, name: str) -> Any:
    """The subnet. Raises Refused."""
    for zone in backend(region).subnets.values():
        if name in zone:
            return zone[name]
    raise Refused("InvalidSubnetID.NotFound", f"The subnet ID '{name}' does not exist")


def group(region: str, name: str) -> Any:
    """The security group of that id. Raises Refused."""
    found = backend(region).get_security_group_from_id(name)
    if found is not None:
        return found
    if not name.startswith("sg-") or not ID.fullmatch(name[3:]):
        raise Refused("InvalidGroupId.Malformed", f'Invalid id: "{name}" (expecting "sg-...")')
    raise Refused("InvalidGroup.NotFound", f"The security group '{name}' does not exist")


def vpc(region: str, name: str) -> Any:
    """The VPC. Raises Refused."""
    found = backend(region).vpcs.get(name)
    if found is None:
        raise Refused("InvalidVpcID.NotFound", f"The vpc ID '{name}' does not exist")
    return found


def table(region: str, name: str) -> Any:
    """The route table. Raises Refused."""
    found = backend(region).route_tables.get(name)
    if found is None:
        raise Refused("InvalidRouteTableID.NotFound", f"The routeTable ID '{name}' does not exist")
    return found


def gateway_of(region: str, vpc_id: str) -> Any:
    """The internet gateway attached to the VPC, None without one."""
    gateways = backend(region).internet_gateways.values()
    return next((one for one in gateways if one.vpc is not None and one.vpc.id == vpc_id), None)


def interfaces(region: str) -> list[Any]:
    return list(backend(region).enis.values())
