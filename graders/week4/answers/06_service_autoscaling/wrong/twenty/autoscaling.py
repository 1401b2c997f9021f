"""4.6: a service behind a load balancer that holds its CPU at 70 %."""

import boto3


def deploy(
    cluster: str, service: str, task_definition: str, target_group: str, subnets: list[str], security_group: str
) -> None:
    """The service, behind the target group, with as many tasks as its CPU takes."""
    boto3.client("ecs").create_service(
        cluster=cluster,
        serviceName=service,
        taskDefinition=task_definition,
        launchType="FARGATE",
        desiredCount=2,
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": [security_group],
                "assignPublicIp": "ENABLED",
            }
        },
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "web", "containerPort": 8080}],
        healthCheckGracePeriodSeconds=60,
    )
    scaling = boto3.client("application-autoscaling")
    what = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/{service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**what, MinCapacity=2, MaxCapacity=20)
    scaling.put_scaling_policy(
        **what,
        PolicyName="cpu-70",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )
