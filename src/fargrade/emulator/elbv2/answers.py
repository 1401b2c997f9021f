"""What the emulator answers itself: registering targets, and their health."""

from __future__ import annotations

from typing import Any

from fargrade.emulator import serving
from fargrade.emulator.elbv2 import store, targets
from fargrade.emulator.rules import ANY, Call, answer, follower


@answer("elbv2", "RegisterTargets")
def _register(call: Call) -> dict[str, Any]:
    group = call.parameters["TargetGroupArn"]
    for one in call.parameters["Targets"]:
        targets.register(call.region, group, one["Id"], one.get("Port"), one.get("AvailabilityZone", ""))
    return {}


@answer("elbv2", "DeregisterTargets")
def _deregister(call: Call) -> dict[str, Any]:
    """One that is not registered is no error: API reference, DeregisterTargets."""
    group = call.parameters["TargetGroupArn"]
    store.target_group(call.region, group)
    for one in call.parameters["Targets"]:
        targets.deregister(call.region, group, one["Id"], one.get("Port"))
    return {}


@answer("elbv2", "DescribeTargetHealth")
def _health(call: Call) -> dict[str, Any]:
    group = call.parameters["TargetGroupArn"]
    store.target_group(call.region, group)
    described = targets.registered(call.region, group, call.parameters.get("Targets") or [])
    return {"TargetHealthDescriptions": described}


@follower("elbv2", "DeleteTargetGroup")
def _gone(call: Call) -> None:
    targets.forget_group(call.region, call.parameters["TargetGroupArn"])


@follower("elbv2", ANY)
@follower("ec2", ANY)
def _changed(_call: Call) -> None:
    serving.changed()
