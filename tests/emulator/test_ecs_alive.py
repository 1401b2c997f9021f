"""ECS alive on the world's clock: tasks, services, deployments, load balancers, instances."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from shop import Shop

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles as given_roles


@pytest.fixture(scope="module")
def started() -> Iterator[EmbeddedWorld]:
    world = EmbeddedWorld.start(["ecs", "ec2", "elbv2", "iam", "ecr", "logs", "cloudwatch"])
    yield world
    world.close()


@pytest.fixture
def world(started: EmbeddedWorld) -> Iterator[EmbeddedWorld]:
    started.reset(7)
    yield started
    assert started.faults() == []


def test_a_task_comes_up_and_goes(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    task = shop.run(shop.define())
    assert task["lastStatus"] == "PROVISIONING"
    assert task["containers"][0]["networkInterfaces"] == []
    world.advance(7)
    assert shop.task(task["taskArn"])["lastStatus"] == "PENDING"
    world.advance(30)
    found = shop.task(task["taskArn"])
    assert found["lastStatus"] == "RUNNING"
    assert found["containers"][0]["imageDigest"].startswith("sha256:")
    details = {one["name"]: one["value"] for one in found["attachments"][0]["details"]}
    assert details["subnetId"] in shop.vpc.public
    eni = world.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    assert eni["NetworkInterfaces"][0]["Association"]["PublicIp"]
    assert eni["NetworkInterfaces"][0]["PrivateIpAddress"] == details["privateIPv4Address"]
    shop.ecs.stop_task(cluster="shop", task=task["taskArn"], reason="done")
    world.advance(30)
    found = shop.task(task["taskArn"])
    assert (found["lastStatus"], found["stopCode"], found["stoppedReason"]) == ("STOPPED", "UserInitiated", "done")
    assert shop.ecs.list_tasks(cluster="shop")["taskArns"] == []
    assert shop.ecs.list_tasks(cluster="shop", desiredStatus="STOPPED")["taskArns"] == [task["taskArn"]]
    world.advance(3700)
    assert shop.ecs.describe_tasks(cluster="shop", tasks=[task["taskArn"]])["failures"][0]["reason"] == "MISSING"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": "{registry}/web:nope"}, "CannotPullContainerError"),
        ({"image": "ngnix"}, "CannotPullContainerError"),
        ({"image": "nginx:1.27"}, ""),
        ({"image": "{registry}/web:arm"}, "matching platform 'linux/amd64'"),
        ({"private": True}, "ResourceInitializationError: unable to pull secrets or registry auth"),
        ({"image": "nginx:1.27", "private": True}, "i/o timeout"),
        ({"group": "/nope"}, "The specified log group does not exist"),
        ({"group": "/new", "create": "true"}, "logs:CreateLogGroup"),
        ({"group": "/there", "create": "true"}, ""),
        ({"secret": "/nope"}, "ssm:GetParameters"),
        ({"file_system": "fs-0123456789abcdef0"}, "check that your file system ID is correct"),
    ],
)
def test_what_keeps_a_task_from_starting(world: EmbeddedWorld, change: dict[str, Any], words: str) -> None:
    shop = Shop(world)
    world.push_image("web", ["arm"], architecture="arm64")
    container: dict[str, Any] = {}
    if "group" in change:
        options = {"awslogs-group": change["group"], "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
        if "create" in change:
            options["awslogs-create-group"] = "true"
        container["logConfiguration"] = {"logDriver": "awslogs", "options": options}
        if change["group"] == "/there":
            world.client("logs").create_log_group(logGroupName="/there")
    if "secret" in change:
        container["secrets"] = [{"name": "KEY", "valueFrom": change["secret"]}]
    image = change.get("image", "").replace("{registry}", world.registry)
    volumes = [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": change.get("file_system")}}]
    more = {"volumes": volumes} if "file_system" in change else {}
    definition = shop.define(image, container=container, **more)
    task = shop.run(definition, networkConfiguration=shop.network(public=not change.get("private")))
    world.advance(150)
    found = shop.task(task["taskArn"])
    if not words:
        assert found["lastStatus"] == "RUNNING"
        return
    assert found["lastStatus"] == "STOPPED"
    assert found["stopCode"] == "TaskFailedToStart"
    assert words in found["stoppedReason"]


def test_containers_that_end_are_unhealthy_or_lack_a_variable(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    world.push_image("web", ["crash"], behaviour={"exits": 3, "prints": ["boom"]})
    task = shop.run(shop.define(shop.image("crash")))
    world.advance(60)
    found = shop.task(task["taskArn"])
    assert found["stopCode"] == "EssentialContainerExited"
    assert found["stoppedReason"] == "Essential container in task exited"
    assert found["containers"][0]["exitCode"] == 3
    check = {"command": ["CMD-SHELL", "curl -f http://localhost/health || exit 1"], "interval": 10, "retries": 2}
    task = shop.run(shop.define(container={"healthCheck": check}))
    world.advance(90)
    assert shop.task(task["taskArn"])["healthStatus"] == "UNHEALTHY"
    check["command"] = ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]
    task = shop.run(shop.define(container={"healthCheck": check}))
    world.advance(90)
    assert shop.task(task["taskArn"])["healthStatus"] == "HEALTHY"


def test_a_service_converges_behind_its_load_balancer(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    group, _ = shop.balanced()
    shop.service(shop.define(), loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 80}])
    world.advance(200)
    found = shop.described()
    assert (found["runningCount"], found["deployments"][0]["rolloutState"]) == (2, "COMPLETED"), found["events"]
    assert len(shop.healthy(group)) == 2
    assert "steady state" in found["events"][0]["message"]
    arns = shop.ecs.list_tasks(cluster="shop", serviceName="web")["taskArns"]
    addresses = [
        one["value"]
        for task in shop.ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
        for one in task["attachments"][0]["details"]
        if one["name"] == "privateIPv4Address"
    ]
    assert sorted(addresses) == sorted(shop.healthy(group))
    world.control("kill_task", cluster="shop", task=arns[0], region="us-east-1")
    world.advance(120)
    assert shop.described()["runningCount"] == 2
    shop.ecs.update_service(cluster="shop", service="web", desiredCount=3)
    world.advance(120)
    assert shop.described()["runningCount"] == 3
    with pytest.raises(ClientError, match="scaled above 0"):
        shop.ecs.delete_service(cluster="shop", service="web")
    shop.ecs.delete_service(cluster="shop", service="web", force=True)
    world.advance(400)
    assert shop.described()["status"] == "INACTIVE"
    shop.ecs.delete_cluster(cluster="shop")


def start_instance(shop: Shop, *, cluster: str = "shop", profile: bool = True, kind: str = "t3.medium") -> str:
    ssm = shop.world.client("ssm")
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id"
    image = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    data = f"#!/bin/bash\necho ECS_CLUSTER={cluster} >> /etc/ecs/ecs.config\n"
    more = {"IamInstanceProfile": {"Name": "ecsInstanceRole"}} if profile else {}
    made = shop.world.client("ec2").run_instances(
        ImageId=image,
        InstanceType=kind,
        MinCount=1,
        MaxCount=1,
        UserData=data,
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": shop.vpc.public[0],
                "Groups": [shop.group],
                "AssociatePublicIpAddress": True,
            }
        ],
        **more,
    )
    return str(made["Instances"][0]["InstanceId"])


def test_instances_join_and_carry_a_bridge_service(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    given_roles.instance_role(world)
    start_instance(shop, profile=False)
    world.advance(300)
    assert shop.ecs.list_container_instances(cluster="shop")["containerInstanceArns"] == []
    instance = start_instance(shop)
    world.advance(300)
    arns = shop.ecs.list_container_instances(cluster="shop")["containerInstanceArns"]
    joined = shop.ecs.describe_container_instances(cluster="shop", containerInstances=arns)["containerInstances"]
    assert [one["ec2InstanceId"] for one in joined] == [instance]
    ec2 = world.client("ec2")
    ec2.authorize_security_group_ingress(
        GroupId=shop.group, IpProtocol="tcp", FromPort=32768, ToPort=65535, CidrIp="0.0.0.0/0"
    )
    definition = shop.define(
        requiresCompatibilities=["EC2"],
        networkMode="bridge",
        container={"memory": 256, "portMappings": [{"containerPort": 80, "hostPort": 0}]},
    )
    group, _ = shop.balanced("instance")
    shop.ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition=definition,
        desiredCount=2,
        launchType="EC2",
        loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 80}],
    )
    world.advance(200)
    found = shop.described()
    assert found["runningCount"] == 2, found["events"]
    health = world.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert {one["TargetHealth"]["State"] for one in health} == {"healthy"}, health
    assert {one["Target"]["Id"] for one in health} == {instance}
    assert len({one["Target"]["Port"] for one in health}) == 2
    shop.ecs.update_service(cluster="shop", service="web", desiredCount=12)
    world.advance(300)
    assert "no container instance met all of its requirements" in shop.described()["events"][0]["message"]
    world.client("ec2").terminate_instances(InstanceIds=[instance])
    world.advance(60)
    assert shop.described()["runningCount"] == 0


def test_on_an_empty_cluster_of_instances(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    definition = shop.define(requiresCompatibilities=["EC2"], networkMode="bridge", container={"memory": 64})
    with pytest.raises(ClientError, match="No Container Instances were found in your cluster"):
        shop.ecs.run_task(cluster="shop", taskDefinition=definition, launchType="EC2")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("run_task", {"cluster": "ghost"}, "ClusterNotFoundException"),
    ("run_task", {"taskDefinition": "ghost"}, "TaskDefinition not found"),
    ("run_task", {"count": 11}, "count must be between"),
    ("run_task", {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}, "InvalidSubnetID"),
    ("create_service", {"desiredCount": 1, "serviceName": "s p"}, "invalid characters"),
    ("create_service", {"desiredCount": 1, "serviceName": "s", "loadBalancers": [
        {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/x/1", "containerName": "web",
         "containerPort": 80}]}, "does not exist"),
    ("create_service", {"desiredCount": 1, "serviceName": "s", "capacityProviderStrategy": [
        {"capacityProvider": "FARGATE"}]}, "both a launch type and capacity provider"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "change", "words"), REFUSED)
def test_refused(world: EmbeddedWorld, operation: str, change: dict[str, Any], words: str) -> None:
    shop = Shop(world)
    given = {
        "cluster": "shop",
        "taskDefinition": shop.define(),
        "launchType": "FARGATE",
        "networkConfiguration": shop.network(),
        **change,
    }
    with pytest.raises(ClientError, match=words):
        getattr(shop.ecs, operation)(**given)


def test_a_role_that_ecs_cannot_assume(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    role = given_roles.role(world, "wrong", "ec2.amazonaws.com")
    definition = shop.define(taskRoleArn=role)
    with pytest.raises(ClientError, match="ECS was unable to assume the role"):
        shop.run(definition)
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    shop.service(definition, deploymentConfiguration=breaker)
    world.advance(900)
    assert shop.described()["deployments"][0]["rolloutState"] == "FAILED"
    assert "unable to assume the role" in "\n".join(one["message"] for one in shop.described()["events"])


def test_user_data_is_read_through_base64(world: EmbeddedWorld) -> None:
    from fargrade.emulator.ecs.instances import cluster_named

    class Instance:
        user_data = base64.b64encode(b"#!/bin/bash\necho 'ECS_CLUSTER=prod' >> /etc/ecs/ecs.config").decode()

    assert world
    assert cluster_named(Instance()) == "prod"


def test_a_deployer_passes_only_the_roles_it_may(world: EmbeddedWorld) -> None:
    import boto3

    shop = Shop(world)
    port = world.listen()
    here = f"http://127.0.0.1:{port}"
    for name, passes, refused in (("may", [shop.execution], False), ("may-not", [], True)):
        role = given_roles.deployer(world, passes, name)
        session = world.client("sts").assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"]
        ecs = boto3.Session(
            session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"], "us-east-1"
        ).client("ecs", endpoint_url=here)
        given = {
            "family": name,
            "networkMode": "awsvpc",
            "executionRoleArn": shop.execution,
            "containerDefinitions": [{"name": "web", "image": "nginx", "memory": 64}],
        }
        run = {"cluster": "shop", "launchType": "FARGATE", "networkConfiguration": shop.network()}
        if refused:
            with pytest.raises(ClientError, match="is not authorized to perform: iam:PassRole"):
                ecs.register_task_definition(**given)
            with pytest.raises(ClientError, match="is not authorized to perform: iam:PassRole"):
                ecs.run_task(taskDefinition=shop.define(), **run)
        else:
            ecs.register_task_definition(**given)
            assert ecs.run_task(taskDefinition=shop.define(), **run)["tasks"]
    world.close_listeners()
