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
    scaling.register_scalable_target(**what, MinCapacity=2, MaxCapacity=10)
    for name, threshold, operator, minutes, steps in (
        (
            "out",
            70,
            "GreaterThanThreshold",
            3,
            [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 15, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 15, "ScalingAdjustment": 2},
            ],
        ),
        ("in", 50, "LessThanThreshold", 15, [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}]),
    ):
        policy = scaling.put_scaling_policy(
            **what,
            PolicyName=name,
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": steps,
                "Cooldown": 180,
            },
        )["PolicyARN"]
        boto3.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{cluster}-{service}-{name}",
            Namespace="AWS/ECS",
            MetricName="CPUUtilization",
            Dimensions=[{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
            Statistic="Average",
            Period=60,
            EvaluationPeriods=minutes,
            Threshold=threshold,
            ComparisonOperator=operator,
            AlarmActions=[policy],
        )
