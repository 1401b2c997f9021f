"""Target tracking: the two alarms that Application Auto Scaling makes of a policy, and where they lead.

Sources: docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html (how it
works, cooldowns, several policies) and docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-
targettracking.html: out after three one-minute points above the target, in after fifteen below nine tenths of it.
How many tasks are added is not published: it is meant to bring the metric to the target, and never to overshoot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

HYSTERESIS = 0.9
OUT_AFTER, IN_AFTER = 3, 15
DEFAULT_COOLDOWN = 300
FINE_PERIOD = 20
# Predefined metrics of ECS services: (namespace, metric, period).
OF_A_SERVICE = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization", 60),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization", 60),
    "ECSServiceAverageCPUUtilizationHighResolution": ("AWS/ECS", "CPUUtilization", FINE_PERIOD),
    "ECSServiceAverageMemoryUtilizationHighResolution": ("AWS/ECS", "MemoryUtilization", FINE_PERIOD),
}
PER_TARGET = "ALBRequestCountPerTarget"


def service_of(resource_id: str) -> tuple[str, str]:
    """(cluster, service) of "service/CLUSTER/SERVICE". Raises ValueError for any other form."""
    parts = resource_id.split("/")
    if len(parts) != 3 or parts[0] != "service" or not all(parts):
        raise ValueError(resource_id)
    return parts[1], parts[2]


def watched(configuration: Mapping[str, Any], resource_id: str) -> dict[str, Any]:
    """What the policy's alarms watch, as the members that PutMetricAlarm takes for it."""
    custom = configuration.get("CustomizedMetricSpecification")
    if custom:
        return _customized(custom)
    predefined = configuration["PredefinedMetricSpecification"]
    kind = predefined["PredefinedMetricType"]
    if kind == PER_TARGET:
        return _requests_per_target(str(predefined["ResourceLabel"]))
    namespace, metric, period = OF_A_SERVICE[kind]
    cluster, service = service_of(resource_id)
    return {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
        "Statistic": "Average",
        "Period": period,
    }


def _customized(custom: Mapping[str, Any]) -> dict[str, Any]:
    if custom.get("Metrics"):
        queries = []
        for query in custom["Metrics"]:
            stat = query.get("MetricStat")
            timed = {"MetricStat": {**stat, "Period": 60}} if stat else {}
            queries.append({**query, **timed, "ReturnData": query.get("ReturnData", True)})
        return {"Metrics": queries}
    found = {
        "Namespace": custom["Namespace"],
        "MetricName": custom["MetricName"],
        "Dimensions": list(custom.get("Dimensions") or []),
        "Statistic": custom["Statistic"],
        "Period": 60,
    }
    return {**found, "Unit": custom["Unit"]} if custom.get("Unit") else found


def _requests_per_target(label: str) -> dict[str, Any]:
    """The label is app/LOAD-BALANCER/ID/targetgroup/TARGET-GROUP/ID: API_PredefinedMetricSpecification.html."""
    parts = label.split("/")
    return {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCountPerTarget",
        "Dimensions": [
            {"Name": "LoadBalancer", "Value": "/".join(parts[:3])},
            {"Name": "TargetGroup", "Value": "/".join(parts[3:])},
        ],
        "Statistic": "Sum",
        "Period": 60,
    }


def tracking_alarms(policy: Mapping[str, Any], names: tuple[str, str]) -> list[dict[str, Any]]:
    """The policy's alarms (AlarmHigh, and AlarmLow unless scale-in is disabled), as DescribeAlarms shows them.

    `policy` is one of DescribeScalingPolicies; `names` are the ids that end the alarms' names.
    """
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    target, resource = float(configuration["TargetValue"]), str(policy["ResourceId"])
    common = {
        **watched(configuration, resource),
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [policy["PolicyARN"]],
        "InsufficientDataActions": [],
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
    }
    high = {
        **common,
        "AlarmName": f"TargetTracking-{resource}-AlarmHigh-{names[0]}",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": target,
        "EvaluationPeriods": OUT_AFTER,
    }
    low = {
        **common,
        "AlarmName": f"TargetTracking-{resource}-AlarmLow-{names[1]}",
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": round(target * HYSTERESIS, 6),
        "EvaluationPeriods": IN_AFTER,
    }
    if common.get("Period") == FINE_PERIOD:
        low["Period"] = 60  # faster out, not faster in
    return [high] if configuration.get("DisableScaleIn") else [high, low]


def tracked(current: int, metric: float, target: float) -> int:
    """The capacity that would bring a metric which falls with every task to its target, never above it."""
    return math.ceil(round(current * metric / target, 9))
