"""Clients that ask a load balancer again and again while time passes, and calls that the grader makes later.

What a deployment does to those who are being served is seen only while it happens, and it happens while the learner's
code waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fargrade.emulator import clock, inner, network_state
from fargrade.emulator.extensions import control_op, on_reset

MOST_VISITS = 20_000
LOOKS = 5.0
_visits: dict[str, list[dict[str, Any]]] = {}


@on_reset
def _new() -> None:
    _visits.clear()


@control_op("visit")
def visit(url: str, *, region: str, every: float = 5.0) -> None:
    """From now on somebody on the internet asks for the URL every so many seconds of the world's time."""
    if url in _visits:
        return
    _visits[url] = []

    def ask() -> None:
        kept = _visits.get(url)
        if kept is None or len(kept) >= MOST_VISITS:
            return
        came = _request(url, region)
        kept.append({"at": clock.now().timestamp(), "status": came["status"], "body": came.get("body", "")})

    clock.every(every, ask)


def _request(url: str, region: str) -> dict[str, Any]:
    from fargrade.emulator.elbv2 import requests, targets

    return requests.request_in(network_state.network(region, targets.health_of(region)), url)


@control_op("visits")
def visits(url: str) -> list[dict[str, Any]]:
    """What they got so far: time, status and body of each."""
    return _visits.get(url, [])


@control_op("later")
def later(seconds: float, service: str, call: str, parameters: Mapping[str, Any], *, region: str) -> None:
    """Have an AWS call made so many seconds from now, as by somebody else."""

    def make() -> None:
        from botocore.exceptions import ClientError

        try:
            getattr(inner.client(service, region), call)(**parameters)
        except ClientError:
            return  # what it was about is gone by then

    clock.after(seconds, make)


@control_op("once_seen")
def once_seen(
    url: str,
    body: str,
    seconds: float,
    service: str,
    call: str,
    parameters: Mapping[str, Any],
    *,
    region: str,
) -> None:
    """Have an AWS call made so many seconds after a visitor has first got `body` from the URL."""

    def look() -> None:
        if any(one["body"] == body for one in _visits.get(url, ())):
            later(seconds, service, call, parameters, region=region)
        else:
            clock.after(LOOKS, look)

    clock.after(LOOKS, look)
