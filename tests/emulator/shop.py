"""A shop on ECS to try things with: a network, roles, a cluster, its service and what describes them."""

from __future__ import annotations

from typing import Any

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import network as given_network
from fargrade.given import roles as given_roles


class Shop:
    """A cluster, a network, roles and an image to start from."""

    def __init__(self, world: EmbeddedWorld, **network: Any) -> None:
        self.world = world
        self.ecs = world.client("ecs")
        self.vpc = given_network.vpc(world, **network)
        self.execution = given_roles.execution_role(world)
        self.ecs.create_cluster(clusterName="shop")
        world.client("ecr").create_repository(repositoryName="web")
        world.push_image("web", ["1"], behaviour={"ports": [80], "answers": {"/": 200}, "otherwise": 404})
        self.group = given_network.security_group(world, self.vpc.id, "web", [(80, "0.0.0.0/0")])

    def image(self, tag: str = "1") -> str:
        return f"{self.world.registry}/web:{tag}"

    def define(self, image: str = "", *, family: str = "web", **more: Any) -> str:
        container = {
            "name": "web",
            "image": image or self.image(),
            "portMappings": [{"containerPort": 80}],
            **more.pop("container", {}),
        }
        given = {
            "family": family,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": self.execution,
            "containerDefinitions": [container],
            **more,
        }
        arn: str = self.ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"]
        return arn

    def network(self, *, public: bool = True) -> dict[str, Any]:
        return {
            "awsvpcConfiguration": {
                "subnets": list(self.vpc.public if public else self.vpc.private),
                "securityGroups": [self.group],
                "assignPublicIp": "ENABLED" if public else "DISABLED",
            }
        }

    def run(self, definition: str, **more: Any) -> dict[str, Any]:
        given = {"launchType": "FARGATE", "networkConfiguration": self.network(), **more}
        task: dict[str, Any] = self.ecs.run_task(cluster="shop", taskDefinition=definition, **given)["tasks"][0]
        return task

    def task(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_tasks(cluster="shop", tasks=[arn])["tasks"][0]
        return found

    def service(self, definition: str, count: int = 2, **more: Any) -> None:
        given = {"launchType": "FARGATE", "networkConfiguration": self.network(), **more}
        self.ecs.create_service(
            cluster="shop", serviceName="web", taskDefinition=definition, desiredCount=count, **given
        )

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster="shop", services=["web"])["services"][0]
        return found

    def balanced(self, kind: str = "ip") -> tuple[str, str]:
        """(target group, listener) of an ALB in the public subnets."""
        elb = self.world.client("elbv2")
        balancer = elb.create_load_balancer(Name="shop", Subnets=list(self.vpc.public), SecurityGroups=[self.group])
        group = self.target_group("web", kind)
        listener = elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        return group, listener

    def target_group(self, name: str, kind: str = "ip") -> str:
        made = self.world.client("elbv2").create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc.id, TargetType=kind, HealthCheckPath="/"
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def healthy(self, group: str) -> list[str]:
        states = self.world.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [one["Target"]["Id"] for one in states if one["TargetHealth"]["State"] == "healthy"]
