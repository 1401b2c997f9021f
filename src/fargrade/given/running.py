"""A service that runs on Fargate before the learner begins: cluster, image, roles, task definition and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.backends.world import World
from fargrade.given import network, roles


def cluster(world: World, name: str, *, insights: bool = True) -> None:
    """A cluster, with Container Insights on."""
    setting = {"name": "containerInsights", "value": "enabled" if insights else "disabled"}
    world.client("ecs").create_cluster(clusterName=name, settings=[setting])


def service(
    world: World,
    cluster_name: str,
    name: str,
    count: int,
    *,
    place: network.Vpc,
    port: int = 8080,
    container: str = "web",
    load_balancers: Sequence[Mapping[str, Any]] = (),
    security_group: str = "",
) -> str:
    """A Fargate service of `count` tasks in the place's public subnets; returns its ARN. Its image is really there."""
    ecr, ecs = world.client("ecr"), world.client("ecs")
    repository = f"{cluster_name}/{name}"
    ecr.create_repository(repositoryName=repository)
    world.push_image(repository, ["v1"])
    execution = roles.role(world, f"{cluster_name}-{name}-execution", managed=[roles.EXECUTION_POLICY])
    definition = ecs.register_task_definition(
        family=f"{cluster_name}-{name}",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=execution,
        containerDefinitions=[
            {
                "name": container,
                "image": f"{world.registry}/{repository}:v1",
                "essential": True,
                "portMappings": [{"containerPort": port, "protocol": "tcp"}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    group = security_group or network.security_group(world, place.id, f"{cluster_name}-{name}", [(port, "0.0.0.0/0")])
    arn: str = ecs.create_service(
        cluster=cluster_name,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(place.public),
                "securityGroups": [group],
                "assignPublicIp": "ENABLED",
            }
        },
        loadBalancers=[dict(one) for one in load_balancers],
    )["service"]["serviceArn"]
    return arn
