import json
import boto3

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def execution_role(name):
    iam = boto3.client("iam")
    role_name = f"{name}-execution"
    role = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.attach_role_policy(RoleName=role_name, PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
    return role["Arn"]


def deploy(cluster, name, repository, tag, architecture, count, subnets):
    ecs = boto3.client("ecs")
    account = boto3.client("sts").get_caller_identity()["Account"]
    region = boto3.session.Session().region_name
    image = f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}:{tag}"
    boto3.client("logs").create_log_group(logGroupName=f"/ecs/{name}")
    role = execution_role(name)
    definition = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        runtimePlatform={"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"},
        containerDefinitions=[
            {
                "name": "app",
                "image": image,
                "essential": True,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": f"/ecs/{name}", "awslogs-region": region, "awslogs-stream-prefix": "app"},
                },
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    service = ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets["private"], "assignPublicIp": "DISABLED"}},
    )["service"]["serviceArn"]
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])
    iam = boto3.client("iam")
    iam.detach_role_policy(RoleName=f"{name}-execution", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
    iam.delete_role(RoleName=f"{name}-execution")
    return service
