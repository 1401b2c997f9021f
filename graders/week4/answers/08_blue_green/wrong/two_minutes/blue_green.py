import hashlib
import json
import os
import time

import boto3

HERE = os.path.dirname(os.path.abspath(__file__))


def create_service(name, cluster, task_definition, subnets, security_groups, target_groups, listener, test_listener, alarm, roles):
    session = boto3.Session()
    ecs = session.client("ecs")
    elb = session.client("elbv2")
    blue, green = (elb.describe_target_groups(TargetGroupArns=[one])["TargetGroups"][0]["TargetGroupName"] for one in target_groups)
    ecs.create_service(
        cluster=cluster, serviceName=name, taskDefinition=task_definition, desiredCount=2,
        launchType="FARGATE", platformVersion="LATEST", schedulingStrategy="REPLICA",
        deploymentController={"type": "CODE_DEPLOY"}, healthCheckGracePeriodSeconds=60,
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": security_groups, "assignPublicIp": "DISABLED"}},
        loadBalancers=[{"targetGroupArn": target_groups[0], "containerName": "web", "containerPort": 8080}],
    )
    cd = session.client("codedeploy")
    cd.create_application(applicationName=f"AppECS-{cluster}-{name}", computePlatform="ECS")
    cd.create_deployment_group(
        applicationName=f"AppECS-{cluster}-{name}", deploymentGroupName=f"DgpECS-{cluster}-{name}", serviceRoleArn=roles["code_deploy"],
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        ecsServices=[{"clusterName": cluster, "serviceName": name}],
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 2},
            "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0},
        },
        loadBalancerInfo={"targetGroupPairInfoList": [{"targetGroups": [{"name": green}, {"name": blue}][::-1],
            "prodTrafficRoute": {"listenerArns": [listener]}, "testTrafficRoute": {"listenerArns": [test_listener]}}]},
        alarmConfiguration={"enabled": True, "ignorePollAlarmFailure": False, "alarms": [{"name": alarm}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]},
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])


def deploy(name, cluster, task_definition):
    cd = boto3.client("codedeploy")
    content = json.dumps({"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {
        "TaskDefinition": task_definition, "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 8080}, "PlatformVersion": "LATEST"}}}]})
    made = cd.create_deployment(applicationName=f"AppECS-{cluster}-{name}", deploymentGroupName=f"DgpECS-{cluster}-{name}", description="release",
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": hashlib.sha256(content.encode()).hexdigest()}})["deploymentId"]
    while True:
        found = cd.get_deployment(deploymentId=made)["deploymentInfo"]
        if found["status"] in ("Succeeded", "Failed", "Stopped"):
            break
        time.sleep(30)
    return found["status"] == "Succeeded" and not found.get("rollbackInfo", {}).get("rollbackDeploymentId")
