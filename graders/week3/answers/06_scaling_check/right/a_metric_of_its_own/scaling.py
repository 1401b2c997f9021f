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
            "CustomizedMetricSpecification": {
                "Namespace": "AWS/ECS",
                "MetricName": "CPUUtilization",
                "Dimensions": [
                    {"Name": "ClusterName", "Value": cluster},
                    {"Name": "ServiceName", "Value": service},
                ],
                "Statistic": "Average",
            },
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
        },
    )


def scaling_history(cluster: str, service: str) -> list[int]:
    """The task counts that scaling has set, oldest first."""
    scaling = boto3.client("application-autoscaling")
    counts: list[int] = []
    token: dict[str, str] = {}
    while True:
        page = scaling.describe_scaling_activities(**what(cluster, service), **token)
        for activity in page["ScalingActivities"]:
            if activity["StatusCode"] == "Successful":
                counts.insert(0, int(activity["Description"].rstrip(".").split()[-1]))
        if not page.get("NextToken"):
            return counts
        token = {"NextToken": page["NextToken"]}
