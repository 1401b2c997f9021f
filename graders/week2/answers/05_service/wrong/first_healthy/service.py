"""2.5: a service behind the load balancer."""

import time

import boto3

STARTS_WITHIN = 120  # seconds: the application's ninety, and some to spare


def create_service(
    cluster: str,
    name: str,
    task_definition: str,
    count: int,
    target_group_arn: str,
    vpc_id: str,
    subnets: list[str],
    load_balancer_group: str,
) -> str:
    """A service on Fargate behind the target group; returns the address for the browser once it answers."""
    ecs = boto3.client("ecs")
    container, port = serving_container(ecs, task_definition)
    group = task_group(name, vpc_id, load_balancer_group, port)
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=task_definition,
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group], "assignPublicIp": "DISABLED"}
        },
        loadBalancers=[{"targetGroupArn": target_group_arn, "containerName": container, "containerPort": port}],
        healthCheckGracePeriodSeconds=STARTS_WITHIN,
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])
    until_healthy(target_group_arn)
    return address(target_group_arn)


def until_healthy(target_group_arn: str) -> None:
    """Wait until a target of the group is healthy."""
    elb = boto3.client("elbv2")
    while True:
        described = elb.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
        if any(one["TargetHealth"]["State"] == "healthy" for one in described):
            return
        time.sleep(5)


def serving_container(ecs, task_definition: str) -> tuple[str, int]:
    """The name and port of the container that maps a port."""
    definition = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
    return next(
        (container["name"], container["portMappings"][0]["containerPort"])
        for container in definition["containerDefinitions"]
        if container.get("portMappings")
    )


def task_group(name: str, vpc_id: str, load_balancer_group: str, port: int) -> str:
    """A security group that lets in the load balancer, on the container's port."""
    ec2 = boto3.client("ec2")
    made = ec2.create_security_group(GroupName=f"{name}-tasks", Description=f"tasks of {name}", VpcId=vpc_id)
    group = made["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "UserIdGroupPairs": [{"GroupId": load_balancer_group}],
            }
        ],
    )
    return group


def address(target_group_arn: str) -> str:
    """The address of the load balancer in front of the target group."""
    elb = boto3.client("elbv2")
    group = elb.describe_target_groups(TargetGroupArns=[target_group_arn])["TargetGroups"][0]
    balancer = elb.describe_load_balancers(LoadBalancerArns=group["LoadBalancerArns"])["LoadBalancers"][0]
    return f"http://{balancer['DNSName']}"
