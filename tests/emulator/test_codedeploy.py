"""CodeDeploy's blue/green deployments, and ECS's own: where the traffic goes, and when it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import delivery, roles

SPEC = """
version: 0.0
Resources:
  - Target:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: {revision}
        LoadBalancerInfo: {{ContainerName: web, ContainerPort: {port}}}
{hooks}
"""


@pytest.fixture(scope="module")
def alive() -> Iterator[EmbeddedWorld]:
    started = EmbeddedWorld.start(["iam", "ecs", "ec2", "elbv2", "ecr", "logs", "cloudwatch", "codedeploy"])
    yield started
    started.close()


class Shop:
    """A service under CodeDeploy behind two listeners, with an alarm."""

    def __init__(self, world: EmbeddedWorld, **group: Any) -> None:
        world.reset(7)
        self.world = world
        self.running = delivery.running_service(
            world, suffix="1", container="web", balanced=True, groups=2, test_listener=True, controller="CODE_DEPLOY"
        )
        world.client("cloudwatch").put_metric_alarm(
            AlarmName="bad",
            Namespace="Shop",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        self.deploy = world.client("codedeploy")
        self.deploy.create_application(applicationName="shop", computePlatform="ECS")
        found = world.client("elbv2").describe_target_groups()["TargetGroups"]
        self.deploy.create_deployment_group(
            **{
                "applicationName": "shop",
                "deploymentGroupName": "web",
                "serviceRoleArn": roles.code_deploy_role(world),
                "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
                "ecsServices": [{"clusterName": self.running.cluster, "serviceName": self.running.service}],
                "loadBalancerInfo": {
                    "targetGroupPairInfoList": [
                        {
                            "targetGroups": [{"name": one["TargetGroupName"]} for one in found],
                            "prodTrafficRoute": {"listenerArns": [self.running.listener]},
                            "testTrafficRoute": {"listenerArns": [self.running.test_listener]},
                        }
                    ]
                },
                "blueGreenDeploymentConfiguration": {
                    "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
                    "terminateBlueInstancesOnDeploymentSuccess": {
                        "action": "TERMINATE",
                        "terminationWaitTimeInMinutes": 5,
                    },
                },
                "alarmConfiguration": {"enabled": True, "alarms": [{"name": "bad"}]},
                "autoRollbackConfiguration": {
                    "enabled": True,
                    "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
                },
                **group,
            }
        )

    def revision(self, tag: str, **behaviour: Any) -> str:
        made = self.running
        self.world.push_image(made.repository, [tag], behaviour=behaviour or None)
        image = f"{self.world.registry}/{made.repository}:{tag}"
        logs = f"/ecs/{made.service}"
        return delivery.register(
            self.world, made.family, "web", image, made.port, made.execution_role, made.task_role, logs
        )

    def begin(self, tag: str, hooks: str = "", port: int = 8080, **behaviour: Any) -> str:
        text = SPEC.format(revision=self.revision(tag, **behaviour), port=port, hooks=hooks)
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}
        made: str = self.deploy.create_deployment(applicationName="shop", deploymentGroupName="web", revision=revision)[
            "deploymentId"
        ]
        return made

    def info(self, deployment: str) -> dict[str, Any]:
        return dict(self.deploy.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def serves(self, port: int = 80) -> str:
        """The tag of the image that answers; the status where none does."""
        came = self.world.request(f"http://{self.running.address}:{port}/")
        return came.body.rpartition(":")[2] if came.status == 200 else str(came.status)

    def until(self, tag: str, port: int = 80) -> bool:
        for _ in range(60):
            if self.serves(port) == tag:
                return True
            self.world.advance(10)
        return False


def test_traffic_shifts_and_the_old_tasks_go(alive: EmbeddedWorld) -> None:
    shop = Shop(alive)
    deployment = shop.begin("v2")
    assert shop.until("v2", port=9000)
    assert shop.serves() == "first"
    assert shop.until("v2")
    assert shop.info(deployment)["status"] == "InProgress"
    alive.advance(900)
    assert shop.info(deployment)["status"] == "Succeeded"
    sets = shop.deploy.get_deployment_target(deploymentId=deployment, targetId="x")["deploymentTarget"]["ecsTarget"]
    assert {one["taskSetLabel"]: one["trafficWeight"] for one in sets["taskSetsInfo"]} == {"BLUE": 0, "GREEN": 100}
    running = alive.client("ecs").list_tasks(cluster=shop.running.cluster)["taskArns"]
    assert len(running) == 2
    again = shop.begin("v3")  # the pair of target groups has changed its roles
    alive.advance(1800)
    assert (shop.info(again)["status"], shop.serves()) == ("Succeeded", "v3")


def test_an_alarm_brings_the_traffic_back(alive: EmbeddedWorld) -> None:
    shop = Shop(alive)
    deployment = shop.begin("v2")
    assert shop.until("v2")
    alive.client("cloudwatch").set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="a rehearsal")
    alive.advance(60)
    told = shop.info(deployment)
    assert (told["status"], told["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert shop.info(told["rollbackInfo"]["rollbackDeploymentId"])["status"] == "Succeeded"
    assert shop.serves() == shop.serves(9000) == "first"


def test_without_rollback_it_only_stops(alive: EmbeddedWorld) -> None:
    shop = Shop(alive, autoRollbackConfiguration={"enabled": False})
    deployment = shop.begin("v2")
    assert shop.until("v2")
    alive.client("cloudwatch").set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="a rehearsal")
    alive.advance(60)
    assert (shop.info(deployment)["status"], shop.serves()) == ("Stopped", "v2")


def test_tasks_that_never_get_healthy_get_no_traffic(alive: EmbeddedWorld) -> None:
    shop = Shop(alive)
    deployment = shop.begin("bad", otherwise=500)
    alive.advance(1800)
    assert (shop.info(deployment)["status"], shop.serves()) == ("InProgress", "first")
    alive.advance(2400)
    told = shop.info(deployment)
    assert (told["status"], told["errorInformation"]["code"], shop.serves()) == ("Failed", "TIMEOUT", "first")


def test_hooks_decide(alive: EmbeddedWorld) -> None:
    shop = Shop(alive)
    alive.control("seed_hook", function="check", reports="Failed")
    deployment = shop.begin("v2", hooks="Hooks: [{AfterAllowTestTraffic: check}]")
    alive.advance(600)
    assert (shop.info(deployment)["status"], shop.serves(), shop.serves(9000)) == ("Failed", "first", "first")
    assert [(one["event"], one["weight"]) for one in alive.control("hook_calls")] == [("AfterAllowTestTraffic", 0)]


def test_a_canary_is_a_part_of_the_traffic(alive: EmbeddedWorld) -> None:
    shop = Shop(alive, deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes")
    shop.begin("v2")
    assert shop.until("v2", port=9000)
    alive.advance(60)
    served = [shop.serves() for _ in range(50)]
    assert 1 <= served.count("v2") <= 15
    alive.advance(400)
    assert {shop.serves() for _ in range(10)} == {"v2"}


def test_what_cannot_be_deployed_fails(alive: EmbeddedWorld) -> None:
    shop = Shop(alive)
    deployment = shop.begin("v2", port=9999)
    alive.advance(60)
    assert "did not have a container port 9999" in shop.info(deployment)["errorInformation"]["message"]
    shop.begin("v3")
    with pytest.raises(shop.deploy.exceptions.DeploymentLimitExceededException):
        shop.begin("v4")
    with pytest.raises(shop.deploy.exceptions.InvalidRevisionException):
        shop.deploy.create_deployment(
            applicationName="shop",
            deploymentGroupName="web",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": "version: 0.0"}},
        )


def own_blue_green(world: EmbeddedWorld, **configuration: Any) -> tuple[delivery.Running, Any]:
    """A service with ECS's own blue/green deployments, and a function that deploys an image of that tag."""
    world.reset(7)
    running = delivery.running_service(
        world, suffix="1", container="web", balanced=True, groups=2, test_listener=True, service=False
    )
    elb, ecs = world.client("elbv2"), world.client("ecs")

    def rule(listener: str) -> str:
        return next(
            str(one["RuleArn"]) for one in elb.describe_rules(ListenerArn=listener)["Rules"] if one["IsDefault"]
        )

    def revision(tag: str) -> str:
        image = f"{world.registry}/{running.repository}:{tag}"
        logs = f"/ecs/{running.service}"
        return delivery.register(
            world, running.family, "web", image, running.port, running.execution_role, running.task_role, logs
        )

    advanced = {
        "alternateTargetGroupArn": running.green,
        "productionListenerRule": rule(running.listener),
        "testListenerRule": rule(running.test_listener),
        "roleArn": roles.load_balancer_role(world),
    }
    ecs.create_service(
        cluster=running.cluster,
        serviceName=running.service,
        taskDefinition=revision("first"),
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": list(running.subnets), "securityGroups": [running.group]}
        },
        loadBalancers=[
            {
                "targetGroupArn": running.blue,
                "containerName": "web",
                "containerPort": running.port,
                "advancedConfiguration": advanced,
            }
        ],
        deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5, **configuration},
    )
    world.advance(600)

    def deploy(tag: str) -> None:
        world.push_image(running.repository, [tag])
        ecs.update_service(cluster=running.cluster, service=running.service, taskDefinition=revision(tag))

    return running, deploy


def tag_at(world: EmbeddedWorld, running: delivery.Running, port: int = 80) -> str:
    return world.request(f"http://{running.address}:{port}/").body.rpartition(":")[2]


def test_ecs_itself_shifts_and_goes_back_on_an_alarm(alive: EmbeddedWorld) -> None:
    alarms = {"alarmNames": ["bad"], "enable": True, "rollback": True}
    running, deploy = own_blue_green(alive, alarms=alarms)
    alive.client("cloudwatch").put_metric_alarm(
        AlarmName="bad",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    deploy("v2")
    for _ in range(30):
        alive.advance(5)
        if tag_at(alive, running, 9000) == "v2":
            break
    assert (tag_at(alive, running), tag_at(alive, running, 9000)) == ("first", "v2")
    alive.advance(60)
    assert tag_at(alive, running) == "v2"
    alive.client("cloudwatch").set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="a rehearsal")
    alive.advance(30)
    assert (tag_at(alive, running), tag_at(alive, running, 9000)) == ("first", "first")


@pytest.mark.parametrize(("reports", "served"), [("SUCCEEDED", "v2"), ("FAILED", "first")])
def test_ecs_itself_calls_hooks(alive: EmbeddedWorld, reports: str, served: str) -> None:
    alive.reset(7)
    statements = [{"Action": "lambda:InvokeFunction", "Resource": "*"}]
    hook = {
        "hookTargetArn": f"arn:aws:lambda:us-east-1:{alive.account}:function:check",
        "roleArn": f"arn:aws:iam::{alive.account}:role/hooks",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
    }
    running, deploy = own_blue_green(alive, lifecycleHooks=[hook])
    roles.role(alive, "hooks", "ecs.amazonaws.com", statements=statements)
    alive.control("seed_hook", function="check", reports=reports)
    deploy("v2")
    alive.advance(200)
    assert tag_at(alive, running) == served
    assert [(one["event"], one["weight"]) for one in alive.control("hook_calls")] == [("POST_TEST_TRAFFIC_SHIFT", 0)]
