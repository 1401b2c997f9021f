"""A service whose new versions come up beside the old one, get the traffic when well, and give it back if not."""

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
        deploymentController={"type": "CODE_DEPLOY"},
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": security_groups}},
        loadBalancers=[{"targetGroupArn": target_groups[0], "containerName": "web", "containerPort": 8080}],
    )
    groups = boto3.client("elbv2").describe_target_groups(TargetGroupArns=target_groups)["TargetGroups"]
    codedeploy = boto3.client("codedeploy")
    codedeploy.create_application(applicationName=name, computePlatform="ECS")
    codedeploy.create_deployment_group(
        applicationName=name,
        deploymentGroupName=name,
        serviceRoleArn=roles["code_deploy"],
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        ecsServices=[{"clusterName": cluster, "serviceName": name}],
        loadBalancerInfo={
            "targetGroupPairInfoList": [
                {
                    "targetGroups": [{"name": one["TargetGroupName"]} for one in groups],
                    "prodTrafficRoute": {"listenerArns": [listener]},
                    "testTrafficRoute": {"listenerArns": [test_listener]},
                }
            ]
        },
        blueGreenDeploymentConfiguration={
            "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
            "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 10},
        },
        alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]},
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])


def deploy(name, cluster, task_definition):
    """Bring out another version of the service; return True when it has all the traffic, False if it was taken back."""
    codedeploy = boto3.client("codedeploy")
    family = task_definition.rpartition("/")[2].partition(":")[0]
    newest = boto3.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]["taskDefinitionArn"]
    content = APP_SPEC.read_text().replace("<TASK_DEFINITION>", newest)
    deployment = codedeploy.create_deployment(
        applicationName=name,
        deploymentGroupName=name,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )["deploymentId"]
    while True:
        status = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"]
        if status in ENDED:
            return status == "Succeeded"
        time.sleep(15)
