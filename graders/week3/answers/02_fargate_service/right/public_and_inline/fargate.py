"""3.2: a Fargate service from your own image, pinned by its digest."""

import json
import os
import time

import boto3

iam, ecr, ecs, sts = (boto3.client(name) for name in ("iam", "ecr", "ecs", "sts"))
REGION = os.environ["AWS_REGION"]


def deploy(cluster, name, repository, tag, architecture, count, subnets):
    account = sts.get_caller_identity()["Account"]
    role = iam.create_role(RoleName=f"exec-{name}", AssumeRolePolicyDocument=json.dumps(trust(account)))["Role"]["Arn"]
    allow(f"exec-{name}", f"arn:aws:ecr:{REGION}:{account}:repository/{repository}")
    [image] = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    uri = f"{account}.dkr.ecr.{REGION}.amazonaws.com/{repository}@{image['imageDigest']}"
    arn = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=".5 vCPU",
        memory="1 GB",
        runtimePlatform={"cpuArchitecture": architecture},
        executionRoleArn=role,
        containerDefinitions=[{"name": name, "image": uri, "cpu": 256, "memoryReservation": 512}],
    )["taskDefinition"]["taskDefinitionArn"]
    service = ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=arn,
        desiredCount=count,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets["public"], "assignPublicIp": "ENABLED"}
        },
    )["service"]["serviceArn"]
    for _ in range(60):
        now = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
        if now["runningCount"] == count:
            return service
        time.sleep(10)
    raise TimeoutError(now["events"][0]["message"])


def trust(account):
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["ecs-tasks.amazonaws.com"]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        ],
    }


def allow(role, repository):
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    statements = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": pull, "Resource": repository},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName="pull", PolicyDocument=document)
