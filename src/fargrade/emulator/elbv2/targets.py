"""Registered targets, and their health over time.

A target is initial until a health check passes, healthy after one (later: after the healthy threshold), unhealthy
after the unhealthy threshold of failures, draining for the deregistration delay. A check goes the way that the
network lets it go, and is answered by what listens there. Checks that can change nothing any more are not made:
whoever changes the network or what listens (`serving.changed`) has them made again.

Source: Application Load Balancers Guide, "Health checks for your target groups" (target-group-health-checks), "Edit
target group attributes" (deregistration delay); API reference, TargetHealth (states and reason codes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fargrade.emulator import clock, serving
from fargrade.emulator.elbv2 import probes, store
from fargrade.emulator.extensions import on_reset

REGISTERING = 4.0  # seconds until the first health check: the load balancer learns of its target

NOT_REGISTERED = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
REGISTRATION = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
CHECKING = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = ("healthy", "", "")


@dataclass(eq=False)
class Registered:
    """A target of a group, its health, and how its last checks went."""

    region: str
    group: str
    id: str
    port: int
    zone: str = ""
    health: tuple[str, str, str] = REGISTRATION
    passed: int = 0
    failed: int = 0
    checked: datetime = field(default_factory=clock.now)
    due: clock.Event | None = None

    @property
    def state(self) -> str:
        return self.health[0]

    def described(self) -> dict[str, Any]:
        """As DescribeTargetHealth describes it."""
        group = store.backend(self.region).target_groups.get(self.group)
        check = _check_port(group, self.port)
        target: dict[str, Any] = {"Id": self.id, "Port": self.port}
        if self.zone:
            target["AvailabilityZone"] = self.zone
        return {
            "Target": target,
            "HealthCheckPort": check,
            "TargetHealth": told(self.health),
        }


_targets: dict[tuple[str, str], dict[tuple[str, int], Registered]] = {}
_listeners: list[Callable[[Registered], None]] = []


def _check_port(group: Any, port: int) -> str:
    """The port that a target is checked on."""
    named = str(group.health_check_port) if group else "traffic-port"
    return str(port) if named == "traffic-port" else named


def on_health(function: Callable[[Registered], None]) -> Callable[[Registered], None]:
    """Call the function with each target whose state has changed (healthy, unhealthy, draining …)."""
    _listeners.append(function)
    return function


def told(health: tuple[str, str, str]) -> dict[str, str]:
    """A state, with its reason and description where it has them, as the API has it."""
    names = ("State", "Reason", "Description")
    return {name: value for name, value in zip(names, health, strict=True) if value}


def of(region: str, group: str) -> list[Registered]:
    """The group's targets, those that drain included."""
    return list(_targets.get((region, group), {}).values())


def find(region: str, group: str, target: str, port: int | None = None) -> Registered | None:
    """The target of that id and port (any port if None)."""
    return next((one for one in of(region, group) if one.id == target and port in (None, one.port)), None)


def register(region: str, group: str, target: str, port: int | None = None, zone: str = "") -> Registered:
    """Register a target, again if it drains; its group's port unless it has its own. Raises Refused."""
    held = _targets.setdefault((region, group), {})
    number = int(port or store.target_group(region, group).port)
    one = held.get((target, number))
    if one is None or one.state == "draining":
        if one and one.due:
            one.due.cancel()
        one = held[(target, number)] = Registered(region, group, target, number, zone)
    serving.changed()
    return one


def deregister(region: str, group: str, target: str, port: int | None = None) -> None:
    """Let the target drain, then be gone. One that is not registered is none: so says DeregisterTargets."""
    number = int(port) if port else None
    for one in of(region, group):
        if one.id == target and number in (None, one.port) and one.state != "draining":
            _drain(one)
    serving.changed()


def _drain(one: Registered) -> None:
    used = store.balancers_of(one.region, one.group)
    if one.due:
        one.due.cancel()
    held = store.backend(one.region).target_groups.get(one.group)
    delay = float(held.attributes.get("deregistration_delay.timeout_seconds", 300)) if held and used else 0.0
    if not delay or one.state == "unused":
        _forget(one)
        return
    _tell(one, DRAINING)
    one.due = clock.after(delay, lambda: _forget(one))


def _forget(one: Registered) -> None:
    held = _targets.get((one.region, one.group), {})
    if held.get((one.id, one.port)) is one:
        del held[(one.id, one.port)]
    _tell(one, NOT_REGISTERED)


def forget_group(region: str, group: str) -> None:
    """The target group is gone, and its targets with it."""
    for one in _targets.pop((region, group), {}).values():
        if one.due:
            one.due.cancel()


def health_of(region: str) -> dict[str, list[dict[str, Any]]]:
    """The targets of every group of the region, as described: what a snapshot of the network takes."""
    return {
        group: [one.described() for one in held.values()]
        for (where, group), held in _targets.items()
        if where == region
    }


# -- checks over time --------------------------------------------------------------------------------------


@serving.watch
def look_again() -> None:
    """What decides a check may have changed: have every target checked again, in its own time."""
    seen = probes.Seen()
    for one in [one for held in _targets.values() for one in held.values()]:
        if one.state == "draining":
            continue
        idle = probes.idle(one.region, one.group, one.id, one.zone, seen)
        if idle:
            _pause(one, idle)
        elif one.state == "unused" or (one.state == "initial" and one.due is None):
            one.passed = one.failed = 0
            _tell(one, REGISTRATION)
            _schedule(one, REGISTERING)
        elif one.due is None:
            _schedule(one, _until_next(one))


def _pause(one: Registered, idle: tuple[str, str, str]) -> None:
    if one.due:
        one.due.cancel()
        one.due = None
    one.passed = one.failed = 0
    _tell(one, idle)


def _until_next(one: Registered) -> float:
    """Seconds to the target's next check, had they gone on every interval since the last."""
    interval = _interval(one)
    past = (clock.now() - one.checked) / timedelta(seconds=1)
    return interval - past % interval


def _interval(one: Registered) -> float:
    return float(store.target_group(one.region, one.group).health_check_interval_seconds or 30)


def _schedule(one: Registered, seconds: float) -> None:
    if one.due:
        one.due.cancel()
    one.due = clock.after(seconds, lambda: _check(one))


def _check(one: Registered) -> None:
    """One health check, and what follows from it."""
    one.due = None
    held = store.backend(one.region).target_groups.get(one.group)
    if held is None or find(one.region, one.group, one.id, one.port) is not one:
        return
    failure = probes.probe(one.region, held, one.id, one.port)
    one.checked = clock.now()
    one.passed, one.failed = (0, one.failed + 1) if failure else (one.passed + 1, 0)
    first = one.state == "initial"
    if failure and one.failed >= int(held.unhealthy_threshold_count):
        _tell(one, ("unhealthy", *failure))
    elif not failure and (first or one.passed >= int(held.healthy_threshold_count)):
        _tell(one, HEALTHY)
    elif first:
        _tell(one, CHECKING)
    if not _settled(one, held):
        _schedule(one, _interval(one))


def _settled(one: Registered, held: Any) -> bool:
    """Whether another check like the last could change nothing."""
    if one.state == "healthy":
        return one.failed == 0
    return one.state == "unhealthy" and one.failed >= int(held.unhealthy_threshold_count)


def _tell(one: Registered, health: tuple[str, str, str]) -> None:
    before, one.health = one.health, health
    if before[0] != health[0]:
        for listener in _listeners:
            listener(one)


def registered(region: str, group: str, asked: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """DescribeTargetHealth's descriptions: of the targets asked for, or of all."""
    wanted = list(asked)
    if not wanted:
        return [one.described() for one in of(region, group)]
    found = []
    for target in wanted:
        one = find(region, group, target["Id"], target.get("Port"))
        held = store.target_group(region, group)
        port = int(target.get("Port") or held.port)
        unknown = {
            "Target": {"Id": target["Id"], "Port": port},
            "HealthCheckPort": _check_port(held, port),
            "TargetHealth": told(NOT_REGISTERED),
        }
        found.append(one.described() if one else unknown)
    return found


@on_reset
def _none() -> None:
    _targets.clear()
