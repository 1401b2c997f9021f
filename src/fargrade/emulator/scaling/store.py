"""What Application Auto Scaling holds in a region: targets, policies, schedules, and what it did.

moto keeps them, too, but its alarms always say 6.0 and nothing ever scales; everything here is ours instead. Not for
upstream, where no time passes; the refusals would be.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, account
from fargrade.emulator.scaling import services
from fargrade.semantics.scaling import Scaler, service_of

DIMENSION = "ecs:service:DesiredCount"
SERVICE_ROLE = (
    "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
)


@dataclass
class Scaling:
    """One region's; targets by resource id, policies and schedules by (resource id, name)."""

    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    schedules: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)
    scalers: dict[str, Scaler] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def policies_of(self, resource: str) -> list[dict[str, Any]]:
        return [policy for (of, _), policy in self.policies.items() if of == resource]


_regions: defaultdict[str, Scaling] = defaultdict(Scaling)


def of(region: str) -> Scaling:
    """The region's Application Auto Scaling."""
    return _regions[region]


@on_reset
def _forget() -> None:
    _regions.clear()


def invalid(message: str) -> Refused:
    """ValidationException, which nearly everything is refused with."""
    return Refused("ValidationException", message)


PUTTING = ("PutScalingPolicy", "PutScheduledAction")


def not_found(kind: str, given: dict[str, Any], name: str = "", *, seen: str = "found") -> Refused:
    """ObjectNotFoundException. Words of a policy or schedule before its target: observed, public logs of both calls."""
    named = f" and {kind.removesuffix('s')} name: {name}" if name else ""
    where = f"service namespace: {given['ServiceNamespace']}, resource ID: {given['ResourceId']}"
    return Refused(
        "ObjectNotFoundException",
        f"No {kind} {seen} for {where}, scalable dimension: {given['ScalableDimension']}{named}",
    )


def target_of(call: Call) -> dict[str, Any]:
    """The registered target that the call names. Raises Refused."""
    found = of(call.region).targets.get(call.parameters["ResourceId"])
    if found is None:
        raise not_found("scalable target", call.parameters, seen="registered" if call.operation in PUTTING else "found")
    return found


def role_arn() -> str:
    return f"arn:aws:iam::{account()}:role/{SERVICE_ROLE}"


def scale(region: str, resource: str, capacity: int, cause: str) -> None:
    """Set the service's desired count and list the activity."""
    cluster, service = service_of(resource)
    now = clock.now()
    activity: dict[str, Any] = {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
        "Description": f"Setting desired count to {capacity}.",
        "Cause": cause,
        "StartTime": now,
        "EndTime": now,
    }
    if services.current.find(region, cluster, service) is None:
        activity |= {
            "StatusCode": "Failed",
            "StatusMessage": f"Failed to set desired count to {capacity}. ECS service doesn't exist: {resource}.",
        }
    else:
        services.current.set_desired(region, cluster, service, capacity)
        activity |= {
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired count to {capacity}. Change successfully fulfilled by ecs.",
        }
    of(region).activities.append(activity)


def into_limits(region: str, target: dict[str, Any]) -> None:
    """A service below its minimum or above its maximum is brought back in: both are limits, not wishes."""
    cluster, service = service_of(target["ResourceId"])
    found = services.current.find(region, cluster, service)
    if found is None:
        return
    if found.desired < target["MinCapacity"]:
        scale(
            region, target["ResourceId"], target["MinCapacity"], f"minimum capacity was set to {target['MinCapacity']}"
        )
    elif found.desired > target["MaxCapacity"]:
        scale(
            region, target["ResourceId"], target["MaxCapacity"], f"maximum capacity was set to {target['MaxCapacity']}"
        )


def page(everything: list[Any], given: dict[str, Any], most: int = 50) -> tuple[list[Any], str | None]:
    """(the page asked for, the next one's token). Raises Refused."""
    token = given.get("NextToken") or "0"
    if not token.isdigit() or int(token) > len(everything):
        raise Refused("InvalidNextTokenException", "The next token supplied was invalid.")
    end = int(token) + int(given.get("MaxResults") or most)
    return everything[int(token) : end], str(end) if end < len(everything) else None


def in_past(when: datetime) -> bool:
    return when <= clock.now()
