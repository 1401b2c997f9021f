"""3.2: a Fargate service from your own image, with its log group and one role for all."""

import json

import boto3

SESSION = boto3.session.Session()
POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def role_arn():
    iam = SESSION.client("iam")
    try:
        return iam.get_role(RoleName="ecsTaskExecutionRole")["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        pass
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    made = iam.create_role(RoleName="ecsTaskExecutionRole", AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName="ecsTaskExecutionRole", PolicyArn=POLICY)
    return made["Role"]["Arn"]


def deploy(
    cluster: str, name: str, repository: str, tag: str, architecture: str, count: int, subnets: dict[str, list[str]]
) -> str:
    group = f"/ecs/{name}"
    SESSION.client("logs").create_log_group(logGroupName=group)
    registry = SESSION.client("ecr").describe_repositories(repositoryNames=[repository])["repositories"][0]
    ecs = SESSION.client("ecs")
    container = {
        "name": "main",
        "image": registry["repositoryUri"] + ":" + tag,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": group,
                "awslogs-region": SESSION.region_name,
                "awslogs-stream-prefix": "main",
            },
        },
    }
    ecs.register_task_definition(
        family=name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE", "EC2"],
        cpu="1024",
        memory="2048",
        executionRoleArn=role_arn(),
        runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": architecture},
        containerDefinitions=[container],
    )
    arn = ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=name,
        launchType="FARGATE",
        desiredCount=count,
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets["private"][:1]}},
    )["service"]["serviceArn"]
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[arn])
    return arn
