"""2.6: the same application on EC2 and on Fargate, each with what it needs."""

import boto3

PORT = 80


def on_fargate(
    cluster: str,
    name: str,
    image: str,
    execution_role: str,
    target_group: str,
    subnets: list[str],
    security_group: str,
    copies: int,
) -> None:
    """A service called `name` that runs `copies` of the image on Fargate, behind the target group (type ip)."""
    ecs = boto3.client("ecs")
    definition = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=execution_role,
        containerDefinitions=[{"name": "web", "image": image, "portMappings": [{"containerPort": PORT}]}],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=copies,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets, "securityGroups": [security_group], "assignPublicIp": "ENABLED"}
        },
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "web", "containerPort": PORT}],
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])


def on_ec2(cluster: str, name: str, image: str, execution_role: str, target_group: str, copies: int) -> None:
    """A service called `name` that runs `copies` of the image on the cluster's instances, behind the target group."""
    ecs = boto3.client("ecs")
    definition = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["EC2"],
        networkMode="bridge",
        executionRoleArn=execution_role,
        containerDefinitions=[
            {
                "name": "web",
                "image": image,
                "cpu": 64,
                "memory": 128,
                # Port 0: the instance gives each copy a port of its own, so that several fit on one.
                "portMappings": [{"containerPort": PORT, "hostPort": 0}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=copies,
        launchType="EC2",
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "web", "containerPort": PORT}],
    )
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])


ecs = boto3.client("ecs")
_e = on_ec2
def on_ec2(cluster, name, image, execution_role, target_group, copies):
    r = _e(cluster, name, image, execution_role, target_group, copies)
    ec2 = boto3.client("ec2")
    i = ecs.describe_container_instances(cluster=cluster, containerInstances=ecs.list_container_instances(cluster=cluster)["containerInstanceArns"])["containerInstances"][0]["ec2InstanceId"]
    d = ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]
    ec2.run_instances(ImageId=d["ImageId"], InstanceType="t3.small", MinCount=1, MaxCount=1, SubnetId=d["SubnetId"], SecurityGroupIds=[g["GroupId"] for g in d["SecurityGroups"]], IamInstanceProfile={"Arn": d["IamInstanceProfile"]["Arn"]}, UserData=f"#!/bin/bash\necho ECS_CLUSTER={cluster} >> /etc/ecs/ecs.config\n")
    return r
