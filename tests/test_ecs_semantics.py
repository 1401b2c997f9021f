"""What ECS refuses, as pure functions: one right definition, and one fault at a time."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fargrade.semantics.ecs import (
    FARGATE_SIZES,
    cpu_units,
    definition_refusals,
    fargate_size,
    fargate_sizes,
    launch_refusals,
    memory_mib,
    parse_image,
    run_refusals,
    runs_on,
    same_image,
    service_refusals,
    smallest_size,
)

RIGHT: dict[str, Any] = {
    "family": "web",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "containerDefinitions": [
        {
            "name": "web",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1",
            "portMappings": [{"containerPort": 80}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
            },
        }
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The right definition with one thing changed; None takes it away. `c.` stands for its container."""
    given = copy.deepcopy(RIGHT)
    place = given["containerDefinitions"][0] if path.startswith("c.") else given
    *way, last = path.removeprefix("c.").split(".")
    for name in way:
        place = place.setdefault(name, {})
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return given


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("family", "web"),
        ("cpu", ".25 vCPU"),
        ("memory", "0.5 GB"),
        ("memory", "1GB"),
        ("c.portMappings", [{"containerPort": 80, "hostPort": 80}]),
        ("c.portMappings", [{"containerPort": 80, "hostPort": 0}]),
        ("c.memory", 512),
        ("c.memoryReservation", 256),
        ("c.healthCheck", {"command": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]}),
        ("ephemeralStorage", {"sizeInGiB": 21}),
        ("c.linuxParameters", {"capabilities": {"add": ["SYS_PTRACE"]}}),
        ("c.secrets", [{"name": "A", "valueFrom": "/web/a"}]),
        ("executionRoleArn", "ecsTaskExecutionRole"),
    ],
)
def test_right_forms_are_registered(path: str, value: Any) -> None:
    assert definition_refusals(changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("cpu", "300", "No Fargate configuration exists"),
        ("memory", "4096", "No Fargate configuration exists"),
        ("cpu", None, "'cpu' be defined at the task level"),
        ("memory", None, "'memory' be defined at the task level"),
        ("cpu", "lots", "Invalid 'cpu' setting for task"),
        ("networkMode", "bridge", "only supports network mode 'awsvpc'"),
        ("networkMode", None, "only supports network mode 'awsvpc'"),
        ("executionRoleArn", None, "to support ECR images"),
        ("executionRoleArn", "not a role!", "Role is not valid"),
        ("c.portMappings", [{"containerPort": 80, "hostPort": 8080}], "must match"),
        ("c.portMappings", [{"containerPort": 70000}], "Invalid port"),
        ("c.portMappings", [{"hostPort": 80}], "Container port must be specified"),
        ("c.logConfiguration.logDriver", "json-file", "json-file is not a valid log driver"),
        ("c.logConfiguration.options.awslogs-stream-prefix", None, "awslogs-stream-prefix"),
        ("c.logConfiguration.options.awslogs-group", None, "requires options: awslogs-group"),
        ("c.logConfiguration.options.group", "x", "disallows options: group"),
        ("c.essential", False, "any essential container"),
        ("c.privileged", True, "'privileged' setting be 'false'"),
        ("c.memory", 1024, "is greater than for the task"),
        ("c.memory", 4, "at least 6 MiB"),
        ("c.cpu", 512, "must not exceed the task 'cpu'"),
        ("c.name", "we b", "invalid characters"),
        ("c.name", None, "Container.name"),
        ("c.image", None, "Container.image should not be null"),
        ("c.image", "web image", "Container.image contains invalid characters"),
        ("c.links", ["db"], "Links are not supported"),
        ("c.extraHosts", [{"hostname": "a", "ipAddress": "10.0.0.1"}], "extraHosts"),
        ("c.dnsServers", ["10.0.0.2"], "dnsServers"),
        ("c.dependsOn", [{"containerName": "ghost", "condition": "START"}], "not defined in the task definition"),
        ("c.mountPoints", [{"sourceVolume": "ghost", "containerPath": "/x"}], "Unknown volume 'ghost'"),
        ("volumes", [{"name": "a", "host": {"sourcePath": "/x"}}], "sourcePath"),
        ("volumes", [{"name": "a"}, {"name": "a"}], "must be unique"),
        ("ephemeralStorage", {"sizeInGiB": 20}, "EphemeralStorage size should be at least 21"),
        ("ephemeralStorage", {"sizeInGiB": 201}, "at most 200"),
        ("ipcMode", "task", "ipcMode"),
        ("placementConstraints", [{"type": "memberOf", "expression": "x"}], "placement constraints"),
        ("c.resourceRequirements", [{"type": "GPU", "value": "1"}], "GPU"),
        ("c.linuxParameters", {"capabilities": {"add": ["NET_ADMIN"]}}, "NET_ADMIN"),
        ("c.healthCheck", {"command": ["CMD", "true"], "interval": 4}, "interval must be between 5 and 300"),
        ("c.healthCheck", {"command": []}, "must not be empty"),
        ("containerDefinitions", [], "cannot be empty"),
        ("family", "we.b", "Family contains invalid characters"),
        ("c.volumesFrom", [{"sourceContainer": "ghost"}], "volumesFrom"),
    ],
)
def test_one_fault_is_one_refusal(path: str, value: Any, words: str) -> None:
    found = definition_refusals(changed(path, value))
    assert words in "\n".join(one.message for one in found), found
    assert all(one.source.startswith("https://docs.aws.amazon.com/") for one in found)


def test_duplicate_and_circular_containers() -> None:
    given = copy.deepcopy(RIGHT)
    given["containerDefinitions"] *= 2
    assert "unique" in definition_refusals(given)[0].message
    first, second = map(copy.deepcopy, given["containerDefinitions"])
    second["name"] = "side"
    for one, other in ((first, "side"), (second, "web")):
        one["dependsOn"] = [{"containerName": other, "condition": "START"}]
    given["containerDefinitions"] = [first, second]
    assert [one.rule for one in definition_refusals(given)] == ["circular"]


def test_on_instances_most_of_it_is_allowed() -> None:
    container = {"name": "web", "image": "nginx", "memory": 128, "portMappings": [{"containerPort": 80, "hostPort": 0}]}
    given = {"family": "web", "containerDefinitions": [container]}
    assert definition_refusals(given) == []
    assert runs_on(given) == ("EC2",)
    assert runs_on(RIGHT) == ("EC2", "FARGATE")
    del container["memory"]
    assert "memoryReservation" in definition_refusals(given)[0].message


def test_sizes_in_both_spellings() -> None:
    assert cpu_units("1 vCPU") == cpu_units("1024") == cpu_units("1vcpu") == 1024
    assert memory_mib("0.5 GB") == memory_mib("512") == memory_mib(".5gb") == 512
    assert cpu_units("1.5.5 vCPU") is None
    assert fargate_size(".25 vCPU", "2 GB") == fargate_size(256, 2048)
    assert fargate_size("256", "4096") is None
    assert smallest_size(300, 600) == fargate_size(512, 1024)
    assert smallest_size(256, 3000) == fargate_size(512, 3072)
    assert smallest_size(40000, 1) is None
    assert len(list(fargate_sizes())) == sum(map(len, FARGATE_SIZES.values())) == 3 + 4 + 7 + 13 + 23 + 12 + 12 + 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "library/nginx:1.27"),
        ("public.ecr.aws/nginx/nginx", "public.ecr.aws/nginx/nginx:latest"),
    ],
)
def test_one_image_in_two_spellings(one: str, other: str) -> None:
    assert same_image(one, other)


def test_image_references() -> None:
    assert parse_image("Nginx") is None
    assert parse_image("web:") is None
    assert parse_image("web@sha256:12") is None
    found = parse_image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:" + "a" * 64)
    assert found is not None
    assert (found.account, found.region, found.repository, found.tag) == ("123456789012", "eu-west-1", "shop/web", "")
    assert parse_image("localhost:5000/web:1").registry == "localhost:5000"  # type: ignore[union-attr]


DEFINITION = {**RIGHT, "compatibilities": ["EC2", "FARGATE"]}
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


def launching(**given: Any) -> list[str]:
    given = {"launchType": "FARGATE", "networkConfiguration": NETWORK, **given}
    return [one.rule for one in launch_refusals(given, DEFINITION, fargate=given["launchType"] == "FARGATE")]


def test_what_a_launch_is_refused() -> None:
    assert launching() == []
    assert launching(capacityProviderStrategy=[{"capacityProvider": "FARGATE"}]) == ["both"]
    assert launching(networkConfiguration=None) == ["no network"]
    assert launching(platformVersion="9.9") == ["platform"]
    assert launching(placementStrategy=[{"type": "spread"}]) == ["placement"]
    assert "not for ec2" in launching(launchType="EC2")
    public = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
    assert "public ip" in launching(launchType="EC2", networkConfiguration=public)
    run = {"launchType": "FARGATE", "networkConfiguration": NETWORK, "count": 11}
    assert [one.rule for one in run_refusals(run, DEFINITION, fargate=True)] == ["count"]
    ghost = {"overrides": {"containerOverrides": [{"name": "ghost"}]}}
    assert [one.rule for one in run_refusals({**run, **ghost, "count": 1}, DEFINITION, fargate=True)] == ["override"]


def serving(**given: Any) -> list[str]:
    given = {"launchType": "FARGATE", "networkConfiguration": NETWORK, "desiredCount": 1, **given}
    return [one.rule for one in service_refusals(given, DEFINITION, fargate=True, new=True)]


def test_what_a_service_is_refused() -> None:
    balanced = {"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": 80}
    assert serving(loadBalancers=[balanced], healthCheckGracePeriodSeconds=60) == []
    assert serving(healthCheckGracePeriodSeconds=60) == ["grace"]
    assert serving(desiredCount=None) == ["desired count"]
    assert serving(loadBalancers=[{**balanced, "containerName": "ghost"}]) == ["container"]
    assert serving(loadBalancers=[{**balanced, "containerPort": 81}]) == ["container port"]
    blocked = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    assert serving(deploymentConfiguration=blocked) == ["blocked"]
    assert serving(schedulingStrategy="DAEMON", desiredCount=None) == ["daemon"]
    assert serving(loadBalancers=[balanced], deploymentConfiguration={"strategy": "BLUE_GREEN"}) == ["advanced"]
    assert serving(deploymentConfiguration={"canaryConfiguration": {"canaryPercent": 10}}) == ["strategy"]
