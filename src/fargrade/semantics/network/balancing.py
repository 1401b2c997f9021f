"""Whether a request to a load balancer reaches a target, hop by hop.

Sources: Application Load Balancers Guide, "Availability Zones and load balancer nodes", "Security groups for your
Application Load Balancer", "Health checks for target groups" (fail-open), "Troubleshoot" (HTTP 502, 503, 504).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fargrade.semantics.network.firewall import Party
from fargrade.semantics.network.path import Hop, Path, walk
from fargrade.semantics.network.reach import connect
from fargrade.semantics.network.requests import Asked, Done, action_for, rule_for
from fargrade.semantics.network.snapshot import Described, Host, Internet, Network
from fargrade.semantics.texts import t

# The client is told these by the load balancer itself.
NO_TARGET, REFUSED, TIMED_OUT = 503, 502, 504


@dataclass(frozen=True)
class Target:
    """A registered target: its id and port, the state of its health, the host it is at (None: not in the VPC)."""

    id: str
    port: int
    state: str
    reason: str
    host: Host | None
    described: Described

    @property
    def name(self) -> str:
        return f"{self.id}:{self.port}"


def named(network: Network, host: str) -> Described | None:
    """The load balancer with this DNS name."""
    wanted = host.lower().rstrip(".").removeprefix("dualstack.")
    return next((one for one in network.load_balancers if str(one.get("DNSName", "")).lower() == wanted), None)


def nodes(network: Network, balancer: Described) -> list[Host]:
    """The load balancer's own interfaces: one in each of its subnets, public if it is internet-facing."""
    public = balancer.get("Scheme", "internet-facing") == "internet-facing"
    dual = str(balancer.get("IpAddressType", "ipv4")).startswith("dualstack")
    groups = balancer.get("SecurityGroups") or []
    found = []
    for zone in balancer.get("AvailabilityZones", []):
        if network.find(zone["SubnetId"]):
            host = network.imagined(
                zone["SubnetId"], groups, public=public, number=20, name=str(balancer["LoadBalancerName"])
            )
            found.append(host if dual else Host(host.name, host.subnet, host.groups, host.address, host.public))
    return found


def zones_of(network: Network, balancer: Described) -> set[str]:
    """The zones that the load balancer's subnets are in."""
    return {network.zone_of(one["SubnetId"]) for one in balancer["AvailabilityZones"] if network.find(one["SubnetId"])}


def entry(network: Network, balancer: Described, port: int, source: Party | None = None) -> Path:
    """Whether `source` (the internet unless given) reaches the load balancer's port in every zone.

    Its name resolves to a node in each of its zones: a zone that is not reached loses its share of the requests,
    so that the path is the first that stops, if any does.
    """
    paths = [one for _, one in entries(network, balancer, port, source)]
    return next((one for one in paths if not one.open), paths[0] if paths else Path(()))


def entries(network: Network, balancer: Described, port: int, source: Party | None = None) -> list[tuple[Host, Path]]:
    """Each node of the load balancer, and the path from `source` (the internet unless given) to its port."""
    party = source or Internet()
    return [(node, walk(_to_node(network, balancer, node, party, port))) for node in nodes(network, balancer)]


def _to_node(network: Network, balancer: Described, node: Host, source: Party, port: int) -> Iterator[Hop]:
    name = str(balancer["LoadBalancerName"])
    state = balancer.get("State", {}).get("Code", "active")
    if state not in ("active", "active_impaired"):
        why = t("{name} is {state}")
        yield Hop("load balancer", name, False, why, {"name": name, "state": state}, balancer)
        return
    if isinstance(source, Internet) and not node.public:
        why = t("{name} is internal: its name resolves to private addresses")
        yield Hop("load balancer", name, False, why, {"name": name}, balancer)
        return
    yield from connect(network, source, node, port).hops
    values = {"name": name, "port": port, "subnet": node.subnet}
    yield Hop("load balancer", name, True, t("{name} is reached on port {port} in {subnet}"), values, balancer)


def decision(network: Network, balancer: Described, asked: Asked) -> tuple[Path, Done | None]:
    """What the load balancer decides to do with the request: the listener and rule on the way, and the action."""
    name = str(balancer["LoadBalancerName"])
    own = [one for one in network.listeners if one["LoadBalancerArn"] == balancer["LoadBalancerArn"]]
    values: dict[str, object] = {"name": name, "port": asked.port}
    listener = next((one for one in own if int(one.get("Port", 0)) == asked.port), None)
    if listener is None:
        ports = ", ".join(str(one.get("Port")) for one in own)
        why = t("{name} has no listener on port {port}, only on {ports}") if ports else t("{name} has no listener")
        return Path((Hop("listener", name, False, why, {**values, "ports": ports}),)), None
    protocol = str(listener.get("Protocol", ""))
    encrypted = protocol in ("HTTPS", "TLS")
    values = {**values, "protocol": protocol, "scheme": asked.scheme}
    if encrypted != (asked.scheme == "https") and protocol != "TCP":
        why = t("the listener on port {port} speaks {protocol}, the client {scheme}")
        return Path((Hop("listener", listener["ListenerArn"], False, why, values, listener),)), None
    reached = Hop("listener", listener["ListenerArn"], True, t("{protocol} on port {port}"), values, listener)
    rules = network.rules.get(listener["ListenerArn"]) or [
        {"Priority": "default", "IsDefault": True, "Actions": listener.get("DefaultActions", [])}
    ]
    rule = rule_for(rules, asked)
    if rule is None:
        return Path((reached, Hop("rule", name, False, t("no rule is for {path}"), {"path": asked.path}))), None
    done = action_for(rule, asked)
    said = {"priority": rule.get("Priority", "default"), "path": asked.path, "action": done.kind}
    hop = Hop("rule", str(rule.get("RuleArn", "default")), True, t("rule {priority}: {action}"), said, rule)
    return Path((reached, hop)), done


def registered(network: Network, group: str) -> list[Target]:
    """The targets of a target group that are registered, with where they are."""
    described = network.find(group) or {}
    found = []
    for one in network.target_health.get(group, ()):
        target, health = one["Target"], one.get("TargetHealth", {})
        found.append(
            Target(
                target["Id"],
                int(target.get("Port") or described.get("Port") or 0),
                health.get("State", "unused"),
                health.get("Reason", ""),
                host_of(network, described.get("VpcId", ""), target["Id"]),
                one,
            )
        )
    return found


def host_of(network: Network, vpc: str, target: str) -> Host | None:
    """The host behind a target's id: an instance's first interface, or whatever has the address."""
    if target.startswith("i-"):
        instance = network.find(target) or {}
        own = [network.find(str(one.get("NetworkInterfaceId"))) for one in instance.get("NetworkInterfaces", [])]
        interface = next((one for one in own if one), None)
        if interface:
            return network.host(interface)
        if instance.get("SubnetId"):
            groups = tuple(one["GroupId"] for one in instance.get("SecurityGroups", []))
            return Host(target, instance["SubnetId"], groups, instance.get("PrivateIpAddress", ""))
        return None
    interface = network.interface_at(vpc, target)
    return network.host(interface) if interface else None


def serving(targets: Sequence[Target]) -> list[Target]:
    """The targets that get requests: the healthy ones; if there are none, all that are not leaving (fail-open)."""
    healthy = [one for one in targets if one.state in ("healthy", "unhealthy.draining")]
    return healthy or [one for one in targets if one.state in ("unhealthy", "initial")]


def to_target(network: Network, balancer: Described, target: Target, port: int | None = None) -> Path:
    """From every node of the load balancer to the target, on its port or another (a health check's own).

    The first that stops, if any does: every node sends to every target of an ALB (cross-zone is always on).
    """
    values = {"target": target.name, "name": str(balancer["LoadBalancerName"])}
    host = target.host
    if host is None:
        why = t("nothing in the VPC has the address of {target}")
        return Path((Hop("target", target.name, False, why, values, target.described),))
    where = target.port if port is None else port
    paths = [connect(network, node, host, where) for node in nodes(network, balancer)]
    worst = next((one for one in paths if not one.open), paths[0] if paths else Path(()))
    if not worst.open:
        return worst
    return worst + Path((Hop("target", target.name, True, t("{target} is reached"), values, target.described),))


def reaches(network: Network, asked: Asked, source: Party | None = None) -> list[tuple[Target | None, Path]]:
    """Where requests like this one end: each target that may get it, with the whole path to it.

    Redirects and fixed responses end at the rule, with no target. With no target at all, the one path stops at the
    target group. Nothing is said of what the target answers.
    """
    balancer = named(network, asked.host)
    if balancer is None:
        why = t("no load balancer has the name {host}")
        return [(None, Path((Hop("dns", asked.host, False, why, {"host": asked.host}),)))]
    front = entry(network, balancer, asked.port, source)
    if not front.open:
        return [(None, front)]
    decided, done = decision(network, balancer, asked)
    front += decided
    if done is None or done.kind != "forward":
        return [(None, front)]
    ends: list[tuple[Target | None, Path]] = []
    for group, weight in done.shares:
        if weight > 0 or len(done.shares) == 1:
            ends += _in_group(network, balancer, group, front)
    if ends:
        return ends
    nobody = Hop("target group", balancer["LoadBalancerName"], False, t("no target group gets any of the requests"))
    return [(None, front + Path((nobody,)))]


def _in_group(network: Network, balancer: Described, group: str, front: Path) -> list[tuple[Target | None, Path]]:
    hop, chosen = chosen_in(network, group)
    path = front + Path((hop,))
    return [(target, path + to_target(network, balancer, target)) for target in chosen] or [(None, path)]


def chosen_in(network: Network, group: str) -> tuple[Hop, list[Target]]:
    """The targets of a target group that get requests, and the hop through the group."""
    targets = registered(network, group)
    chosen = serving(targets)
    described = network.find(group) or {}
    name = str(described.get("TargetGroupName", group))
    if not chosen:
        states = ", ".join(f"{one.name} {one.state} {one.reason}".strip() for one in targets)
        why = t("no target of {group} can be sent to: {states}") if targets else t("{group} has no targets")
        return Hop("target group", name, False, why, {"group": name, "states": states}, described), []
    values = {"group": name, "count": len(chosen), "state": chosen[0].state}
    return Hop("target group", name, True, t("{group} has {count} targets, {state}"), values, described), chosen
