"""Who reaches whom: a connection from one end to the other, hop by hop.

Source: VPC User Guide, "Enable internet access for a VPC using an internet gateway" (what it takes to be reached from
the internet), "Example: VPC for web and database servers" (which rules a connection crosses).
"""

from __future__ import annotations

from collections.abc import Iterator

from fargrade.semantics.network.firewall import Party, crossing, let_in, let_out
from fargrade.semantics.network.path import Hop, Path, walk
from fargrade.semantics.network.routing import route, route_hop, to_gateway
from fargrade.semantics.network.snapshot import Host, Internet, Network
from fargrade.semantics.texts import t


def connect(network: Network, source: Party, target: Host, port: int, protocol: str = "tcp") -> Path:
    """The path of a connection from `source` to the target's port: through gateways, routes, ACLs and groups.

    Whether anything listens on the port is not asked.
    """
    if isinstance(source, Internet):
        return walk(_from_internet(network, source, target, port, protocol))
    return walk(_within(network, source, target, port, protocol))


def _from_internet(network: Network, source: Internet, target: Host, port: int, protocol: str) -> Iterator[Hop]:
    yield Hop("source", source.address, True, t("a connection from the internet"))
    own = target.ipv6 if ":" in source.address else target.public
    values = {"host": target.name, "vpc": network.vpc_of(target.subnet)}
    if not own:
        missing = t("{host} has no IPv6 address") if ":" in source.address else t("{host} has no public IP address")
        yield Hop("public address", target.name, False, missing, values)
        return
    if network.gateway_of(network.vpc_of(target.subnet)) is None:
        yield Hop("gateway", network.vpc_of(target.subnet), False, t("{vpc} has no internet gateway"), values)
        return
    yield from to_gateway(network, target.subnet, source.address)
    yield from crossing(network, target.subnet, source.address, port, inbound=True)
    yield let_in(network, target, source, port, protocol)


def _within(network: Network, source: Host, target: Host, port: int, protocol: str) -> Iterator[Hop]:
    yield Hop("source", source.name, True, t("a connection from {source}"), {"source": source.name})
    vpcs = network.vpc_of(source.subnet), network.vpc_of(target.subnet)
    address = target.address if source.address and target.address else target.ipv6
    if vpcs[0] != vpcs[1]:
        values = {"source": source.name, "vpc": vpcs[0], "other": vpcs[1]}
        yield Hop("route", vpcs[0], None, t("{source} is in {vpc}, its target in {other}: another network"), values)
        return
    yield let_out(network, source, target, port, protocol)
    if source.subnet != target.subnet:
        yield from _between(network, source, target, address, port)
    yield let_in(network, target, source, port, protocol)


def _between(network: Network, source: Host, target: Host, address: str, port: int) -> Iterator[Hop]:
    """From subnet to subnet: the route, and both ACLs, there and back."""
    routed = route(network, source.subnet, address)
    hop = route_hop(routed, source.subnet, address)
    if hop.passed and routed.target != "local":
        why = t("{table} sends {address} to {target}, which may or may not pass it on")
        hop = Hop("route", routed.table, None, why, hop.values, routed.route)
    yield hop
    yield from crossing(network, source.subnet, address, port, inbound=False)
    yield from crossing(network, target.subnet, source.addressed(address), port, inbound=True)


def public_subnet(network: Network, subnet: str) -> Path:
    """Whether the subnet is public: its route to the internet leads to an internet gateway."""
    return walk(to_gateway(network, subnet, Internet().address))
