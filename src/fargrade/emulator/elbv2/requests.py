"""A request as a client makes it: through the load balancer (or straight to an address), to whatever answers."""

from __future__ import annotations

import itertools
from typing import Any

from fargrade.emulator import network_state, serving
from fargrade.emulator.elbv2 import targets
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op, on_reset
from fargrade.semantics.network import (
    Asked,
    Done,
    Hop,
    Host,
    Internet,
    Network,
    Path,
    Target,
    chosen_in,
    connect,
    decision,
    entry,
    named,
    to_target,
)
from fargrade.semantics.network.balancing import NO_TARGET, REFUSED, TIMED_OUT
from fargrade.semantics.texts import t

GOLDEN = 0.6180339887498949  # steps of it spread evenly over the weights, whatever these are
_counts: dict[str, itertools.count[int]] = {}


@control_op("request")
def request(
    url: str, *, region: str, source: str = "internet", method: str = "GET", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """What a client gets: a status (0 where nothing comes back), who answered, and the hops on the way.

    `source` is "internet", an address on it, or the id of a network interface in the VPC.
    """
    network = network_state.network(region, targets.health_of(region))
    return request_in(network, url, source=source, method=method, headers=headers)


def request_in(
    network: Network,
    url: str,
    *,
    source: str = "internet",
    method: str = "GET",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The request, in a snapshot of the network: for whoever asks often."""
    asked = _asked(url, method, headers or {}, source)
    party = _party(network, source)
    if named(network, asked.host):
        return _through(network, asked, party)
    return _straight(network, asked, party)


def _asked(url: str, method: str, headers: dict[str, str], source: str) -> Asked:
    address = source if source[:1].isdigit() or ":" in source else ""
    try:
        return Asked.of(url, method=method, headers=headers, source=address)
    except ValueError as error:
        raise Refused("ValidationError", str(error)) from None


def _party(network: Network, source: str) -> Internet | Host:
    if source == "internet":
        return Internet()
    interface = network.find(source)
    return network.host(interface) if interface else Internet(source)


def _through(network: Network, asked: Asked, party: Internet | Host) -> dict[str, Any]:
    balancer = named(network, asked.host)
    assert balancer is not None
    path = entry(network, balancer, asked.port, party)
    if not path.open:
        return _result(0, path)
    decided, done = decision(network, balancer, asked)
    path += decided
    if done is None:
        return _result(0, path)  # nobody listens on the port: the connection is not even refused politely
    if done.kind != "forward":
        return _result(done.status, path, location=done.location, body=done.body)
    group = _group(done, balancer["LoadBalancerArn"])
    hop, chosen = chosen_in(network, group)
    path += Path((hop,))
    if not chosen:
        return _result(NO_TARGET, path)
    target = chosen[_next(group) % len(chosen)]
    path += to_target(network, balancer, target)
    if not path.open or target.host is None:
        return _result(TIMED_OUT, path, target=target)
    answer = serving.answer(target.host.name, target.port, asked)
    if answer is None or answer.seconds > 60:
        why = (
            t("nothing listens on port {port} of {target}") if answer is None else t("{target} did not answer in time")
        )
        hop = Hop("target", target.name, False, why, {"target": target.name, "port": target.port})
        return _result(REFUSED if answer is None else TIMED_OUT, path + Path((hop,)), target=target)
    return _answered(answer, path, target)


def _straight(network: Network, asked: Asked, party: Internet | Host) -> dict[str, Any]:
    """To an address itself: a task's public one from the internet, its private one from inside."""
    interface = next(
        (
            one
            for one in network.interfaces
            if asked.host in (one.get("Association", {}).get("PublicIp"), one.get("PrivateIpAddress"))
        ),
        None,
    )
    if interface is None or (isinstance(party, Internet) and asked.host == interface.get("PrivateIpAddress")):
        why = t("no load balancer has the name {host}")
        return _result(0, Path((Hop("dns", asked.host, False, why, {"host": asked.host}),)))
    host = network.host(interface)
    path = connect(network, party, host, asked.port)
    if not path.open:
        return _result(0, path)
    answer = serving.answer(host.name, asked.port, asked)
    if answer is None or answer.seconds > 60:
        values = {"target": asked.host, "port": asked.port}
        why = (
            t("nothing listens on port {port} of {target}") if answer is None else t("{target} did not answer in time")
        )
        return _result(0, path + Path((Hop("target", asked.host, False, why, values),)))
    return _answered(answer, path, None)


def _group(done: Done, balancer: str) -> str:
    """The target group that this request falls to, by the weights."""
    shares = [(group, weight) for group, weight in done.shares if weight > 0] or [
        (group, 1) for group, _ in done.shares
    ]
    rule = str((done.rule or {}).get("RuleArn") or balancer)
    at = (_next(rule) * GOLDEN) % 1.0 * sum(weight for _, weight in shares)
    for group, weight in shares:
        at -= weight
        if at < 0:
            return group
    return shares[-1][0]


def _next(name: str) -> int:
    return next(_counts.setdefault(name, itertools.count()))


def _answered(answer: serving.Answer, path: Path, target: Target | None) -> dict[str, Any]:
    return _result(answer.status, path, target=target, body=answer.body, by=dict(answer.by))


def _result(
    status: int,
    path: Path,
    *,
    target: Target | None = None,
    location: str = "",
    body: str = "",
    by: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "status": status,
        "hops": [_told(hop) for hop in path.hops],
        "target": {"Id": target.id, "Port": target.port} if target else None,
        "location": location,
        "body": body,
        "by": by or {},
    }


def _told(hop: Hop) -> dict[str, Any]:
    """The hop for whoever asked, without what decided it: copying that was half of the price of a request."""
    return {
        "kind": hop.kind,
        "subject": hop.subject,
        "passed": hop.passed,
        "why": hop.why,
        "values": dict(hop.values),
        "decided_by": None,
    }


@on_reset
def _from_the_start() -> None:
    _counts.clear()
