import boto3

aas = boto3.client("application-autoscaling")


def _target(cluster, service):
    return dict(ServiceNamespace="ecs", ResourceId="/".join(("service", cluster, service)), ScalableDimension="ecs:service:DesiredCount")


def enable_scaling(cluster: str, service: str, minimum: int, maximum: int, cpu: float) -> None:
    aas.register_scalable_target(**_target(cluster, service), MinCapacity=minimum, MaxCapacity=maximum,
                                 SuspendedState={"DynamicScalingInSuspended": False, "DynamicScalingOutSuspended": False, "ScheduledScalingSuspended": False})
    aas.put_scaling_policy(**_target(cluster, service), PolicyName=f"{service}-cpu", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": float(cpu), "ScaleInCooldown": 60, "ScaleOutCooldown": 60, "DisableScaleIn": False,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}})


def scaling_history(cluster: str, service: str) -> list[int]:
    activities = []
    for page in aas.get_paginator("describe_scaling_activities").paginate(ServiceNamespace="ecs", ResourceId=f"service/{cluster}/{service}"):
        activities.extend(page["ScalingActivities"])
    done = [a for a in activities if a["StatusCode"] == "Successful"]
    return [int(a["Description"].rstrip(".")[-1]) for a in done[::-1]]
