"""Application Auto Scaling in the world: services follow their load, and what AWS refuses is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.emulator import clock
from fargrade.emulator.scaling import load, services
from fargrade.emulator.scaling.services import Served

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
CPU = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


class Stage:
    """One service of a world that needs no ECS: its tasks run as soon as they are asked for."""

    def __init__(self) -> None:
        self.count = 2

    def find(self, region: str, cluster: str, service: str) -> Served | None:
        there = (region, cluster, service) == ("us-east-1", "shop", "web")
        return Served(self.count, self.count, insights=True) if there else None

    def set_desired(self, region: str, cluster: str, service: str, count: int) -> None:
        assert (region, cluster, service) == ("us-east-1", "shop", "web")
        self.count = count


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    monkeypatch.setattr(services, "current", made)
    return made


def code(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def play(stage: Stage, *work: float | None) -> list[int]:
    """The desired count after each minute of the load."""
    load.load("us-east-1", "shop", "web", list(work), [])
    clock.advance(60 - clock.now().timestamp() % 60 + 0.1)
    counts = []
    for _ in work:
        clock.advance(60)
        counts.append(stage.count)
    return counts


def test_a_service_follows_its_load(client: Any, stage: Stage) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=10)
    made = scaling.put_scaling_policy(
        **TARGET, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=CPU
    )
    assert len(made["Alarms"]) == 2
    alarms = client("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-service/shop/web-Alarm")[
        "MetricAlarms"
    ]
    assert sorted((one["Threshold"], one["EvaluationPeriods"]) for one in alarms) == [(63, 15), (70, 3)]
    assert all(one["AlarmActions"] == [made["PolicyARN"]] for one in alarms)
    counts = play(stage, *[1.3] * 5, *[6.0] * 30, *[0.5] * 40)
    assert counts[:7] == [2] * 7
    assert max(counts) == 9
    assert counts[-1] == 2
    activities = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert activities[0]["StatusCode"] == "Successful"
    assert "AlarmLow" in activities[0]["Cause"]
    assert activities[-1]["Description"] == "Setting desired count to 3."
    insights = client("cloudwatch").list_metrics(Namespace="ECS/ContainerInsights")["Metrics"]
    assert {one["MetricName"] for one in insights} >= {"RunningTaskCount", "DesiredTaskCount"}


def test_step_scaling_through_an_alarm_of_the_learner(client: Any, stage: Stage) -> None:
    scaling, cloudwatch = client("application-autoscaling"), client("cloudwatch")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=6)
    policy = scaling.put_scaling_policy(
        **TARGET, PolicyName="out", PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity", "Cooldown": 60,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}],
        },
    )["PolicyARN"]  # fmt: skip
    cloudwatch.put_metric_alarm(
        AlarmName="busy", Namespace="AWS/ECS", MetricName="CPUUtilization", Statistic="Average", Period=60,
        EvaluationPeriods=2, Threshold=70, ComparisonOperator="GreaterThanThreshold", AlarmActions=[policy],
        Dimensions=[{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}],
    )  # fmt: skip
    assert play(stage, 1.0, 2.0, 2.0, 2.0, 2.0) == [2, 2, 4, 4, 4]
    shown = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    assert [one["AlarmName"] for one in shown["Alarms"]] == ["busy"]


def test_limits_bring_the_service_in(client: Any, stage: Stage) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=3, MaxCapacity=5)
    assert stage.count == 3
    activity = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"][0]
    assert activity["Cause"] == "minimum capacity was set to 3"


def test_a_schedule_comes_due(client: Any, stage: Stage) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=5)
    at = (clock.now() + timedelta(minutes=10)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.put_scheduled_action(
        **TARGET, ScheduledActionName="morning", Schedule=at, ScalableTargetAction={"MinCapacity": 4}
    )
    clock.advance(500)
    assert stage.count == 2
    clock.advance(200)
    assert stage.count == 4
    assert scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []


@pytest.mark.usefixtures("stage")
def test_deregistering_takes_everything_with_it(client: Any) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=5)
    scaling.put_scaling_policy(
        **TARGET, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=CPU
    )
    scaling.deregister_scalable_target(**TARGET)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert code(scaling.deregister_scalable_target, **TARGET) == "ObjectNotFoundException"


@pytest.mark.parametrize(
    "change",
    [
        {"MinCapacity": 5, "MaxCapacity": 2},
        {"MinCapacity": -1},
        {"MinCapacity": None},
        {"ResourceId": "service/web"},
        {"ResourceId": "shop/web"},
        {"ResourceId": "arn:aws:ecs:us-east-1:123456789012:service/shop/web"},
        {"ResourceId": "service/shop/ghost"},
        {"ScalableDimension": "ecs:service:RunningCount"},
        {"ScalableDimension": "ec2:spot-fleet-request:TargetCapacity"},
    ],
)
@pytest.mark.usefixtures("stage")
def test_targets_that_are_refused(client: Any, change: dict[str, Any]) -> None:
    given = {**TARGET, "MinCapacity": 1, "MaxCapacity": 3, **change}
    call = client("application-autoscaling").register_scalable_target
    assert code(call, **{name: one for name, one in given.items() if one is not None}) == "ValidationException"


@pytest.mark.usefixtures("stage")
def test_a_policy_needs_its_target(client: Any) -> None:
    put = client("application-autoscaling").put_scaling_policy
    given = {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    assert code(put, **TARGET, **given, TargetTrackingScalingPolicyConfiguration=CPU) == "ObjectNotFoundException"


def tracking(metric: str, **more: Any) -> dict[str, Any]:
    specification = {"PredefinedMetricType": metric, **more}
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70, "PredefinedMetricSpecification": specification},
    }


def stepping(*steps: dict[str, Any], kind: str = "ChangeInCapacity") -> dict[str, Any]:
    configuration = {"AdjustmentType": kind, "StepAdjustments": list(steps)}
    return {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration}


@pytest.mark.parametrize(
    "policy",
    [
        tracking("ASGAverageCPUUtilization"),
        tracking("EC2SpotFleetRequestAverageCPUUtilization"),
        tracking("ALBRequestCountPerTarget"),
        tracking("ALBRequestCountPerTarget", ResourceLabel="my-load-balancer"),
        {"PolicyType": "TargetTrackingScaling"},
        {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70}},
        {**tracking("ECSServiceAverageCPUUtilization"), "PolicyType": "StepScaling"},
        {"PolicyType": "SimpleScaling"},
        stepping(),
        stepping({"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1}),
        stepping(
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 2},
        ),
        stepping({"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}, kind="PercentChange"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("stage")
def test_policies_that_are_refused(client: Any, policy: dict[str, Any]) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=5)
    assert code(scaling.put_scaling_policy, **TARGET, PolicyName="p", **policy) == "ValidationException"


@pytest.mark.usefixtures("stage")
def test_requests_per_target_are_taken_with_their_label(client: Any) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=5)
    label = "app/shop/0123456789abcdef/targetgroup/web/fedcba9876543210"
    scaling.put_scaling_policy(**TARGET, PolicyName="p", **tracking("ALBRequestCountPerTarget", ResourceLabel=label))
    alarm = client("cloudwatch").describe_alarms()["MetricAlarms"][0]
    assert {one["Value"] for one in alarm["Dimensions"]} == {
        "app/shop/0123456789abcdef",
        "targetgroup/web/fedcba9876543210",
    }


@pytest.mark.parametrize("schedule", ["0 9 * * *", "rate(1 minutes)", "at(2020-01-01T00:00:00)", "cron(0 9 * * * *)"])
@pytest.mark.usefixtures("stage")
def test_schedules_that_are_refused(client: Any, schedule: str) -> None:
    scaling = client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=5)
    given = {"ScheduledActionName": "x", "Schedule": schedule, "ScalableTargetAction": {"MinCapacity": 2}}
    assert code(scaling.put_scheduled_action, **TARGET, **given) == "ValidationException"
