import time

import boto3

ecs = boto3.client("ecs")
elbv2 = boto3.client("elbv2")


def default_rule(listener):
    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener)
    return next(rule["RuleArn"] for page in pages for rule in page["Rules"] if rule["IsDefault"])


def create_service(name, cluster, task_definition, subnets, security_groups, target_groups, listener, test_listener, alarm, roles):
    ecs.create_service(
        cluster=cluster, serviceName=name, taskDefinition=task_definition, desiredCount=2, launchType="FARGATE",
        availabilityZoneRebalancing="ENABLED",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": security_groups}},
        deploymentController={"type": "ECS"},
        deploymentConfiguration={
            "strategy": "LINEAR", "bakeTimeInMinutes": 6, "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 2}, "maximumPercent": 200, "minimumHealthyPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "alarms": {"alarmNames": [alarm], "enable": True, "rollback": True},
        },
        loadBalancers=[{"targetGroupArn": target_groups[0], "containerName": "web", "containerPort": 8080,
            "advancedConfiguration": {"alternateTargetGroupArn": target_groups[1], "productionListenerRule": default_rule(listener),
                                      "testListenerRule": default_rule(test_listener), "roleArn": roles["ecs"]}}],
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name], WaiterConfig={"Delay": 10, "MaxAttempts": 100})


def deploy(name, cluster, task_definition):
    ecs.update_service(cluster=cluster, service=name, taskDefinition=task_definition, forceNewDeployment=True)
    try:
        ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name], WaiterConfig={"Delay": 30, "MaxAttempts": 120})
    except Exception:
        return False
    (service,) = ecs.describe_services(cluster=cluster, services=[name])["services"]
    return service["taskDefinition"] == task_definition and service["deployments"][0]["rolloutState"] == "COMPLETED"
