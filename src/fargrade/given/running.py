"""A service that runs on Fargate before the learner begins: cluster, image, roles, task definition and all."""

from __future__ import annotations

from fargrade.backends.world import World
from fargrade.given import network, roles


def cluster(world: World, name: str, *, insights: bool = True) -> None:
    """A cluster with both of Fargate's capacity providers, and with Container Insights on."""
    setting = {"name": "containerInsights", "value": "enabled" if insights else "disabled"}
    providers = ["FARGATE", "FARGATE_SPOT"]
    world.client("ecs").create_cluster(clusterName=name, settings=[setting], capacityProviders=providers)


def definition(world: World, family: str, *, port: int = 8080, container: str = "web") -> str:
    """A Fargate task definition whose image is really there; its ARN."""
    ecr, ecs = world.client("ecr"), world.client("ecs")
    ecr.create_repository(repositoryName=family)
    world.push_image(family, ["v1"])
    execution = roles.role(world, f"{family.replace('/', '-')}-execution", managed=[roles.EXECUTION_POLICY])
    arn: str = ecs.register_task_definition(
        family=family.replace("/", "-"),
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=execution,
        containerDefinitions=[
            {
                "name": container,
                "image": f"{world.registry}/{family}:v1",
                "essential": True,
                "portMappings": [{"containerPort": port, "protocol": "tcp"}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    return arn


def service(
    world: World,
    cluster_name: str,
    name: str,
    count: int,
    *,
    place: network.Vpc,
    port: int = 8080,
) -> str:
    """A Fargate service of `count` tasks in the place's public subnets; its ARN. Its image is really there."""
    family = definition(world, f"{cluster_name}/{name}", port=port)
    group = network.security_group(world, place.id, f"{cluster_name}-{name}", [(port, "0.0.0.0/0")])
    arn: str = world.client("ecs").create_service(
        cluster=cluster_name,
        serviceName=name,
        taskDefinition=family,
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(place.public),
                "securityGroups": [group],
                "assignPublicIp": "ENABLED",
            }
        },
    )["service"]["serviceArn"]
    return arn
