"""A service that is running, for whatever is to be delivered to it: repository, cluster, roles, load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fargrade.backends.world import World
from fargrade.given import network, roles


@dataclass(frozen=True)
class Running:
    """A Fargate service that runs an image of its repository. ARNs and names; the balancer's are "" without one."""

    cluster: str
    service: str
    container: str
    repository: str
    family: str
    image: str
    execution_role: str
    task_role: str
    subnets: tuple[str, ...]
    group: str
    port: int = 8080
    vpc: str = ""
    balancer: str = ""
    address: str = ""
    listener: str = ""
    blue: str = ""
    green: str = ""
    test_listener: str = ""

    @property
    def roles(self) -> list[str]:
        """The roles that its tasks have."""
        return [self.execution_role, self.task_role]


def running_service(
    world: World,
    *,
    suffix: str,
    container: str = "web",
    port: int = 8080,
    balanced: bool = False,
    groups: int = 1,
    test_listener: bool = False,
    controller: str = "ECS",
    count: int = 2,
    service: bool = True,
) -> Running:
    """Make a service (or, with `service` off, all that one needs) and let it become stable.

    `balanced` puts it behind a load balancer at port 80 with `groups` target groups, the first of them in use;
    `test_listener` adds one at port 9000 with the first group, too.
    """
    repository, cluster, name = f"shop/{container}-{suffix}", f"shop-{suffix}", f"web-{suffix}"
    world.client("ecr").create_repository(repositoryName=repository)
    world.push_image(repository, ["first"])
    image = f"{world.registry}/{repository}:first"
    world.client("ecs").create_cluster(clusterName=cluster)
    vpc = network.vpc(world, way_out="nat")
    outside = network.security_group(world, vpc.id, "balancer", [(80, "0.0.0.0/0"), (9000, "0.0.0.0/0")])
    inside = network.security_group(world, vpc.id, "tasks", [(port, outside)])
    execution = roles.execution_role(world, f"execution-{suffix}")
    task = roles.task_role(world, f"task-{suffix}")
    logs = f"/ecs/{name}"
    world.client("logs").create_log_group(logGroupName=logs)
    made: dict[str, Any] = {}
    if balanced:
        made = _balancer(world, vpc, outside, suffix, port, groups, test_listener=test_listener)
    revision = register(world, name, container, image, port, execution, task, logs)
    running = Running(
        *(cluster, name, container, repository, name, image, execution, task, vpc.private, inside, port, vpc.id),
        **made,
    )
    if service:
        create_service(world, running, revision, controller=controller, count=count)
        world.advance(600)
    return running


def register(
    world: World, family: str, container: str, image: str, port: int, execution: str, task: str, logs: str
) -> str:
    """Register a task definition of one container; its ARN."""
    made: str = world.client("ecs").register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=execution,
        taskRoleArn=task,
        containerDefinitions=[
            {
                "name": container,
                "image": image,
                "essential": True,
                "portMappings": [{"containerPort": port, "protocol": "tcp"}],
                "environment": [{"name": "GREETING", "value": f"hello from {family}"}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": logs,
                        "awslogs-region": world.region,
                        "awslogs-stream-prefix": "web",
                    },
                },
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    return made


def create_service(
    world: World, running: Running, revision: str, *, controller: str = "ECS", count: int = 2, **more: Any
) -> None:
    """Create the service of `running` from a task definition."""
    if running.blue:
        group = {
            "targetGroupArn": running.blue,
            "containerName": running.container,
            "containerPort": running.port,
        }
        more = {"loadBalancers": [group], **more}
    world.client("ecs").create_service(
        cluster=running.cluster,
        serviceName=running.service,
        taskDefinition=revision,
        desiredCount=count,
        launchType="FARGATE",
        deploymentController={"type": controller},
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": list(running.subnets), "securityGroups": [running.group]}
        },
        **more,
    )


def _balancer(
    world: World, vpc: network.Vpc, outside: str, suffix: str, port: int, groups: int, *, test_listener: bool
) -> dict[str, Any]:
    """A load balancer at port 80 with target groups; as Running names them."""
    balancer = network.load_balancer(world, f"shop-{suffix}", vpc.public, [outside])
    made = [network.target_group(world, f"shop-{suffix}-{n}", vpc.id, port=port) for n in range(groups)]
    arn = balancer["LoadBalancerArn"]
    return {
        "balancer": arn,
        "address": balancer["DNSName"],
        "listener": network.listener(world, arn, 80, made[0]),
        "blue": made[0],
        "green": made[1] if groups > 1 else "",
        "test_listener": network.listener(world, arn, 9000, made[0]) if test_listener else "",
    }


def images_of(world: World, running: Running) -> dict[str, str]:
    """The image of each container in the revision that the service runs now."""
    ecs = world.client("ecs")
    described = ecs.describe_services(cluster=running.cluster, services=[running.service])["services"][0]
    definition = ecs.describe_task_definition(taskDefinition=described["taskDefinition"])["taskDefinition"]
    return {one["name"]: one["image"] for one in definition["containerDefinitions"]}


def digest_of(world: World, image: str) -> str:
    """The digest of an image reference in the world's own registry; "" where nothing lies there."""
    from botocore.exceptions import ClientError

    rest = image.removeprefix(f"{world.registry}/")
    name, at, digest = rest.partition("@")
    if not at:
        name, _, tag = rest.partition(":")
    wanted = {"imageDigest": digest} if at else {"imageTag": tag or "latest"}
    try:
        found = world.client("ecr").describe_images(repositoryName=name, imageIds=[wanted])["imageDetails"]
    except ClientError:
        return ""
    return str(found[0]["imageDigest"])


def built_from(world: World, digest: str, content: bytes) -> bool:
    """Whether the image that was pushed under this digest was built, by the course's docker, from a file so filled."""
    import hashlib

    log = world.docker_log()
    wanted = hashlib.sha256(content).hexdigest()
    images = {one.get("image") for one in log if digest and one.get("digest") == digest}
    return any(
        wanted in one.get("holds", ()) for one in log if one["command"] == "build" and one.get("image") in images
    )
