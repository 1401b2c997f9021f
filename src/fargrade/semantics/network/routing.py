"""Where a route table sends a packet.

Source: VPC User Guide, "How route priority works" (RouteTables): the most specific route that matches wins, whatever
its target; a route whose target is gone is a blackhole and still wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fargrade.semantics.network.addresses import covers, length
from fargrade.semantics.network.path import Hop
from fargrade.semantics.network.snapshot import Described, Network
from fargrade.semantics.texts import t

# The keys of a described route that name its target.
TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "EgressOnlyInternetGatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)


@dataclass(frozen=True)
class Routed:
    """The route taken: its target's id ("" without a route), as described, in which table."""

    table: str
    destination: str
    target: str
    route: Described | None

    @property
    def blackhole(self) -> bool:
        return self.route is not None and self.route.get("State") == "blackhole"


def routes_of(network: Network, table: Described) -> Iterator[tuple[str, int, Described]]:
    """Each block that the table has a route for, how specific the block is, and the route."""
    for route in table.get("Routes", []):
        for cidr in (route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock")):
            if cidr:
                yield cidr, length(cidr), route
        for cidr in network.prefix_lists.get(route.get("DestinationPrefixListId", ""), ()):
            yield cidr, length(cidr), route


def route(network: Network, subnet: str, address: str) -> Routed:
    """The route that a packet from the subnet to the address takes."""
    table = network.route_table_of(subnet)
    if table is None:
        return Routed("", "", "", None)
    matching = [found for found in routes_of(network, table) if covers(found[0], address)]
    if not matching:
        return Routed(table["RouteTableId"], "", "", None)
    cidr, _, best = max(matching, key=lambda found: found[1])
    return Routed(table["RouteTableId"], cidr, target_of(best), best)


def target_of(described: Described) -> str:
    """The id of the route's target."""
    return next((str(described[key]) for key in TARGETS if described.get(key)), "")


def route_hop(routed: Routed, subnet: str, address: str) -> Hop:
    """The hop of a route that was taken, or is missing, or leads nowhere."""
    values = {
        "subnet": subnet,
        "table": routed.table,
        "address": address,
        "target": routed.target,
        "destination": routed.destination,
    }
    if routed.route is None:
        why = t("{table}, the route table of {subnet}, has no route to {address}")
        return Hop("route", routed.table or subnet, False, why, values)
    if routed.blackhole:
        why = t("the route {destination} → {target} in {table} is a blackhole: its target is gone")
        return Hop("route", routed.table, False, why, values, routed.route)
    why = t("{table} of {subnet} routes {destination} to {target}")
    return Hop("route", routed.table, True, why, values, routed.route)


def to_gateway(network: Network, subnet: str, address: str) -> Iterator[Hop]:
    """The route from the subnet to the address must lead to the VPC's own internet gateway, attached."""
    routed = route(network, subnet, address)
    hop = route_hop(routed, subnet, address)
    if hop.passed and not routed.target.startswith("igw-"):
        why = t("{table}, the route table of {subnet}, sends {destination} to {target}, not to an internet gateway")
        hop = Hop("route", routed.table, False, why, hop.values, routed.route)
    yield hop
    yield from attached(network, subnet, routed.target)


def attached(network: Network, subnet: str, gateway: str) -> Iterator[Hop]:
    """The gateway must be attached to the subnet's VPC."""
    own = network.gateway_of(network.vpc_of(subnet))
    values = {"gateway": gateway, "vpc": network.vpc_of(subnet)}
    if own is None or own["InternetGatewayId"] != gateway:
        yield Hop("gateway", gateway, False, t("{gateway} is not attached to {vpc}"), values)
    else:
        yield Hop("gateway", gateway, True, t("{gateway} is attached to {vpc}"), values, own)
