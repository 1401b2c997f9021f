"""A region's network as it is at one moment: what the describe calls of EC2 and ELBv2 return, put together.

Every entry is the dict that boto3 returns, so that the same questions can be asked of any backend's answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fargrade.semantics.network.addresses import covers, ipv4_blocks, ipv6_blocks, some_address

Described = Mapping[str, Any]
Many = Sequence[Described]


@dataclass(frozen=True)
class Host:
    """A network interface, one that is there or one that could be: `groups` and addresses decide what it reaches.

    `public` is its public IPv4 address (any true text where only its being there matters), "" without one.
    """

    name: str
    subnet: str
    groups: tuple[str, ...]
    address: str = ""
    public: str = ""
    ipv6: str = ""

    def addressed(self, like: str) -> str:
        """Its private IPv4 address, or its IPv6 one where `like` is IPv6."""
        return self.ipv6 if ":" in like else self.address


@dataclass(frozen=True)
class Internet:
    """Somebody outside of AWS."""

    address: str = "203.0.113.80"

    @property
    def name(self) -> str:
        return "internet"


@dataclass(frozen=True)
class Network:
    """The snapshot. `rules` and `target_health` are by listener and by target group ARN; `prefix_lists` hold
    the blocks of each list by its id; `dns` the (support, hostnames) attributes of each VPC."""

    region: str
    vpcs: Many = ()
    subnets: Many = ()
    route_tables: Many = ()
    internet_gateways: Many = ()
    egress_only_gateways: Many = ()
    nat_gateways: Many = ()
    security_groups: Many = ()
    network_acls: Many = ()
    endpoints: Many = ()
    interfaces: Many = ()
    instances: Many = ()
    load_balancers: Many = ()
    listeners: Many = ()
    target_groups: Many = ()
    prefix_lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prefix_list_names: Mapping[str, str] = field(default_factory=dict)
    dns: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    rules: Mapping[str, Many] = field(default_factory=dict)
    target_health: Mapping[str, Many] = field(default_factory=dict)

    # -- finding ------------------------------------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[str, Described]:
        keyed: list[tuple[str, Iterable[Described]]] = [
            ("VpcId", self.vpcs),
            ("SubnetId", self.subnets),
            ("RouteTableId", self.route_tables),
            ("InternetGatewayId", self.internet_gateways),
            ("EgressOnlyInternetGatewayId", self.egress_only_gateways),
            ("NatGatewayId", self.nat_gateways),
            ("GroupId", self.security_groups),
            ("VpcEndpointId", self.endpoints),
            ("NetworkInterfaceId", self.interfaces),
            ("InstanceId", self.instances),
            ("LoadBalancerArn", self.load_balancers),
            ("ListenerArn", self.listeners),
            ("TargetGroupArn", self.target_groups),
        ]
        return {one[key]: one for key, many in keyed for one in many if key in one}

    def find(self, name: str) -> Described | None:
        """What has this id or ARN."""
        return self._index.get(name)

    def subnet(self, name: str) -> Described:
        """The subnet. Raises KeyError."""
        return self._index[name]

    def vpc_of(self, subnet: str) -> str:
        return str(self._index[subnet]["VpcId"])

    def zone_of(self, subnet: str) -> str:
        return str(self._index[subnet]["AvailabilityZone"])

    @cached_property
    def _tables(self) -> tuple[dict[str, Described], dict[str, Described]]:
        by_subnet, mains = {}, {}
        for table in self.route_tables:
            for association in table.get("Associations", []):
                if association.get("Main"):
                    mains[table["VpcId"]] = table
                elif association.get("SubnetId"):
                    by_subnet[association["SubnetId"]] = table
        return by_subnet, mains

    def route_table_of(self, subnet: str) -> Described | None:
        """The table that the subnet is associated with, else its VPC's main one."""
        by_subnet, mains = self._tables
        return by_subnet.get(subnet) or mains.get(self.vpc_of(subnet))

    def acl_of(self, subnet: str) -> Described | None:
        """The network ACL that the subnet is associated with, else its VPC's default one."""
        default = None
        for acl in self.network_acls:
            if any(one.get("SubnetId") == subnet for one in acl.get("Associations", [])):
                return acl
            if acl.get("IsDefault") and acl["VpcId"] == self.vpc_of(subnet):
                default = acl
        return default

    def default_group_of(self, vpc: str) -> str:
        """The id of the VPC's default security group, "" where it is not described."""
        found = (
            one["GroupId"] for one in self.security_groups if one["GroupName"] == "default" and one["VpcId"] == vpc
        )
        return next(found, "")

    def gateway_of(self, vpc: str) -> Described | None:
        """The internet gateway that is attached to the VPC."""
        for gateway in self.internet_gateways:
            for attachment in gateway.get("Attachments", []):
                if attachment.get("VpcId") == vpc and attachment.get("State", "available") in ("available", "attached"):
                    return gateway
        return None

    def in_vpc(self, vpc: str, address: str) -> bool:
        """Whether the address is one of the VPC's own."""
        described = self._index.get(vpc, {})
        return any(covers(cidr, address) for cidr in [*ipv4_blocks(described), *ipv6_blocks(described)])

    def subnet_holding(self, vpc: str, address: str) -> Described | None:
        """The subnet of the VPC that the address lies in."""
        for subnet in self.subnets:
            if subnet["VpcId"] == vpc:
                cidrs = [subnet["CidrBlock"]] if subnet.get("CidrBlock") else []
                if any(covers(cidr, address) for cidr in [*cidrs, *ipv6_blocks(subnet)]):
                    return subnet
        return None

    # -- hosts --------------------------------------------------------------------------------------------

    def host(self, interface: Described) -> Host:
        """The host behind an interface, as described."""
        ipv6 = interface.get("Ipv6Addresses") or [{}]
        return Host(
            interface["NetworkInterfaceId"],
            interface["SubnetId"],
            tuple(group["GroupId"] for group in interface.get("Groups", [])),
            interface.get("PrivateIpAddress", ""),
            interface.get("Association", {}).get("PublicIp", "") or "",
            ipv6[0].get("Ipv6Address", ""),
        )

    def interface_at(self, vpc: str, address: str) -> Described | None:
        """The interface that has the address, in the VPC."""
        for interface in self.interfaces:
            if interface.get("VpcId") == vpc:
                own = [interface.get("PrivateIpAddress", "")]
                own += [one.get("PrivateIpAddress", "") for one in interface.get("PrivateIpAddresses", [])]
                own += [one.get("Ipv6Address", "") for one in interface.get("Ipv6Addresses", [])]
                if address in own:
                    return interface
        return None

    def imagined(
        self,
        subnet: str,
        groups: Sequence[str] | None = None,
        *,
        public: bool = False,
        number: int = 10,
        name: str = "",
    ) -> Host:
        """A host that could be in the subnet: with these groups (None: the VPC's default one), in its blocks."""
        described = self.subnet(subnet)
        chosen = (self.default_group_of(described["VpcId"]),) if groups is None else tuple(groups)
        ipv6 = ipv6_blocks(described)
        address = some_address(described["CidrBlock"], number) if described.get("CidrBlock") else ""
        return Host(
            name or address or subnet,
            subnet,
            chosen,
            address,
            "203.0.113.1" if public else "",
            some_address(ipv6[0], number) if ipv6 else "",
        )
