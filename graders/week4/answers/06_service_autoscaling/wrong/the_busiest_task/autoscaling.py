"""4.6"""

import boto3


def deploy(cluster, service, task_definition, target_group, subnets, security_group):
    ecs = boto3.client("ecs")
    aas = boto3.client("application-autoscaling")
    ecs.create_service(
        cluster=cluster,
        serviceName=service,
        taskDefinition=task_definition,
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets, "securityGroups": [security_group], "assignPublicIp": "ENABLED"}
        },
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "web", "containerPort": 8080}],
        healthCheckGracePeriodSeconds=60,
    )
    rid = f"service/{cluster}/{service}"
    aas.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=rid,
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=2,
        MaxCapacity=10,
    )
    aas.put_scaling_policy(
        PolicyName="cpu70",
        ServiceNamespace="ecs",
        ResourceId=rid,
        ScalableDimension="ecs:service:DesiredCount",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "CustomizedMetricSpecification": {
                "Namespace": "AWS/ECS",
                "MetricName": "CPUUtilization",
                "Statistic": "Maximum",
                "Dimensions": [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
            },
        },
    )
