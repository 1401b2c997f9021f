"""3.6: a service that follows its load."""

import re

import boto3


def what(cluster: str, service: str) -> dict[str, str]:
    """What is turned: the service's number of tasks."""
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/{service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def enable_scaling(cluster: str, service: str, minimum: int, maximum: int, cpu: float) -> None:
    """From now on the service runs as many tasks as it takes to keep their average CPU about `cpu` per cent."""
    scaling = boto3.client("application-autoscaling")
    scaling.register_scalable_target(**what(cluster, service), MinCapacity=minimum, MaxCapacity=maximum)
    out = [
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 15, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 15, "ScalingAdjustment": 2},
        ]
    back = [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}]
    for name, steps, threshold, operator, periods in (
        ("out", out, cpu, "GreaterThanThreshold", 3),
        ("in", back, 0.7 * cpu, "LessThanThreshold", 12),
    ):
        scaling.put_scaling_policy(
            **what(cluster, service),
            PolicyName=f"{service}-{name}",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": steps,
                "Cooldown": 120,
            },
        )
        cloudwatch = boto3.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=f"{cluster}-{service}-{name}",
            Namespace="AWS/ECS",
            MetricName="CPUUtilization",
            Dimensions=[{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
            Statistic="Average",
            Period=60,
            EvaluationPeriods=periods,
            Threshold=threshold,
            ComparisonOperator=operator,
            TreatMissingData="missing",
            AlarmActions=[f"arn:aws:sns:{cloudwatch.meta.region_name}:123456789012:ops"],
        )


def scaling_history(cluster: str, service: str) -> list[int]:
    """The task counts that scaling has set, oldest first."""
    pages = boto3.client("application-autoscaling").get_paginator("describe_scaling_activities")
    newest_first = [
        int(re.search(r"\d+", activity["Description"])[0])
        for page in pages.paginate(**what(cluster, service))
        for activity in page["ScalingActivities"]
        if activity["StatusCode"] == "Successful"
    ]
    return newest_first[::-1]
