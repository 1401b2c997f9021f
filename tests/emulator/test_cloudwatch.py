"""CloudWatch in the world: what is put is what is read, alarms live, and what AWS refuses is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.emulator import clock
from fargrade.emulator.gateway import Gateway

ALARM: dict[str, Any] = {
    "AlarmName": "busy",
    "Namespace": "Shop",
    "MetricName": "Busy",
    "Dimensions": [{"Name": "Service", "Value": "web"}],
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 80,
    "ComparisonOperator": "GreaterThanThreshold",
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:ops"


def code(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def minutes(cloudwatch: Any, *values: float | None, service: str = "web") -> list[str]:
    """Put a value a minute, as a service would, and say the alarm's state after each."""
    states = []
    clock.advance(60 - clock.now().timestamp() % 60 + 0.5)
    for number in values:
        if number is not None:
            datum = {"MetricName": "Busy", "Value": number, "Dimensions": [{"Name": "Service", "Value": service}]}
            cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
        clock.advance(60)
        states.append(cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"])
    return states


def test_an_alarm_lives(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[TOPIC])
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"
    assert minutes(cloudwatch, 90, 90, 90, 90, 10) == ["INSUFFICIENT_DATA"] * 2 + ["ALARM"] * 2 + ["OK"]
    history = cloudwatch.describe_alarm_history(AlarmName="busy", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [one["HistorySummary"] for one in history] == [
        'Alarm "busy" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f"Successfully executed action {TOPIC}",
        "Alarm updated from ALARM to OK",
    ]


def test_another_services_metric_does_not_ring_it(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    assert set(minutes(cloudwatch, 99, 99, 99, 99, service="jobs")) == {"INSUFFICIENT_DATA"}


def test_disabled_actions_do_not_run(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[TOPIC])
    cloudwatch.disable_alarm_actions(AlarmNames=["busy"])
    minutes(cloudwatch, 90, 90, 90)
    kinds = {one["HistoryItemType"] for one in cloudwatch.describe_alarm_history()["AlarmHistoryItems"]}
    assert "StateUpdate" in kinds
    assert "Action" not in kinds


def test_a_state_that_was_set_lasts_until_the_next_evaluation(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    minutes(cloudwatch, 10, 10, 10)
    cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="a drill")
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateReason"] == "a drill"
    assert minutes(cloudwatch, 10)[-1] == "OK"


def test_a_composite_alarm_follows(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "very busy", "Threshold": 95})
    cloudwatch.put_composite_alarm(
        AlarmName="page", AlarmRule='ALARM(busy) AND NOT ALARM("very busy")', AlarmActions=[TOPIC]
    )
    assert cloudwatch.describe_alarms()["CompositeAlarms"] == []
    minutes(cloudwatch, 90, 90, 90)
    (page,) = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert page["StateValue"] == "ALARM"
    assert code(cloudwatch.delete_alarms, AlarmNames=["busy"]) == "ValidationError"
    cloudwatch.delete_alarms(AlarmNames=["page", "busy"])


def test_what_is_put_is_read(client: Any) -> None:
    cloudwatch, now = client("cloudwatch"), datetime.now(UTC).replace(second=0, microsecond=0)
    at = now - timedelta(minutes=10)
    data = [
        {"MetricName": "Orders", "Value": n, "Timestamp": at + timedelta(minutes=n), "Unit": "Count"} for n in range(4)
    ]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    found = cloudwatch.get_metric_statistics(
        Namespace="Shop", MetricName="Orders", StartTime=at, EndTime=now, Period=120, Statistics=["Sum", "Maximum"],
        ExtendedStatistics=["p50"],
    )["Datapoints"]  # fmt: skip
    points = sorted(found, key=lambda one: one["Timestamp"])
    assert [(one["Sum"], one["Maximum"], one["ExtendedStatistics"]["p50"]) for one in points] == [(1, 1, 0), (5, 3, 2)]
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}
    results = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "m1", "MetricStat": stat, "ReturnData": False},
            {"Id": "e1", "Expression": "m1 * 10", "Label": "tenfold"},
        ],
        StartTime=at, EndTime=now, ScanBy="TimestampAscending",
    )["MetricDataResults"]  # fmt: skip
    assert [(one["Id"], one["Label"], one["Values"]) for one in results] == [("e1", "tenfold", [0, 10, 20, 30])]


def test_an_alarm_is_described_as_it_was_put(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    given = {**ALARM, "DatapointsToAlarm": 2, "TreatMissingData": "notBreaching", "AlarmDescription": "too busy"}
    cloudwatch.put_metric_alarm(**given, Tags=[{"Key": "team", "Value": "shop"}])
    (alarm,) = cloudwatch.describe_alarms(AlarmNamePrefix="bu")["MetricAlarms"]
    assert {name: alarm[name] for name in given} == given
    assert alarm["ActionsEnabled"] is True
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [
        {"Key": "team", "Value": "shop"}
    ]
    asked = {name: ALARM[name] for name in ("Namespace", "MetricName", "Dimensions")}
    assert cloudwatch.describe_alarms_for_metric(**asked)["MetricAlarms"][0]["AlarmName"] == "busy"
    assert cloudwatch.describe_alarms_for_metric(**{**asked, "Dimensions": []})["MetricAlarms"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"Period": 45},
        {"Period": 90},
        {"Statistic": "Median"},
        {"ComparisonOperator": "GreaterThan"},
        {"DatapointsToAlarm": 4},
        {"TreatMissingData": "notbreaching"},
        {"EvaluationPeriods": 0},
        {"EvaluationPeriods": 2000},
        {"AlarmActions": ["ops@example.org"]},
        {"AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:ops"]},
        {"AlarmActions": ["arn:aws:ecs:us-east-1:123456789012:service/shop/web"]},
        {"ExtendedStatistic": "p99"},
        {"Statistic": None},
        {"Statistic": None, "ExtendedStatistic": "p101"},
        {"Threshold": None},
        {"Period": None},
        {"Namespace": None},
        {"Unit": "Percents"},
        {"Metrics": [{"Id": "e1", "Expression": "1+1"}]},
    ],
)
def test_alarms_that_are_refused(client: Any, change: dict[str, Any]) -> None:
    given = {name: one for name, one in {**ALARM, **change}.items() if one is not None}
    assert code(client("cloudwatch").put_metric_alarm, **given) in ("ValidationError", "ValidationException")


def test_metric_math_that_is_refused(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Busy"}, "Period": 60, "Stat": "Sum"}
    base = {name: ALARM[name] for name in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")}
    m1 = {"Id": "m1", "MetricStat": stat, "ReturnData": False}
    for metrics in (
        [{**m1, "ReturnData": True}, {"Id": "e1", "Expression": "m1*2"}],
        [m1],
        [m1, {"Id": "e1", "Expression": "m2*2"}],
        [m1, {"Id": "e1", "Expression": "m1**2"}],
        [m1, {"Id": "E1", "Expression": "m1*2"}],
        [m1, m1, {"Id": "e1", "Expression": "m1*2"}],
    ):
        assert code(cloudwatch.put_metric_alarm, **base, Metrics=metrics) == "ValidationError"
    cloudwatch.put_metric_alarm(**base, Metrics=[m1, {"Id": "e1", "Expression": "m1*2"}])


def test_data_that_are_refused(client: Any) -> None:
    put = client("cloudwatch").put_metric_data
    datum = {"MetricName": "Busy", "Value": 1.0}
    assert code(put, Namespace="AWS/ECS", MetricData=[datum]) == "InvalidParameterValue"
    assert code(put, Namespace="Shop", MetricData=[{"MetricName": "Busy"}]) == "MissingParameter"
    assert code(put, Namespace="Shop", MetricData=[{**datum, "Values": [1.0]}]) == "InvalidParameterCombination"
    old = datetime.now(UTC) - timedelta(weeks=3)
    assert code(put, Namespace="Shop", MetricData=[{**datum, "Timestamp": old}]) == "InvalidParameterValue"
    assert code(put, Namespace="Shop", MetricData=[{**datum, "Unit": "Orders"}]).startswith("Validation")


def test_alarms_that_are_not_there(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=["ghost"])
    given = {"AlarmName": "ghost", "StateValue": "OK", "StateReason": "drill"}
    assert code(cloudwatch.set_alarm_state, **given) == "ResourceNotFound"
    rule = {"AlarmName": "page", "AlarmRule": "ALARM(ghost)"}
    assert code(cloudwatch.put_composite_alarm, **rule) == "ValidationError"


def test_an_anomaly_alarm_is_refused_aloud(client: Any, gateway: Gateway) -> None:
    """AWS learns a band for weeks; ours says at once that it cannot, and takes no alarm that would never be judged."""
    cloudwatch = client("cloudwatch")
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Busy"}, "Period": 60, "Stat": "Average"}
    given = {
        "AlarmName": "odd", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanUpperThreshold",
        "ThresholdMetricId": "e1",
        "Metrics": [{"Id": "m1", "MetricStat": stat}, {"Id": "e1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"}],
    }  # fmt: skip
    assert code(cloudwatch.put_metric_alarm, **given) == "EmulatorFault"
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert "ANOMALY_DETECTION_BAND" in gateway.faults[0]
