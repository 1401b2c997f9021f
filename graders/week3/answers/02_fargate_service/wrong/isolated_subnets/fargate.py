"""3.2: a Fargate service from your own image."""

import json

import boto3

EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def deploy(
    cluster: str,
    name: str,
    repository: str,
    tag: str,
    architecture: str,
    count: int,
    subnets: dict[str, list[str]],
) -> str:
    """A service of the image on Fargate; returns its ARN once it is stable."""
    ecs = boto3.client("ecs")
    definition = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        runtimePlatform={"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"},
        executionRoleArn=execution_role(f"{name}-execution"),
        containerDefinitions=[{"name": "app", "image": image(repository, tag), "essential": True}],
    )["taskDefinition"]
    service = ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=definition["taskDefinitionArn"],
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets["isolated"], "assignPublicIp": "DISABLED"}},
    )["service"]
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])
    return service["serviceArn"]


def execution_role(name: str) -> str:
    """The role in which ECS fetches the image and writes the logs."""
    iam = boto3.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.attach_role_policy(RoleName=name, PolicyArn=EXECUTION_POLICY)
    return role["Arn"]


def image(repository: str, tag: str) -> str:
    """The image's full name, with its registry."""
    [found] = boto3.client("ecr").describe_repositories(repositoryNames=[repository])["repositories"]
    return f"{found['repositoryUri']}:{tag}"
