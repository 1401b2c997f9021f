"""Targets, policies, schedules and activities: made, shown and deleted."""

from __future__ import annotations

import uuid
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch import alarms as cloudwatch_alarms
from fargrade.emulator.cloudwatch import evaluating
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, account, answer
from fargrade.emulator.scaling import acting
from fargrade.emulator.scaling.refusing import SCALING
from fargrade.emulator.scaling.store import DIMENSION, into_limits, invalid, not_found, of, page, role_arn, target_of
from fargrade.semantics.scaling import Scaler, tracking_alarms

COOLDOWN = 300
SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@answer(SCALING, "RegisterScalableTarget")
def register(call: Call) -> dict[str, Any]:
    """RegisterScalableTarget: new, or what is given changed; the service is brought within its limits."""
    given, held = call.parameters, of(call.region)
    target = held.targets.setdefault(
        given["ResourceId"],
        {
            "ServiceNamespace": "ecs",
            "ResourceId": given["ResourceId"],
            "ScalableDimension": DIMENSION,
            "RoleARN": role_arn(),
            "CreationTime": clock.now(),
            "SuspendedState": dict.fromkeys(SUSPENDED, False),
            "ScalableTargetARN": f"arn:aws:application-autoscaling:{call.region}:{account()}:scalable-target/"
            + uuid.uuid4().hex[:24],
        },
    )
    for name in ("MinCapacity", "MaxCapacity"):
        if given.get(name) is not None:
            target[name] = given[name]
    target["SuspendedState"] |= {k: v for k, v in (given.get("SuspendedState") or {}).items() if v is not None}
    if given.get("Tags"):
        held.tags[target["ScalableTargetARN"]] = dict(given["Tags"])
    held.scalers.setdefault(given["ResourceId"], Scaler())
    evaluating.start()
    into_limits(call.region, target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


@answer(SCALING, "DeregisterScalableTarget")
def deregister(call: Call) -> dict[str, Any]:
    """DeregisterScalableTarget: its policies, their alarms and its scheduled actions go with it."""
    target, held, resource = target_of(call), of(call.region), call.parameters["ResourceId"]
    for policy in held.policies_of(resource):
        _delete_policy(call.region, policy)
    for key in [key for key in held.schedules if key[0] == resource]:
        held.schedules.pop(key)["event"].cancel()
    held.tags.pop(target["ScalableTargetARN"], None)
    del held.targets[resource]
    held.scalers.pop(resource, None)
    return {}


@answer(SCALING, "DescribeScalableTargets")
def describe_targets(call: Call) -> dict[str, Any]:
    """DescribeScalableTargets, of the namespace."""
    given = call.parameters
    asked = given.get("ResourceIds")
    found = [
        {**target, "SuspendedState": dict(target["SuspendedState"])}
        for target in of(call.region).targets.values()
        if (not asked or target["ResourceId"] in asked) and _of_dimension(target, given)
    ]
    shown, token = page(found, given)
    return {"ScalableTargets": shown, "NextToken": token}


def _of_dimension(one: dict[str, Any], given: dict[str, Any]) -> bool:
    return (
        one["ServiceNamespace"] == given["ServiceNamespace"]
        and given.get("ScalableDimension") in (None, one["ScalableDimension"])
        and given.get("ResourceId") in (None, one["ResourceId"])
    )


@answer(SCALING, "PutScalingPolicy")
def put_policy(call: Call) -> dict[str, Any]:
    """PutScalingPolicy: target tracking makes its two alarms, and makes them anew when the policy changes."""
    given, held = call.parameters, of(call.region)
    key = (given["ResourceId"], given["PolicyName"])
    before = held.policies.get(key)
    kind = given.get("PolicyType") or "StepScaling"
    arn = (
        f"arn:aws:autoscaling:{call.region}:{account()}:scalingPolicy:{uuid.uuid4()}:resource/ecs/"
        f"{given['ResourceId']}:policyName/{given['PolicyName']}"
    )
    policy: dict[str, Any] = {
        "PolicyARN": before["PolicyARN"] if before else arn,
        "PolicyName": given["PolicyName"],
        "ServiceNamespace": "ecs",
        "ResourceId": given["ResourceId"],
        "ScalableDimension": DIMENSION,
        "PolicyType": kind,
        "CreationTime": before["CreationTime"] if before else clock.now(),
    }
    if kind == "StepScaling":
        policy["StepScalingPolicyConfiguration"] = _step_configuration(given["StepScalingPolicyConfiguration"])
    else:
        policy["TargetTrackingScalingPolicyConfiguration"] = _without_nothing(
            given["TargetTrackingScalingPolicyConfiguration"]
        )
    policy["Alarms"] = _tracking_alarms(call.region, policy, before) if kind != "StepScaling" else []
    held.policies[key] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _step_configuration(given: dict[str, Any]) -> dict[str, Any]:
    return {"MetricAggregationType": "Average", **_without_nothing(given)}


def _without_nothing(given: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in given.items() if one is not None}


def _tracking_alarms(region: str, policy: dict[str, Any], before: dict[str, Any] | None) -> list[dict[str, str]]:
    if before:
        cloudwatch_alarms.delete(region, [alarm["AlarmName"] for alarm in before["Alarms"]])
    made = tracking_alarms(policy, (str(uuid.uuid4()), str(uuid.uuid4())))
    saved = [cloudwatch_alarms.save(region, alarm) for alarm in made]
    return [{"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]} for alarm in saved]


@answer(SCALING, "DescribeScalingPolicies")
def describe_policies(call: Call) -> dict[str, Any]:
    """DescribeScalingPolicies; a step policy shows the alarms that name it among their actions."""
    given, names = call.parameters, call.parameters.get("PolicyNames")
    found = [
        {**policy, "Alarms": acting.alarms_of(call.region, policy)}
        for policy in of(call.region).policies.values()
        if _of_dimension(policy, given) and (not names or policy["PolicyName"] in names)
    ]
    shown, token = page(found, given, 10)
    return {"ScalingPolicies": shown, "NextToken": token}


@answer(SCALING, "DeleteScalingPolicy")
def delete_policy(call: Call) -> dict[str, Any]:
    """DeleteScalingPolicy: target tracking's alarms go with it, a step policy's stay."""
    given = call.parameters
    policy = of(call.region).policies.get((given["ResourceId"], given["PolicyName"]))
    if policy is None:
        raise not_found("scaling policy", given, given["PolicyName"])
    _delete_policy(call.region, policy)
    return {}


def _delete_policy(region: str, policy: dict[str, Any]) -> None:
    cloudwatch_alarms.delete(region, [alarm["AlarmName"] for alarm in policy["Alarms"]])
    del of(region).policies[policy["ResourceId"], policy["PolicyName"]]


@answer(SCALING, "PutScheduledAction")
def put_schedule(call: Call) -> dict[str, Any]:
    """PutScheduledAction: new, or what is given changed."""
    given, held = call.parameters, of(call.region)
    key = (given["ResourceId"], given["ScheduledActionName"])
    before = held.schedules.get(key)
    arn = (
        f"arn:aws:autoscaling:{call.region}:{account()}:scheduledAction:{uuid.uuid4()}:resource/ecs/"
        f"{given['ResourceId']}:scheduledActionName/{given['ScheduledActionName']}"
    )
    action = before or {"ScheduledActionARN": arn, "CreationTime": clock.now(), "Timezone": "UTC"}
    members = ("ScheduledActionName", "ServiceNamespace", "Schedule", "Timezone", "ResourceId", "ScalableDimension",
               "StartTime", "EndTime", "ScalableTargetAction")  # fmt: skip
    action |= {name: given[name] for name in members if given.get(name) is not None}
    if before:
        before["event"].cancel()
    held.schedules[key] = action
    acting.plan(call.region, action)
    return {}


@answer(SCALING, "DescribeScheduledActions")
def describe_schedules(call: Call) -> dict[str, Any]:
    """DescribeScheduledActions."""
    given, names = call.parameters, call.parameters.get("ScheduledActionNames")
    found = [
        {name: one for name, one in action.items() if name != "event"}
        for action in of(call.region).schedules.values()
        if _of_dimension(action, given) and (not names or action["ScheduledActionName"] in names)
    ]
    shown, token = page(found, given)
    return {"ScheduledActions": shown, "NextToken": token}


@answer(SCALING, "DeleteScheduledAction")
def delete_schedule(call: Call) -> dict[str, Any]:
    """DeleteScheduledAction."""
    given = call.parameters
    action = of(call.region).schedules.pop((given["ResourceId"], given["ScheduledActionName"]), None)
    if action is None:
        raise not_found("scheduled action", given, given["ScheduledActionName"])
    action["event"].cancel()
    return {}


@answer(SCALING, "DescribeScalingActivities")
def describe_activities(call: Call) -> dict[str, Any]:
    """DescribeScalingActivities (not in moto), newest first."""
    given = call.parameters
    if given.get("ScalableDimension") and not given.get("ResourceId"):
        raise invalid("ResourceId must be specified if ScalableDimension is specified")
    found = [one for one in reversed(of(call.region).activities) if _of_dimension(one, given)]
    shown, token = page(found, given)
    return {"ScalingActivities": shown, "NextToken": token}


@answer(SCALING, "TagResource", "UntagResource", "ListTagsForResource")
def tags(call: Call) -> dict[str, Any]:
    """A scalable target's tags."""
    given, held = call.parameters, of(call.region)
    arn = given["ResourceARN"]
    if arn not in (target["ScalableTargetARN"] for target in held.targets.values()):
        raise Refused("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")
    own = held.tags.setdefault(arn, {})
    if call.operation == "TagResource":
        own |= given["Tags"]
    elif call.operation == "UntagResource":
        for key in given["TagKeys"]:
            own.pop(key, None)
    else:
        return {"Tags": dict(own)}
    return {}
