"""ECS's own blue/green deployments: the strategy is the service's, and update_service is all it takes."""

import time

import boto3


def default_rule(listener):
    """The ARN of the rule that a listener follows when no other matches."""
    rules = boto3.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
    return next(rule["RuleArn"] for rule in rules if rule["IsDefault"])


def create_service(
    name, cluster, task_definition, subnets, security_groups, target_groups, listener, test_listener, alarm, roles
):
    ecs = boto3.client("ecs")
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=task_definition,
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": security_groups}},
        loadBalancers=[
            {
                "targetGroupArn": target_groups[0],
                "containerName": "web",
                "containerPort": 8080,
                "advancedConfiguration": {
                    "alternateTargetGroupArn": target_groups[1],
                    "productionListenerRule": default_rule(listener),
                    "testListenerRule": default_rule(test_listener),
                    "roleArn": roles["ecs"],
                },
            }
        ],
        deploymentConfiguration={
            "strategy": "BLUE_GREEN",
            "bakeTimeInMinutes": 0,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "alarms": {"alarmNames": [alarm], "enable": True, "rollback": True},
        },
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])


def deploy(name, cluster, task_definition):
    ecs = boto3.client("ecs")
    ecs.update_service(cluster=cluster, service=name, taskDefinition=task_definition)
    while True:
        time.sleep(15)
        newest = ecs.list_service_deployments(cluster=cluster, service=name)["serviceDeployments"][0]
        if newest["status"] in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"):
            return newest["status"] == "SUCCESSFUL"
