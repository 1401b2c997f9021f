"""One health check: the way there by the network's own rules, the answer by what listens."""

from __future__ import annotations

from typing import Any

from fargrade.emulator import network_state, serving
from fargrade.emulator.elbv2 import store
from fargrade.semantics.network import Asked, Network, Target, to_target, zones_of
from fargrade.semantics.network.balancing import host_of

NOT_IN_USE = "Target group is not configured to receive traffic from the load balancer"
ZONE_OFF = "Target is in an Availability Zone that is not enabled for the load balancer"


class Seen:
    """The network as it is at one moment, read when it is first asked for: many targets look at the same one."""

    def __init__(self) -> None:
        self._networks: dict[str, Network] = {}

    def network(self, region: str) -> Network:
        if region not in self._networks:
            self._networks[region] = network_state.network(region)
        return self._networks[region]


def idle(region: str, group: str, target: str, zone: str, seen: Seen) -> tuple[str, str, str] | None:
    """The state of a target that gets no checks at all; None for one that does."""
    balancers = store.balancers_of(region, group)
    if not balancers:
        return ("unused", "Target.NotInUse", NOT_IN_USE)
    if target.startswith("i-"):
        state = next((one.state for one in _instances(region) if one.id == target), "terminated")
        if state != "running":
            return ("unused", "Target.InvalidState", f"Target is in the {state} state")
    if zone == "all":
        return None
    network = seen.network(region)
    host = host_of(network, store.target_group(region, group).vpc_id, target)
    described = network.find(balancers[0].arn)
    if host and described and network.zone_of(host.subnet) not in zones_of(network, described):
        return ("unused", "Target.NotInUse", ZONE_OFF)
    return None


def _instances(region: str) -> list[Any]:
    return [one for reservation in store.ec2(region).reservations.values() for one in reservation.instances]


def probe(region: str, group: Any, target: str, port: int) -> tuple[str, str] | None:
    """The reason and the description of a failed check; None for one that passed."""
    network = network_state.network(region)
    host = host_of(network, group.vpc_id, target)
    checked = port if str(group.health_check_port) == "traffic-port" else int(group.health_check_port)
    for balancer in store.balancers_of(region, group.arn):
        described = network.find(balancer.arn)
        if described and not to_target(network, described, Target(target, port, "", "", host, {}), checked).open:
            return ("Target.Timeout", "Request timed out")
    if host is None:
        return ("Target.Timeout", "Request timed out")
    protocol = str(group.health_check_protocol or "HTTP")
    asked = Asked(target, group.health_check_path or "/", checked, protocol.lower(), "GET")
    asked = Asked(asked.host, asked.path, checked, asked.scheme, headers={"User-Agent": "ELB-HealthChecker/2.0"})
    answer = serving.answer(host.name, checked, asked)
    if answer is None:
        return ("Target.FailedHealthChecks", "Health checks failed")
    if answer.seconds > float(group.health_check_timeout_seconds or 5):
        return ("Target.Timeout", "Request timed out")
    if protocol not in ("HTTP", "HTTPS"):
        return None
    if not matches(str((getattr(group, "matcher", None) or {}).get("HttpCode") or "200"), answer.status):
        return ("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{answer.status}]")
    return None


def matches(codes: str, status: int) -> bool:
    """Whether the status is one of the matcher's: `200`, `200,202` or `200-399`."""
    for part in codes.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= status <= int(high or low):
            return True
    return False
