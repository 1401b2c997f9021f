"""What security groups and network ACLs let through.

Groups know connections: what is let in may answer. ACLs look at every packet, so the answer needs a rule, too.
Sources: VPC User Guide, "Security group rules" (vpc-security-group-rules) and "Network ACL rules, ephemeral ports"
(nacl-ephemeral-ports).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fargrade.semantics.network.addresses import covers, is_ipv6
from fargrade.semantics.network.path import Hop
from fargrade.semantics.network.snapshot import Described, Host, Internet, Network
from fargrade.semantics.texts import t

Party = Host | Internet
# The ports that answers go to: of NAT gateways, load balancers and any client on the internet.
EPHEMERAL = (1024, 65535)
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "all": "-1"}


def let_in(network: Network, host: Host, peer: Party, port: int, protocol: str = "tcp") -> Hop:
    """Whether one of the host's groups lets the peer in to the port."""
    return _groups_let(network, host, peer, port, protocol, egress=False)


def let_out(network: Network, host: Host, peer: Party, port: int, protocol: str = "tcp", prefix_list: str = "") -> Hop:
    """Whether one of the host's groups lets it out to the peer's port; `prefix_list` is one that holds the peer."""
    return _groups_let(network, host, peer, port, protocol, egress=True, prefix_list=prefix_list)


def _groups_let(
    network: Network,
    host: Host,
    peer: Party,
    port: int,
    protocol: str,
    *,
    egress: bool,
    prefix_list: str = "",
) -> Hop:
    shown = ", ".join(host.groups) or host.name
    values = {"groups": shown, "peer": _peer_name(peer, host), "port": port, "protocol": protocol}
    for group in host.groups:
        described = network.find(group)
        if described is None:
            continue
        for permission in described.get("IpPermissionsEgress" if egress else "IpPermissions", []):
            if rule_lets(network, permission, host, peer, port, protocol, prefix_list):
                why = (
                    t("{groups} lets out to {peer}, port {port}")
                    if egress
                    else t("{groups} lets {peer} in on port {port}")
                )
                return Hop("security group", group, True, why, {**values, "groups": group}, permission)
    if not host.groups:
        return Hop("security group", host.name, True, t("{groups} has no security group that could stop it"), values)
    why = (
        t("no outbound rule of {groups} lets it out to {peer}, port {port}")
        if egress
        else t("no inbound rule of {groups} lets {peer} in on port {port}")
    )
    return Hop("security group", host.groups[0], False, why, values)


def _peer_name(peer: Party, host: Host) -> str:
    if isinstance(peer, Internet):
        return peer.address
    own = peer.addressed(host.address or host.ipv6) or peer.address
    return f"{peer.name} ({', '.join([own, *peer.groups])})" if own else peer.name


def rule_lets(
    network: Network,
    permission: Described,
    host: Host,
    peer: Party,
    port: int,
    protocol: str = "tcp",
    prefix_list: str = "",
) -> bool:
    """Whether this rule is for the peer, the port and the protocol."""
    wanted = PROTOCOLS.get(str(permission.get("IpProtocol", "")).lower(), str(permission.get("IpProtocol", "")).lower())
    if wanted not in ("-1", protocol):
        return False
    if wanted != "-1" and not permission.get("FromPort", 0) <= port <= permission.get("ToPort", 65535):
        return False
    address = peer.address if isinstance(peer, Internet) else peer.addressed(host.address or host.ipv6)
    cidrs = [one.get("CidrIp", "") for one in permission.get("IpRanges", [])]
    cidrs += [one.get("CidrIpv6", "") for one in permission.get("Ipv6Ranges", [])]
    if any(covers(cidr, address) for cidr in cidrs):
        return True
    for one in permission.get("PrefixListIds", []):
        listed = one.get("PrefixListId", "")
        if listed == prefix_list or any(covers(cidr, address) for cidr in network.prefix_lists.get(listed, ())):
            return True
    named = {one.get("GroupId") for one in permission.get("UserIdGroupPairs", [])}
    return isinstance(peer, Host) and bool(named & set(peer.groups))


@dataclass(frozen=True)
class Opening:
    """What an inbound rule lets in: `source` is the block, group or prefix list that it names; `port` is None where
    the protocol has none (ICMP)."""

    group: str
    source: str
    protocol: str
    port: int | None


def openings(network: Network, groups: Sequence[str]) -> Iterator[Opening]:
    """Everything that the inbound rules of the groups let in, source by source, at the edges of each span of ports.

    Two ports that are one span are three edges, so that whoever may name a few ports can ask of each edge.
    """
    for group in groups:
        for permission in (network.find(group) or {}).get("IpPermissions", []):
            for source in _named(permission):
                for protocol, port in _edges(permission):
                    yield Opening(group, source, protocol, port)


def _named(permission: Described) -> list[str]:
    return [
        *(str(one.get("CidrIp")) for one in permission.get("IpRanges", [])),
        *(str(one.get("CidrIpv6")) for one in permission.get("Ipv6Ranges", [])),
        *(str(one.get("PrefixListId")) for one in permission.get("PrefixListIds", [])),
        *(str(one.get("GroupId")) for one in permission.get("UserIdGroupPairs", [])),
    ]


def _edges(permission: Described) -> list[tuple[str, int | None]]:
    written = str(permission.get("IpProtocol", "")).lower()
    protocol = PROTOCOLS.get(written, written)
    if protocol == "-1":
        return [(one, port) for one in ("tcp", "udp") for port in (0, 65535)]
    if protocol not in ("tcp", "udp"):
        return [(protocol, None)]
    low, high = int(permission.get("FromPort", 0)), int(permission.get("ToPort", 65535))
    return [(protocol, port) for port in sorted({low, min(low + 1, high), high})]


# -- network ACLs ------------------------------------------------------------------------------------------


def acl_lets(
    network: Network, subnet: str, address: str, ports: tuple[int, int], *, egress: bool, protocol: str = "tcp"
) -> Hop:
    """Whether the subnet's ACL lets packets to (or from) the address on all of these ports through."""
    acl = network.acl_of(subnet)
    if acl is None:
        return Hop("network acl", subnet, True, t("{subnet} has no network ACL that could stop it"), {"subnet": subnet})
    left: list[tuple[int, int]] = [ports]
    values = {"acl": acl["NetworkAclId"], "address": address, "ports": _shown(ports), "subnet": subnet}
    for entry in _entries(acl, egress=egress):
        if not _entry_is_for(entry, address, protocol):
            continue
        inside, outside = _split(left, _entry_ports(entry))
        if inside and entry["RuleAction"] == "deny":
            why = (
                t("rule {rule} of {acl} denies what leaves {subnet} to {address}, port {ports}")
                if egress
                else t("rule {rule} of {acl} denies what enters {subnet} from {address}, port {ports}")
            )
            blocked = {**values, "ports": _shown(inside[0]), "rule": entry["RuleNumber"]}
            return Hop("network acl", acl["NetworkAclId"], False, why, blocked, entry)
        left = outside
        if not left:
            return Hop("network acl", acl["NetworkAclId"], True, t("{acl} lets it through"), values, entry)
    why = (
        t("no rule of {acl} lets out of {subnet} what goes to {address}, port {ports}")
        if egress
        else t("no rule of {acl} lets into {subnet} what comes from {address}, port {ports}")
    )
    return Hop("network acl", acl["NetworkAclId"], False, why, {**values, "ports": _shown(left[0])})


def crossing(network: Network, subnet: str, address: str, port: int, *, inbound: bool) -> Iterator[Hop]:
    """The ACL's word on a connection into the subnet (from the address, to the port) or out of it, and its answer.

    Only what stops is worth a hop of its own: the answers' ports are named where they are the trouble.
    """
    yield acl_lets(network, subnet, address, (port, port), egress=not inbound)
    answer = acl_lets(network, subnet, address, EPHEMERAL, egress=inbound)
    if not answer.passed:
        yield answer


def _entries(acl: Described, *, egress: bool) -> list[Described]:
    own = [entry for entry in acl.get("Entries", []) if bool(entry.get("Egress")) == egress]
    return sorted(own, key=lambda entry: int(entry["RuleNumber"]))


def _entry_is_for(entry: Described, address: str, protocol: str) -> bool:
    named = PROTOCOLS.get(str(entry.get("Protocol", "-1")), str(entry.get("Protocol", "-1")))
    if named not in ("-1", protocol):
        return False
    return covers(entry.get("Ipv6CidrBlock" if is_ipv6(address) else "CidrBlock") or "", address)


def _entry_ports(entry: Described) -> tuple[int, int]:
    if str(entry.get("Protocol", "-1")) == "-1" or not entry.get("PortRange"):
        return (0, 65535)
    return int(entry["PortRange"]["From"]), int(entry["PortRange"]["To"])


def _split(
    ranges: Sequence[tuple[int, int]], by: tuple[int, int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The parts of `ranges` inside `by`, and those outside."""
    inside, outside = [], []
    for low, high in ranges:
        first, last = max(low, by[0]), min(high, by[1])
        if first > last:
            outside.append((low, high))
            continue
        inside.append((first, last))
        if low < first:
            outside.append((low, first - 1))
        if last < high:
            outside.append((last + 1, high))
    return inside, outside


def _shown(ports: tuple[int, int]) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}–{ports[1]}"
