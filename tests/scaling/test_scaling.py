"""Scaling: AWS's own example and rules, and what must hold over any load."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fargrade.semantics.scaling import (
    BadSchedule,
    Ring,
    Scaler,
    adjusted,
    next_time,
    play,
    service_of,
    step_for,
    steps_problem,
    tracking_alarms,
)

TARGET: dict[str, Any] = {"ResourceId": "service/shop/web", "MinCapacity": 2, "MaxCapacity": 10}


def step(adjustment: int, lower: float | None, upper: float | None) -> dict[str, Any]:
    given = {"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper, "ScalingAdjustment": adjustment}
    return {name: one for name, one in given.items() if one is not None}


def tracking(target: float = 70, name: str = "cpu", **more: Any) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    return {
        "PolicyName": name,
        "PolicyARN": f"arn:policy/{name}",
        "PolicyType": "TargetTrackingScaling",
        "ResourceId": TARGET["ResourceId"],
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target,
            "PredefinedMetricSpecification": metric,
            **more,
        },
    }


def stepping(steps: list[dict[str, Any]], kind: str = "ChangeInCapacity", **more: Any) -> dict[str, Any]:
    return {
        "PolicyName": "steps",
        "PolicyARN": "arn:policy/steps",
        "PolicyType": "StepScaling",
        "ResourceId": TARGET["ResourceId"],
        "StepScalingPolicyConfiguration": {"AdjustmentType": kind, "StepAdjustments": steps, **more},
    }


def alarm(threshold: float, operator: str = "GreaterThanThreshold", **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": "busy",
        "AlarmActions": ["arn:policy/steps"],
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": threshold,
        "ComparisonOperator": operator,
        **more,
    }


def test_the_example_of_the_documentation() -> None:
    """Threshold 50, 10 tasks: at 60 % ten per cent more, 11; then at 70 % thirty per cent more, 14."""
    steps = [step(0, 0, 10), step(10, 10, 20), step(30, 20, None)]
    policy, ring = stepping(steps, "PercentChangeInCapacity", Cooldown=0), alarm(50)
    scaler, target = Scaler(), {**TARGET, "MaxCapacity": 20}
    assert steps_problem(steps) == ""
    assert scaler.decide(target, [policy], [Ring(policy, ring, 59.9)], 10, 0) is None
    first = scaler.decide(target, [policy], [Ring(policy, ring, 60)], 10, 60)
    assert first is not None
    assert first.capacity == 11
    second = scaler.decide(target, [policy], [Ring(policy, ring, 70)], 11, 120)
    assert second is not None
    assert second.capacity == 14


def test_below_the_threshold_the_upper_bound_belongs_to_the_step() -> None:
    steps = [step(-1, -10, 0), step(-3, None, -10)]
    found = [step_for(steps, difference) for difference in (-1, 0, -10, -11, 5)]
    assert [one and one["ScalingAdjustment"] for one in found] == [-1, -1, -3, -3, None]


@pytest.mark.parametrize(
    ("current", "percent", "least", "expected"),
    [(10, 127, 0, 22), (3, 10, 0, 4), (10, -67, 0, 4), (5, -10, 0, 4), (10, 10, 5, 15), (0, 10, 2, 0), (10, 30, 0, 13)],
)
def test_percentages_are_rounded_as_documented(current: int, percent: int, least: int, expected: int) -> None:
    given = {"AdjustmentType": "PercentChangeInCapacity", "MinAdjustmentMagnitude": least}
    assert adjusted(given, current, step(percent, 0, None)) == expected


def test_exact_capacity() -> None:
    assert adjusted({"AdjustmentType": "ExactCapacity"}, 3, step(7, 0, None)) == 7


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "At least one"),
        ([step(1, 0, 10), step(2, 5, None)], "overlap"),
        ([step(1, 0, 10), step(2, 20, None)], "gap"),
        ([step(1, 0, 10)], "unspecified upper bound"),
        ([step(-1, -10, 0)], "unspecified lower bound"),
        ([step(1, 10, 0)], "less than"),
        ([step(1, None, None)], "Both lower and upper bounds"),
        ([step(1, n, n + 1) for n in range(20)] + [step(9, 20, None)], "at most 20"),
        ([step(1, 0, None)], ""),
        ([step(-1, None, 0)], ""),
        ([step(2, 10, None), step(1, 0, 10)], ""),
    ],
)
def test_steps_that_are_refused(steps: list[dict[str, Any]], words: str) -> None:
    said = steps_problem(steps)
    assert words in said if words else said == ""


def test_a_larger_step_adds_only_what_is_missing_during_the_cooldown() -> None:
    """ "increase of 2 … triggers again at 3 … Therefore, only 1 is added": step-scaling-policy-overview.html."""
    policy, ring = stepping([step(2, 0, 10), step(3, 10, None)], Cooldown=300), alarm(50)
    scaler = Scaler()
    assert scaler.decide(TARGET, [policy], [Ring(policy, ring, 55)], 4, 0).capacity == 6  # type: ignore[union-attr]
    assert scaler.decide(TARGET, [policy], [Ring(policy, ring, 55)], 6, 60) is None
    assert scaler.decide(TARGET, [policy], [Ring(policy, ring, 65)], 6, 120).capacity == 7  # type: ignore[union-attr]


def test_tracking_makes_two_alarms_with_the_documented_thresholds() -> None:
    high, low = tracking_alarms(tracking(75), ("a", "b"))
    assert (high["AlarmName"], low["AlarmName"]) == (
        "TargetTracking-service/shop/web-AlarmHigh-a",
        "TargetTracking-service/shop/web-AlarmLow-b",
    )
    assert (high["Threshold"], high["EvaluationPeriods"], high["ComparisonOperator"]) == (75, 3, "GreaterThanThreshold")
    assert (low["Threshold"], low["EvaluationPeriods"], low["ComparisonOperator"]) == (67.5, 15, "LessThanThreshold")
    assert len(tracking_alarms(tracking(75, DisableScaleIn=True), ("a", "b"))) == 1


def test_nothing_goes_out_before_the_third_minute_nor_in_before_the_fifteenth() -> None:
    run = play([1.2] * 20 + [6.0] * 30 + [0.1] * 60, TARGET, [tracking()], tasks=2)
    out = next(minute for minute, one in run.decisions if one.capacity > 2)
    assert out >= 23
    ins = [minute for minute, one in run.decisions if one.cause.count("AlarmLow")]
    assert ins
    assert ins[0] >= 65
    assert run.tasks[49] >= 8
    assert run.tasks[-1] == 2


def test_missing_data_change_nothing() -> None:
    run = play([2.6] * 10 + [None] * 40 + [2.6] * 10, {**TARGET, "MinCapacity": 1}, [tracking()], tasks=4)
    assert set(run.tasks) == {4}


def test_a_steady_load_is_followed_to_the_target_and_kept() -> None:
    run = play([5.0] * 60, TARGET, [tracking()], tasks=2)
    assert 60 <= 100 * 5.0 / run.tasks[-1] <= 70
    assert len(set(run.tasks[-20:])) == 1


def test_several_policies_out_if_any_in_only_if_all() -> None:
    cpu, memory = tracking(70, "cpu"), tracking(70, "memory")
    (high, low), (_, other_low) = (tracking_alarms(one, ("a", "b")) for one in (cpu, memory))
    both = [cpu, memory]
    out = Scaler().decide(TARGET, both, [Ring(cpu, high, 90), Ring(memory, other_low, 20)], 4, 0)
    assert out is not None
    assert out.capacity == 6
    assert Scaler().decide(TARGET, both, [Ring(cpu, low, 20)], 4, 0) is None
    both_low = Scaler().decide(TARGET, both, [Ring(cpu, low, 20), Ring(memory, other_low, 40)], 4, 0)
    assert both_low is not None
    assert both_low.capacity == 3


def test_a_policy_that_is_ready_but_needs_all_keeps_them() -> None:
    """Seven tasks at 61 % are no more than 70 % needs; memory at a quarter of its target must not take them."""
    cpu, memory = tracking(70, "cpu"), tracking(80, "memory")
    (_, low), (_, other_low) = (tracking_alarms(one, ("a", "b")) for one in (cpu, memory))
    rings = [Ring(cpu, low, 61), Ring(memory, other_low, 20)]
    assert Scaler().decide(TARGET, [cpu, memory], rings, 7, 0) is None


def test_suspension() -> None:
    policy = tracking()
    high, low = tracking_alarms(policy, ("a", "b"))
    held = {**TARGET, "SuspendedState": {"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": True}}
    assert Scaler().decide(held, [policy], [Ring(policy, high, 100)], 4, 0) is None
    assert Scaler().decide(held, [policy], [Ring(policy, low, 1)], 4, 0) is None


def test_scale_in_waits_for_its_own_cooldown_and_a_scale_out_does_not() -> None:
    policy = tracking(ScaleInCooldown=600)
    high, low = tracking_alarms(policy, ("a", "b"))
    scaler = Scaler()
    assert scaler.decide(TARGET, [policy], [Ring(policy, low, 35)], 8, 0).capacity == 4  # type: ignore[union-attr]
    assert scaler.decide(TARGET, [policy], [Ring(policy, low, 35)], 4, 300) is None
    assert scaler.decide(TARGET, [policy], [Ring(policy, high, 100)], 4, 300).capacity == 6  # type: ignore[union-attr]
    assert scaler.decide(TARGET, [policy], [Ring(policy, low, 35)], 6, 330).capacity == 3  # type: ignore[union-attr]


def test_high_resolution_goes_out_sooner() -> None:
    fine = tracking()
    fine["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"] += (
        "HighResolution"
    )
    high, low = tracking_alarms(fine, ("a", "b"))
    assert (high["Period"], low["Period"]) == (20, 60)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 30)), min_size=20, max_size=60),
    st.integers(1, 5),
    st.integers(0, 8),
    st.integers(1, 90),
)
def test_whatever_the_load_the_count_stays_between_the_limits(
    work: list[float | None], least: int, more: int, target: int
) -> None:
    limits = {**TARGET, "MinCapacity": least, "MaxCapacity": least + more}
    run = play(work, limits, [tracking(target)], tasks=least)
    assert all(least <= count <= least + more for count in run.tasks)
    first = run.first_change()
    assert first is None or first >= 3


@pytest.mark.parametrize("wrong", ["shop/web", "service/web", "service/shop/web/1", "cluster/shop/web", "service//web"])
def test_resource_ids(wrong: str) -> None:
    assert service_of("service/shop/web") == ("shop", "web")
    with pytest.raises(ValueError):
        service_of(wrong)


MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("at(2026-03-02T10:00:00)", "UTC", MONDAY + timedelta(minutes=30)),
        ("at(2026-03-02T11:00:00)", "Europe/Berlin", MONDAY + timedelta(minutes=30)),
        ("at(2026-03-01T10:00:00)", "UTC", None),
        ("rate(5 minutes)", "UTC", MONDAY + timedelta(minutes=5)),
        ("rate(1 hour)", "UTC", MONDAY + timedelta(hours=1)),
        ("cron(0 18 ? * MON-FRI *)", "UTC", MONDAY.replace(hour=18, minute=0)),
        ("cron(0 9 * * ? *)", "UTC", MONDAY.replace(hour=9, minute=0) + timedelta(days=1)),
        ("cron(0/15 * * * ? *)", "UTC", MONDAY + timedelta(minutes=15)),
        ("cron(0 8 1 4 ? 2026)", "UTC", datetime(2026, 4, 1, 8, tzinfo=UTC)),
        ("cron(0 8 1 4 ? 2025)", "UTC", None),
    ],
)
def test_schedules(schedule: str, zone: str, expected: datetime | None) -> None:
    assert next_time(schedule, MONDAY, zone) == expected


@pytest.mark.parametrize(
    "wrong",
    ["0 9 * * *", "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "cron(0 9 * * * *)", "cron(61 9 * * ? *)",
     "at(tomorrow)", "cron(0 9 ? * FOO *)"],
)  # fmt: skip
def test_schedules_that_are_refused(wrong: str) -> None:
    with pytest.raises(BadSchedule):
        next_time(wrong, MONDAY)
