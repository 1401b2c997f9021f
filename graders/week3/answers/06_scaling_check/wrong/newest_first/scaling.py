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
    scaling.put_scaling_policy(
        **what(cluster, service),
        PolicyName=f"{service}-cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": cpu,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
        },
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
    return newest_first
