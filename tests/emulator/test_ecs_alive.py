"""ECS alive on the world's clock: tasks, services, deployments, load balancers, instances."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import network as given_network
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


def test_a_bad_image_rolls_back_and_the_old_one_serves(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    group, _ = shop.balanced()
    balancers = [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}]
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    first = shop.define()
    shop.service(first, loadBalancers=balancers, deploymentConfiguration=breaker)
    world.advance(200)
    bad = shop.define(shop.image("nope"))
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=bad)
    for _ in range(30):
        world.advance(20)
        assert len(shop.healthy(group)) >= 2
    found = shop.described()
    assert found["taskDefinition"] == first
    assert found["deployments"][0]["rolloutState"] == "COMPLETED"
    assert len(found["deployments"]) == 1
    said = "\n".join(one["message"] for one in found["events"])
    assert "deployment failed: tasks failed to start" in said
    assert "rolling back to deployment ecs-svc/" in said
    listed = shop.ecs.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]
    assert [one["status"] for one in listed] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    good = shop.define()
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=good)
    for _ in range(30):
        world.advance(20)
        assert len(shop.healthy(group)) >= 2
    found = shop.described()
    assert found["deployments"][0]["taskDefinition"] == good
    assert found["deployments"][0]["rolloutState"] == "COMPLETED"
    assert len(found["deployments"]) == 1


def ring(world: EmbeddedWorld, state: str) -> None:
    world.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue=state, StateReason="a rehearsal")


def alarmed_shop(world: EmbeddedWorld) -> tuple[Shop, str]:
    """(a shop whose deployments look at an alarm over two periods of a minute, its first task definition)."""
    shop = Shop(world)
    world.client("cloudwatch").put_metric_alarm(
        AlarmName="errors", Namespace="AWS/ApplicationELB", MetricName="HTTPCode_Target_5XX_Count", Statistic="Sum",
        Period=60, EvaluationPeriods=2, Threshold=10, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )  # fmt: skip
    ring(world, "OK")
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    first = shop.define()
    shop.service(first, deploymentConfiguration={"alarms": alarms})
    world.advance(100)
    assert shop.described()["deployments"][0]["rolloutState"] == "COMPLETED"  # a first one is not watched
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=shop.define())
    return shop, first


def last_deployment(shop: Shop) -> dict[str, Any]:
    arn = shop.ecs.list_service_deployments(cluster="shop", service="web")["serviceDeployments"][0]
    (found,) = shop.ecs.describe_service_deployments(serviceDeploymentArns=[arn["serviceDeploymentArn"]])[
        "serviceDeployments"
    ]
    described: dict[str, Any] = found
    return described


def gone(shop: Shop) -> None:
    """Let time pass until only the new deployment is there."""
    for _ in range(60):
        if len(shop.described()["deployments"]) == 1:
            return
        shop.world.advance(5)
    raise AssertionError(shop.described()["deployments"])


def test_a_deployment_with_alarms_bakes_before_it_is_complete(world: EmbeddedWorld) -> None:
    shop, _ = alarmed_shop(world)
    gone(shop)
    assert shop.described()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert last_deployment(shop)["alarms"] == {"alarmNames": ["errors"], "status": "MONITORING"}
    world.advance(100)
    assert shop.described()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    world.advance(60)
    assert shop.described()["deployments"][0]["rolloutState"] == "COMPLETED"
    assert last_deployment(shop)["alarms"]["status"] == "MONITORING_COMPLETE"
    ring(world, "ALARM")  # too late
    world.advance(300)
    assert last_deployment(shop)["status"] == "SUCCESSFUL"


def test_an_alarm_while_it_bakes_brings_the_old_one_back(world: EmbeddedWorld) -> None:
    shop, first = alarmed_shop(world)
    gone(shop)
    world.advance(60)
    ring(world, "ALARM")
    world.advance(200)
    found, seen = shop.described(), last_deployment(shop)
    assert (found["taskDefinition"], found["runningCount"]) == (first, 2)
    assert [one["rolloutState"] for one in found["deployments"]] == ["COMPLETED"]
    assert (seen["status"], seen["alarms"]["status"]) == ("ROLLBACK_SUCCESSFUL", "TRIGGERED")
    assert seen["alarms"]["triggeredAlarmNames"] == ["errors"]


def test_an_alarm_that_rings_already_does_not_keep_the_remedy_away(world: EmbeddedWorld) -> None:
    shop, _ = alarmed_shop(world)
    world.advance(400)
    ring(world, "ALARM")
    remedy = shop.define()
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=remedy)
    world.advance(200)
    found = shop.described()
    assert (found["taskDefinition"], found["deployments"][0]["rolloutState"]) == (remedy, "COMPLETED")
    assert last_deployment(shop)["alarms"]["status"] == "DISABLED"


@pytest.mark.parametrize(
    ("asked", "failures"),
    [({}, 3), ({"thresholdConfiguration": {"type": "COUNT", "value": 1}}, 1)],
)
def test_how_many_failures_trip_the_breaker(world: EmbeddedWorld, asked: dict[str, Any], failures: int) -> None:
    shop = Shop(world)
    breaker = {"enable": True, "rollback": False, **asked}
    shop.service(
        shop.define(shop.image("nope")), count=1, deploymentConfiguration={"deploymentCircuitBreaker": breaker}
    )
    world.advance(400)
    seen = last_deployment(shop)["deploymentCircuitBreaker"]
    assert seen == {"status": "TRIGGERED", "failureCount": failures, "threshold": failures}


def test_without_a_breaker_it_goes_on_trying(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    shop.service(shop.define(shop.image("nope")))
    world.advance(1200)
    found = shop.described()
    assert found["runningCount"] == 0
    assert found["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert found["deployments"][0]["failedTasks"] >= 4
    assert "unable to consistently start" in "\n".join(one["message"] for one in found["events"])


def test_blue_green_shifts_and_cleans_up(world: EmbeddedWorld) -> None:
    shop = Shop(world)
    blue, listener = shop.balanced()
    green = shop.target_group("green")
    elb = world.client("elbv2")
    rule = elb.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    role = given_roles.load_balancer_role(world)
    advanced = {"alternateTargetGroupArn": green, "productionListenerRule": rule, "roleArn": role}
    balancer = {"targetGroupArn": blue, "containerName": "web", "containerPort": 80, "advancedConfiguration": advanced}
    settings = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2}
    shop.service(shop.define(), loadBalancers=[balancer], deploymentConfiguration=settings)
    world.advance(300)
    assert shop.described()["deployments"][0]["rolloutState"] == "COMPLETED"
    second = shop.define()
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=second)
    world.advance(130)
    assert (len(shop.healthy(blue)), len(shop.healthy(green))) == (2, 2)
    forwards = elb.describe_rules(ListenerArn=listener)["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert {one["TargetGroupArn"]: one["Weight"] for one in forwards}[green] == 100
    world.advance(900)
    found = shop.described()
    assert found["deployments"][0]["rolloutState"] == "COMPLETED", found["events"]
    assert len(found["deployments"]) == 1
    assert (len(shop.healthy(blue)), len(shop.healthy(green))) == (0, 2)


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


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10, "canaryBakeTimeInMinutes": 5}}, [10, 100]),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 50, "stepBakeTimeInMinutes": 5}}, [50, 100]),
    ],
)
def test_traffic_shifts_in_steps_and_back(world: EmbeddedWorld, settings: dict[str, Any], weights: list[int]) -> None:
    shop = Shop(world)
    blue, listener = shop.balanced()
    green = shop.target_group("green")
    elb = world.client("elbv2")
    rule = elb.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    role = given_roles.load_balancer_role(world)
    advanced = {"alternateTargetGroupArn": green, "productionListenerRule": rule, "roleArn": role}
    balancer = {"targetGroupArn": blue, "containerName": "web", "containerPort": 80, "advancedConfiguration": advanced}
    configuration = {
        **settings,
        "bakeTimeInMinutes": 5,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
    shop.service(shop.define(), loadBalancers=[balancer], deploymentConfiguration=configuration)
    world.advance(300)

    def weight(group: str) -> int:
        (action,) = elb.describe_rules(ListenerArn=listener)["Rules"][0]["Actions"]
        groups = action["ForwardConfig"]["TargetGroups"]
        return int(next((one["Weight"] for one in groups if one["TargetGroupArn"] == group), 0))

    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=shop.define())
    seen = []
    for _ in range(120):
        world.advance(10)
        if weight(green) and weight(green) not in seen:
            seen.append(weight(green))
    assert seen == weights
    assert shop.described()["deployments"][0]["rolloutState"] == "COMPLETED"
    good = shop.described()["taskDefinition"]
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=shop.define(shop.image("nope")))
    world.advance(1800)
    found = shop.described()
    assert found["taskDefinition"] == good
    assert [one["rolloutState"] for one in found["deployments"]] == ["COMPLETED"], found["events"]
    assert weight(green) == 100
    assert len(shop.healthy(green)) == 2
