"""A task's own network interface: made in moto's EC2, where everybody sees it, and gone with the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fargrade.emulator import serving
from fargrade.emulator.ecs import store
from fargrade.emulator.ecs.model import Task
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import account
from fargrade.semantics.network import Host


def ec2(region: str) -> Any:
    """moto's EC2 of the region."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[account()][region]


def check_network(region: str, network: Mapping[str, Any] | None) -> None:
    """Raise Refused where a subnet or a security group of an awsvpc configuration is none, or of another VPC.

    Words: InvalidParameterException, "Error retrieving subnet information for [subnet-x]: The subnet ID 'subnet-x'
    does not exist (ErrorCode: InvalidSubnetID.NotFound)" and the like for security groups.
    """
    if not network:
        return
    backend = ec2(region)
    vpcs = set()
    for name in network.get("subnets") or ():
        subnet = _subnet(backend, name)
        if subnet is None:
            raise store.invalid(
                f"Error retrieving subnet information for [{name}]: The subnet ID '{name}' does not exist "
                "(ErrorCode: InvalidSubnetID.NotFound)"
            )
        vpcs.add(subnet.vpc_id)
    if len(vpcs) > 1:
        raise store.invalid("Subnets must be in the same VPC.")
    for name in network.get("securityGroups") or ():
        group = backend.get_security_group_from_id(name)
        if group is None:
            raise store.invalid(
                f"Error retrieving security group information for [{name}]: The security group '{name}' does not exist "
                "(ErrorCode: InvalidGroup.NotFound)"
            )
        if vpcs and group.vpc_id not in vpcs:
            raise store.invalid("The specified security groups and subnets must be in the same VPC.")


def _subnet(backend: Any, name: str) -> Any:
    return next((held[name] for held in backend.subnets.values() if name in held), None)


def attach(task: Task, subnet: str) -> None:
    """Give the task an interface in the subnet, with the VPC's default group where it names none. Raises Refused."""
    network = (task.network or {}).get("awsvpcConfiguration") or {}
    backend = ec2(task.region)
    held = _subnet(backend, subnet)
    if held is None:
        raise Refused("InvalidParameterException", f"The subnet ID '{subnet}' does not exist")
    groups = list(network.get("securityGroups") or []) or [_default_group(backend, held.vpc_id)]
    made = backend.create_network_interface(
        held,
        None,
        group_ids=groups,
        description=task.arn.replace(":task/", ":attachment/").rpartition("/")[0] + "/" + store.new_id(32),
        tags={},
    )
    made.interface_type = "interface"
    made.requester_managed = True
    made.status = "in-use"
    if network.get("assignPublicIp") == "ENABLED":
        _give_public_address(made)
    serving.touched()
    task.interface = made.id
    task.zone = held.availability_zone
    details = {
        "subnetId": held.id,
        "networkInterfaceId": made.id,
        "macAddress": made.mac_address,
        "privateDnsName": getattr(made, "private_dns_name", None),
        "privateIPv4Address": made.private_ip_address,
    }
    if made.ipv6_addresses:
        details["ipv6Address"] = str(made.ipv6_addresses[0])
    task.attachment = {
        "id": f"{store.new_id(8)}-{store.new_id(4)}-{store.new_id(4)}-{store.new_id(4)}-{store.new_id(12)}",
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }


def _give_public_address(made: Any) -> None:
    """A public IPv4 address of Amazon's, as an instance gets one: no Elastic IP, gone with the interface."""
    from moto.moto_api._internal import mock_random

    made.public_ip_auto_assign = True
    made.public_ip = (
        f"54.{mock_random.randrange(144, 255)}.{mock_random.randrange(256)}.{mock_random.randrange(1, 255)}"
    )


def _default_group(backend: Any, vpc: str) -> str:
    held = backend.groups.get(vpc, {})
    found = next((one for one in held.values() if one.name == "default"), None)
    if found is None:
        raise Refused("InvalidParameterException", f"The VPC {vpc} has no default security group.")
    return str(found.id)


def detach(task: Task) -> None:
    """Take the task's interface away: its address is free again."""
    if not task.interface:
        return
    ec2(task.region).enis.pop(task.interface, None)
    if task.attachment:
        task.attachment["status"] = "DELETED"
    serving.silence(task.interface)


def address(task: Task) -> str:
    """The task's own private address; its instance's where it has none; "" while it has neither."""
    if task.attachment:
        return next((one["value"] for one in task.attachment["details"] if one["name"] == "privateIPv4Address"), "")
    return ""


def host(task: Task) -> Host | None:
    """Where the task's traffic comes from, for questions to the network: its interface, or its instance's."""
    backend = ec2(task.region)
    if task.interface:
        found = backend.enis.get(task.interface)
    else:
        found = instance_interface(backend, task.instance.ec2_id) if task.instance else None
    return host_of(found) if found is not None else None


def host_of(found: Any) -> Host:
    """An interface of moto's as the network sees it."""
    return Host(
        found.id,
        found.subnet.id,
        tuple(group.id for group in found.group_set),
        found.private_ip_address or "",
        getattr(found, "public_ip", None) or "",
        str(found.ipv6_addresses[0]) if found.ipv6_addresses else "",
    )


def instance_interface(backend: Any, instance: str) -> Any:
    """The first interface of an EC2 instance; None for one that is not there."""
    held = next((one for group in backend.reservations.values() for one in group.instances if one.id == instance), None)
    nics = getattr(held, "nics", None) or {}
    return next(iter(nics.values()), None)
