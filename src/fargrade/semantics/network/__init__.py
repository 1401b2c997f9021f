"""A VPC's network and its load balancers, as AWS describes them: who reaches whom, and what decides it.

Every question is answered with a `Path`: the hops on the way and, where it stops, the hop, the rule or route that
decided, and why in one sentence. Pure: the snapshot is data, whoever took it.
"""

from fargrade.semantics.network.balancing import (
    Target,
    chosen_in,
    decision,
    entries,
    entry,
    named,
    nodes,
    reaches,
    registered,
    serving,
    to_target,
    zones_of,
)
from fargrade.semantics.network.firewall import Opening, openings
from fargrade.semantics.network.path import Hop, Path
from fargrade.semantics.network.reach import connect, public_subnet
from fargrade.semantics.network.requests import Asked, Done, action_for, rule_for
from fargrade.semantics.network.routing import Routed, route
from fargrade.semantics.network.snapshot import Host, Internet, Network
from fargrade.semantics.network.ways_out import Need, pull_needs, way_out, way_out_ipv6, way_to_service

__all__ = [
    "Asked",
    "Done",
    "Hop",
    "Host",
    "Internet",
    "Need",
    "Network",
    "Opening",
    "Path",
    "Routed",
    "Target",
    "action_for",
    "chosen_in",
    "connect",
    "decision",
    "entries",
    "entry",
    "named",
    "nodes",
    "openings",
    "public_subnet",
    "pull_needs",
    "reaches",
    "registered",
    "route",
    "rule_for",
    "serving",
    "to_target",
    "way_out",
    "way_out_ipv6",
    "way_to_service",
    "zones_of",
]
