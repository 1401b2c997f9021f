"""Where moto's networks are not AWS's: mended in its own classes, one place a repair.

- A VPC's default security group lets in what has the same group. (Upstream: yes.)
- The default VPC has an internet gateway, and its main route table a route to it. (Upstream: yes.)
- An interface's address is one that no other has, and none of the five that AWS keeps of each subnet; in a VPC with
  DNS hostnames off it has no private DNS name rather than no such attribute; in a subnet that assigns IPv6
  addresses it has one. (Upstream: yes.)
- A rule's block is kept in its canonical form: 10.0.0.9/8 is 10.0.0.0/8. (Upstream: yes.)
- An IPv6 block of a subnet has its state once, not a state within a state. (Upstream: yes.)
- A VPC's default network ACL lets IPv6 through from when the VPC has it. (Upstream: yes.)
- The list of machine images is read when it is first asked for, not with each new region of each world: that took a
  tenth of a second, for what hardly any world looks at. (Upstream: yes.)
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from fargrade.emulator.extensions import on_load
from fargrade.emulator.rules import Call, account, follower
from fargrade.semantics.network.addresses import block, covers

KEPT = 4  # the first addresses of a subnet are AWS's, and the last: VPC User Guide, "Subnet sizing"


@on_load("ec2", "ecs", "elbv2")
@lru_cache(maxsize=1)
def mend() -> None:
    """Put the repairs into moto's classes, once."""
    from moto.ec2 import models
    from moto.ec2.models.elastic_network_interfaces import NetworkInterface
    from moto.ec2.models.security_groups import SecurityGroupRule
    from moto.ec2.models.subnets import Subnet

    _images_when_asked_for(models.EC2Backend)
    _default_group_trusts_itself(models.EC2Backend)
    _default_vpc_is_on_the_internet(models.EC2Backend)
    _addresses_are_free(NetworkInterface)
    _one_state_of_an_ipv6_block(Subnet)
    _blocks_are_canonical(SecurityGroupRule)


def _images_when_asked_for(backend: Any) -> None:
    """moto makes 1,300 public images, with a snapshot each, for every new account: a fifth of a second for every world
    with EC2 in it, and few ever look at one. Here they come with the first look. (Upstream: yes, as speed.)
    """
    load = backend._load_amis

    def images(self: Any) -> Any:
        if self.__dict__.pop("_images_to_come", False):
            load(self)
        return self.__dict__["_images"]

    def keep(self: Any, value: Any) -> None:
        self.__dict__["_images"] = value

    backend.amis = property(images, keep)
    backend._load_amis = lambda self: self.__dict__.update(_images_to_come=True)


def _default_group_trusts_itself(backend: Any) -> None:
    """VPC User Guide, "Default security groups": everything from what has the same group is let in."""
    create = backend.create_security_group

    def created(self: Any, *args: Any, **kwargs: Any) -> Any:
        group = create(self, *args, **kwargs)
        if kwargs.get("is_default"):
            self.authorize_security_group_ingress(
                group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}], vpc_id=group.vpc_id
            )
        return group

    backend.create_security_group = created


def _default_vpc_is_on_the_internet(backend: Any) -> None:
    make = backend.__init__

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        default = next((vpc for vpc in self.vpcs.values() if str(vpc.is_default).lower() == "true"), None)
        if default is None:
            return
        gateway = self.create_internet_gateway()
        self.attach_internet_gateway(gateway.id, default.id)
        for table in self.route_tables.values():
            if table.vpc_id == default.id and table.main_association_id:
                self.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)

    backend.__init__ = made


def _addresses_are_free(interface: Any) -> None:
    make = interface.__init__

    def made(self: Any, ec2_backend: Any, subnet: Any, private_ip_address: Any, *args: Any, **kwargs: Any) -> None:
        found = ec2_backend.get_subnet(subnet) if isinstance(subnet, str) else subnet
        named = kwargs.get("private_ip_addresses") or (args[0] if args else None)
        # moto gives the interfaces of NAT gateways and endpoints an address of anywhere.
        elsewhere = isinstance(private_ip_address, str) and not covers(str(found.cidr_block), private_ip_address)
        if (not private_ip_address or elsewhere) and not named and found is not None and found.cidr_block:
            private_ip_address = free_address(ec2_backend, found)
        self.private_dns_name = None
        make(self, ec2_backend, subnet, private_ip_address, *args, **kwargs)
        associations = list(found.ipv6_cidr_block_associations.values()) if found is not None else []
        if associations and found.assign_ipv6_address_on_creation and not self.ipv6_addresses:
            self.ipv6_addresses.append(_free_ipv6(ec2_backend, associations[0]["ipv6CidrBlock"]))

    interface.__init__ = made


def free_address(backend: Any, subnet: Any) -> str:
    """An IPv4 address of the subnet that nothing has yet."""
    from moto.moto_api._internal import mock_random

    held = ipaddress.ip_network(subnet.cidr_block)
    taken = {one.private_ip_address for one in backend.enis.values()}
    taken |= {one["PrivateIpAddress"] for eni in backend.enis.values() for one in eni.private_ip_addresses}
    last = held.num_addresses - 2
    start = mock_random.randrange(KEPT, last + 1)
    for number in range(last - KEPT + 1):
        address = str(held[KEPT + (start + number) % (last - KEPT + 1)])
        if address not in taken:
            return address
    raise RuntimeError(f"{subnet.id} has no free address")


def _free_ipv6(backend: Any, cidr: str) -> str:
    taken = {address for eni in backend.enis.values() for address in eni.ipv6_addresses}
    held = ipaddress.ip_network(cidr)
    return next(str(held[n]) for n in range(0x10, 0x10000) if str(held[n]) not in taken)


def _one_state_of_an_ipv6_block(subnet: Any) -> None:
    def associations(self: Any) -> list[dict[str, Any]]:
        return [
            {
                "ipv6CidrBlock": one["ipv6CidrBlock"],
                "associationId": one["associationId"],
                "ipv6CidrBlockState": {"state": one["ipv6CidrBlockState"]["State"]},
            }
            for one in self.ipv6_cidr_block_associations.values()
            if one["ipv6CidrBlockState"]["State"] == "associated"
        ]

    subnet.ipv6_cidr_block_association_set = property(associations)


def _blocks_are_canonical(rule: Any) -> None:
    make = rule.__init__

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        for key in ("CidrIp", "CidrIpv6"):
            found = block(str((self.ip_range or {}).get(key, "")))
            if found is not None:
                self.ip_range = {**self.ip_range, key: str(found)}

    rule.__init__ = made


@follower("ec2", "CreateVpc", "AssociateVpcCidrBlock")
def _default_acl_lets_ipv6_through(call: Call) -> None:
    """VPC User Guide, "Default network ACL": rules 101 (allow) and 32768 (deny) for ::/0, in both directions."""
    from moto.ec2.models import ec2_backends

    backend: Any = ec2_backends[account()][call.region]
    for acl in backend.network_acls.values():
        vpc = backend.vpcs.get(acl.vpc_id)
        has_ipv6 = vpc is not None and bool(vpc.get_cidr_block_association_set(ipv6=True))
        numbers = {entry.rule_number for entry in acl.network_acl_entries}
        if str(acl.default).lower() == "true" and has_ipv6 and "101" not in map(str, numbers):
            for number, action in ((101, "allow"), (32768, "deny")):
                for egress in (False, True):
                    backend.create_network_acl_entry(
                        network_acl_id=acl.id,
                        rule_number=number,
                        protocol="-1",
                        rule_action=action,
                        egress=egress,
                        cidr_block=None,
                        icmp_code=None,
                        icmp_type=None,
                        port_range_from=None,
                        port_range_to=None,
                        ipv6_cidr_block="::/0",
                    )
