"""Containers to start from: images that do something, task definitions of them, EC2 instances that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from fargrade.backends.world import World

OPTIMIZED = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id"
JOINS_WITHIN = 300  # seconds that an instance takes to boot and join its cluster, with room
WEB = {"ports": [80], "answers": {"/": 200}, "otherwise": 404}


def image(world: World, repository: str, tag: str, **behaviour: Any) -> str:
    """Push an image that behaves so (by default: a web server on port 80) to the repository; its reference."""
    ecr = world.client("ecr")
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):  # another image of it is there
        ecr.create_repository(repositoryName=repository)
    world.push_image(repository, [tag], behaviour=behaviour or WEB)
    return f"{world.registry}/{repository}:{tag}"


def definition(
    world: World,
    family: str,
    reference: str,
    execution_role: str,
    *,
    port: int = 80,
    container: Mapping[str, Any] | None = None,
    beside: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> str:
    """Register a task definition for Fargate with one container `web` (and those `beside` it); its ARN."""
    web = {"name": "web", "image": reference, "portMappings": [{"containerPort": port}], **(container or {})}
    given = {
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": execution_role,
        **more,
    }
    made: str = world.client("ecs").register_task_definition(
        family=family, containerDefinitions=[web, *map(dict, beside)], **given
    )["taskDefinition"]["taskDefinitionArn"]
    return made


def instance(
    world: World,
    cluster: str,
    subnet: str,
    groups: Sequence[str],
    *,
    profile: str = "ecsInstanceRole",
    kind: str = "t3.small",
) -> str:
    """Start an EC2 instance with the ECS-optimised image that joins the cluster, and wait for it; its id.

    `profile` is an instance profile whose role may register it (given.roles.instance_role).
    """
    made: str = world.client("ec2").run_instances(
        ImageId=world.client("ssm").get_parameter(Name=OPTIMIZED)["Parameter"]["Value"],
        InstanceType=kind,
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": profile},
        UserData=f"#!/bin/bash\necho ECS_CLUSTER={cluster} >> /etc/ecs/ecs.config\n",
        NetworkInterfaces=[
            {"DeviceIndex": 0, "SubnetId": subnet, "Groups": list(groups), "AssociatePublicIpAddress": True}
        ],
    )["Instances"][0]["InstanceId"]
    world.advance(JOINS_WITHIN)
    return made


def tasks(world: World, cluster: str, *, stopped: bool = False) -> list[dict[str, Any]]:
    """The cluster's tasks as described: those that run or shall run, or those that have stopped."""
    ecs = world.client("ecs")
    wanted = "STOPPED" if stopped else "RUNNING"
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=wanted)
    arns = [arn for page in pages for arn in page["taskArns"]]
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return found


def interface(world: World, task: Mapping[str, Any]) -> dict[str, Any]:
    """The network interface of a task with its own, as EC2 describes it; empty while it has none."""
    details = {one["name"]: one["value"] for held in task.get("attachments") or [] for one in held["details"]}
    name = details.get("networkInterfaceId")
    if not name:
        return {}
    found: dict[str, Any] = world.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[name])[
        "NetworkInterfaces"
    ][0]
    return found


def public_address(world: World, task: Mapping[str, Any]) -> str:
    """The task's public IPv4 address; "" without one."""
    return str(interface(world, task).get("Association", {}).get("PublicIp", ""))
