"""3.6"""

import re

import boto3


def enable_scaling(cluster, service, minimum, maximum, cpu):
    aas = boto3.client("application-autoscaling")
    rid = f"service/{cluster}/{service}"
    common = dict(ServiceNamespace="ecs", ResourceId=rid, ScalableDimension="ecs:service:DesiredCount")
    aas.register_scalable_target(**common, MinCapacity=minimum, MaxCapacity=maximum)
    aas.put_scaling_policy(
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        **common,
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": cpu,
            "CustomizedMetricSpecification": {
                "Namespace": "AWS/ECS",
                "MetricName": "CPUUtilization",
                "Statistic": "Maximum",
                "Dimensions": [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
            },
        },
    )


def scaling_history(cluster, service):
    aas = boto3.client("application-autoscaling")
    found = []
    for page in aas.get_paginator("describe_scaling_activities").paginate(
        ServiceNamespace="ecs", ResourceId=f"service/{cluster}/{service}", ScalableDimension="ecs:service:DesiredCount"
    ):
        for a in page["ScalingActivities"]:
            if a["StatusCode"] == "Successful":
                found.append((a["StartTime"], int(re.search(r"desired count to (\d+)", a["Description"]).group(1))))
    return [n for _, n in found][::-1]
