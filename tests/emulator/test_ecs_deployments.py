"""ECS deployments on the world's clock: rolled back, watched by alarms, blue/green, in steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
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
