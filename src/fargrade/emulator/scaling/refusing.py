"""What Application Auto Scaling refuses beyond its model.

Sources: API_RegisterScalableTarget.html, API_PutScalingPolicy.html, API_PutScheduledAction.html; words where people
met them: aws-cloudformation/community-registry-extensions issue 255, hashicorp/terraform-provider-aws issues 9077,
3112, 5179, 4812, 41179; getmoto/moto issue 3304.
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.rules import Call, refusal
from fargrade.emulator.scaling import services
from fargrade.emulator.scaling.store import DIMENSION, invalid, of, target_of
from fargrade.semantics.scaling import OF_A_SERVICE, PER_TARGET, BadSchedule, next_time, service_of, steps_problem

SCALING = "application-autoscaling"
OF_A_TARGET = (
    "RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy",
    "PutScheduledAction", "DeleteScheduledAction",
)  # fmt: skip
UNSUPPORTED = "Unsupported service namespace, resource type or scalable dimension"
LABEL = re.compile(r"app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+")


@refusal(SCALING, *OF_A_TARGET)
def the_resource_is_a_service(call: Call) -> None:
    """service/CLUSTER/SERVICE and ecs:service:DesiredCount: the names, never ARNs."""
    given = call.parameters
    if given["ServiceNamespace"] != "ecs":
        if given["ScalableDimension"].partition(":")[0] != given["ServiceNamespace"]:
            raise invalid(UNSUPPORTED)
        raise NotImplementedError(f"scaling of {given['ServiceNamespace']}")
    try:
        service_of(given["ResourceId"])
    except ValueError:
        raise invalid(UNSUPPORTED) from None
    if given["ScalableDimension"] != DIMENSION:
        raise invalid(UNSUPPORTED)


@refusal(SCALING, "RegisterScalableTarget")
def the_limits_are_right(call: Call) -> None:
    """Both limits for a new target, the minimum not above the maximum, and a service that is there."""
    given = call.parameters
    before = of(call.region).targets.get(given["ResourceId"], {})
    least, most = (given.get(name, before.get(name)) for name in ("MinCapacity", "MaxCapacity"))
    if least is None or most is None:
        raise invalid("Minimum capacity and maximum capacity must be specified when registering a new scalable target")
    if least < 0 or most < 0:
        raise invalid("Minimum capacity and maximum capacity must be non-negative")
    if least > most:
        raise invalid("Minimum capacity cannot be greater than maximum capacity")
    cluster, service = service_of(given["ResourceId"])
    if services.current.find(call.region, cluster, service) is None:
        raise invalid(f"ECS service doesn't exist: {given['ResourceId']}")


@refusal(SCALING, "PutScalingPolicy")
def the_policy_is_right(call: Call) -> None:
    """A registered target, a type with its own configuration, and a metric that a service has."""
    given = call.parameters
    target_of(call)
    kind = given.get("PolicyType") or "StepScaling"
    if kind == "PredictiveScaling":
        raise NotImplementedError("predictive scaling")
    step, track = (given.get(f"{name}ScalingPolicyConfiguration") for name in ("Step", "TargetTracking"))
    if kind == "StepScaling":
        if track or not step:
            raise invalid("StepScalingPolicyConfiguration must be specified for the policy type StepScaling")
        _steps(step)
    else:
        if step or not track:
            raise invalid(
                "TargetTrackingScalingPolicyConfiguration must be specified for the policy type TargetTrackingScaling"
            )
        _tracking(track)
        _one_for_a_metric(call, track)
    held = of(call.region).policies.get((given["ResourceId"], given["PolicyName"]))
    if held and held["PolicyType"] != kind:
        raise invalid("The policy type of an existing scaling policy cannot be changed")


def _one_for_a_metric(call: Call, track: dict[str, Any]) -> None:
    """Two policies that track one metric would pull the same service: hashicorp/terraform-provider-aws/issues/41179."""
    given = call.parameters

    def metric(configuration: dict[str, Any] | None) -> Any:
        found = configuration or {}
        return found.get("PredefinedMetricSpecification") or found.get("CustomizedMetricSpecification")

    for (resource, name), held in of(call.region).policies.items():
        other = metric(held.get("TargetTrackingScalingPolicyConfiguration"))
        if resource == given["ResourceId"] and name != given["PolicyName"] and other == metric(track):
            raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")


def _steps(step: dict[str, Any]) -> None:
    if not step.get("AdjustmentType"):
        raise invalid("AdjustmentType must be specified for a step scaling policy")
    problem = steps_problem(step.get("StepAdjustments") or [])
    if problem:
        raise invalid(problem)
    if step.get("MinAdjustmentMagnitude") is not None and step["AdjustmentType"] != "PercentChangeInCapacity":
        raise invalid("MinAdjustmentMagnitude can only be specified for the adjustment type PercentChangeInCapacity")
    if (step.get("Cooldown") or 0) < 0:
        raise invalid("Cooldown must be non-negative")


def _tracking(track: dict[str, Any]) -> None:
    predefined, custom = track.get("PredefinedMetricSpecification"), track.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(custom):
        raise invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    if track["TargetValue"] <= 0:
        raise invalid("TargetValue must be greater than zero")
    for name in ("ScaleOutCooldown", "ScaleInCooldown"):
        if (track.get(name) or 0) < 0:
            raise invalid(f"{name} must be non-negative")
    if predefined:
        _predefined(predefined)
    else:
        _custom(custom or {})


def _predefined(predefined: dict[str, Any]) -> None:
    kind, label = predefined["PredefinedMetricType"], predefined.get("ResourceLabel")
    if kind == PER_TARGET:
        if not label or not LABEL.fullmatch(label):
            raise invalid(
                "A resource label of the form app/<load-balancer-name>/<load-balancer-id>/targetgroup/"
                "<target-group-name>/<target-group-id> must be specified for ALBRequestCountPerTarget"
            )
    elif kind not in OF_A_SERVICE:
        raise invalid(f"Predefined metric type {kind} is not supported for the service namespace ecs")
    elif label:
        raise invalid(f"A resource label must not be specified for {kind}")


def _custom(custom: dict[str, Any]) -> None:
    if custom.get("Metrics"):
        if any(custom.get(name) for name in ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit")):
            raise invalid("A customized metric has either Metrics or MetricName, Namespace and Statistic")
        shown = [one for one in custom["Metrics"] if one.get("ReturnData", True)]
        if len(shown) != 1:
            raise invalid("Exactly one element of the metrics list should return data")
        return
    for name in ("MetricName", "Namespace", "Statistic"):
        if not custom.get(name):
            raise invalid(f"{name} must be specified for a customized metric")


@refusal(SCALING, "PutScheduledAction")
def the_schedule_is_right(call: Call) -> None:
    """A registered target, a schedule that can be read, and limits to set."""
    given = call.parameters
    target_of(call)
    held = of(call.region).schedules.get((given["ResourceId"], given["ScheduledActionName"]))
    schedule = given.get("Schedule") or (held or {}).get("Schedule")
    action = given.get("ScalableTargetAction") or (held or {}).get("ScalableTargetAction") or {}
    if not schedule:
        raise invalid("Schedule must be specified for a new scheduled action")
    least, most = action.get("MinCapacity"), action.get("MaxCapacity")
    if least is None and most is None:
        raise invalid("At least one of minimum capacity and maximum capacity should be provided")
    if any(limit is not None and limit < 0 for limit in (least, most)):
        raise invalid("Minimum capacity and maximum capacity must be non-negative")
    if least is not None and most is not None and least > most:
        raise invalid("Minimum capacity cannot be greater than maximum capacity")
    try:
        due = next_time(schedule, clock.now(), given.get("Timezone") or "UTC")
    except BadSchedule as wrong:
        raise invalid(str(wrong)) from None
    if due is None and schedule.startswith("at("):
        raise invalid("The schedule is in the past")
    if given.get("StartTime") and given.get("EndTime") and given["StartTime"] >= given["EndTime"]:
        raise invalid("StartTime must be before EndTime")
