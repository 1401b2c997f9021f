"""Scaling on the clock: alarms that ring set policies off, and schedules come due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch import evaluating
from fargrade.emulator.cloudwatch.store import of as cloudwatch_of
from fargrade.emulator.scaling import services
from fargrade.emulator.scaling.store import into_limits, of, scale
from fargrade.semantics.scaling import Ring, next_time, service_of

AT_ONCE = timedelta(microseconds=1)


def alarms_of(region: str, policy: dict[str, Any]) -> list[dict[str, str]]:
    """The alarms that set the policy off."""
    if policy["PolicyType"] == "TargetTrackingScaling":
        return [dict(alarm) for alarm in policy["Alarms"]]
    return [
        {"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
        for alarm in cloudwatch_of(region).alarms.values()
        if policy["PolicyARN"] in alarm["AlarmActions"]
    ]


def _scale(region: str, ringing: evaluating.Ringing, now: float) -> None:
    held = of(region)
    for resource, target in list(held.targets.items()):
        policies = held.policies_of(resource)
        rings = [
            Ring(policy, alarm, value)
            for alarm, value in ringing
            for policy in policies
            if policy["PolicyARN"] in alarm["AlarmActions"]
        ]
        found = services.current.find(region, *service_of(resource)) if rings else None
        if found is None:
            continue
        decision = held.scalers[resource].decide(
            target, policies, rings, found.desired, now, running=found.running, deploying=found.deploying
        )
        if decision:
            scale(region, resource, decision.capacity, decision.cause)


evaluating.scalers.append(_scale)


def plan(region: str, action: dict[str, Any]) -> None:
    """Have the scheduled action happen when it is next due."""
    now = clock.now()
    began = action.get("StartTime") or action["CreationTime"]
    due = next_time(action["Schedule"], max(now, began - AT_ONCE), action["Timezone"], began)
    if due is None or (action.get("EndTime") and due > action["EndTime"]):
        action["event"] = clock.at(now, lambda: None)
        return
    action["event"] = clock.at(due, lambda: _due(region, action))


def _due(region: str, action: dict[str, Any]) -> None:
    held = of(region)
    target = held.targets.get(action["ResourceId"])
    if target is None:
        return
    if not target["SuspendedState"]["ScheduledScalingSuspended"]:
        limits = {name: one for name, one in action["ScalableTargetAction"].items() if one is not None}
        target |= limits
        target["MaxCapacity"] = max(target["MaxCapacity"], target["MinCapacity"])
        into_limits(region, target)
    if action["Schedule"].startswith("at("):
        held.schedules.pop((action["ResourceId"], action["ScheduledActionName"]), None)  # done once, then gone
    else:
        plan(region, action)
